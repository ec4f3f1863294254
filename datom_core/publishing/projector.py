"""Bring storage level with git: everything in storage except payloads is a projection of the data repo.

Storage never moves backwards: every swap names the bytes that it replaces, and those were read *before* the tip was
looked up, so whoever wrote them projected an older tip, or the same one. A writer that stalls in between finds
other bytes there, and starts over from the newest tip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from datom_core.common import names
from datom_core.documents import History, Line, Metadata, same_place
from datom_core.errors import AlreadyExistsError, ConflictError
from datom_core.git import GitRepo, no_branch
from datom_core.planning import (
    ProjectState,
    StorageView,
    TableState,
    lagging_tables,
    least_sizes,
    payload_key,
    projected_lists,
    read_snapshot,
    readers_know,
    same_cuts,
    same_lists,
    same_snapshot,
    same_table,
    versions_to_snapshot,
)
from datom_core.publishing import git_recovery
from datom_core.publishing.lines import Lines
from datom_core.publishing.loading import load_state
from datom_core.publishing.retries import while_conflicting
from datom_core.storage import ObjectStore, find

_READERS = 8
_LISTED_VERSIONS = 100  # two objects each; S3 lists a thousand in one request


@dataclass(frozen=True)
class Report:
    """What a projection did.

    Attributes:
        written: keys that were put into storage, in order.
        waiting: tables whose current payload is not in storage; readers keep the version they have.
    """

    written: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What a writer knows right after its commit.

    Attributes:
        seen: a look at storage from before the commit.
        tip: the commit.
        state: the commit's documents: those of the project and of the tables concerned.
    """

    seen: StorageView
    tip: str
    state: ProjectState


class Projector:
    """Projects a data repo into a store.

    Args:
        repo, store: from where, to where.
        target_unrecorded: the store is not yet the recorded place, as while the project is being moved there. A store
            that is no longer the recorded place is left alone: its contents may have been removed.
    """

    def __init__(self, repo: GitRepo, store: ObjectStore, *, target_unrecorded: bool = False) -> None:
        self.repo = repo
        self.store = store
        self.target_unrecorded = target_unrecorded
        self.lines = Lines(repo, store)

    def view_storage(self, tables: Iterable[str], *, governance: bool = False) -> StorageView:
        """Read the documents of ``tables`` and of the project from storage; on request, also the register's note."""
        keys = [names.MANIFEST_KEY, names.CUTS_KEY, names.LINE_KEY] + ([names.GOVERNANCE_KEY] if governance else [])
        keys += [key for t in sorted(tables) for key in (names.pointer(t), names.history(t))]
        return self._read(keys)

    def level_payload_sizes(self, tables: Iterable[str], state: ProjectState, *, cuts: bool) -> dict[str, int] | None:
        """Sizes of the tables' payloads, if storage is level with git as far as a few requests can tell.

        The manifest is written last, so if it agrees with git's, everything before it was written, too. A listing shows
        what has been removed since.

        Args:
            tables: names.
            state: the documents at the tip.
            cuts: whether the caller needs the cuts to be level.

        Returns:
            Table -> size of the current payload, or ``None`` when a closer look is needed.

        Raises:
            FormatError: a newer release wrote one of the documents.
        """
        names_of = list(tables)
        lists = [names.MANIFEST_KEY, names.CUTS_KEY] if cuts else [names.MANIFEST_KEY]
        seen = self._read([*lists, *map(names.pointer, names_of)])
        if not same_lists(state, seen, cuts=cuts):
            return None
        found: dict[str, int] = {}
        for table in names_of:
            pointer, at_tip = seen.pointer(table), state.table(table)
            if pointer is None or at_tip.metadata is None or dict(pointer.raw) != dict(at_tip.metadata.raw):
                return None
            payload, least = payload_key(table, at_tip.metadata), least_sizes(table, at_tip)
            sizes = self._sizes(table, [payload, *least], len(at_tip.history))
            if payload not in sizes or any(sizes.get(key, -1) < size for key, size in least.items()):
                return None
            found[table] = sizes[payload]
        return found

    def _sizes(self, table: str, keys: Sequence[str], versions: int) -> dict[str, int]:
        """Sizes of the keys that exist. A table with few versions is listed, in one request."""
        if versions <= _LISTED_VERSIONS:
            return {info.key: info.size for info in self.store.list(f"{table}/") if info.key in keys}
        infos = [self.store.head(key) for key in keys]
        return {info.key: info.size for info in infos if info is not None}

    def _read(self, keys: Sequence[str]) -> StorageView:
        with ThreadPoolExecutor(min(len(keys), _READERS), thread_name_prefix="datom-look") as pool:
            return StorageView(dict(zip(keys, pool.map(lambda key: find(self.store, key), keys), strict=True)))

    def is_level(self, table: str, state: ProjectState, seen: StorageView) -> bool:
        """Whether storage has all of a table's current version: documents, snapshot and payload."""
        at_tip = state.table(table)
        if at_tip.metadata is None or at_tip.current is None or not same_table(at_tip, seen, table):
            return False
        needed = {payload_key(table, at_tip.metadata): 0, **least_sizes(table, at_tip)}
        infos = {key: self.store.head(key) for key in needed}
        return all(info is not None and info.size >= needed[key] for key, info in infos.items())

    def bring_level(
        self,
        tables: Iterable[str],
        *,
        known: Known | None = None,
        commits: Mapping[str, Mapping[str, str]] | None = None,
        present: Set[str] = frozenset(),
        thorough: bool = False,
    ) -> Report:
        """Project the tip for ``tables``, and for every table that lags behind in storage.

        Args:
            tables: tables to compare, whatever the manifest says.
            known: what need not be looked up on the first try.
            commits: table -> version -> commit, for what the caller has just published.
            present: keys of payloads that the caller knows to be in storage.
            thorough: check every snapshot, every set's payloads, and the note about governance; not only what is new to
                storage.

        Raises:
            AlreadyExistsError: storage holds another project; nothing was written.
            DivergedError: storage shows what the branch lacks; nothing was written.
            ConflictError: others kept changing storage in every attempt.
        """
        run = _Run(self, set(tables), commits or {}, present, thorough)
        once = [known]
        # The caller's knowledge holds for one try: after a conflict, read storage and git again.
        while_conflicting(lambda: run.once(once.pop() if once else None))
        return Report(tuple(run.written), tuple(run.waiting))


