"""The register of an organization's projects: which there are, where the data of each lies, and how it got there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from datom_core.common import OnProgress, did_you_mean, fitting, names
from datom_core.credentials import CredentialSource
from datom_core.documents import Author, Ref, Rows, kind_of
from datom_core.errors import DatomError, InvalidInputError, NotFoundError
from datom_core.git import GitRepo, Remote, same_remote, unshown
from datom_core.governance.attachment import Attachment
from datom_core.governance.decommission import Decommissioning, DecommissionReport
from datom_core.governance.init_register import begin, is_seeded
from datom_core.governance.project_listing import (
    ProjectRecord,
    RegisteredProject,
    RepairReport,
    at_a_glance,
    in_detail,
    record_of,
)
from datom_core.governance.register import Register, Registration
from datom_core.storage import ObjectStore, check_store, find, open_store
from datom_core.writing import DocumentEditor, author_or_default, utc_now


class Governable(Protocol):
    """A project that can be registered."""

    @property
    def name(self) -> str: ...

    @property
    def store(self) -> ObjectStore: ...

    @property
    def remote(self) -> str: ...


P = TypeVar("P", bound=Governable)


@dataclass(frozen=True)
class Candidate(Generic[P]):
    """A project about to be registered, with what only this package may do with it.

    Attributes:
        editor: edits its own documents.
        reopened: opens the project as a member of the register.
    """

    editor: DocumentEditor
    reopened: Callable[[Governance], P]


@singledispatch
def as_candidate(project: object) -> Candidate[Any]:
    """A project as a candidate; the module that defines a class of projects registers how.

    Raises:
        InvalidInputError: it is not a project.
    """
    raise InvalidInputError(
        f"Only a project that is open to be written can be registered, not a {type(project).__name__}. Open it with "
        "Project.open."
    )


@fitting
class Governance:
    """An organization's register: a git repository, and a store that mirrors it. Make one with `init` or `open`.

    The repository is the truth, and keeps who changed what. Readers and writers of projects only look at the store.
    """

    def __init__(self, register: Register) -> None:
        self._register = register

    @classmethod
    def init(
        cls,
        store: ObjectStore,
        *,
        remote: str | os.PathLike[str] | Remote,
        create_repo: bool = False,
        branch: str | None = None,
        author: Author | str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Governance:
        """Begin a register, once per organization. Running it again changes nothing, or completes an interrupted call.

        Args:
            store: its mirror, in a place of its own where no project's data lies.
            remote: URL or path of its git repository, either empty or begun before. At a local path where nothing
                exists, a bare repository is made.
            create_repo: create the `GitHubRepository`, private, unless it exists.
            branch, author, cache_dir, clock: as `Project.open`.

        Raises:
            AlreadyExistsError: the store or the repository holds something else.
            AccessDeniedError, NotFoundError, StorageError: the remote or the store cannot be used.
        """
        remote = unshown(remote)
        made = cls.of(store, remote, branch, author, cache_dir, clock)
        begin(made._register, create_repo=create_repo)
        return made

    @classmethod
    def open(
        cls,
        store: ObjectStore,
        *,
        remote: str | os.PathLike[str] | Remote | None = None,
        branch: str | None = None,
        author: Author | str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Governance:
        """Open a register.

        Args:
            store: its mirror.
            remote: its git repository. Without it, the register can be read, but does not tell who registered a
                project, and when.
            branch, author, cache_dir, clock: as `Project.open`.

        Raises:
            NotFoundError: the store or the repository does not exist, or holds no register.
        """
        remote = unshown(remote)
        made = cls.of(store, remote, branch, author, cache_dir, clock)
        store.check()
        register = made._register
        if register.repo is not None and not is_seeded(register.repo.files(register.tip())):
            raise NotFoundError(
                f"{register.repo.remote} holds no register of projects: {names.REGISTRATIONS}/ is missing. Check the "
                "URL, or begin one with Governance.init.",
                remote=register.repo.remote,
            )
        return made

    @classmethod
    def of(
        cls,
        store: ObjectStore,
        remote: str | os.PathLike[str] | Remote | None,
        branch: str | None = None,
        author: Author | str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Governance:
        """As `open`, without checking what is there."""
        remote = unshown(remote)
        check_store(store)
        if not kind_of(store.location).shared:
            raise InvalidInputError(
                f"A register lies in a folder or a bucket, where others reach it, not in {store!r}."
            )
        repo = None if remote is None else GitRepo(remote, branch, cache_dir)
        return cls(Register(store, repo, author_or_default(author), clock or utc_now))

    @property
    def store(self) -> ObjectStore:
        return self._register.store

    @property
    def remote(self) -> str | None:
        """URL of the governance repo, if it was given."""
        return self._register.repo.remote if self._register.repo is not None else None

    @property
    def register(self) -> Register:
        """The registrations themselves; for the operations of this package."""
        return self._register

    def attach(self, project: P) -> P:
        """Register a project: it can then be found by its name, and its writers ask the register before each write.

        If the call is interrupted, the same call completes it. A project stays registered until it is decommissioned.

        Args:
            project: opened for writing.

        Returns:
            The project, opened anew.

        Raises:
            AlreadyExistsError: the project belongs to another register, or another project has that name here; names
                both places.
            InvalidInputError: the data and the register would share a place, or the data would lie where nobody else
                could read it.
            ConflictError: the data has moved, or the project is being decommissioned.
            StorageError: a store or remote failed. Call again to complete it.
        """
        candidate: Candidate[P] = as_candidate(project)
        Attachment(self._register, project.name, candidate.editor).run()
        return candidate.reopened(self)

    def detach(self, project: str) -> NoReturn:
        """Refused: readers rely on the registration, and a project outside the register could be moved unnoticed."""
        raise InvalidInputError(
            f"{project} stays registered: its readers find it here, and its history says that it was. To move its data "
            "use dc.migrate, to take it away for good project.decommission."
        )

    def projects(
        self,
        *,
        details: bool = True,
        near: ObjectStore | None = None,
        credentials: CredentialSource | None = None,
        **options: Any,
    ) -> Rows[RegisteredProject]:
        """Every project of the organization, by name.

        Args:
            details: also read each project's data, for its tables, versions and last write.
            near, credentials, **options: for buckets, as `ProjectReader.find`.
        """
        found = self._register.all()
        return in_detail(found, (near, self.store), credentials, options) if details else at_a_glance(found)

    def project(self, name: str) -> ProjectRecord:
        """What the register knows about a project.

        Raises:
            NotFoundError: there is none of that name; names those that there are.
        """
        return record_of(self._needed(name))

    def repair(
        self, name: str, *, near: ObjectStore | None = None, credentials: CredentialSource | None = None, **options: Any
    ) -> RepairReport:
        """Complete a registration: its documents in the repository, then their mirror.

        It also looks for what only the project itself can complete, and names that in the report.

        Args:
            name: of the project.
            near, credentials, **options: for its data, as `ProjectReader.find`.

        Raises:
            NotFoundError: it is not registered.
        """
        self._needed(name)
        commit = self._register.change(name, lambda found, _: found, f"Complete the registration of {name}")
        mirrored = self._register.bring_level(name)
        left = self._unfinished(name, (near, self.store), credentials, options)
        return RepairReport(name, commit, tuple(mirrored), tuple(left))

    def decommission(
        self,
        name: str,
        *,
        confirm: str,
        dry_run: bool = False,
        remote: str | os.PathLike[str] | Remote | None = None,
        near: ObjectStore | None = None,
        credentials: CredentialSource | None = None,
        on_progress: OnProgress | None = None,
        **options: Any,
    ) -> DecommissionReport:
        """As `Project.decommission`, from the name alone: to continue an interrupted one, from any machine.

        Args:
            name: of the project.
            confirm, dry_run, on_progress: as there.
            remote: its git repository; a decommission that has begun has recorded it. To delete one on GitHub, give its
                `GitHubRepository`.
            near, credentials, **options: for its data, as `ProjectReader.find`.

        Raises:
            NotFoundError: the register has no such project; it may be gone already.
            As `Project.decommission`.
        """
        ref = self._to_be_taken_away(name)
        mark = ref.decommission
        if remote is None and mark is None:
            raise InvalidInputError(
                f"The decommission of {name} has not begun, so that its git repository is not noted yet. Give remote=."
            )
        url = remote if remote is not None else mark.remote if mark is not None else ""
        if mark is not None and not same_remote(GitRepo(url).remote, mark.remote):
            raise InvalidInputError(f"The repository of {name} is {mark.remote}, not {GitRepo(url).remote}.")
        return Decommissioning(
            name,
            open_store(ref.current, near=(near, self.store), credentials=credentials, **options),
            GitRepo(url),
            self._register.with_repo(mark.governance if mark is not None else None),
            author=self._register.author,
            clock=self._register.clock,
            on_progress=on_progress,
        ).run(confirm, dry_run=dry_run)

    def _to_be_taken_away(self, name: str) -> Ref:
        mirrored = self._register.mirrored(names.check_name(name, "project"))
        # Towards the end, only the mirror knows of it.
        if mirrored is not None and mirrored.decommission is not None:
            return mirrored
        return self._needed(name).ref

    def __repr__(self) -> str:
        at = self.store.location
        return f"Governance(backend={at.backend!r}, root={at.root!r}, prefix={at.prefix!r}, remote={self.remote!r})"

    def _needed(self, name: str) -> Registration:
        found = self._register.find(names.check_name(name, "project"))
        if found is None:
            known = list(self._register.projects())
            hint = f"there are: {', '.join(known) or 'none yet'}.{did_you_mean(name, known)}"
            raise NotFoundError(f"No project {name!r} is registered; {hint}", project=name)
        return found

    def _unfinished(
        self,
        name: str,
        near: Sequence[ObjectStore | None],
        credentials: CredentialSource | None,
        options: dict[str, Any],
    ) -> Iterator[str]:
        """What the project itself must still complete."""
        ref = self._needed(name).ref
        if ref.decommission is not None:
            yield f"It is being decommissioned since {ref.decommission.began_at}: decommission(name) completes that."
            return
        try:
            store = open_store(ref.current, near=near, credentials=credentials, **options)
            noted = find(store, names.GOVERNANCE_KEY)
        except DatomError as error:
            yield f"Its data could not be looked at: {str(error).splitlines()[0]}"
            return
        if noted is None:
            yield f"Its data in {ref.current} does not say that it is registered: attach(project) completes that."
