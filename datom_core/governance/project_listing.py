"""What a register shows of its projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from datom_core.credentials import CredentialSource
from datom_core.documents import Author, Event, FormerPlace, Location, Rows, block, format_timestamp, rows
from datom_core.errors import DatomError
from datom_core.governance.register import Registration, Unreadable
from datom_core.reading import open_reader
from datom_core.storage import ObjectStore, open_store

_READERS = 8


@dataclass(frozen=True)
class RegisteredProject:
    """A project of the register at a glance.

    Attributes:
        name: its name.
        backend, root, prefix, region: where its data lies; empty if the registration cannot be read.
        registered_at, registered_by: of the commit that registered it; unknown without the governance repo.
        tables, versions, last_write: from its data; ``None`` if that cannot be read, and then ``note`` says why.
        note: anything unusual, else empty.
    """

    name: str
    backend: str
    root: str
    prefix: str
    region: str | None
    registered_at: str | None
    registered_by: str | None
    tables: int | None = None
    versions: int | None = None
    last_write: str | None = None
    note: str = ""


@dataclass(frozen=True)
class ProjectRecord:
    """Everything the register knows about one project.

    Attributes:
        name: its name.
        location: where its data lies.
        previous: where it lay before, most recent first.
        events: what happened to it, most recent first.
        registered_at, registered_by: of the commit that registered it; unknown without the governance repo.
        decommissioned_at: when its decommission began.
    """

    name: str
    location: Location
    previous: tuple[FormerPlace, ...] = field(repr=False)
    events: tuple[Event, ...] = field(repr=False)
    registered_at: str | None
    registered_by: Author | None
    decommissioned_at: str | None

    def __repr__(self) -> str:
        # In full: people come for how long a place is kept, and why somebody moved.
        lists = [(name, getattr(self, name)) for name in ("previous", "events")]
        return block(self) + "".join(
            f"\n\n{name}:\n" + "\n".join(f"  {e}" for e in found) for name, found in lists if found
        )


@dataclass(frozen=True)
class RepairReport:
    """What `Governance.repair` did.

    Attributes:
        project: its name.
        commit_sha: the commit that completed the registration, if anything was missing.
        mirrored: keys that were put into the register's storage.
        left: what remains to be done, and how.
    """

    project: str
    commit_sha: str | None
    mirrored: tuple[str, ...]
    left: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        return block(self)


def record_of(found: Registration) -> ProjectRecord:
    """Everything that a registration says."""
    ref, added = found.ref, found.added
    return ProjectRecord(
        name=found.project,
        location=ref.current,
        previous=ref.previous,
        events=tuple(found.events),
        registered_at=format_timestamp(added.at) if added else None,
        registered_by=added.author if added else None,
        decommissioned_at=ref.decommission.began_at if ref.decommission else None,
    )


def at_a_glance(found: Sequence[Registration | Unreadable]) -> Rows[RegisteredProject]:
    """A row for each registration, without reading any project's data."""
    return rows(map(_glance, found))


def in_detail(
    found: Sequence[Registration | Unreadable],
    near: Sequence[ObjectStore | None],
    credentials: CredentialSource | None,
    options: Mapping[str, Any],
) -> Rows[RegisteredProject]:
    """A row for each registration, with details from the project's data. If that cannot be read, the row says why."""
    if not found:
        return rows(())

    def describe(registration: Registration | Unreadable) -> RegisteredProject:
        row = _glance(registration)
        if isinstance(registration, Unreadable):
            return row
        try:
            store = open_store(registration.ref.current, near=near, credentials=credentials, **options)
            summary = open_reader(store, registration.project).summary()
        except DatomError as error:
            return replace(row, note=row.note or f"not readable: {str(error).splitlines()[0]}")
        return replace(row, tables=summary.tables, versions=summary.versions, last_write=summary.last_updated)

    with ThreadPoolExecutor(min(len(found), _READERS), thread_name_prefix="datom-projects") as pool:
        return rows(pool.map(describe, found))


def _glance(found: Registration | Unreadable) -> RegisteredProject:
    if isinstance(found, Unreadable):
        note = f"registration is not readable: {found.reason.splitlines()[0]}"
        return RegisteredProject(found.project, "", "", "", None, None, None, note=note)
    at, mark = found.ref.current, found.ref.decommission
    notes = [f"being decommissioned since {mark.began_at}"] if mark else []
    notes += [] if found.complete else ["registration is incomplete: Governance.repair completes it"]
    return RegisteredProject(
        name=found.project,
        backend=at.backend,
        root=at.root,
        prefix=at.prefix,
        region=at.region,
        registered_at=format_timestamp(found.added.at) if found.added else None,
        registered_by=str(found.added.author) if found.added else None,
        note="; ".join(notes),
    )
