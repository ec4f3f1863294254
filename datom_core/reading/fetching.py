"""The data of a set's member, wherever it is: from one reader, or by the register from any project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datom_core.common import names, veiled
from datom_core.credentials import CredentialSource
from datom_core.errors import InvalidInputError
from datom_core.reading.reader import ProjectReader
from datom_core.sets import Member, VersionSet
from datom_core.storage import ObjectStore

if TYPE_CHECKING:
    import pyarrow as pa


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
            raise InvalidInputError(
                f"{found} is of the project {found.project!r}. Give a reader of it, or the register's storage: "
                "governance=...",
                member=str(found),
                project=found.project,
            )
        reader = ProjectReader.find(found.project, governance=governance, near=near, credentials=credentials, **options)
    if found.kind == "set":
        return reader.set(found.name, found.version)
    return reader.read_arrow(found.name, found.version, verify="content" if names.is_sha(found.version) else None)