@dataclass
class _Run:
    """One call of `Projector.bring_level`, with all its attempts."""

    projector: Projector
    wanted: set[str]
    commits: Mapping[str, Mapping[str, str]]
    present: Set[str]
    thorough: bool
    written: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def once(self, known: Known | None) -> None:
        while True:
            now = known or self._at_tip()
            seen, tip, state = now.seen, now.tip, now.state
            if state.file.decommissioned_at is not None:
                return
            recorded = same_place(state.file.location, self.projector.store.location)
            if not recorded and not self.projector.target_unrecorded:
                return
            self._refuse_other(state, seen)
            lagging = set(lagging_tables(state.manifest, seen.manifest())) - self.wanted
            if not lagging:
                break
            self.wanted |= lagging
            known = None
        self.projector.lines.check(seen, tip, state, restoring=self.thorough)
        self.waiting, self.held = [], []
        self._line(state, seen, tip)
        for table in sorted(self.wanted):
            self._table(table, state.table(table), seen, tip)
        self._lists(state, seen)
        if self.thorough:
            self._governance(state)

    def _at_tip(self) -> Known:
        """Read storage first, so that the tip is newer than what was seen there."""
        repo, seen = self.projector.repo, self.projector.view_storage(self.wanted)
        tip = repo.tip()
        if tip is None:
            raise no_branch(repo.at, repo.branch)
        return Known(seen, tip, load_state(repo, tip, self.wanted))

    def _table(self, table: str, state: TableState, seen: StorageView, tip: str) -> None:
        """Snapshots, then the history, then the pointer; nothing at all if readers would look for a missing payload."""
        if state.metadata is None:
            return
        if self.thorough:
            self._restore_sets(table, state, tip)
        if not self._payload_is_there(table, state.metadata, tip):
            self.waiting.append(table)
            if not readers_know(table, state, seen):
                self.held.append(table)
                return
        stored = seen.history(table)
        if stored is None and seen.manifest() is not None and self._lacks(names.MANIFEST_KEY):
            # Writing a new table replaces nothing, so no swap would fail if the project has meanwhile moved away.
            raise ConflictError(f"{self.projector.store.location} was emptied meanwhile. Try again.")
        for version, metadata in self._snapshots(table, state, stored, tip).items():
            self._put_snapshot(names.snapshot(table, version), metadata)
        if not same_table(state, seen, table):
            if stored is None or not stored.same_as(state.history):
                history = state.history.with_commits(self._commits(table, state, stored, tip), stored)
                self._swap(names.history(table), history.to_json(), seen)
            # The pointer comes after everything it points to.
            pointer = seen.pointer(table)
            if pointer is None or dict(pointer.raw) != dict(state.metadata.raw):
                self._swap(names.pointer(table), state.metadata.to_json(), seen)

    def _line(self, state: ProjectState, seen: StorageView, tip: str) -> None:
        """Record which commit storage will show, before it does, so that a crash hides nothing from the next writer."""
        stored, branch = seen.line(), self.projector.repo.branch
        if seen.documents[names.LINE_KEY] is None:
            if not state.manifest.entries:
                return  # nothing is shown that could be lost
            if seen.manifest() is not None and self._lacks(names.MANIFEST_KEY):
                raise ConflictError(f"{self.projector.store.location} was emptied meanwhile. Try again.")
        line = Line.new(branch, tip) if stored is None else stored.at(branch, tip)
        if stored is None or dict(stored.raw) != dict(line.raw):
            self._swap(names.LINE_KEY, line.to_json(), seen)

    def _refuse_other(self, state: ProjectState, seen: StorageView) -> None:
        stored = seen.manifest()
        if stored is not None and stored.project != state.manifest.project:
            raise AlreadyExistsError(
                f"{self.projector.store.location} holds the project {stored.project!r}, not "
                f"{state.manifest.project!r}. Nothing of it is overwritten; give another place.",
                project=stored.project,
            )

    def _lists(self, state: ProjectState, seen: StorageView) -> None:
        """Cuts, then the manifest: written last, it proves that everything before it is there."""
        expected = projected_lists(state, seen, self.held)
        if same_lists(expected, seen):
            return
        stored, cuts, manifest = seen.manifest(), expected.cuts, expected.manifest
        if not same_cuts(cuts, seen):
            self._swap(names.CUTS_KEY, cuts.to_json(), seen)
        if stored is None or dict(stored.raw) != dict(manifest.raw):
            self._swap(names.MANIFEST_KEY, manifest.to_json(), seen)

    def _governance(self, state: ProjectState) -> None:
        """The note that tells readers who only see storage which register the project belongs to."""
        if state.governance is None:
            return
        seen = StorageView({names.GOVERNANCE_KEY: find(self.projector.store, names.GOVERNANCE_KEY)})
        stored = seen.governance()
        if stored is None or dict(stored.raw) != dict(state.governance.raw):
            self._swap(names.GOVERNANCE_KEY, state.governance.to_json(), seen)

    def _payload_is_there(self, name: str, metadata: Metadata, tip: str) -> bool:
        key = payload_key(name, metadata)
        if key in self.present or not self._lacks(key):
            return True
        return metadata.kind == "set" and self._restore_set(name, {key: metadata.payload_sha}, tip)

    def _restore_sets(self, name: str, state: TableState, tip: str) -> None:
        pinned = {names.set_payload(name, v.data_sha): v.payload_sha for v in state.history if v.is_set}
        self._restore_set(name, {key: sha for key, sha in pinned.items() if self._lacks(key)}, tip)

    def _restore_set(self, name: str, lacking: Mapping[str, str | None], tip: str) -> bool:
        """Put back a set's payloads from git, if they are the recorded ones; whether all of them were."""
        known = git_recovery.set_payloads(self.projector.repo, name, tip) if lacking else {}
        given = {key: known[sha] for key, sha in lacking.items() if sha is not None and sha in known}
        for key, data in given.items():
            if self.projector.store.create(key, data):
                self.written.append(key)
        return given.keys() == lacking.keys()

    def _snapshots(self, table: str, state: TableState, stored: History | None, tip: str) -> dict[str, Metadata]:
        """The snapshots of every version that needs checking; always the current one."""
        needed = versions_to_snapshot(state, stored)
        if self.thorough:
            needed |= git_recovery.faulty_snapshots(self.projector.store, table, state.history)
        if state.current is not None:
            needed.add(state.current.version)
        return git_recovery.snapshots(self.projector.repo, table, state, tip, needed)

    def _lacks(self, key: str) -> bool:
        return self.projector.store.head(key) is None

    def _put_snapshot(self, key: str, document: Metadata) -> None:
        store = self.projector.store
        if store.create(key, document.to_json()):
            self.written.append(key)
            return
        found = store.get(key)
        stored = read_snapshot(found.data, key)
        if stored is not None and same_snapshot(stored, document):
            return
        store.replace(key, document.to_json(), found.etag)
        self.written.append(key)

    def _commits(self, table: str, state: TableState, stored: History | None, tip: str) -> dict[str, str]:
        """The commit that recorded each version: as storage and the caller know it, else as git says."""
        known = {**self.commits.get(table, {}), **(stored.commits() if stored is not None else {})}
        if any(v.version not in known for v in state.history):
            for revision in git_recovery.revisions(self.projector.repo, table, state.history, tip):
                known.setdefault(revision.version, revision.commit)
        return known

    def _swap(self, key: str, data: bytes, seen: StorageView) -> None:
        store, before = self.projector.store, seen.documents[key]
        if before is not None:
            store.replace(key, data, before.etag)
        elif not store.create(key, data):
            raise ConflictError(f"{key} appeared in {store.location} meanwhile. Try again.", key=key)
        self.written.append(key)
