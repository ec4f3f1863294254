"""Check what a caller says of where a write comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from datom_core.common import names, without_logins
from datom_core.documents import Provenance, Run, SourceSystem, format_timestamp
from datom_core.errors import InvalidInputError

_LONGEST = 1_000
_LONGEST_REASON = 10_000
_SKEW = timedelta(minutes=5)  # by which clocks of two machines may differ


def checked_provenance(given: object, now: datetime) -> Provenance:
    """A caller's part of a provenance, without what logs in; ``asked_by`` is left to whoever checks authors.

    Args:
        given: what the caller gave.
        now: the current time, after which nothing can have been extracted.

    Raises:
        InvalidInputError: names everything that cannot be kept.
    """
    if given is None:
        return Provenance()
    if not isinstance(given, Provenance):
        raise InvalidInputError(
            f'provenance is a Provenance, as in Provenance(reason="..."), not {type(given).__name__}.'
        )
    problems = [*_own(given), *_parts(given)]
    if isinstance(given.run, Run):
        problems += [p for name, text in vars(given.run).items() for p in _line(f"run.{name}", text)]
    if isinstance(given.source, SourceSystem):
        problems += _source(given.source, now)
    problems += [*_line("tool", given.tool or None), *_reason(given.reason)]
    if problems:
        raise InvalidInputError("The provenance cannot be recorded:\n  - " + "\n  - ".join(problems))
    return _kept(given)


def _own(given: Provenance) -> Iterator[str]:
    for name in ("written_by", "file"):
        if getattr(given, name) is not None:
            yield f"{name}: leave it out; whoever writes finds it out"


def _parts(given: Provenance) -> Iterator[str]:
    kinds: dict[str, type] = {"run": Run, "source": SourceSystem}
    for name, kind in kinds.items():
        value = getattr(given, name)
        if value is not None and not isinstance(value, kind):
            yield f"{name}: give a {kind.__name__}, not {type(value).__name__}"


def checked_source(given: SourceSystem | None, now: datetime) -> SourceSystem | None:
    """The system that an extract says it comes from, as `checked_provenance` keeps one.

    Raises:
        InvalidInputError: it cannot be kept.
    """
    return checked_provenance(Provenance(source=given), now).source


def _source(given: SourceSystem, now: datetime) -> list[str]:
    return [*_line("source.name", given.name), *_time(given.extracted_at, now)]


def _line(name: str, value: object) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, str):
        yield f"{name}: give text, not {type(value).__name__}"
    elif len(value) > _LONGEST:
        yield f"{name}: it has {len(value):,} characters, where at most {_LONGEST:,} are kept"
    elif not value.strip() or not value.isprintable():
        yield f"{name}: {value[:80]!r} is not one line of text that can be printed"


def _reason(value: object) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, str):
        yield f"reason: give text, not {type(value).__name__}"
    elif len(value) > _LONGEST_REASON:
        yield f"reason: it has {len(value):,} characters, where at most {_LONGEST_REASON:,} are kept"
    elif not value.strip() or "\0" in value or not names.is_text(value):
        yield "reason: it is empty, or holds a NUL character or a lone surrogate"


def _time(value: object, now: datetime) -> Iterator[str]:
    moment = _moment(value)
    if value is None:
        return
    if moment is None:
        yield f"source.extracted_at: {str(value)[:80]!r} is not a time; write it as 2026-02-28T06:00:00Z"
    elif moment.tzinfo is None:
        yield f"source.extracted_at: {str(value)[:80]!r} has no time zone; write it as 2026-02-28T06:00:00Z"
    elif moment > now + _SKEW:
        yield f"source.extracted_at: {str(value)[:80]!r} is still to come; check the clock, or the time zone"


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None


def _kept(given: Provenance) -> Provenance:
    run, source = given.run, given.source
    if run is not None:
        run = Run(**{name: text and without_logins(text) for name, text in vars(run).items()})
    if source is not None:
        moment = _moment(source.extracted_at)
        name = source.name and without_logins(source.name)
        source = SourceSystem(name or None, None if moment is None else format_timestamp(moment))
    reason = given.reason and without_logins(given.reason, queries=True)
    return replace(given, run=run, source=source, tool=without_logins(given.tool), reason=reason)
