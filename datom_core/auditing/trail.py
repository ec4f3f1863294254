"""The whole audit table: git, storage and the register of projects, each event with its source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from datom_core.auditing.events import UNKNOWN, AuditEvent, AuditFilter, AuditKind, AuditTrail
from datom_core.auditing.from_git import audit_git
from datom_core.auditing.from_storage import given_up, stories_in_storage
from datom_core.common import names
from datom_core.documents import Author, Event, Events
from datom_core.errors import FormatError
from datom_core.git import GitRepo
from datom_core.storage import ObjectStore, find

_IN_REGISTER: dict[str, AuditKind] = {"data_migration": "move", "decommission": "decommission"}
#: What both git and storage tell in the same words.
_TOLD_BY_BOTH = frozenset({"write", "cut", "review", "approval", "withdrawal", "lock", "unlock"})


def project_trail(
    repo: GitRepo,
    tip: Callable[[], str | None],
    store: ObjectStore | None,
    register: Iterable[AuditEvent],
    asked: AuditFilter,
) -> AuditTrail:
    """The audit table from git; what storage says beyond it is unexplained.

    Args:
        repo: the project's repository.
        tip: its newest commit; asked for once storage has been read, so that storage is never ahead of it.
        store: the project's storage, if it is to be compared.
        register: what the register says.
        asked: which events.
    """
    stored = [] if store is None else stories_in_storage(store)
    left = frozenset() if store is None else given_up(store)
    commit = tip()
    events, keys = audit_git(repo, commit) if commit is not None else ([], set())
    more = []
    for story in stored:
        told = story.kind in _TOLD_BY_BOTH and not story.silent
        if told and story.key not in keys and (story.table, story.version) not in left:
            detail = f"storage says this {story.kind} ({story.action}), and git does not"
            more.append(replace(story.in_storage(), kind="unexplained", detail=detail))
        elif story.kind == "unreadable":
            more.append(story.in_storage())
    return asked.of_all(_joined(events, [*more, *register]))


def storage_trail(store: ObjectStore, register: Iterable[AuditEvent], asked: AuditFilter) -> AuditTrail:
    """The audit table from storage alone."""
    return asked.of_all(_joined([story.in_storage() for story in stories_in_storage(store)], register))


def register_events(events: Iterable[Event]) -> list[AuditEvent]:
    """What a register says of a project, as events, oldest first."""
    return [_of_register(event) for event in reversed(list(events))]


def mirrored_events(mirror: ObjectStore, project: str) -> list[AuditEvent]:
    """The same from the register's storage.

    Raises:
        AccessDeniedError, StorageError: it cannot be read.
    """
    key = names.registration(project, "migration_history")
    found = find(mirror, key)
    if found is None:
        return []
    try:
        return register_events(Events.from_json(found.data, f"{key} in {mirror.location}"))
    except FormatError as error:
        told = f"could not be read: {' '.join(str(error).split())}"
        return [AuditEvent("", "unreadable", files=(key,), detail=told, source="register")]


def _of_register(event: Event) -> AuditEvent:
    places = " to ".join(str(place) for place in (event.source, event.target) if place is not None)
    counted = "" if event.objects is None else f"{event.objects:,} objects"
    return AuditEvent(
        at=event.at or "",
        kind=_IN_REGISTER.get(event.kind, "other"),
        action="registered" if event.kind in _IN_REGISTER else event.kind,
        author=UNKNOWN if event.by is None else Author(event.by, ""),
        message=event.reason or "",
        recorded_at=event.at,
        detail="; ".join(part for part in (f"from {places}" if places else "", counted) if part),
        source="register",
    )


def _joined(events: Collection[AuditEvent], more: Iterable[AuditEvent]) -> list[AuditEvent]:
    """The events in their own order, and each of the others before the first one that is later."""
    joined = list(events)
    for event in sorted(more, key=lambda e: e.at):
        place = next((n for n, e in enumerate(joined) if event.at and e.at > event.at), len(joined))
        joined.insert(place, event)
    return joined
