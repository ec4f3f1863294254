"""What storage should hold, given what git holds and what storage holds now. No effects."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from datom_core.common import names
from datom_core.documents import Buffer, Cuts, GovernanceFile, History, Line, Location, Manifest, Metadata, Version
from datom_core.errors import FormatError, NotFoundError
from datom_core.planning.write_plan import ProjectState, TableState
from datom_core.storage import StoredObject

T = TypeVar("T")


@dataclass(frozen=True)
class StorageView:
    """What storage held at one look: the requested documents, by key."""

    documents: Mapping[str, StoredObject | None]
    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def manifest(self) -> Manifest | None:
        return self._parsed(names.MANIFEST_KEY, Manifest.from_json)

    def cuts(self) -> Cuts | None:
        return self._parsed(names.CUTS_KEY, Cuts.from_json)

    def governance(self) -> GovernanceFile | None:
        return self._parsed(names.GOVERNANCE_KEY, GovernanceFile.from_json)

    def line(self) -> Line | None:
        return self._parsed(names.LINE_KEY, Line.from_json)

    def pointer(self, table: str) -> Metadata | None:
        return self._parsed(names.pointer(table), Metadata.from_json)

    def history(self, table: str) -> History | None:
        return self._parsed(names.history(table), History.from_json)

    def refuse_newer(self) -> None:
        """Raise `FormatError` when a newer release wrote any of these documents."""
        self.manifest()
        self.cuts()
        self.line()
        for key in self.documents:
            table, _, name = key.partition("/.metadata/")
            if name == "metadata.json":
                self.pointer(table)

    def _parsed(self, key: str, parse: Callable[[Buffer, str], T]) -> T | None:
        """The document, or ``None`` when it is absent or damaged (git has it whole).

        Raises:
            FormatError: a newer release wrote it, so that it may not be overwritten.
        """
        stored = self.documents.get(key)
        if stored is None:
            return None
        if key not in self._known:
            try:
                self._known[key] = parse(stored.data, f"{key} in storage")
            except FormatError as error:
                if "schema" in error.details:
                    raise
                self._known[key] = None
        known: T | None = self._known[key]
        return known


def payload_key(name: str, metadata: Metadata) -> str:
    """Where the payload of a table's or set's version lies."""
    build = names.set_payload if metadata.kind == "set" else names.payload
    return build(name, metadata.data_sha)


@dataclass(frozen=True)
class Pinned:
    """A payload that versions name.

    Attributes:
        table: the table that it belongs to.
        versions: every version of this content.
        sha256: the hash of its bytes, where recorded.
    """

    table: str
    versions: tuple[str, ...]
    sha256: str | None


def pinned_payloads(state: ProjectState) -> dict[str, Pinned]:
    """Every payload that a version of the loaded tables names, by key."""
    found: dict[str, Pinned] = {}
    for table, at_tip in state.tables.items():
        for version in at_tip.history:
            build = names.set_payload if version.is_set else names.payload
            key = build(table, version.data_sha)
            known = found.get(key)
            versions = (*(known.versions if known is not None else ()), version.version)
            found[key] = Pinned(table, versions, at_tip.history.payload_sha(version.data_sha))
    return found


def lost_versions(state: ProjectState, keys: Collection[str]) -> list[str]:
    """The versions of the loaded tables whose payload is not among ``keys``, as ``table@version``."""
    lost = [(p.table, v) for key, p in pinned_payloads(state).items() if key not in keys for v in p.versions]
    return sorted(f"{table}@{version[:8]}" for table, version in lost)


def least_sizes(table: str, at_tip: TableState) -> dict[str, int]:
    """The least number of bytes that a table's history and current snapshot take in any layout."""
    least = {names.history(table): _least([dict(e) for e in at_tip.history.raw])}
    if at_tip.current is not None and at_tip.metadata is not None:
        least[names.snapshot(table, at_tip.current.version)] = _least(dict(at_tip.metadata.raw))
    return least


def _least(document: object) -> int:
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def same_table(state: TableState, seen: StorageView, table: str) -> bool:
    """Whether storage's pointer and history of a table say what git says."""
    if state.metadata is None:
        return True
    pointer, history = seen.pointer(table), seen.history(table)
    return (
        pointer is not None
        and dict(pointer.raw) == dict(state.metadata.raw)
        and history is not None
        and history.same_as(state.history)
    )


def same_lists(state: ProjectState, seen: StorageView, *, cuts: bool = True) -> bool:
    """Whether storage's manifest, and its cuts if they matter, say what git says."""
    manifest = seen.manifest()
    if manifest is None or dict(manifest.raw) != dict(state.manifest.raw):
        return False
    return not cuts or same_cuts(state.cuts, seen)


