"""Times of day and durations written as text: ``10:30``, ``10:30:00``, ``10:30:00.25``."""

from __future__ import annotations

import re

import pyarrow as pa

_TIME = re.compile(r"(-?)([0-9]{1,5}):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,6})0*)?)?")
_DAY = 86_400_000_000  # microseconds


def clock_time(data: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as times of day (time64), or, if any exceeds a day, as durations, which have the same hash.

    Raises:
        ArrowInvalid: names the first that is not a time.
    """
    ticks = [None if text is None else _microseconds(text, row) for row, text in enumerate(data.to_pylist(), 1)]
    of_day = all(0 <= t < _DAY for t in ticks if t is not None)
    numbers = pa.chunked_array([pa.array(ticks, pa.int64())])
    return numbers.cast(pa.time64("us") if of_day else pa.duration("us"))


def _microseconds(text: str, row: int) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise pa.ArrowInvalid(f"{text[:40]!r} in row {row} is no time, such as 10:30:00")
    sign, hours, minutes, seconds, fraction = found.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)
    ticks = whole * 1_000_000 + int((fraction or "0").ljust(6, "0"))
    return -ticks if sign else ticks
