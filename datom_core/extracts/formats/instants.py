"""Numbers of SAS, SPSS and Stata as Arrow dates, times of day, durations and instants."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from datom_core.extracts.formats.clocks import Clock

_UNIX = date(1970, 1, 1)
_FIRST = (date(1, 1, 1) - _UNIX).days
_LAST = (date(9999, 12, 31) - _UNIX).days
_DAY = 86400
_MICRO = 1_000_000


def in_time(data: pa.ChunkedArray, clock: Clock) -> pa.ChunkedArray:
    """The column as dates (date32), times of day (time64) or instants (timestamp), in microseconds.

    Times outside a single day become durations, which have the same hash.

    Raises:
        ValueError: says which values no date or time can hold.
    """
    values = data.cast(pa.float64()).to_numpy()
    missing = np.asarray(data.is_null()) if data.null_count else np.zeros(len(values), bool)
    numbers = np.where(missing, 0.0, values)
    if clock.kind == "date":
        days = numbers if clock.in_days else numbers / _DAY
        days = np.where(missing, 0.0, days - clock.epoch)
        _refuse(data, ~missing & (days != np.floor(days)), "days with a part of a day")
        _refuse(data, ~missing & ((days < _FIRST) | (days > _LAST)), "dates outside of the years 1 to 9999")
        return _column(days.astype(np.int32), missing, pa.int32(), pa.date32())
    seconds = numbers / clock.per_second
    if clock.kind == "datetime":
        seconds = np.where(missing, 0.0, seconds - clock.epoch * _DAY)
        outside = (seconds < _FIRST * _DAY) | (seconds >= (_LAST + 1) * _DAY)
        _refuse(data, ~missing & outside, "times outside of the years 1 to 9999")
        return _column(_micro(seconds), missing, pa.int64(), pa.timestamp("us"))
    _refuse(data, np.abs(seconds) >= 2**33, "lengths of time of centuries")
    of_day = not len(seconds) or bool(seconds.min() >= 0 and seconds.max() < _DAY)
    return _column(_micro(seconds), missing, pa.int64(), pa.time64("us") if of_day else pa.duration("us"))


def _micro(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    whole = np.floor(seconds)
    # Separately, because one double for all the microseconds would round the last ones.
    return whole.astype(np.int64) * _MICRO + np.rint((seconds - whole) * _MICRO).astype(np.int64)


def _column(
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]] | np.ndarray[tuple[int], np.dtype[np.int32]],
    missing: np.ndarray[tuple[int], np.dtype[np.bool_]],
    plain: pa.DataType,
    kind: pa.DataType,
) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(numbers, plain, mask=missing).cast(kind)])


def _refuse(data: pa.ChunkedArray, wrong: np.ndarray[tuple[int], np.dtype[np.bool_]], what: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        shown = ", ".join(f"{data[int(i)].as_py()!r} in row {i + 1}" for i in rows[:3])
        raise ValueError(f"{what}: {shown}" + (f", and {len(rows) - 3} more" if len(rows) > 3 else ""))
