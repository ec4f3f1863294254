"""Put what a cut stands for under legal hold, where its bucket knows that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datom_core.common import names
from datom_core.documents import Version
from datom_core.errors import NotFoundError
from datom_core.planning import ProjectState
from datom_core.storage import HoldReport, ObjectStore, hold_objects, look_at_holds


def hold_payloads(store: ObjectStore, versions: Mapping[str, Version], *, dry_run: bool = False) -> HoldReport:
    """Hold the data of versions, and the documents that prove their ids; nothing that is written anew is held.

    Args:
        store: where they lie.
        versions: by table.
        dry_run: only look.

    Raises:
        AccessDeniedError, NotFoundError, StorageError: as `hold_objects`; the same call goes on.
    """
    keys = [key for table, version in versions.items() for key in _keys(table, version)]
    return look_at_holds(store, keys) if dry_run else hold_objects(store, keys)


def versions_of_cut(state: ProjectState, cut: str) -> dict[str, Version]:
    """The entries of the versions that a cut stands for, by table.

    Raises:
        NotFoundError: there is no such cut, or a history lacks a version of it.
    """
    found = {}
    for table, version in state.cuts.find(cut).items():
        entry = state.table(table).history.find(version)
        if entry is None:
            raise NotFoundError(f"The history of {table} does not have {version[:8]}, of the cut {cut!r}.", table=table)
        found[table] = entry
    return found


def _keys(table: str, version: Version) -> Iterator[str]:
    payload = names.set_payload if version.is_set else names.payload
    yield payload(table, version.data_sha)
    yield names.snapshot(table, version.version)
