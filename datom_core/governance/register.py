"""An organization's register of projects: a governance repository, and its mirror in storage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from datom_core.common import names
from datom_core.documents import (
    DISPATCH,
    Author,
    Decommission,
    Events,
    Location,
    Ref,
    format_timestamp,
    location_block,
)
from datom_core.errors import ConflictError, FormatError, NotFoundError
from datom_core.git import Added, GitRepo
from datom_core.publishing import until_published, while_conflicting
from datom_core.storage import ObjectStore, find, remove_empty

_READERS = 8
# The document that refers to others comes last, so that whoever finds it finds the others.
_DOCUMENTS = ("dispatch", "migration_history", "ref")


@dataclass(frozen=True)
class Registration:
    """What the register has about one project.

    Attributes:
        project: its name.
        ref: where its data lies, and where it lay.
        events: what happened to it.
        complete: whether it has all documents of a registration.
        added: how it was registered; unknown without the repository.
    """

    project: str
    ref: Ref
    events: Events
    complete: bool = True
    added: Added | None = None

    @classmethod
    def new(cls, project: str, location: Location) -> Registration:
        return cls(project, Ref.new(location), Events())

    def moved(
        self,
        to: Location,
        now: str,
        *,
        author: Author | None = None,
        sunset_at: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Registration:
        """The registration after a move of the data.

        Args:
            to: the new place.
            now: when.
            author: who.
            sunset_at: until when the old place is kept.
            facts: further fields for the entry in the history.
        """
        places = {"from": location_block(self.ref.current), "to": location_block(to)}
        events = self.events.with_event("data_migration", now, author, {**places, **(facts or {})})
        return replace(self, ref=self.ref.moved(to, now, sunset_at), events=events)

    def marked(self, mark: Decommission, author: Author) -> Registration:
        """The registration from the moment the decommission begins."""
        facts = {"from": location_block(self.ref.current)}
        events = self.events.with_event("decommission", mark.began_at, author, facts)
        return replace(self, ref=self.ref.marked(mark), events=events)

    def files(self) -> dict[str, bytes]:
        """Its documents: path in the repository -> contents."""
        contents = (DISPATCH, self.events.to_json(), self.ref.to_json())
        return dict(zip(keys_of(self.project), contents, strict=True))


@dataclass(frozen=True)
class Unreadable:
    """A registration that cannot be read.

    Attributes:
        project: its name.
        reason: what is wrong with it.
    """

    project: str
    reason: str


#: Takes a registration (``None`` if there is none) and the time, and returns it changed; the same object: no change.
Change = Callable[[Registration | None, str], Registration | None]


def keys_of(project: str) -> list[str]:
    """Keys and paths of a registration's documents, ``ref.json`` last."""
    return [names.registration(project, document) for document in _DOCUMENTS]  # type: ignore[arg-type]


