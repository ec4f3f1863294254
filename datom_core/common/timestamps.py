"""Points in time, as callers give them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from datom_core.errors import InvalidInputError

_DATE_LENGTH = len("2026-02-28")
_NO_TIME = "NaT"  # pandas' missing time is a datetime, too

#: A moment in UTC: a datetime, a date (its end), or either as ISO 8601 text.
Moment = datetime | date | str


def moment_of(value: Moment, name: str = "as_of") -> datetime:
    """The instant that ``value`` means: a date means its last moment; without an offset, times are in UTC.

    Args:
        value: a moment.
        name: what the caller calls it, for the error.

    Raises:
        InvalidInputError: not a date or time, or not ISO 8601 text of one.
    """
    return _instant(value, name, time.max)


def beginning_of(value: Moment, name: str) -> datetime:
    """As `moment_of`, but a date means its first moment."""
    return _instant(value, name, time.min)


def _instant(value: Moment, name: str, of_day: time) -> datetime:
    given: object = value
    if isinstance(given, str):
        try:
            given = date.fromisoformat(given) if len(given) <= _DATE_LENGTH else datetime.fromisoformat(given)
        except ValueError:
            given = None
    if isinstance(given, datetime) and str(given) != _NO_TIME:
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    if isinstance(given, date) and str(given) != _NO_TIME:
        return datetime.combine(given, of_day, UTC)
    raise InvalidInputError(
        f'{name} must be a date or a time, for example "2026-02-28" or "2026-02-28T18:00:00Z"; got {value!r}.'
    )
