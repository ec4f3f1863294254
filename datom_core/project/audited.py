"""What ever happened to a project, from its repository."""

from __future__ import annotations

from collections.abc import Iterable

from datom_core.auditing import AuditFilter, AuditTrail, project_trail
from datom_core.common import Moment
from datom_core.governance import Governance
from datom_core.project.open_project import ProjectParts
from datom_core.reading import events_of
from datom_core.storage import ObjectStore


class Audited:
    """The part of an open project that tells what happened."""

    _parts: ProjectParts
    _name: str

    def audit(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        kind: str | Iterable[str] | None = None,
        table: str | Iterable[str] | None = None,
        cut: str | Iterable[str] | None = None,
        author: str | None = None,
        storage: bool = True,
        governance: Governance | ObjectStore | None = None,
    ) -> AuditTrail:
        """Every event of the project's history, in git's order; what concerns several tables is a row for each.

        Each commit is judged by what it changed in the documents, whatever its message says; none is left out. What
        storage says and git does not is ``unexplained``. What cannot be read is ``unreadable``, and the next commit is
        compared with what was there before.

        Args:
            since, until: moments; a date means its beginning, or its end.
            kind, table, cut: a name, or several.
            author: text that the author, committer or signer holds, in any case.
            storage: compare with storage.
            governance: the register, or its storage, for what it says of the project's moves.

        Raises:
            InvalidInputError: an argument does not fit.
            NotFoundError, AccessDeniedError, StorageError: the remote or the store cannot be read.
        """
        asked = AuditFilter.of(since, until, kind, table, cut, author)
        repo, store = self._parts.repo, self._parts.store if storage else None
        return project_trail(repo, repo.tip, store, events_of(governance, self._name), asked)
