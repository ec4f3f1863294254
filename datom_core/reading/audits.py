"""What ever happened to a project, as far as storage and a register tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from datom_core.auditing import (
    AuditEvent,
    AuditFilter,
    AuditTrail,
    mirrored_events,
    register_events,
    storage_trail,
)
from datom_core.common import Moment
from datom_core.documents import Event
from datom_core.errors import InvalidInputError
from datom_core.storage import ObjectStore


class Registered(Protocol):
    """What a register knows about a project."""

    @property
    def events(self) -> Iterable[Event]: ...


class Register(Protocol):
    """A register of projects: `Governance`."""

    def project(self, name: str, /) -> Registered: ...


class Audits:
    """The part of `ProjectReader` that tells what happened."""

    _store: ObjectStore
    _project: str

    def audit(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        kind: str | Iterable[str] | None = None,
        table: str | Iterable[str] | None = None,
        cut: str | Iterable[str] | None = None,
        author: str | None = None,
        governance: Register | ObjectStore | None = None,
    ) -> AuditTrail:
        """Every event that storage's documents tell, oldest first; what concerns several tables is a row for each.

        Storage keeps versions, cuts, reviews and approvals, with who, when and why. Commits, repairs, moves and what
        was done by hand only git knows: `Project.audit`.

        Args:
            since, until: moments; a date means its beginning, or its end.
            kind, table, cut: a name, or several.
            author: text that the author (name or address) holds, in any case.
            governance: the register, or its storage, for the moves that it knows.

        Raises:
            InvalidInputError: an argument does not fit.
            AccessDeniedError, StorageError: storage cannot be read.
        """
        asked = AuditFilter.of(since, until, kind, table, cut, author)
        return storage_trail(self._store, events_of(governance, self._project), asked)


def events_of(governance: Register | ObjectStore | None, project: str) -> list[AuditEvent]:
    """What a register, or its storage, says of a project.

    Raises:
        InvalidInputError: it is neither.
    """
    if governance is None:
        return []
    if isinstance(governance, ObjectStore):
        return mirrored_events(governance, project)
    if not hasattr(governance, "project"):
        raise InvalidInputError(
            f"governance is the register, or the store of its storage, not a {type(governance).__name__}."
        )
    return register_events(governance.project(project).events)