def same_cuts(cuts: Cuts, seen: StorageView) -> bool:
    """Whether storage's cuts are these; a project that never had a cut has no document."""
    stored = seen.cuts() if seen.documents.get(names.CUTS_KEY) is not None else Cuts()
    return stored is not None and dict(stored.raw) == dict(cuts.raw)


def readers_know(table: str, state: TableState, seen: StorageView) -> bool:
    """Whether storage's pointer names the content that git's names."""
    pointer = seen.pointer(table)
    return pointer is not None and state.metadata is not None and pointer.data_sha == state.metadata.data_sha


def projected_lists(state: ProjectState, seen: StorageView, held: Collection[str]) -> ProjectState:
    """The project with its manifest and cuts as storage should hold them.

    Args:
        state: the documents at the tip.
        seen: what storage holds; of the held tables, their histories too.
        held: tables whose readers must keep what they have.
    """
    if not held:
        return state
    readable = {t: frozenset(v.version for v in seen.history(t) or ()) for t in held}
    manifest = held_back(state.manifest, seen.manifest(), held)
    return replace(state, manifest=manifest, cuts=state.cuts.limited_to(readable))


def lagging_tables(git: Manifest, stored: Manifest | None) -> list[str]:
    """Tables and sets whose rows differ between git's manifest and storage's."""
    if stored is None:
        return list(git.entries)
    ours, theirs = _rows_of_schema_2(git), _rows_of_schema_2(stored)
    return [name for name, row in ours.items() if theirs.get(name) != row]


def held_back(git: Manifest, stored: Manifest | None, waiting: Iterable[str]) -> Manifest:
    """Git's manifest with storage's rows for the tables that must wait for their payload."""
    if stored is None:
        old: Mapping[str, Mapping[str, object]] = {}
    else:
        old = stored.rows() if stored.schema == git.schema else _rows_of_schema_2(stored)
    keep = set(waiting)
    rows = {name: old.get(name) if name in keep else row for name, row in git.rows().items()}
    return git.with_rows({name: row for name, row in rows.items() if row is not None})


def _rows_of_schema_2(manifest: Manifest) -> Mapping[str, Mapping[str, object]]:
    return manifest.upgraded(manifest.updated_at or "").rows()


def versions_to_snapshot(state: TableState, stored: History | None) -> set[str]:
    """Versions whose snapshot storage may lack, or holds with another payload hash."""
    known = {v.version: v.payload_sha for v in stored or ()}
    return {v.version for v in state.history if v.version not in known or known[v.version] != v.payload_sha}


def snapshot_document(metadata: Metadata, state: TableState) -> Metadata:
    """A version's metadata as its snapshot, with the payload hash that is valid today.

    A payload that was lost and written anew has another hash than earlier commits say.
    """
    pinned = state.history.payload_sha(metadata.data_sha)
    if metadata.kind != "table" or pinned is None or metadata.payload_sha in (None, pinned):
        return metadata
    return metadata.with_fields(parquet_sha=pinned)


def read_snapshot(data: Buffer, key: str) -> Metadata | None:
    """A stored snapshot, or ``None`` when it is damaged.

    Raises:
        FormatError: a newer release wrote it.
    """
    try:
        return Metadata.from_json(data, key)
    except FormatError as error:
        if "schema" in error.details:
            raise
        return None


def snapshot_fault(stored: Metadata | None, version: Version, history: History) -> str | None:
    """What is wrong with a version's snapshot, judging by its history; ``None`` when nothing is.

    An id that R computed and nobody else can shows as a fault, too; git's document settles it.
    """
    if stored is None:
        return "cannot be read"
    pinned = history.payload_sha(version.data_sha)
    if stored.data_sha != version.data_sha:
        return f"describes the content {stored.data_sha[:8]}, not {version.data_sha[:8]}"
    if None not in (stored.payload_sha, pinned) and stored.payload_sha != pinned:
        return "names another SHA-256 of the payload than the history"
    if stored.version() != version.version:
        return f"describes the version {stored.version()[:8]}"
    return None


def same_snapshot(stored: Metadata, document: Metadata) -> bool:
    """Whether a stored snapshot agrees with git's document in what matters: the version, and the payload's hash.

    The first snapshot stays, whatever a later writer's clock or release would put there.
    """
    return stored.version() == document.version() and stored.payload_sha == document.payload_sha


def nothing_there(state: ProjectState, location: Location) -> NotFoundError:
    """The error for a store that holds nothing of a project with tables: another server, or an unmounted disk."""
    return NotFoundError(
        f"{location} holds nothing of {state.file.name}, which has {len(state.manifest.entries)} tables. Is this the "
        "right server, is the disk mounted? If the data is lost, mirror() puts the documents back.",
        location=str(location),
    )
