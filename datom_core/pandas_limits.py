"""What Arrow can hold and Python's dates, times and zones cannot.

A version must be readable for ever, by pandas as well. So values beyond these limits are refused before they are
written; others write them all the same (R does), and then pandas is given the nearest thing that it can hold.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.errors import ColumnReport

_EPOCH = date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = ((day - _EPOCH).days for day in (date.min, date.max))
_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def refused(table: pa.Table) -> list[ColumnReport]:
    """The columns with values that Python cannot hold, with what to do about them."""
    found = []
    for field, column in zip(table.schema, table.columns, strict=True):
        reason = _reason(column)
        if reason is not None:
            found.append(ColumnReport(field.name, str(field.type), "unsupported", reason))
    return found


def within(table: pa.Table) -> pa.Table:
    """The table as pandas can hold it, with the same values.

    Dates outside of the years 1 to 9999 become timestamps in seconds, instants outside of them or in a zone that this
    machine does not know come in UTC, and times beyond a day as durations.
    """
    for position, (field, column) in enumerate(zip(table.schema, table.columns, strict=True)):
        if _reason(column) is not None:
            data = _nearest(column)
            table = table.set_column(position, field.with_type(data.type), data)
    return table


def _reason(column: pa.ChunkedArray) -> str | None:
    kind = column.type
    if pa.types.is_date32(kind) and _exceeds(column, pa.int32(), _FIRST_DAY, _LAST_DAY):
        return "it holds dates outside of the years 1 to 9999, which pandas cannot hold; correct them, or write text"
    if pa.types.is_timestamp(kind):
        unit = _PER_SECOND[kind.unit]
        if _exceeds(column, pa.int64(), _FIRST_DAY * _DAY * unit, (_LAST_DAY + 1) * _DAY * unit - 1):
            return (
                "it holds times outside of the years 1 to 9999, which pandas cannot hold; correct them, or write text"
            )
        if not _is_known_zone(kind.tz):
            return f"Python knows no time zone {kind.tz!r}; convert the column to UTC or to a zone of the tz database"
    if pa.types.is_time(kind):
        whole = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        if _exceeds(column, whole, 0, _DAY * _PER_SECOND[kind.unit] - 1):
            return "it holds times of day beyond a day, which pandas cannot hold; make it a column of durations"
    return None


def _exceeds(column: pa.ChunkedArray, whole: pa.DataType, low: int, high: int) -> bool:
    bounds = pc.min_max(column.cast(whole)).as_py()
    return bounds["min"] is not None and (bounds["min"] < low or bounds["max"] > high)


def _is_known_zone(zone: str | None) -> bool:
    if zone is None:
        return True
    try:
        # The way in which every value would come to Python.
        pa.scalar(0, pa.timestamp("s", zone)).as_py()
    except (ValueError, KeyError, pa.ArrowException):
        return False
    return True


def _nearest(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_date32(kind):
        return pc.multiply(column.cast(pa.int32()).cast(pa.int64()), _DAY).cast(pa.timestamp("s"))
    if pa.types.is_time(kind):
        ticks = column.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64()).cast(pa.int64())
        return ticks.cast(pa.duration(kind.unit))
    outside = _reason(column.cast(pa.timestamp(kind.unit))) is not None
    # pandas prints no instant with a zone outside of Python's years; without one, it means UTC here as well.
    return column.cast(pa.timestamp(kind.unit, None if outside else "UTC"))
