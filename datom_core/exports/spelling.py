"""Values as text that programs read: shortest numbers, ISO 8601."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.exports.columns import Column, fraction_digits

_UNITS = {0: "s", 3: "ms", 6: "us"}
_SECOND = 10**6

#: Turns any part of a column into text.
Speller = Callable[[pa.Array], pa.Array]


def speller(column: Column) -> Speller:
    """How the values of a column are written; all of one column in one way."""
    if column.kind == "number":
        return _number
    if column.kind == "moment":
        return _moment(_UNITS[fraction_digits(column)], "Z" if column.zoned else "")
    if column.kind == "time":
        unit = _UNITS[fraction_digits(column)]
        kind = pa.time64("us") if unit == "us" else pa.time32(unit)
        return lambda part: part.cast(kind).cast(pa.string())
    if column.kind == "span":
        digits = fraction_digits(column)
        return lambda part: pa.array([_span(t, digits) for t in part.cast(pa.int64()).to_pylist()], pa.string())
    return lambda part: part.cast(pa.string())


def _number(part: pa.Array) -> pa.Array:
    text = pc.add(part, 0.0).cast(pa.string())  # zero has no sign here
    finite = pc.is_finite(part)
    if pc.all(finite).as_py() is False:
        word = pc.if_else(pc.is_nan(part), "NaN", pc.if_else(pc.greater(part, 0.0), "Inf", "-Inf"))
        text = pc.if_else(finite, text, word)
    return text


def _moment(unit: str, ending: str) -> Speller:
    def spelled(part: pa.Array) -> pa.Array:
        text = pc.replace_substring(part.cast(pa.timestamp(unit)).cast(pa.string()), " ", "T")
        return pc.binary_join_element_wise(text, ending, "") if ending else text

    return spelled


def _span(ticks: int | None, digits: int) -> str | None:
    if ticks is None:
        return None
    seconds, fraction = divmod(abs(ticks), _SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    rest = f".{fraction:06d}"[: digits + 1] if digits else ""
    return f"{'-' if ticks < 0 else ''}{hour}:{minute:02d}:{second:02d}{rest}"
