"""Take a project away for good, in steps of which each can be done again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from datom_core import names
from datom_core.copying import OnProgress, Progress
from datom_core.documents import Author, Decommission, format_timestamp
from datom_core.errors import ConflictError, DatomError, InvalidInputError, NotFoundError
from datom_core.git import GitRepo
from datom_core.github import GitHubRepository
from datom_core.reader import open_reader
from datom_core.register import Register, Registration
from datom_core.retries import until_published
from datom_core.rows import block
from datom_core.state import load_state
from datom_core.stores import ObjectStore, S3Store, check_place, find, keeps_versions, vacate
from datom_core.tenancy import check_origin

_STEPS = ("mark", "storage", "registration", "repository", "cache")
_THREADS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecommissionReport:
    """What a decommission took away, or would take away.

    Attributes:
        project: its name.
        dry_run: whether nothing was done.
        location: where its data lies.
        objects, bytes: how much of it there is, or was.
        repository: its git repository, and what becomes of it.
        registration: where it is registered, if it is.
        note: what stays behind all the same.
        kept: keys beside the data that datom did not write; they stay.
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


class Decommissioning:
    """One project that is to be taken away.

    Args:
        name: of the project.
        store, repo: its data and its history.
        register: where it is registered, if it is.
        author, clock: for commits.
        on_progress: is told of each step and each object.
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
        self._done: list[str] = []

    def run(self, confirm: object, *, dry_run: bool) -> DecommissionReport:
        """Say what goes; then, unless it is a dry run, take it away.

        Raises:
            InvalidInputError: ``confirm`` is not the project's name; nothing has been touched.
            Any error of a store, a remote or a host, with what is left to do. Run it again to go on.
        """
        if confirm != self.name:
            raise InvalidInputError(
                f"To take {self.name} away for good, confirm with its name, not with {confirm!r}. Nothing was done."
            )
        report = self._look(dry_run)
        if dry_run:
            return report
        clear = partial(self._clear, report.keys)
        acts: list[Callable[[], None]] = [self._mark, clear, self._unregister, self._drop_repository, self.repo.forget]
        for step, act in zip(_STEPS, acts, strict=True):
            with self._named(step):
                act()
            self._done.append(step)
            self._tell(step)
        return report

    @contextmanager
    def _named(self, step: str) -> Iterator[None]:
        """Say where it stopped, and what is left."""
        try:
            yield
        except DatomError as error:
            left = ", ".join(s for s in _STEPS if s not in self._done)
            done = ", ".join(self._done) or "nothing"
            raise type(error)(
                f"The decommission of {self.name} stopped at {step}: {error} Done: {done}. Left: {left}. "
                "Run it again to go on.",
                **{**error.details, "done": tuple(self._done), "step": step},
            ) from error

    def _look(self, dry_run: bool) -> DecommissionReport:
        self._check()
        # Once the registration is gone, the storage step was done; what is there now is somebody else's.
        found = self.register.find(self.name) if self.register is not None else None
        over = self.register is not None and found is None
        listed = {} if over else {o.key: o.size for o in self.store.list()}
        ours = {key: size for key, size in listed.items() if names.is_of_the_format(key)}
        return DecommissionReport(
            project=self.name,
            dry_run=dry_run,
            location=str(self.store.location),
            objects=len(ours),
            bytes=sum(ours.values()),
            repository=self._fate_of_the_repository(),
            registration=str(self.register.store.location) if self.register is not None else "none",
            note=" ".join(filter(None, (_versions_kept(self.store), _left_before(found)))),
            kept=tuple(sorted(set(listed) - set(ours))),
            # A reader finds no project there, rather than half of one: the lists go first.
            keys=tuple(sorted(ours, key=lambda key: (not key.startswith("."), "metadata.json" not in key, key))),
        )

    def _check(self) -> None:
        """Make sure that the store and the repository are this project's, as far as they are still there."""
        tip = self._tip()
        if tip is None:
            if self.register is None or self.register.mirrored_mark(self.name) is None:
                raise NotFoundError(
                    f"There is no repository at {self.repo.remote}, or these credentials do not see it. Nothing was "
                    "done."
                )
            if find(self.store, names.MANIFEST_KEY) is not None:
                open_reader(self.store, self.name)
            return
        state = load_state(self.repo, tip, ())
        if state.file.name != self.name:
            raise InvalidInputError(f"{self.repo.remote} holds the project {state.file.name!r}, not {self.name!r}.")
        if (state.governance is None) != (self.register is None):
            raise ConflictError(f"{self.name} has been registered since it was opened. Open it again.")
        check_place(self.name, state.file.location, self.store.location)
        check_origin(self.store, load_state(self.repo, tip, state.manifest.entries))

    def _tip(self) -> str | None:
        """The repository's tip, or ``None`` when it is gone."""
        try:
            return self.repo.tip()
        except NotFoundError:
            return None

    def _mark(self) -> None:
        """From here on nobody writes: the register says so to those who ask it, and git to everybody."""
        if self.register is not None:
            governance = self.register.needed_repo().remote
            # By the time that the registration is gone, its mirror alone carries the mark.
            if self.register.find(self.name) is not None:
                message = f"Decommission project {self.name}"
                self.register.change(self.name, lambda found, now: self._marked(found, now, governance), message)
                self.register.level(self.name)
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
        file, now = load_state(self.repo, tip, ()).file, self.clock()
        if file.decommissioned_at is None:
            files = {names.PROJECT_FILE: file.marked(format_timestamp(now)).to_yaml()}
            self.repo.publish(files, f"Decommission {self.name}", parent=tip, author=self.author, at=now)

    def _clear(self, keys: tuple[str, ...]) -> None:
        for key in (k for k in keys if k.startswith(".")):
            self.store.delete(key)
        # A writer who was under way when the project was marked may have put more since it was listed.
        while more := [o.key for o in self.store.list() if names.is_of_the_format(o.key)] if keys else []:
            with ThreadPoolExecutor(_THREADS, thread_name_prefix="datom-delete") as pool:
                for number, key in enumerate(pool.map(self._delete, more), 1):
                    self._tell("delete", number, len(more), key)
        vacate(self.store)

    def _delete(self, key: str) -> str:
        self.store.delete(key)
        return key

    def _unregister(self) -> None:
        if self.register is not None:
            self.register.remove(self.name, f"Unregister project {self.name}")

    def _drop_repository(self) -> None:
        at = self.repo.at
        if isinstance(at, GitHubRepository):
            at.delete()
        else:
            self.repo.delete()
        if self.register is not None:
            self.register.forget(self.name)

    def _fate_of_the_repository(self) -> str:
        if self._tip() is None:
            return f"{self.repo.remote} (not found: gone already, or hidden from these credentials)"
        if isinstance(self.repo.at, GitHubRepository) or self.repo.can_delete():
            return f"{self.repo.remote} (deleted)"
        return f"{self.repo.remote} (stays: delete it by hand, where it is hosted)"

    def _tell(self, what: str, done: int = 1, total: int = 1, key: str = "") -> None:
        _log.info("decommission %s: %s %s", self.name, what, key)
        if self.on_progress is not None:
            self.on_progress(Progress(what, done, total, 0, 0, key))


def _left_before(found: Registration | None) -> str:
    """What is said of the places where the data lay before: nobody knows whether it was removed from there."""
    here = None if found is None else found.ref.current
    left = [str(former) for former in (found.ref.previous if found else ()) if former.location != here]
    return f"Its data lay elsewhere before, and stays there unless it was removed: {'; '.join(left)}." if left else ""


def _versions_kept(store: ObjectStore) -> str:
    if not isinstance(store, S3Store):
        return ""
    kept = keeps_versions(store)
    if kept is False:
        return ""
    whether = "keeps" if kept else "may keep"
    return (
        f"The bucket {store.bucket} {whether} versions: delete markers and the old versions behind them stay until a "
        "lifecycle rule or its owner removes them."
    )
