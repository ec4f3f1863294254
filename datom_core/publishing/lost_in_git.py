"""What storage still has of versions that git has lost, and the documents that bring them back into git."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from datom_core.common import names
from datom_core.documents import (
    Cuts,
    History,
    Location,
    Manifest,
    Metadata,
    Origin,
    Version,
    objects,
    optional,
    parse_object,
    strings,
)
from datom_core.errors import DatomError, IntegrityError
from datom_core.planning import LostVersion, ProjectState, StorageView, TableState, payload_key, read_snapshot
from datom_core.storage import ObjectStore, find
from datom_core.tables import judge_document, judge_payload


@dataclass(frozen=True)
class Remain:
    """A version that git has lost.

    Attributes:
        lost: which one.
        metadata: its document, from storage.
        fault: why it cannot be recorded again; ``None`` if it can.
        files: further files that it needs in git.
        members: for a set, how many it has.
    """

    lost: LostVersion
    metadata: Metadata | None
    fault: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    members: int | None = None

    def commit_message(self) -> str:
        lost = self.lost
        first = f" in commit {lost.commit_sha}" if lost.commit_sha else ""
        return (
            f"{lost.message or f'Update {lost.table}'}\n\nRecovered from storage: the version {lost.version} of "
            f"{lost.table},\nfirst recorded by {lost.author} at {lost.recorded_at}{first}.\n"
        )


class Remains:
    """Reads lost versions from storage, and works out how the documents in git continue with them.

    Args:
        store: the storage.
        seen: storage's documents, with those of every table concerned.
        state: git's documents, with those of every table that git has.
    """

    def __init__(self, store: ObjectStore, seen: StorageView, state: ProjectState) -> None:
        self._store, self._seen, self._state = store, seen, state
        self._lost: dict[str, set[str]] = {}

    def oldest_first(self, lost: Sequence[LostVersion]) -> list[Remain]:
        """The lost versions in the order to record them again: for each table, the order of its history."""
        for version in lost:
            self._lost.setdefault(version.table, set()).add(version.version)
        in_turn = list(reversed(lost))
        if self._in_order(lost):
            in_turn.sort(key=lambda v: v.recorded_at)
        return [self._read(v) for v in in_turn]

    def _in_order(self, lost: Sequence[LostVersion]) -> bool:
        """Whether clocks and histories agree, so that times can order versions across tables."""
        last: dict[str, str] = {}
        for version in reversed(lost):
            if version.recorded_at < last.get(version.table, ""):
                return False
            last[version.table] = version.recorded_at
        return True

    def _read(self, lost: LostVersion) -> Remain:
        """Read one version and examine it: what storage says of itself is no evidence."""
        stored = self._seen.history(lost.table)
        entry = stored.find(lost.version) if stored is not None else None
        key = names.snapshot(lost.table, lost.version)
        found = find(self._store, key)
        metadata = read_snapshot(found.data, key) if found is not None else None
        if entry is None or metadata is None:
            return Remain(lost, None, f"{key} cannot be read")
        verdict = judge_document(metadata, lost.version)
        if verdict.is_other:
            return Remain(lost, metadata, f"{key}: {verdict.fault}")
        return self._with_payload(lost, metadata, entry)

    def _with_payload(self, lost: LostVersion, metadata: Metadata, entry: Version) -> Remain:
        key = payload_key(lost.table, metadata)
        found = find(self._store, key)
        if found is None:
            return Remain(lost, metadata, f"{key} is missing")
        recorded = entry.payload_sha or metadata.payload_sha
        if recorded is not None and hashlib.sha256(found.data).hexdigest() != recorded:
            return Remain(lost, metadata, f"{key} holds other bytes than were recorded")
        # What R hashed cannot always be recomputed from its file; any other mismatch is a forgery.
        verdict = judge_payload(key, found.data, lambda: metadata)
        if verdict.is_other:
            return Remain(lost, metadata, f"{key}: {verdict.fault}")
        if metadata.kind == "set":
            try:
                members = len(objects(parse_object(found.data, key), "members", key) or ())
            except DatomError as error:
                return Remain(lost, metadata, str(error))
            return Remain(lost, metadata, None, {names.set_file(lost.table): bytes(found.data)}, members)
        return Remain(lost, metadata)

    def tables(self) -> list[str]:
        """Tables that storage has a history of."""
        keys = (key for key in self._seen.documents if key.endswith("/.metadata/version_history.json"))
        found = [key.partition("/")[0] for key in keys]
        return sorted(t for t in found if self._seen.history(t) is not None)

    def history(self, table: str) -> History:
        """Both histories in one: git's, with the lost versions back in their places."""
        git, stored = self._state.table(table).history, self._seen.history(table) or History()
        entries = [self._told(entry, stored) for entry in git.raw]
        known, lost = [e["version"] for e in stored.raw], self._lost.get(table, set())
        for at in range(len(stored.raw) - 1, -1, -1):
            entry = stored.raw[at]
            if entry["version"] in lost and not any(e["version"] == entry["version"] for e in entries):
                entries.insert(self._place(entries, entry, known[at + 1 :], known), _without_commit(entry))
        return History(tuple(MappingProxyType(e) for e in entries))

    @staticmethod
    def _place(entries: list[dict[str, Any]], entry: Mapping[str, Any], older: list[str], known: list[str]) -> int:
        """Right above the entries it followed in storage, and above what git has recorded since, up to its time."""
        at = next((i for i, e in enumerate(entries) if e["version"] in older), len(entries))
        time = str(entry.get("timestamp") or "")
        while at and entries[at - 1]["version"] not in known and str(entries[at - 1].get("timestamp") or "") <= time:
            at -= 1
        return at

    @staticmethod
    def _told(entry: Mapping[str, Any], stored: History) -> dict[str, Any]:
        """An entry of git's history, with the times that storage has for its version becoming current again."""
        there = next((e for e in stored.raw if e["version"] == entry["version"]), None)
        if there is None or not _went_on(entry, there):
            return dict(entry)
        return {**entry, **{k: there[k] for k in ("reinstated_at", "reinstated") if k in there}}

    def goes_on(self, table: str) -> bool:
        """Whether git recorded nothing of a table that storage lacks: then what is current in storage is the latest."""
        git, stored = self._state.table(table).history, self._seen.history(table) or History()
        there = {e["version"]: e for e in stored.raw}
        return all(e["version"] in there and _went_on(e, there[e["version"]]) for e in git.raw)

    def pointer(self, table: str) -> Metadata | None:
        """The version of a table that storage says is current."""
        return self._seen.pointer(table)


