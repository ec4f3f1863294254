"""Bring storage level with git: everything in storage except payloads is a projection of the data repo.

Storage never moves backwards, because every swap names the bytes that it replaces and those were read
*before* the tip was asked for: whoever wrote them projected an older tip, or the same one. A writer
that stalls in between finds other bytes there, and starts over from the newest tip.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from datom_core import names
from datom_core.documents import History, Metadata
from datom_core.errors import AlreadyExistsError, ConflictError, FormatError, NotFoundError
from datom_core.git import GitRepo
from datom_core.plan import ProjectState, TableState
from datom_core.projection import (
    Seen,
    held_back,
    lagging_tables,
    least_sizes,
    payload_key,
    same_lists,
    same_table,
    snapshot_document,
    versions_to_snapshot,
)
from datom_core.retries import while_conflicting
from datom_core.state import load_state
from datom_core.stores import ObjectStore, find, same_place

_ATTEMPTS = 12
_READERS = 8
_LISTED_VERSIONS = 100  # two objects each; S3 lists a thousand in one request


@dataclass(frozen=True)
class Report:
    """What a projection did.

    Attributes:
        written: keys that were put into storage, in order.
        waiting: tables whose payload is not in storage yet, so that readers keep what they have.
    """

    written: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Projector:
    """Projects a data repo into a store.

    Args:
        repo, store: from where, to where.
        ahead: the store is not the recorded place yet, as while the project is being moved there. A store that is
            the recorded place no longer is left alone: what it held may have been removed.
    """

    def __init__(self, repo: GitRepo, store: ObjectStore, *, ahead: bool = False) -> None:
        self.repo = repo
        self.store = store
        self.ahead = ahead

    def look(self, tables: Iterable[str]) -> Seen:
        """Read the documents of ``tables`` and of the project from storage."""
        keys = [names.MANIFEST_KEY, names.CUTS_KEY]
        keys += [key for t in sorted(tables) for key in (names.pointer(t), names.history(t))]
        return self._read(keys)

    def stands(self, tables: Iterable[str], state: ProjectState, *, cuts: bool) -> dict[str, int] | None:
        """Sizes of the payloads of these tables, when storage is level with git by all that few requests can tell.

        The manifest is written last, so that one which says what git's says has seen all that comes before it.
        What was removed or emptied since then shows in a listing.

        Args:
            tables: names.
            state: the documents at the tip.
            cuts: whether the cuts matter to the caller.

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
        """Those of the keys that are there. A table of few versions is listed, in one request."""
        if versions <= _LISTED_VERSIONS:
            return {info.key: info.size for info in self.store.list(f"{table}/") if info.key in keys}
        infos = [self.store.head(key) for key in keys]
        return {info.key: info.size for info in infos if info is not None}

    def _read(self, keys: Sequence[str]) -> Seen:
        with ThreadPoolExecutor(min(len(keys), _READERS), thread_name_prefix="datom-look") as pool:
            return Seen(dict(zip(keys, pool.map(lambda key: find(self.store, key), keys), strict=True)))

    def is_level(self, table: str, state: ProjectState, seen: Seen) -> bool:
        """Whether storage has all of a table's current version: documents, snapshot and payload."""
        at_tip = state.table(table)
        if at_tip.metadata is None or at_tip.current is None or not same_table(at_tip, seen, table):
            return False
        needed = {payload_key(table, at_tip.metadata): 0, **least_sizes(table, at_tip)}
        infos = {key: self.store.head(key) for key in needed}
        return all(info is not None and info.size >= needed[key] for key, info in infos.items())

    def level(
        self,
        tables: Iterable[str],
        *,
        seen: Seen | None = None,
        tip: str | None = None,
        commits: Mapping[str, Mapping[str, str]] | None = None,
        present: Set[str] = frozenset(),
        promised: frozenset[str] = frozenset(),
        thorough: bool = False,
    ) -> Report:
        """Project the tip for ``tables``, and for every table that storage lags behind in.

        Args:
            tables: names to be compared whatever the manifest says.
            seen, tip: a look at storage, and a tip that is known to be newer than that look.
            commits: table -> version -> commit, of what the caller has just published.
            present: keys of payloads that the caller knows to be there.
            promised: keys of lost payloads of current versions, which the caller puts right afterwards.
            thorough: look for every snapshot, not only for those of versions that are new to storage, and for the note
                about governance.

        Raises:
            ConflictError: others kept changing storage during all attempts.
        """
        run = _Run(self, set(tables), commits or {}, present, promised, thorough)
        known = [(seen, tip)]
        # What the caller has seen serves once: after a conflict, storage and git are looked at anew.
        while_conflicting(lambda: run.once(*(known.pop() if known else (None, None))), attempts=_ATTEMPTS)
        return Report(tuple(run.written), tuple(run.waiting))