class Register:
    """Reads and changes registrations.

    Args:
        store: the mirror: all that readers and writers of projects look at.
        repo: the repository; without one, registrations are read from the mirror and cannot be changed.
        author, clock: for commits.
    """

    def __init__(self, store: ObjectStore, repo: GitRepo | None, author: Author, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.repo = repo
        self.author = author
        self.clock = clock

    def projects(self) -> list[str]:
        """Names of all registered projects, sorted."""
        if self.repo is None:
            return _registered(o.key for o in self.store.list(f"{names.REGISTRATIONS}/"))
        return _registered(self.repo.files(self.tip()))

    def all(self) -> list[Registration | Unreadable]:
        """Every registration, by name, as of one moment. A damaged one does not hide the others."""
        if self.repo is None:
            projects = self.projects()
            keys = [key for project in projects for key in keys_of(project)]
            with ThreadPoolExecutor(_READERS, thread_name_prefix="datom-register") as pool:
                objects = dict(zip(keys, pool.map(lambda key: find(self.store, key), keys), strict=True))
            found = {key: o.data for key, o in objects.items() if o is not None}
            return _readable(projects, found, str(self.store.location), {})
        tip = self.tip()
        projects = _registered(self.repo.files(tip))
        documents = self.repo.read(tip, [key for project in projects for key in keys_of(project)])
        added = self.repo.added(tip, {names.registration(project, "ref") for project in projects})
        return _readable(projects, documents, f"commit {tip[:8]} of {self.repo.remote}", added)

    def find(self, project: str) -> Registration | None:
        """The registration, or ``None`` if there is none.

        Raises:
            FormatError: a document cannot be read.
        """
        if self.repo is not None:
            return self._at(self.tip(), project)
        found = {key: o.data for key in keys_of(project) if (o := find(self.store, key)) is not None}
        return _parsed(project, found, str(self.store.location))

    def mirrored(self, project: str) -> Ref | None:
        """What the mirror says of a project."""
        key = names.registration(project, "ref")
        found = find(self.store, key)
        return None if found is None else Ref.from_json(found.data, f"{key} in {self.store.location}")

    def mirrored_mark(self, project: str) -> Decommission | None:
        """The mark of a project that is being decommissioned, from the mirror."""
        ref = self.mirrored(project)
        return None if ref is None else ref.decommission

    def tip(self) -> str:
        """The newest commit of the repository.

        Raises:
            NotFoundError: nobody has initialized it.
        """
        tip = self.needed_repo().tip()
        if tip is None:
            raise NotFoundError(
                f"{self.needed_repo().remote} is empty: it holds no register of projects. Begin one with "
                "Governance.init."
            )
        return tip

    def needed_repo(self) -> GitRepo:
        """The repository; raises if there is none."""
        if self.repo is None:
            raise NotFoundError(
                "This register was opened without its git repository, so that it can only be read. Open it with "
                "remote= to change it."
            )
        return self.repo

    def with_repo(self, remote: str | None) -> Register:
        """The register with a repository: its own, or else the one at ``remote``."""
        if self.repo is not None or remote is None:
            self.needed_repo()
            return self
        return Register(self.store, GitRepo(remote), self.author, self.clock)

    def change(self, project: str, change: Change, message: str) -> str | None:
        """Change a registration in one commit; if someone else is faster, plan it again. `bring_level` mirrors it.

        Returns:
            The commit, or ``None`` if there was nothing to change.
        """
        return until_published(lambda: self._once(project, change, message))

    def remove(self, project: str, message: str) -> str | None:
        """Remove a registration from the repository; its mirror stays until `forget`."""
        return until_published(lambda: self._once(project, lambda *_: None, message))

    def forget(self, project: str) -> None:
        """Remove a registration's mirror, ``ref.json`` last: an interrupted removal needs it to continue."""
        for key in keys_of(project):
            self.store.delete(key)
        remove_empty(self.store)

    def bring_level(self, project: str) -> list[str]:
        """Bring the mirror of a registration level with the repository; returns the keys that were put."""
        written: list[str] = []
        while_conflicting(lambda: self._level_once(project, written))
        return written

    def _level_once(self, project: str, written: list[str]) -> None:
        repo = self.needed_repo()
        # Read before the tip is looked up: whatever is there is no newer than the tip (as in the projector).
        seen = {key: find(self.store, key) for key in keys_of(project)}
        files = repo.read(self.tip(), list(seen))
        for key, stored in seen.items():
            data = files.get(key)
            if data is None or (stored is not None and bytes(stored.data).rstrip() == data.rstrip()):
                continue
            if stored is not None:
                self.store.replace(key, data, stored.etag)
            elif not self.store.create(key, data):
                raise ConflictError(f"{key} appeared in {self.store.location} meanwhile. Try again.", key=key)
            written.append(key)

    def _once(self, project: str, change: Change, message: str) -> str | None:
        repo, now = self.needed_repo(), self.clock()
        tip = self.tip()
        before = self._at(tip, project)
        after = change(before, format_timestamp(now))
        if after is before and (before is None or before.complete):
            return None
        files: Mapping[str, bytes | None]
        if after is None:
            files = {path: None for path in repo.files(tip) if path.startswith(f"{names.REGISTRATIONS}/{project}/")}
        else:
            held = repo.read(tip, keys_of(project))
            # Dispatch rules are not ours to write.
            changed = after is not before
            files = {p: d for p, d in after.files().items() if p not in held or (changed and _is_ours(p))}
        return repo.publish(files, message, parent=tip, author=self.author, at=now)

    def _at(self, tip: str, project: str) -> Registration | None:
        repo = self.needed_repo()
        found = repo.read(tip, keys_of(project))
        where = f"commit {tip[:8]} of {repo.remote}"
        ref = names.registration(project, "ref")
        added = repo.added(tip, {ref}).get(ref) if ref in found else None
        return _parsed(project, found, where, added)


def _is_ours(path: str) -> bool:
    return not path.endswith("/dispatch.json")


def _is_registration(path: str) -> bool:
    folder, _, rest = path.partition("/")
    return folder == names.REGISTRATIONS and rest.count("/") == 1 and names.is_name(rest.split("/")[0])


def _registered(paths: Iterable[str]) -> list[str]:
    """The projects that have a registration among these paths, sorted."""
    return sorted(p.split("/")[1] for p in paths if p.endswith("/ref.json") and _is_registration(p))


def _readable(
    projects: Iterable[str], found: Mapping[str, bytes | memoryview], where: str, added: Mapping[str, Added]
) -> list[Registration | Unreadable]:
    result: list[Registration | Unreadable] = []
    for project in projects:
        try:
            registration = _parsed(project, found, where, added.get(names.registration(project, "ref")))
        except FormatError as error:
            result.append(Unreadable(project, str(error)))
        else:
            result += [] if registration is None else [registration]
    return result


def _parsed(
    project: str, found: Mapping[str, bytes | memoryview], where: str, added: Added | None = None
) -> Registration | None:
    dispatch, history, ref = keys_of(project)
    if ref not in found:
        return None
    events = Events.from_json(found[history], f"{history} in {where}") if history in found else Events()
    complete = history in found and dispatch in found
    return Registration(project, Ref.from_json(found[ref], f"{ref} in {where}"), events, complete, added)
