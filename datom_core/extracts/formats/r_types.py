"""Which type R's fread gives a column of text values, and the resulting values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

_BOOLEANS = ({"TRUE": True, "FALSE": False}, {"True": True, "False": False}, {"true": True, "false": False})
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAN = re.compile(r"[+-]?(?:nan|N[aA]N[0-9]*|1\.#(?:SNAN|QNAN|IND)|#(?:DIV/0|VALUE|NULL|NUM|REF)!|#NAME\?)")
_INFINITE = re.compile(r"[+-]?(?:inf|INF|Inf(?:inity)?|1\.#INF)")
_DATE = re.compile(r"(-?[0-9]{1,9})-([0-9]{1,3})-([0-9]{1,3})")
_TIME = re.compile(
    r"([^ T]+)[ T]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]*)?(?:Z| ?([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EXPONENT = 350  # from here on, R treats it as text
_DIGITS = 6  # of a second's fraction, in storage


class _NoFitError(Exception):
    """A value does not have the type being tried."""


def column_of(values: Sequence[str | None]) -> pa.Array:
    """The column as R types it: the first type, in R's order, that all values fit; text if none does.

    A blank is missing, except in text, where it is empty text.

    Raises:
        ValueError: R's values cannot be stored as they are: a time finer than a microsecond, or a year out of range.
    """
    distinct = {v for v in values if v}
    if not distinct:
        return pa.array([None] * len(values), pa.bool_())
    for parse, kind in _TYPES:
        try:
            found = {v: parse(v) for v in distinct}
        except _NoFitError:
            continue
        return pa.array([found[v] if v else None for v in values], kind)
    return pa.array(values, pa.string())


def is_only_text(value: str) -> bool:
    """Whether R reads a field as text and nothing else; an empty field counts."""
    return not value or bool(pa.types.is_string(column_of([value]).type))


def _boolean(words: dict[str, bool]) -> Callable[[str], bool]:
    def parse(value: str) -> bool:
        if value not in words:
            raise _NoFitError
        return words[value]

    return parse


def _whole(limit: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not _WHOLE.fullmatch(value) or abs(number := int(value)) > limit:
            raise _NoFitError
        return number

    return parse


def _double(value: str) -> float:
    if not _DOUBLE.fullmatch(value):
        raise _NoFitError
    exponent = re.search(r"[eE]([+-]?[0-9]+)$", value)
    if exponent is not None and abs(int(exponent[1])) > _EXPONENT:
        raise _NoFitError
    if _WHOLE.fullmatch(value):
        _whole(2**63 - 1)(value)
    return float(value)


def _extended(value: str) -> float | None:
    if value == "#N/A":
        return None
    if _NAN.fullmatch(value):
        return math.nan
    if _INFINITE.fullmatch(value):
        return -math.inf if value.startswith("-") else math.inf
    return _double(value)


def _date(value: str) -> int:
    match = _DATE.fullmatch(value)
    if match is None:
        raise _NoFitError
    year, month, day = map(int, match.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if year < 0:
        raise ValueError(f"{value} is before the year 0, which R miscalculates")
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS_OF_MONTH[month - 1] + (leap and month == 2):
        raise _NoFitError
    return _days(year, month, day)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, in a calendar that extends before and after Python's."""
    y = year - (month <= 2)
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _instant(value: str) -> int:
    """Microseconds since 1970-01-01 UTC; for a date, at midnight."""
    match = _TIME.fullmatch(value)
    if match is None:
        return _date(value) * 86_400_000_000
    date, hour, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise _NoFitError
    digits = (fraction or ".")[1:].rstrip("0")
    if len(digits) > _DIGITS:
        raise ValueError(f"{value} has digits below a microsecond, which are not stored")
    offset = (int(zone_hours or 0) * 60 + int(zone_minutes or 0)) * (-1 if sign == "-" else 1)
    whole = _date(date) * 86400 + hours * 3600 + (minutes - offset) * 60 + seconds
    return whole * 1_000_000 + int(digits.ljust(_DIGITS, "0"))


_TYPES: tuple[tuple[Callable[[str], Any], pa.DataType], ...] = (
    *((_boolean(words), pa.bool_()) for words in _BOOLEANS),
    (_whole(2**31 - 1), pa.int32()),
    (_whole(2**63 - 1), pa.int64()),
    (_extended, pa.float64()),
    (_date, pa.date32()),
    (_instant, pa.timestamp("us", "UTC")),
)
