"""Turn values of a Dataset-JSON file into columns, unchanged: what does not fit is refused, with its row."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from types import NoneType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.extracts.formats.json_lines import Literal
from datom_core.extracts.formats.times_of_day import clock_time

# Surrounded by blanks, as SAS's put() leaves them; with commas between thousands, which the standard allows in text.
_DECIMAL = re.compile(r" *[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)? *")
_WHOLE_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_WHOLE_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?$"
_EXACT = 2**53
_DIGITS = 20  # more than any integer type has


def array(values: Sequence[Any], kind: pa.DataType, first: int) -> pa.Array:
    """A part of a column, with the type that the file says; its first value is in row ``first``.

    Raises:
        ValueError: a value is of another kind; names the first, with its row.
    """
    return _or_culprit(lambda some: pa.array(_of_kind(some, kind), kind), values, str(kind), first)


def written(values: Sequence[Any], kind: pa.DataType, first: int) -> pa.Array:
    """A part of a column as text, to be cast to ``kind`` later: numbers as they were written.

    Raises:
        ValueError: a value has no text form; names the first, with its row.
    """
    return _or_culprit(lambda some: pa.array([_written(v, kind) for v in some], pa.string()), values, str(kind), first)


def _or_culprit(make: Any, values: Sequence[Any], what: str, first: int) -> pa.Array:
    try:
        return make(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError, ArithmeticError) as problem:
        for row, value in enumerate(values, first):
            try:
                make([value])
            except (pa.ArrowException, TypeError, ValueError, OverflowError, ArithmeticError) as error:
                raise ValueError(f"{_shown(value)} is not {what} (row {row})") from error
        raise ValueError(str(problem)) from problem


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, bool | Literal) else repr(value)
    return (text if len(text) <= 60 else f"{text[:57]}...").encode("utf-8", "backslashreplace").decode()


def _of_kind(values: Sequence[Any], kind: pa.DataType) -> Sequence[Any]:
    kinds = {type(v) for v in values}
    if Literal in kinds:
        values = [v.number if type(v) is Literal else v for v in values]
        kinds = {type(v) for v in values}
    if pa.types.is_floating(kind):
        return [None if v is None or v == "" else _float(v) for v in values]
    if pa.types.is_integer(kind):
        return values if kinds <= {int, NoneType} else [None if v is None else _whole(v) for v in values]
    # pyarrow accepts bytes as text, and numbers as booleans.
    expected = bool if pa.types.is_boolean(kind) else str
    if not kinds <= {expected, NoneType}:
        raise TypeError(f"not all are {kind}")
    return values


def _float(value: object) -> float:
    if isinstance(value, str):
        number = float(_digits(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        raise TypeError(f"{value!r} is no number")
    if math.isinf(number):
        raise OverflowError("no double is so large")
    if isinstance(value, int) and int(number) != value:
        raise OverflowError(f"no double is {value}")
    return number


def _digits(text: str) -> str:
    """A decimal given as text, in the form that Python reads; Python alone would accept ``1_0``, ``nan`` and more."""
    if not _DECIMAL.fullmatch(text) or not any(c.isdigit() for c in text):
        raise ValueError(f"{text!r} is no number")
    return text.replace(",", "")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)  # 5.0 is a whole number in JSON
    raise TypeError(f"{value!r} is no whole number")


def _written(value: object, kind: pa.DataType) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise TypeError("neither a number nor text")
    if type(value) is Literal and pa.types.is_integer(kind):
        number = Decimal(value)
        if number.adjusted() < _DIGITS and number == number.to_integral_value():
            return str(int(number))
    if type(value) is Literal and pa.types.is_floating(kind) and math.isinf(float(value)):
        raise OverflowError("no double is so large")
    return str(value)


def in_time(data: pa.ChunkedArray, data_type: str) -> pa.ChunkedArray:
    """ISO 8601 text as dates, instants or times, for a column that SAS holds as numbers; blank is missing.

    Raises:
        ValueError: a value is partial, has a zone, or is not valid; names the first, with its row.
    """
    text = pc.if_else(pc.equal(data, ""), pa.scalar(None, pa.string()), data)
    try:
        if data_type == "time":
            return clock_time(text)
        whole = pc.match_substring_regex(text, _WHOLE_DATE if data_type == "date" else _WHOLE_TIME)
        row = pc.index(whole, False).as_py()
        if row >= 0:
            raise ValueError(f"{text[row].as_py()[:40]!r} in row {row + 1} is no whole {data_type} without a zone")
        return text.cast(pa.date32() if data_type == "date" else pa.timestamp("us"))
    except pa.ArrowInvalid as error:
        raise ValueError(str(error).splitlines()[0][:160]) from error
