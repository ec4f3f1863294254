"""The register of an organization's projects: who is in it, where each one's data lies, and how it got there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NoReturn, Protocol, Self, TypeVar

from datom_core.common import OnProgress, did_you_mean, fitting, names
from datom_core.credentials import CredentialSource
from datom_core.documents import Author, GovernanceFile, Location, ProjectFile, Ref, Rows
from datom_core.errors import AlreadyExistsError, ConflictError, DatomError, InvalidInputError, NotFoundError
from datom_core.git import GitRepo, Remote, same_remote, unshown
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
from datom_core.planning import ProjectState
from datom_core.publishing import load_state
from datom_core.reading import PlacementGuard, being_taken_away, check_recorded, registered_in
from datom_core.storage import ObjectStore, check_store, find, nearer, open_place, same_place
from datom_core.writing import DocumentEditor, author_or_default, utc_now


class Governable(Protocol):
    """A project that can be registered."""

    @property
    def name(self) -> str: ...

    @property
    def store(self) -> ObjectStore: ...

    @property
    def remote(self) -> str: ...

    @property
    def editor(self) -> DocumentEditor: ...

    def reopened(self, governance: Governance) -> Self: ...


P = TypeVar("P", bound=Governable)


@fitting
class Governance:
    """An organization's register: a git repository, and a store that mirrors it. Make one with `init` or `open`.

    The repository is the truth, and keeps who changed what. Readers and writers of projects look at the store alone.
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
        """Begin a register, once per organization. Run again it changes nothing; what broke off is completed.

        Args:
            store: its mirror: a place of its own, where no project's data lies.
            remote: URL or path of its git repository: empty, or begun before. A local path where nothing is becomes a
                bare repository.
            create_repo: create the `GitHubRepository`, private, unless it is there.
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
            remote: its git repository. Without it, the register can be read, and says nothing about who registered a
                project and when.
            branch, author, cache_dir, clock: as `Project.open`.

        Raises:
            NotFoundError: the store or the repository is not there, or holds no register.
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
        """As `open`, without a look at what is there."""
        remote = unshown(remote)
        check_store(store)
        if store.location.backend not in ("local", "s3"):
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
        """URL of the governance repo, when it was given."""
        return self._register.repo.remote if self._register.repo is not None else None

    @property
    def register(self) -> Register:
        """The registrations themselves; for the operations of this package."""
        return self._register

    def attach(self, project: P) -> P:
        """Register a project: from now on it is found by its name, and its writers ask the register before each write.

        Broken off anywhere, the same call completes it. A project stays registered until it is decommissioned.

        Args:
            project: opened to write.

        Returns:
            The project, opened anew.

        Raises:
            AlreadyExistsError: the project belongs to another register, or another project has that name here; both
                places are named.
            InvalidInputError: the data and the register would lie in one place, or where nobody else could read it.
            ConflictError: the data has moved, or the project is being taken away.
            StorageError: a store or remote failed. Call again to complete it.
        """
        location = project.store.location
        if location.backend not in ("local", "s3"):
            raise InvalidInputError(f"{project.name} lies in {location}, where nobody else could read it.")
        if same_place(location, self.store.location):
            raise InvalidInputError(
                f"The data of {project.name} lies in {location}, as would the register. Give each a place of its own."
            )
        # The project may know of no way to this register, and the register may have lost the project.
        editor = replace(project.editor, guard=PlacementGuard(project.store, self.store))
        _, state = editor.load((), moving=True)
        self._check_not_elsewhere(state)
        check_recorded(state, location)
        if self._register.mirrored(project.name) is not None:  # else it is lost, and is put back here
            editor.guard.check(state)
        begun = self._register.change(
            project.name,
            lambda found, now: self._registered(found, project, state, now),
            f"Register project {project.name}",
        )
        self._register.bring_level(project.name)
        try:
            edit = partial(self._attached, location)
            editor.run(edit, f"Attach governance: {project.name}", self._register.author, moving=True)
        except (AlreadyExistsError, ConflictError):
            if begun is not None:
                self._withdraw(project)
            raise
        editor.projector.bring_level((), thorough=True)
        return project.reopened(self)

    def detach(self, project: str) -> NoReturn:
        """Refused: readers rely on the registration, and a project outside of it could be moved unseen."""
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
            details: also look into each project's data, for its tables, versions and last write.
            near, credentials, **options: for buckets, as `ProjectReader.find`.
        """
        found = self._register.all()
        return in_detail(found, nearer(near, self.store), credentials, options) if details else at_a_glance(found)

    def project(self, name: str) -> ProjectRecord:
        """What the register knows about a project.

        Raises:
            NotFoundError: there is none of that name; those that there are, are named.
        """
        return record_of(self._needed(name))

    def repair(
        self, name: str, *, near: ObjectStore | None = None, credentials: CredentialSource | None = None, **options: Any
    ) -> RepairReport:
        """Complete a registration: its documents in the repository, then their mirror.

        What only the project itself can complete is looked for, and named in the report.

        Args:
            name: of the project.
            near, credentials, **options: for its data, as `ProjectReader.find`.

        Raises:
            NotFoundError: it is not registered.
        """
        self._needed(name)
        commit = self._register.change(name, lambda found, _: found, f"Complete the registration of {name}")
        mirrored = self._register.bring_level(name)
        left = self._unfinished(name, nearer(near, self.store), credentials, options)
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
        """As `Project.decommission`, with the name alone: to go on with what broke off, from any machine.

        Args:
            name: of the project.
            confirm, dry_run, on_progress: as there.
            remote: its git repository; a decommission that has begun has noted it. To delete one on GitHub, give its
                `GitHubRepository`.
            near, credentials, **options: for its data, as `ProjectReader.find`.

        Raises:
            NotFoundError: the register holds no such project; it may be gone already.
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
            open_place(ref.current, near=nearer(near, self.store), credentials=credentials, **options),
            GitRepo(url),
            self._register.with_repo(mark.governance if mark is not None else None),
            author=self._register.author,
            clock=self._register.clock,
            on_progress=on_progress,
        ).run(confirm, dry_run=dry_run)

    def _to_be_taken_away(self, name: str) -> Ref:
        mirrored = self._register.mirrored(names.check_name(name, "project"))
        # Towards the end, the mirror alone knows of it.
        if mirrored is not None and mirrored.decommission is not None:
            return mirrored
        return self._needed(name).ref

    def __repr__(self) -> str:
        at = self.store.location
        return f"Governance(backend={at.backend!r}, root={at.root!r}, prefix={at.prefix!r}, remote={self.remote!r})"

    def _check_not_elsewhere(self, state: ProjectState) -> None:
        held, ours = state.governance, self._register.needed_repo().remote
        if held is None:
            return
        if not same_remote(held.remote, ours) or not same_place(held.storage, self.store.location):
            raise AlreadyExistsError(
                f"{state.file.name} is registered in {held.remote} with storage {held.storage}, not in {ours} with "
                f"storage {self.store.location}. A registration ends with the project.",
                recorded=held.remote,
                given=ours,
            )

    def _registered(
        self, found: Registration | None, project: Governable, state: ProjectState, now: str
    ) -> Registration:
        """The registration of a project at its place, when nothing stands against it."""
        name, location = project.name, project.store.location
        for ref in (found.ref if found else None, self._register.mirrored(name)):
            if ref is not None and ref.decommission is not None:
                raise being_taken_away(name, ref.decommission.began_at)
        twins = [p for p in self._register.projects() if p != name and p.lower() == name.lower()]
        if twins:
            raise AlreadyExistsError(
                f"{name} and the registered {twins[0]} differ only in case. Name the project otherwise.", project=name
            )
        if found is None:
            # As git has it: R compares how prefixes are spelled.
            return Registration.new(name, replace(location, given_prefix=state.file.location.given_prefix))
        if state.governance is None and self._has_left(project, found.ref.current):
            return found.moved(location, now, author=self._register.author)
        if not same_place(found.ref.current, location) or found.ref.current.region != location.region:
            raise AlreadyExistsError(
                f"A project {name!r} is registered with its data in {found.ref.current}; this one's lies in "
                f"{location}. Name the project otherwise; if it is this one and was moved by hand, use dc.migrate.",
                recorded=str(found.ref.current),
                given=str(location),
            )
        return found

    def _withdraw(self, project: Governable) -> None:
        """Take back a registration that the project turned down: it has moved, is going, or was faster elsewhere."""
        repo, location = project.editor.repo, project.store.location
        tip = repo.tip()
        held = None if tip is None else load_state(repo, tip, ()).governance
        if held is not None and same_remote(held.remote, self._register.needed_repo().remote):
            return  # somebody else completed it

        def without(found: Registration | None, _: str) -> Registration | None:
            return None if found is not None and same_place(found.ref.current, location) else found

        if self._register.change(project.name, without, f"Unregister project {project.name}") is not None:
            self._register.forget(project.name)

    def _has_left(self, project: Governable, place: Location) -> bool:
        """Whether a project moved away after a first `attach` broke off, by its own history, and nobody came since."""
        if same_place(place, project.store.location):
            return False
        try:
            if registered_in(open_place(place, near=project.store)) is not None:
                return False
        except DatomError:
            return False  # nobody knows
        repo = project.editor.repo
        tip = repo.tip()
        documents = [] if tip is None else repo.revisions(tip, names.PROJECT_FILE)
        return any(same_place(ProjectFile.from_yaml(data, sha).location, place) for sha, data in documents)

    def _attached(self, location: Location, state: ProjectState, now: str) -> ProjectState:
        self._check_not_elsewhere(state)
        check_recorded(state, location)
        if state.governance is not None:
            return state
        file = GovernanceFile.new(self._register.needed_repo().remote, self.store.location, now)
        return replace(state, governance=file)

    def _needed(self, name: str) -> Registration:
        found = self._register.find(names.check_name(name, "project"))
        if found is None:
            known = list(self._register.projects())
            hint = f"there are: {', '.join(known) or 'none yet'}.{did_you_mean(name, known)}"
            raise NotFoundError(f"No project {name!r} is registered; {hint}", project=name)
        return found

    def _unfinished(
        self, name: str, near: ObjectStore, credentials: CredentialSource | None, options: dict[str, Any]
    ) -> Iterator[str]:
        """What is still to be done on the project's own side."""
        ref = self._needed(name).ref
        if ref.decommission is not None:
            yield f"It is being decommissioned since {ref.decommission.began_at}: decommission(name) completes that."
            return
        try:
            store = open_place(ref.current, near=near, credentials=credentials, **options)
            noted = find(store, names.GOVERNANCE_KEY)
        except DatomError as error:
            yield f"Its data could not be looked at: {str(error).splitlines()[0]}"
            return
        if noted is None:
            yield f"Its data in {ref.current} does not say that it is registered: attach(project) completes that."
