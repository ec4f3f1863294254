"""Values that Arrow can hold and Python's dates, times and zones cannot.

A version must be readable for ever. Such values are stored as they are, by us and by R, and pandas gets the
nearest thing that it can hold.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

_EPOCH = date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = ((day - _EPOCH).days for day in (date.min, date.max))
_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def within(table: pa.Table) -> pa.Table:
    """The table as pandas can hold it, with the same values.

    Dates outside of the years 1 to 9999 become timestamps in seconds, instants outside of them or in a zone that this
    machine does not know come in UTC, and times beyond a day as durations.
    """
    for position, (field, column) in enumerate(zip(table.schema, table.columns, strict=True)):
        if _is_beyond(column):
            data = _nearest(column)
            table = table.set_column(position, field.with_type(data.type), data)
    return table


def _is_beyond(column: pa.ChunkedArray) -> bool:
    kind = column.type
    if pa.types.is_date32(kind):
        return _exceeds(column, pa.int32(), _FIRST_DAY, _LAST_DAY)
    if pa.types.is_timestamp(kind):
        return _is_far(column) or not _is_known_zone(kind.tz)
    if pa.types.is_time(kind):
        whole = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        return _exceeds(column, whole, 0, _DAY * _PER_SECOND[kind.unit] - 1)
    return False


def _is_far(instants: pa.ChunkedArray) -> bool:
    day = _DAY * _PER_SECOND[instants.type.unit]
    return _exceeds(instants, pa.int64(), _FIRST_DAY * day, (_LAST_DAY + 1) * day - 1)


def _exceeds(column: pa.ChunkedArray, whole: pa.DataType, low: int, high: int) -> bool:
    bounds = pc.min_max(column.cast(whole)).as_py()
    return bounds["min"] is not None and (bounds["min"] < low or bounds["max"] > high)


def _is_known_zone(zone: str | None) -> bool:
    if zone is None:
        return True
    try:
        # How every value would reach Python.
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
    # pandas prints no instant with a zone outside of Python's years; without one, it means UTC here as well.
    return column.cast(pa.timestamp(kind.unit, None if _is_far(column) else "UTC"))
