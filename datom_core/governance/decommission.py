"""Decommission a project for good, in steps that can each be repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from datom_core.common import OnProgress, Progress, names, watcher
from datom_core.documents import Author, Decommission, block, format_timestamp, same_place
from datom_core.errors import ConflictError, DatomError, FormatError, InvalidInputError, NotFoundError
from datom_core.git import GitHubRepository, GitRepo
from datom_core.governance.register import Register, Registration
from datom_core.planning import ProjectState
from datom_core.publishing import check_origin, load_state, until_published
from datom_core.reading import open_reader
from datom_core.signatures import check_unlocked
from datom_core.storage import ObjectStore, check_place, clean_up, find, kept_after_delete, refuse_held

_STEPS = ("mark", "storage", "registration", "repository", "cache")
_THREADS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecommissionReport:
    """What a decommission removed, or would remove.

    Attributes:
        project: its name.
        dry_run: whether nothing was done.
        location: where its data lies.
        objects, bytes: how much data there is, or was.
        repository: its git repository, and what becomes of it.
        registration: where it is registered, if it is.
        note: what stays behind anyway.
        kept: keys next to the data that datom did not write; they stay.
        keys: what goes from storage.
    """

    project: str
    dry_run: bool
    location: str
    objects: int
    bytes: int
    repository: str
    registration: str
    note: str = ""
    kept: tuple[str, ...] = ()
    keys: tuple[str, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return block(self)


@dataclass(frozen=True)
class _Left:
    """What still belonged to the project when a decommission looked, before its first step.

    Attributes:
        data: whether its storage did; if not, it was emptied before, and what is there now belongs to someone else.
        repository: whether its repository did; if not, the name now belongs to another one.
    """

    data: bool
    repository: bool


class Decommissioning:
    """One project to decommission.

    Args:
        name: of the project.
        store, repo: its data and its history.
        register: where it is registered, if it is.
        author, clock: for commits.
        on_progress: called for each step and each object.
    """

    def __init__(
        self,
        name: str,
        store: ObjectStore,
        repo: GitRepo,
        register: Register | None,
        *,
        author: Author,
        clock: Callable[[], datetime],
        on_progress: OnProgress | None = None,
    ) -> None:
        self.name = name
        self.store = store
        self.repo = repo
        self.register = register
        self.author = author
        self.clock = clock
        self.on_progress = on_progress

    def run(self, confirm: object, *, dry_run: bool) -> DecommissionReport:
        """Say what goes; then, unless it is a dry run, remove it.

        Raises:
            InvalidInputError: ``confirm`` is not the project's name, a cut is locked, objects are under legal hold, or
                the repository has since been renamed; nothing has been touched.
            Any error of a store, a remote or a host, with what is left to do. Run it again to continue.
        """
        if confirm != self.name:
            raise InvalidInputError(
                f"To take {self.name} away for good, confirm with its name, not with {confirm!r}. Nothing was done."
            )
        left, report = self._preview(dry_run)
        if dry_run:
            return report
        acts: list[Callable[[], None]] = [
            partial(self._mark, left),
            partial(self._clear, report.keys),
            self._unregister,
            partial(self._drop_repository, left),
            self.repo.forget,
        ]
        for number, act in enumerate(acts):
            with self._named(number):
                act()
            self._tell(_STEPS[number])
        return report

    @contextmanager
    def _named(self, number: int) -> Iterator[None]:
        """Add to any error where it happened, and what is left."""
        try:
            yield
        except DatomError as error:
            step, done = _STEPS[number], _STEPS[:number]
            raise type(error)(
                f"The decommission of {self.name} stopped at {step}: {error} Done: {', '.join(done) or 'nothing'}. "
                f"Left: {', '.join(_STEPS[number:])}. Run it again to go on.",
                **{**error.details, "done": done, "step": step},
            ) from error

    def _preview(self, dry_run: bool) -> tuple[_Left, DecommissionReport]:
        left = self._look()
        listed = {o.key: o.size for o in self.store.list()} if left.data else {}
        ours = {key: size for key, size in listed.items() if names.is_of_the_format(key)}
        unknown = refuse_held(self.store, ours, self.name)
        return left, DecommissionReport(
            project=self.name,
            dry_run=dry_run,
            location=str(self.store.location),
            objects=len(ours),
            bytes=sum(ours.values()),
            repository=self._fate_of_the_repository(left),
            registration=str(self.register.store.location) if self.register is not None else "none",
            note=" ".join(filter(None, (unknown, kept_after_delete(self.store), self._former_places()))),
            kept=tuple(sorted(set(listed) - set(ours))),
            # The lists first: a reader finds no project there, rather than half of one.
            keys=tuple(sorted(ours, key=lambda key: (not key.startswith("."), "metadata.json" not in key, key))),
        )

    def _look(self) -> _Left:
        """Make sure that the store and the repository are this project's, as far as they still exist."""
        tip = self._tip()
        # If the registration is gone, the storage step is done.
        if self._is_over():
            return _Left(data=False, repository=tip is None or self._is_marked(tip))
        if tip is None:
            marked = self.register is not None and self.register.mirrored_mark(self.name) is not None
            # Of a project that is gone, only the entry in the register can be left.
            if not marked and (self.register is None or self._left_in_storage()):
                raise NotFoundError(
                    f"There is no repository at {self.repo.remote}, or these credentials do not see it. Nothing was "
                    "done."
                )
            if find(self.store, names.MANIFEST_KEY) is not None:
                open_reader(self.store, self.name)
            return _Left(data=True, repository=True)
        state = load_state(self.repo, tip, ())
        self._check_documents(state)
        if state.file.decommissioned_at is None:
            check_unlocked(self.repo, tip, state)
        check_origin(self.store, load_state(self.repo, tip, state.manifest.entries))
        return _Left(data=True, repository=True)

    def _check_documents(self, state: ProjectState) -> None:
        """Make sure that the documents are this project's, and name its store and its register."""
        if state.file.name != self.name:
            raise InvalidInputError(f"{self.repo.remote} holds the project {state.file.name!r}, not {self.name!r}.")
        if (state.governance is None) != (self.register is None):
            raise ConflictError(f"{self.name} has been registered since it was opened. Open it again.")
        if not same_place(state.file.location, self.store.location) and self._is_registered_here():
            raise ConflictError(
                f"A move of {self.name} from {state.file.location} to {self.store.location} has begun and is not "
                "complete. Complete it first: open the project and call dc.migrate again."
            )
        check_place(self.name, state.file.location, self.store.location)

    def _is_registered_here(self) -> bool:
        found = self.register.find(self.name) if self.register is not None else None
        return found is not None and same_place(found.ref.current, self.store.location)

    def _is_over(self) -> bool:
        """Whether a decommission ended the registration: it emptied storage before that, so storage is not examined.

        Raises:
            NotFoundError: the registration is lost, which must not count as ended.
        """
        if self.register is None or self.register.find(self.name) is not None:
            return False
        if self.register.mirrored_mark(self.name) is None:
            raise NotFoundError(
                f"{self.name} is not in its register, though it says that it is. Governance.attach(project) registers "
                "it; then it can be taken away."
            )
        return True

    def _is_marked(self, tip: str) -> bool:
        """Whether this is the repository that was marked; its name may have gone to a new one since."""
        try:
            file = load_state(self.repo, tip, ()).file
        except (NotFoundError, FormatError):
            return False
        return file.name == self.name and file.decommissioned_at is not None

    def _tip(self) -> str | None:
        """The repository's tip, or ``None`` if the repository is gone."""
        try:
            return self.repo.tip()
        except NotFoundError:
            return None

    def _mark(self, left: _Left) -> None:
        """Stop all writing from here on: the register tells those who ask it, git tells everybody."""
        if self.register is not None:
            governance = self.register.needed_repo().remote
            # Once the registration is gone, only its mirror carries the mark.
            if self.register.find(self.name) is not None:
                message = f"Decommission project {self.name}"
                self.register.change(self.name, lambda found, now: self._marked(found, now, governance), message)
                self.register.bring_level(self.name)
        if left.repository:
            until_published(self._mark_in_git)

    def _marked(self, found: Registration | None, now: str, governance: str) -> Registration | None:
        if found is None or found.ref.decommission is not None:
            return found
        check_place(self.name, found.ref.current, self.store.location)
        return found.marked(Decommission(now, str(self.author), self.repo.remote, governance), self.author)

    def _mark_in_git(self) -> None:
        tip = self._tip()
        if tip is None:
            return
        state, now = load_state(self.repo, tip, ()), self.clock()
        # Check again: a move or a registration that came in between would be left behind.
        self._check_documents(state)
        file = state.file
        if file.decommissioned_at is None:
            files = {names.PROJECT_FILE: file.marked(format_timestamp(now)).to_yaml()}
            self.repo.publish(files, f"Decommission {self.name}", parent=tip, author=self.author, at=now)

    def _clear(self, keys: tuple[str, ...]) -> None:
        for key in (k for k in keys if k.startswith(".")):
            self.store.delete(key)
        # A writer that was at work when the project was marked may have put more since the listing.
        while more := self._left_in_storage() if keys else []:
            with ThreadPoolExecutor(_THREADS, thread_name_prefix="datom-delete") as pool:
                for number, key in enumerate(pool.map(self._delete, more), 1):
                    self._tell("delete", number, len(more), key)
        clean_up(self.store)

    def _left_in_storage(self) -> list[str]:
        return [o.key for o in self.store.list() if names.is_of_the_format(o.key)]

    def _sweep(self, left: _Left) -> None:
        """Remove what a writer put at the very last moment, unless somebody has started a project there."""
        late = self._left_in_storage() if left.data else []
        if late and names.MANIFEST_KEY not in late and names.CLAIM_KEY not in late:
            self._clear(tuple(late))

    def _delete(self, key: str) -> str:
        self.store.delete(key)
        return key

    def _unregister(self) -> None:
        if self.register is not None:
            self.register.remove(self.name, f"Unregister project {self.name}")

    def _drop_repository(self, left: _Left) -> None:
        at = self.repo.at
        if not left.repository:
            pass
        elif isinstance(at, GitHubRepository):
            at.delete()
        else:
            self.repo.delete()
        self._sweep(left)
        if self.register is not None:
            self.register.forget(self.name)

    def _former_places(self) -> str:
        """Places the data has left, and that nobody has confirmed to be empty."""
        ref = None
        if self.register is not None:
            found = self.register.find(self.name)
            ref = found.ref if found is not None else self.register.mirrored(self.name)
        if ref is None or not ref.previous:
            return ""
        places = "; ".join(dict.fromkeys(str(former) for former in ref.previous))
        return f"What the project left in former places, if it is still there, stays: {places}."

    def _fate_of_the_repository(self, left: _Left) -> str:
        if self._tip() is None:
            return f"{self.repo.remote} (not found: gone already, or hidden from these credentials)"
        if not left.repository:
            return f"{self.repo.remote} (stays: another project's by now)"
        at = self.repo.at
        if isinstance(at, GitHubRepository) and at.inspect() is None:
            # git follows a renamed repository; the API, which deletes, must not.
            raise InvalidInputError(
                f"The host knows no repository {at.full_name}, though {at.url} leads to one: it was renamed or "
                "transferred. Open the project with the repository's present name. Nothing was done."
            )
        if isinstance(at, GitHubRepository) or self.repo.can_delete():
            others = self.repo.other_branches()
            return f"{self.repo.remote} (deleted{', with its branches ' if others else ''}{', '.join(others)})"
        return f"{self.repo.remote} (stays: delete it by hand, where it is hosted)"

    def _tell(self, what: str, done: int = 1, total: int = 1, key: str = "") -> None:
        _log.info("decommission %s: %s %s", self.name, what, key)
        (self.on_progress or watcher())(Progress(what, done, total, 0, 0, key))
