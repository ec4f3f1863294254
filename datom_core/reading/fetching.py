"""The data of a set's member, wherever it is: from one reader, or by the register from any project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datom_core.common import names, veiled
from datom_core.credentials import CredentialSource
from datom_core.documents import Rows, Version, rows
from datom_core.errors import InvalidInputError
from datom_core.reading.citation import parse_citation_id
from datom_core.reading.reader import ProjectReader
from datom_core.sets import Member, MemberState, VersionSet, brought_level, member_states
from datom_core.storage import ObjectStore

if TYPE_CHECKING:
    import pyarrow as pa


def set_status(of: VersionSet, *readers: ProjectReader, pattern: str | None = None) -> Rows[MemberState]:
    """How a set stands to what is current now, member by member, and what else there is that it could hold.

    `bring_set_level` makes the set that follows from it; nothing is written before `Project.write_set`.

    Args:
        of: the set.
        readers: of the projects to look at; members of others are ``not_checked``.
        pattern: a glob on the names of what is new (``"ad*"``).
    """
    current = {
        reader.project: {e.name: (e.kind, e.version) for e in reader.list() if e.version is not None}
        for reader in readers
    }
    return rows(member_states(of, current, pattern))


def bring_set_level(
    of: VersionSet, states: Iterable[MemberState], *, tags: Mapping[str, Any] | None = None
) -> VersionSet:
    """The set with what is ``new`` added and what ``changed`` repointed; all else stays as it is.

    Args:
        of: the set.
        states: from `set_status`, or some of them.
        tags: labels of what is added, for example ``{"type": "input"}``.
    """
    return brought_level(of, states, tags)


def fetch_member(
    of: VersionSet,
    member: Member | str,
    *,
    project: str | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    reader: ProjectReader | None = None,
    governance: ObjectStore | None = None,
    near: ObjectStore | None = None,
    credentials: CredentialSource | None = None,
    **options: Any,
) -> pa.Table | VersionSet:
    """The table that a member of a set stands for, as a pyarrow Table; of a member that is a set, that set.

    What is read is proven to be the version that the set names.

    Args:
        of: the set.
        member: one of its members, or the name of one, and
        project, tags, version: what tells it from others of that name.
        reader: of the member's project.
        governance: the register's storage, which says where the member's project is.
        near, credentials, **options: as `ProjectReader.find`.

    Raises:
        NotFoundError, InvalidInputError: as `VersionSet.find`; or nothing leads to the member's project.
        The errors of `ProjectReader.find` and `ProjectReader.read_arrow`.
    """
    credentials, options = veiled(credentials), veiled(options)
    if isinstance(member, Member):
        if (project, tags, version) != (None, None, None):
            raise InvalidInputError("A Member says already which one is meant; leave project, tags and version out.")
        found = member
    else:
        found = of.find(names.check_name(member, "member"), project=project, tags=tags, version=version)
    if reader is None or reader.project != found.project:
        if governance is None:
            raise _nowhere(found, found.project)
        reader = ProjectReader.find(found.project, governance=governance, near=near, credentials=credentials, **options)
    if found.kind == "set":
        return reader.set(found.name, found.version)
    return reader.read_arrow(found.name, found.version, verify="content" if names.is_sha(found.version) else None)


@dataclass(frozen=True)
class Cited:
    """What a citation leads to.

    Attributes:
        reader: of the project, where it is now.
        name, kind: of the table or set.
        version: the entry of its history.
    """

    reader: ProjectReader
    name: str
    kind: str
    version: Version

    def fetch(self) -> pa.Table | VersionSet:
        """The table, as a pyarrow Table, proven to be that version; or the set."""
        if self.kind == "set":
            return self.reader.set(self.name, self.version.version)
        return self.reader.read_arrow(self.name, self.version, verify="content")


def find_cited(
    id: str,  # noqa: A002 - as citations call it
    *,
    reader: ProjectReader | None = None,
    governance: ObjectStore | None = None,
    credentials: CredentialSource | None = None,
    **options: Any,
) -> Cited:
    """The version that a citation's id names, wherever its project is now.

    Args:
        id: such as ``datom:STUDY_001/adsl@7e21b0aa``; blanks in names are percent-encoded.
        reader: of the project; or
        governance: the register's storage, which says where the project is.
        credentials, **options: as `ProjectReader.find`.

    Raises:
        InvalidInputError: no such id, or nothing leads to the project.
        NotFoundError: there is no such project, table or version.
    """
    credentials, options = veiled(credentials), veiled(options)
    project, name, digits = parse_citation_id(id)
    if reader is None or reader.project != project:
        if governance is None:
            raise _nowhere(id, project)
        reader = ProjectReader.find(project, governance=governance, credentials=credentials, **options)
    member = reader.member(name, digits)
    entry = next(v for v in reader.history(name) if v.version == member.version)
    return Cited(reader, name, member.kind, entry)


def _nowhere(what: object, project: str) -> InvalidInputError:
    return InvalidInputError(
        f"{what} is of the project {project!r}. Give a reader of it, or the register's storage: governance=...",
        project=project,
    )