def check_remains(versions: Iterable[Remain], location: Location) -> None:
    """Refuse to record versions that are no longer there.

    Raises:
        IntegrityError: names every such version.
    """
    broken = [v for v in versions if v.fault is not None]
    if broken:
        raise IntegrityError(
            f"{len(broken)} versions cannot be recorded again from {location}:\n  - "
            + "\n  - ".join(f"{v.lost.table}@{v.lost.version[:8]}: {v.fault}" for v in broken)
            + "\nNothing was written. Restore these objects from a backup, push the lost commits from a clone that has "
            "them, or give all of it up: project.accept_history(reason=...).",
            versions=tuple(v.lost for v in broken),
        )


def states(
    versions: Sequence[Remain], state: ProjectState, remains: Remains, now: str
) -> Iterator[tuple[Remain, ProjectState]]:
    """The documents after each version is recorded again, one after the other."""
    done = {t: {e["version"] for e in s.history.raw} for t, s in state.tables.items()}
    for version in versions:
        assert version.metadata is not None
        table, there = version.lost.table, done.setdefault(version.lost.table, set())
        there.add(version.lost.version)
        history = History(tuple(e for e in remains.history(table).raw if e["version"] in there))
        state = _with_current(state, table, history, version.metadata, version.lost.version, now, version.members)
        yield version, state


def last_state(
    versions: Sequence[Remain], before: ProjectState, state: ProjectState, remains: Remains, now: str
) -> ProjectState:
    """The documents with the right versions current: git's choice where git has moved on by itself, else storage's.

    Args:
        versions: those recorded again, oldest first.
        before, state: the documents before and after that.
    """
    members = {(v.lost.table, v.lost.version): v.members for v in versions}
    for table in remains.tables():
        history, at_tip = remains.history(table), state.table(table)
        current = remains.pointer(table) if remains.goes_on(table) else before.table(table).metadata
        entry = history.current(current) if current is not None else None
        if current is None or entry is None or not (history.raw and at_tip.metadata):
            continue
        same = dict(current.raw) == dict(at_tip.metadata.raw) and history.same_as(at_tip.history)
        if not same:
            count = members.get((table, entry.version))
            state = _with_current(state, table, history, current, entry.version, now, count)
    return state


def cuts_united(state: ProjectState, stored: Cuts | None, now: str) -> ProjectState:
    """The documents, with storage's cuts added."""
    known = {t: {e["version"] for e in s.history.raw} for t, s in state.tables.items()}
    cuts = state.cuts.united(stored, known) if stored is not None else state.cuts
    if dict(cuts.raw) == dict(state.cuts.raw):
        return state
    return replace(state, cuts=cuts, manifest=state.manifest.with_rows(state.manifest.rows(), now))


def _with_current(
    state: ProjectState, table: str, history: History, metadata: Metadata, version: str, now: str, members: int | None
) -> ProjectState:
    if metadata.kind == "set":
        manifest = _with_set(state.manifest, table, metadata, version, len(history), now, members)
    else:
        file_sha = optional(metadata.raw, "original_file_sha", str, table)
        file_format = optional(metadata.raw, "original_format", str, table)
        manifest = state.manifest.with_table(
            table,
            version=version,
            data_sha=metadata.data_sha,
            now=now,
            size=metadata.size_bytes or 0,
            count=len(history),
            origin=Origin(file_sha, file_format) if file_sha is not None and file_format is not None else None,
        )
    return replace(state, manifest=manifest, tables={**state.tables, table: TableState(metadata, history)})


def _with_set(
    manifest: Manifest, table: str, metadata: Metadata, version: str, count: int, now: str, members: int | None
) -> Manifest:
    row = {**manifest.rows().get(table, {"kind": "set"})}
    row |= {"current_version": version, "current_data_sha": metadata.data_sha, "last_updated": now}
    row |= {"member_count": members} if members is not None else {}
    return manifest.with_rows({**manifest.rows(), table: {**row, "version_count": count}}, now)


def _went_on(git: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Whether storage knows every time that git has for the version becoming current again."""
    return set(strings(git, "reinstated_at", "git")) <= set(strings(stored, "reinstated_at", "storage"))


def _without_commit(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in entry.items() if k != "commit_sha"}
