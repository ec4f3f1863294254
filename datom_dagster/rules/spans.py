"""When a date in SDTM's text may have been: ISO 8601, perhaps with unknown parts, and intervals."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# A hyphen stands for an unknown part: 2003---15 is the 15th of some month of 2003, --12-15 that day of some year.
_DATE = r"(\d{4}|-)(?:-(\d\d|-)(?:-(\d\d|-))?)?"
_TIME = r"T(\d\d|-)(?::(\d\d|-)(?::(\d\d|-)(\.\d+)?)?)?"
_POINT = re.compile(rf"{_DATE}(?:{_TIME}(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)
_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?=.)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_LOWEST = (1, 1, 1, 0, 0, 0, 0)
_HIGHEST = (9999, 12, 31, 23, 59, 59, 999_999)
_FIRST, _LAST = datetime.fromisoformat("0001-01-01"), datetime.fromisoformat("9999-12-31T23:59:59.999999")
_TIME_PARTS = 3  # the first of hour, minute, second

Parts = tuple[int, ...]


def may_be_within(text: str, low: datetime | None, high: datetime | None) -> bool:
    """Whether any moment that the text may stand for is between the ends, both included; ``None`` is an open end.

    Times without an offset are UTC, as the ends are. A missing part of a date may have any value; in an interval, any
    moment from its beginning to its end counts, as far as both are known. A text that is neither a date nor an
    interval, such as ``2012-02-30`` or a duration alone, is within nothing.
    """
    first, slash, second = text.partition("/")
    if slash:
        ends = _interval(first, second)
        return ends is not None and ends[0] <= ends[1] and ends[0] <= (high or _LAST) and ends[1] >= (low or _FIRST)
    point = _point(text)
    return point is not None and point.is_within(low, high)


@dataclass(frozen=True)
class _Point:
    """A point in time: year to microsecond, ``None`` for unknown parts; ``offset`` is from UTC."""

    parts: tuple[int | None, ...]
    offset: timedelta

    def is_within(self, low: datetime | None, high: datetime | None) -> bool:
        found = self._from(_LOWEST if low is None else _parts(_moved(low, self.offset)))
        return found is not None and (high is None or found <= _parts(_moved(high, self.offset)))

    def hull(self) -> tuple[datetime, datetime] | None:
        """The earliest and the latest moment, in UTC; ``None`` if there is none, as for 30 February."""
        first, last = self._from(_LOWEST), self._until(_HIGHEST)
        if first is None or last is None:
            return None
        return _moved(_moment(first), -self.offset), _moved(_moment(last), -self.offset)

    def _from(self, bound: Parts) -> Parts | None:
        return self._search((), bound, 1) if self._exists() else None

    def _until(self, bound: Parts) -> Parts | None:
        return self._search((), bound, -1) if self._exists() else None

    def _exists(self) -> bool:
        """Whether a calendar or a clock has every known part; otherwise the search would try all others in vain."""
        return all(p is None or low <= p <= high for p, low, high in zip(self.parts, _LOWEST, _HIGHEST, strict=True))

    def _search(self, chosen: Parts, bound: Parts | None, step: int) -> Parts | None:
        """The nearest moment at or past ``bound``, searched part by part; ``bound`` is ``None`` once it is passed."""
        place = len(chosen)
        if place == len(self.parts):
            return chosen
        for value in self._values(chosen, step):
            passed = bound is None or (value - bound[place]) * step > 0
            if not passed and bound is not None and value != bound[place]:
                continue
            found = self._search((*chosen, value), None if passed else bound, step)
            if found is not None:
                return found
        return None

    def _values(self, chosen: Parts, step: int) -> Iterable[int]:
        place, known = len(chosen), self.parts[len(chosen)]
        last = monthrange(*chosen)[1] if place == 2 else _HIGHEST[place]
        if known is not None:
            return (known,) if _LOWEST[place] <= known <= last else ()
        every = range(_LOWEST[place], last + 1)
        return every if step > 0 else reversed(every)


def _point(text: str) -> _Point | None:
    match = _POINT.fullmatch(text)
    if match is None:
        return None
    *given, fraction, zone = match.groups()
    day, time = given[:_TIME_PARTS], [g for g in given[_TIME_PARTS:] if g is not None]
    named = [g for g in day if g is not None]
    # The last part must be known, and a time needs a whole date, although hyphens may stand for its parts.
    if (time or named)[-1] == "-" or (time and None in day):
        return None
    parts: list[int | None] = [None if g in (None, "-") else int(g) for g in given]
    parts.append(None if fraction is None else int(fraction[1:7].ljust(6, "0")))
    offset = _offset(zone)
    if offset is None:
        return None
    if time and given[_TIME_PARTS] == "24" and not any(parts[_TIME_PARTS + 1 :]) and "-" not in time:
        # Midnight as the end of the day.
        parts[_TIME_PARTS:] = [23, 59, 59, 999_999]
    return _Point(tuple(parts), offset)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None or zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 14 or minutes > 59:  # no clock is farther from UTC
        return None
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def _interval(first: str, second: str) -> tuple[datetime, datetime] | None:
    """The earliest beginning and the latest end, from two dates, or from one and a duration before or after it."""
    begin, end = (None if p is None else p.hull() for p in (_point(first), _point(second)))
    if begin is not None and end is not None:
        return begin[0], end[1]
    if begin is not None:
        until = _shifted(begin[1], second, 1)
        return None if until is None else (begin[0], until)
    if end is not None:
        since = _shifted(end[0], first, -1)
        return None if since is None else (since, end[1])
    return None


def _shifted(moment: datetime, duration: str, sign: int) -> datetime | None:
    match = _DURATION.fullmatch(duration)
    if match is None:
        return None
    years, months, *rest = (float(g or 0) for g in match.groups())
    count = moment.year * 12 + moment.month - 1 + sign * int(years * 12 + months)
    year, month = divmod(count, 12)
    if not 1 <= year <= _HIGHEST[0]:
        return _FIRST if sign < 0 else _LAST
    day = min(moment.day, monthrange(year, month + 1)[1])
    weeks, days, hours, minutes, seconds = rest
    try:
        span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return _FIRST if sign < 0 else _LAST
    return _moved(moment.replace(year=year, month=month + 1, day=day), span * sign)


def _moved(moment: datetime, by: timedelta) -> datetime:
    """The moment moved by that much, but not beyond the first or last year there is."""
    try:
        return moment + by
    except OverflowError:
        return _FIRST if by < timedelta() else _LAST


def _parts(moment: datetime) -> Parts:
    return (*moment.timetuple()[:6], moment.microsecond)


def _moment(parts: Parts) -> datetime:
    year, month, day, hour, minute, second, micro = parts
    return _FIRST.replace(year, month, day, hour, minute, second, micro)
