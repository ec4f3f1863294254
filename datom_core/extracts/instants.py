"""Numbers of SAS, SPSS and Stata that are dates and times, by their formats, as R's haven knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa

_UNIX = date(1970, 1, 1)
_SAS = (_UNIX - date(1960, 1, 1)).days
_SPSS = (_UNIX - date(1582, 10, 14)).days
_FIRST = (date(1, 1, 1) - _UNIX).days
_LAST = (date(9999, 12, 31) - _UNIX).days
_DAY = 86400
_MICRO = 1_000_000

Kind = Literal["date", "datetime", "time"]
_SAS_FORMATS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("datetime", re.compile(r"DATETIME|(?:E|B|IS)8601DT")),
    ("date", re.compile(r"DATE|WEEKDATE|MMDDYY|DDMMYY|YYMMDD|(?:E|B|IS)8601DA")),
    ("time", re.compile(r"TIME|HHMM|(?:E|B|IS)8601TM")),
)
_SPSS_FORMATS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("datetime", re.compile(r"DATETIME|YMDHMS")),
    ("date", re.compile(r"[AEJS]?DATE")),
    ("time", re.compile(r"[DM]?TIME")),
)
_STATA_FORMATS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("datetime", re.compile(r"%-?t[cC]")),
    ("date", re.compile(r"%-?t?d")),
)


@dataclass(frozen=True)
class Clock:
    """What a number counts: ``per_second`` units, from ``epoch`` days before 1970; a date counts days or seconds."""

    kind: Kind
    epoch: int
    per_second: int = 1
    in_days: bool = False


def clock_of(file_format: str, column_format: str) -> Clock | None:
    """What the numbers of a column count, or ``None`` when they are just numbers."""
    if file_format in ("sav", "zsav", "por"):
        kind, epoch = _kind(_SPSS_FORMATS, column_format), _SPSS
        return Clock(kind, epoch) if kind else None
    if file_format == "dta":
        kind = _kind(_STATA_FORMATS, column_format)
        return Clock(kind, _SAS, per_second=1000, in_days=True) if kind else None
    kind = _kind(_SAS_FORMATS, column_format.upper())
    return Clock(kind, _SAS, in_days=True) if kind else None


def _kind(formats: tuple[tuple[Kind, re.Pattern[str]], ...], text: str) -> Kind | None:
    return next((kind for kind, pattern in formats if pattern.match(text)), None)


def in_time(data: pa.ChunkedArray, clock: Clock) -> pa.ChunkedArray:
    """The column as dates (date32), times of day (time64) or instants (timestamp), in microseconds.

    Times outside of one day are lengths of time (duration), which have the same hash.

    Raises:
        ValueError: says which values are none that a date or time can hold.
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
    # Apart, because a double of all microseconds would round the last ones.
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