@dataclass
class _Run:
    """One call of `Projector.level`, over all its attempts."""

    projector: Projector
    wanted: set[str]
    commits: Mapping[str, Mapping[str, str]]
    present: Set[str]
    promised: frozenset[str]
    thorough: bool
    written: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def once(self, seen: Seen | None, tip: str | None) -> None:
        repo = self.projector.repo
        while True:
            if seen is None or tip is None:
                seen, tip = self.projector.look(self.wanted), repo.tip()
            if tip is None:
                raise NotFoundError(f"{repo.remote} has no branch {repo.branch}.")
            state = load_state(repo, tip, self.wanted)
            if state.file.decommissioned_at is not None:
                return
            if not self.projector.ahead and not same_place(state.file.location, self.projector.store.location):
                return
            lagging = set(lagging_tables(state.manifest, seen.manifest())) - self.wanted
            if not lagging:
                break
            self.wanted |= lagging
            seen = tip = None
        self.waiting = [t for t in sorted(self.wanted) if not self._table(t, state.table(t), seen, tip)]
        self._lists(state, seen)
        if self.thorough:
            self._governance(state)

    def _table(self, table: str, state: TableState, seen: Seen, tip: str) -> bool:
        """Snapshots, then the history, then the pointer; whether the table's payload is there."""
        if state.metadata is None:
            return True
        if not self._payload_is_there(table, state.metadata, seen, tip):
            return False
        stored = seen.history(table)
        if stored is None and seen.manifest() is not None and self._lacks(names.MANIFEST_KEY):
            # A new table is not swapped for anything that would be missed if the project had moved away meanwhile.
            raise ConflictError(f"{self.projector.store.location} was emptied meanwhile. Try again.")
        for version, metadata in self._snapshots(table, state, stored, tip).items():
            self._put_snapshot(names.snapshot(table, version), snapshot_document(metadata, state))
        if not same_table(state, seen, table):
            if stored is None or not stored.same_as(state.history):
                history = state.history.with_commits(self._commits(table, state, stored, tip))
                self._swap(names.history(table), history.to_json(), seen)
            # The pointer comes after all that it points to.
            pointer = seen.pointer(table)
            if pointer is None or dict(pointer.raw) != dict(state.metadata.raw):
                self._swap(names.pointer(table), state.metadata.to_json(), seen)
        return True

    def _lists(self, state: ProjectState, seen: Seen) -> None:
        """Cuts, then the manifest: written last, it proves that all before it is there."""
        stored = seen.manifest()
        if stored is not None and stored.project != state.manifest.project:
            raise AlreadyExistsError(
                f"{self.projector.store.location} holds the project {stored.project!r}, not "
                f"{state.manifest.project!r}. Nothing of it is overwritten; give another place.",
                project=stored.project,
            )
        cuts, manifest = state.cuts, state.manifest
        if self.waiting:
            readable = {t: frozenset(v.version for v in seen.history(t) or ()) for t in self.waiting}
            cuts = cuts.limited_to(readable)
            manifest = held_back(manifest, stored, self.waiting)
        if same_lists(replace(state, manifest=manifest, cuts=cuts), seen):
            return
        stored_cuts = seen.cuts()
        if dict(cuts.raw) != dict(stored_cuts.raw if stored_cuts is not None else type(cuts)().raw):
            self._swap(names.CUTS_KEY, cuts.to_json(), seen)
        if stored is None or dict(stored.raw) != dict(manifest.raw):
            self._swap(names.MANIFEST_KEY, manifest.to_json(), seen)

    def _governance(self, state: ProjectState) -> None:
        """The note that tells readers of the storage alone which register the project belongs to."""
        if state.governance is None:
            return
        seen = Seen({names.GOVERNANCE_KEY: find(self.projector.store, names.GOVERNANCE_KEY)})
        stored = seen.governance()
        if stored is None or dict(stored.raw) != dict(state.governance.raw):
            self._swap(names.GOVERNANCE_KEY, state.governance.to_json(), seen)

    def _payload_is_there(self, name: str, metadata: Metadata, seen: Seen, tip: str) -> bool:
        store, repo = self.projector.store, self.projector.repo
        key = payload_key(name, metadata)
        if key in self.present or store.head(key) is not None:
            return True
        pointer = seen.pointer(name)
        if key in self.promised and pointer is not None and pointer.data_sha == metadata.data_sha:
            return True  # readers are there already, and find nothing until the caller keeps its promise
        if metadata.kind != "set":
            return False
        # A set's payload is in git too, so it can be put back when it is the recorded one.
        data = repo.read(tip, [names.set_file(name)]).get(names.set_file(name))
        if data is None or hashlib.sha256(data).hexdigest() != metadata.payload_sha:
            return False
        if store.create(key, data):
            self.written.append(key)
        return True

    def _snapshots(self, table: str, state: TableState, stored: History | None, tip: str) -> dict[str, Metadata]:
        """The metadata of every version whose snapshot must be looked after, the current one always."""
        needed = versions_to_snapshot(state, stored)
        if self.thorough:
            needed |= {v.version for v in state.history if self._lacks(names.snapshot(table, v.version))}
        current = state.current
        found: dict[str, Metadata] = {}
        if needed - {current.version if current else None}:
            for _, metadata in self._revisions(table, tip):
                if metadata.version() in needed:
                    found.setdefault(metadata.version(), metadata)
        if current is not None and state.metadata is not None:
            found.setdefault(current.version, state.metadata)
        return found

    def _lacks(self, key: str) -> bool:
        return self.projector.store.head(key) is None

    def _put_snapshot(self, key: str, document: Metadata) -> None:
        store = self.projector.store
        if store.create(key, document.to_json()):
            self.written.append(key)
            return
        stored = store.get(key)
        try:
            pinned = Metadata.from_json(stored.data, key).payload_sha
        except FormatError as error:
            if "schema" in error.details:
                raise
        else:
            # The first snapshot stays, whatever a later writer's clock or release would put there.
            if pinned == document.payload_sha:
                return
        store.replace(key, document.to_json(), stored.etag)
        self.written.append(key)

    def _commits(self, table: str, state: TableState, stored: History | None, tip: str) -> dict[str, str]:
        """The commit that recorded each version: what storage and the caller know, then what git says."""
        known = {**self.commits.get(table, {}), **(stored.commits() if stored is not None else {})}
        if any(v.version not in known for v in state.history):
            for commit, metadata in self._revisions(table, tip):
                known.setdefault(metadata.version(), commit)
        return known

    def _revisions(self, table: str, tip: str) -> list[tuple[str, Metadata]]:
        path = names.metadata_file(table)
        found = []
        for commit, data in self.projector.repo.revisions(tip, path):
            try:
                found.append((commit, Metadata.from_json(data, path)))
            except FormatError:
                continue  # a document that was damaged for a while names no version
        return found

    def _swap(self, key: str, data: bytes, seen: Seen) -> None:
        store, before = self.projector.store, seen.documents[key]
        if before is not None:
            store.replace(key, data, before.etag)
        elif not store.create(key, data):
            raise ConflictError(f"{key} appeared in {store.location} meanwhile. Try again.", key=key)
        self.written.append(key)
