"""Where a project's data lies, and whether writers may still write there: checked before each write; fails closed.

What the project says of it is in docs/format.md, "governance.json".
"""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any

from datom_core.common import fitting, level_outside, names, veiled
from datom_core.credentials import CredentialSource
from datom_core.documents import GovernanceFile, Location, Ref, same_place
from datom_core.errors import ConflictError, DatomError, GovernanceWarning, InvalidInputError, NotFoundError
from datom_core.storage import ObjectStore, check_place, check_store, find, open_store

if TYPE_CHECKING:
    from datom_core.planning import ProjectState


class PlacementGuard:
    """Decides whether writers may still write to a store.

    Args:
        store: where they write.
        governance: the register's storage; by default the one that the project names, reached with the credentials
            of ``store``.
    """

    def __init__(self, store: ObjectStore, governance: ObjectStore | None = None) -> None:
        self._store = store
        self._governance = governance

    def check(self, state: ProjectState) -> None:
        """Refuse to write to a place that the project has left, or that governance cannot confirm.

        Raises:
            ConflictError: the data has moved, or the project is being taken away.
            InvalidInputError: the register's storage cannot be opened, or another one was given.
            NotFoundError: the register does not hold the project.
            The errors of the register's storage: if the register cannot be asked, nothing is written.
        """
        check_recorded(state, self._store.location)
        if state.governance is not None:
            self._governance = governance_storage(state.governance, self._governance, near=self._store)
            check_registered(state.file.name, read_ref(self._governance, state.file.name), self._store.location)


def check_stays(state: ProjectState) -> None:
    """Refuse a project that is being taken away.

    Raises:
        ConflictError: says since when.
    """
    if state.file.decommissioned_at is not None:
        raise being_taken_away(state.file.name, state.file.decommissioned_at)


def check_recorded(state: ProjectState, ours: Location) -> None:
    """Refuse to write to a place that is not the one in git, whatever a register says.

    Raises:
        ConflictError: the data has moved, or the project is being taken away.
    """
    check_stays(state)
    check_place(state.file.name, state.file.location, ours)


def governance_storage(file: GovernanceFile, given: ObjectStore | None, *, near: ObjectStore) -> ObjectStore:
    """The storage of the register that a project belongs to.

    Raises:
        InvalidInputError: another one was given, or it cannot be opened without credentials.
    """
    if given is None:
        try:
            return open_store(file.storage, near=(near,))
        except InvalidInputError as error:
            raise InvalidInputError(
                f"The project is governed by {file.remote}, whose storage is {file.storage}. Give governance= with a "
                "store for it."
            ) from error
    if not same_place(given.location, file.storage):
        raise InvalidInputError(
            f"The project is registered in {file.storage} ({file.remote}), not in {given.location}.",
            recorded=str(file.storage),
            given=str(given.location),
        )
    return given


def read_ref(governance: ObjectStore, project: str) -> Ref:
    """Where the register's storage says that a project lies.

    Raises:
        NotFoundError: it does not hold the project.
        FormatError: what it holds cannot be read.
    """
    key = names.registration(project, "ref")
    found = find(governance, key)
    if found is None:
        governance.check()  # raises if the register itself is not there
        raise NotFoundError(
            f"{governance.location} holds no project {project!r}. Check the name; Governance.repair(name) completes "
            "a registration that broke off, and Governance.attach(project) puts back one that is lost.",
            project=project,
        )
    return Ref.from_json(found.data, f"{key} in {governance.location}")


@fitting
def locate(
    project: str,
    *,
    governance: ObjectStore,
    near: ObjectStore | None = None,
    credentials: CredentialSource | None = None,
    **options: Any,
) -> ObjectStore:
    """The store of a registered project, found by its name.

    Args:
        project: its name.
        governance: the storage of the organization's register.
        near: a store whose server and credentials are used for a bucket; by default ``governance``, also when ``near``
            is a folder.
        credentials, **options: other credentials, and further arguments of `S3Store`.

    Raises:
        NotFoundError: no project of that name is registered.
        ConflictError: it is being decommissioned.
        AccessDeniedError: the credentials do not open the register.
        InvalidInputError: there are no credentials for a bucket.
    """
    credentials, options = veiled(credentials), veiled(options)
    check_store(governance)
    ref = read_ref(governance, names.check_name(project, "project"))
    if ref.decommission is not None:
        raise being_taken_away(project, ref.decommission.began_at)
    return open_store(ref.current, near=(near, governance), credentials=credentials, **options)


def registered_in(store: ObjectStore) -> Location | None:
    """The storage of the register that the project in a store names; ``None`` when it names none.

    Raises:
        FormatError: what it says cannot be read.
    """
    found = find(store, names.GOVERNANCE_KEY)
    return None if found is None else GovernanceFile.from_json(found.data, names.GOVERNANCE_KEY).storage


def registered_projects(governance: ObjectStore) -> list[str]:
    """The names of all projects in a register, by its storage."""
    keys = [info.key.split("/") for info in governance.list(f"{names.REGISTRATIONS}/")]
    return sorted({parts[1] for parts in keys if len(parts) == 3 and names.is_name(parts[1])})


def check_registered(project: str, ref: Ref, ours: Location) -> None:
    """Refuse a place that the register does not confirm: type, root, prefix and region are compared.

    Raises:
        ConflictError: names both places.
    """
    if ref.decommission is not None:
        raise being_taken_away(project, ref.decommission.began_at)
    check_place(project, ref.current, ours)
    if ref.current.region != ours.region:
        raise ConflictError(
            f"{project} is registered in {ref.current}; this project writes to {ours}. Open it with a "
            "store of that region.",
            recorded=str(ref.current),
            given=str(ours),
        )


def being_taken_away(project: str, since: str) -> ConflictError:
    """The error for anybody who would use a project that is being decommissioned."""
    return ConflictError(f"{project} is being decommissioned since {since}; nothing is written to it any more.")


def warn_if_registered(store: ObjectStore, project: str) -> None:
    """Warn whoever opens a place of a registered project that its name would find it also after a move."""
    # A damaged or closed note gives no warning: reading does not depend on it (docs/format.md, "governance.json").
    with contextlib.suppress(DatomError):
        storage = registered_in(store)
        if storage is not None:
            warnings.warn(
                f"{project} is registered in {storage}, which knows where its data lies when it moves. Find it by "
                f'name: ProjectReader.find("{project}", governance=...).',
                GovernanceWarning,
                stacklevel=level_outside(),
            )
