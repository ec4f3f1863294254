"""Dates and times in workbooks: numbers that a format shows as days since 1900 or 1904."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache

from datom_core.extracts.formats.cells import DamagedError, Moment, Shown

_DAY = 86_400_000  # in milliseconds: Excel keeps no more
_BUILT_IN = {
    **dict.fromkeys((*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58), Shown.DATE),
    **dict.fromkeys((*range(18, 22), *range(32, 36), 45, 47, 55, 56), Shown.TIME),
    46: Shown.LENGTH,
}
# What a format shows as it is, and its colours, conditions and languages; but not hours beyond a day: [h].
_LITERAL = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general|standard|am/pm|a/p', re.IGNORECASE)
_LENGTH = re.compile(r"\[[hms]+\]")


def shown_by(code: int, formats: dict[int, str]) -> Shown | None:
    """What a number format shows: one that the workbook defines, or one that every Excel has."""
    return _shown(formats[code]) if code in formats else _BUILT_IN.get(code)


def style_of(number: int, styles: Sequence[Shown | None]) -> Shown | None:
    """What a style shows; the first style always exists, even if none is listed.

    Raises:
        DamagedError: there is no such style, so a date could be mistaken for a number.
    """
    if number >= max(len(styles), 1):
        raise DamagedError(f"a cell has the style number {number} of {len(styles)}")
    return styles[number] if styles else None


@lru_cache(maxsize=1024)
def _shown(number_format: str) -> Shown | None:
    sections = _LITERAL.sub("", number_format).lower().split(";")[:3]  # the fourth is for text
    if any(_LENGTH.search(s) for s in sections):
        return Shown.LENGTH
    if any(re.search("[yd]", s) or ("m" in s and not re.search("[hs]", s)) for s in sections):
        return Shown.DATE
    return Shown.TIME if any(re.search("[hs]", s) for s in sections) else None


def moment_of(cell: Moment, since_1904: bool) -> datetime | time | timedelta:
    """The moment, to the millisecond.

    Raises:
        ValueError: there is no such moment; says why.
    """
    number, shown = cell
    if shown is Shown.LENGTH:
        try:
            return timedelta(milliseconds=round(number * _DAY))
        except OverflowError:
            raise ValueError(f"{number:g} days are too many") from None
    if shown is Shown.TIME and 0 <= number < 1:
        whole = min(round(number * _DAY), _DAY - 1)
        return (datetime(1904, 1, 1) + timedelta(milliseconds=whole)).time()  # noqa: DTZ001 - cells have no zone
    first = 0 if since_1904 else 1
    if number < first:
        raise ValueError(f"{number:g} is before the first day, {'1904-01-01' if since_1904 else '1900-01-01'}")
    if not since_1904 and 60 <= number < 61:
        raise ValueError(f"{number:g} is 1900-02-29, a day that Excel has and that never was")
    # Before that day, Excel is one day behind.
    epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 31 if number < 60 else 30)  # noqa: DTZ001
    try:
        return epoch + timedelta(milliseconds=round(number * _DAY))
    except OverflowError:
        raise ValueError(f"{number:g} is after 9999-12-31") from None
