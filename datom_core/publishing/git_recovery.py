"""What git can give back: the metadata of every version, and the payloads of sets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from datom_core.common import names
from datom_core.documents import History, Metadata, Version
from datom_core.errors import FormatError
from datom_core.git import GitRepo
from datom_core.planning import TableState, read_snapshot, snapshot_document, snapshot_fault
from datom_core.storage import ObjectStore, find

_READERS = 8


@dataclass(frozen=True)
class Revision:
    """One state of a table's metadata in git.

    Attributes:
        version: the version it describes.
        commit: the commit that made it so.
        metadata: the document.
    """

    version: str
    commit: str
    metadata: Metadata


def revisions(repo: GitRepo, table: str, history: History, tip: str) -> list[Revision]:
    """Every state of a table's metadata up to ``tip``, oldest first.

    A document describes the version that it hashes to. Some of R's ids cannot be computed again: a version that no
    document hashes to gets its document by the history's entry (docs/format.md, "What R leaves open").
    """
    path = names.metadata_file(table)
    found = []
    for commit, data in repo.revisions(tip, path):
        try:
            metadata = Metadata.from_json(data, path)
        except FormatError:
            continue  # a document that was damaged for a while names no version
        found.append(Revision(metadata.version(), commit, metadata))
    recorded, computed = {v.version for v in history}, {r.version for r in found}
    return [r if r.version in recorded else _by_entry(r, history, computed) for r in found]


def _by_entry(revision: Revision, history: History, computed: set[str]) -> Revision:
    entry = history.current(revision.metadata)
    if entry is None or entry.version in computed:
        return revision
    return Revision(entry.version, revision.commit, revision.metadata)


def snapshots(repo: GitRepo, table: str, state: TableState, tip: str, versions: Iterable[str]) -> dict[str, Metadata]:
    """The snapshots, of these versions, that git can give."""
    current, metadata, wanted = state.current, state.metadata, set(versions)
    found: dict[str, Metadata] = {}
    if metadata is not None and current is not None and current.version == metadata.version():
        found[current.version] = metadata
    if wanted - found.keys():
        # Keep the first document of a version: a revert by R adds a later one, with another time.
        found = {r.version: r.metadata for r in reversed(revisions(repo, table, state.history, tip))}
    return {v: snapshot_document(m, state) for v, m in found.items() if v in wanted}


def faulty_snapshots(store: ObjectStore, table: str, history: History) -> set[str]:
    """Versions whose snapshot is missing from the store, or differs from what the history says."""
    there = {info.key for info in store.list(f"{table}/.metadata/")}

    def is_faulty(version: Version) -> bool:
        key = names.snapshot(table, version.version)
        found = find(store, key) if key in there else None
        return found is None or snapshot_fault(read_snapshot(found.data, key), version, history) is not None

    with ThreadPoolExecutor(_READERS, thread_name_prefix="datom-snapshots") as pool:
        verdicts = list(pool.map(is_faulty, history))
    return {v.version for v, faulty in zip(history, verdicts, strict=True) if faulty}


def set_payloads(repo: GitRepo, name: str, tip: str) -> dict[str, bytes]:
    """Every member list that a set ever had in git, by the SHA-256 of its bytes."""
    return {hashlib.sha256(data).hexdigest(): data for _, data in repo.revisions(tip, names.set_file(name))}
