"""Whether the documents of a project agree with one another, wherever they were read. No effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from datom_core.documents import Cuts, Entry, Version, timestamp
from datom_core.errors import FormatError
from datom_core.planning.project_state import TableState


class Unknown(NamedTuple):
    """A version that a cut, a review mark or an approval names, and that its table does not have."""

    table: str
    version: str
    what: str


def history_faults(table: TableState) -> Iterator[str]:
    """What a table's history cannot say, beside its metadata."""
    metadata, history = table.metadata, table.history
    if metadata is not None and table.current is None:
        yield f"has no version of the current content {metadata.data_sha[:8]}"
    elif metadata is not None and not _agree(metadata.payload_sha, history.payload_sha(metadata.data_sha)):
        yield "has another SHA-256 of the current payload than metadata.json"
    for name, times in Counter(v.version for v in history).items():
        if times > 1:
            yield f"has {name[:8]} {times} times"
    hashes: dict[str, set[str]] = {}
    for version in history:
        if version.payload_sha is not None:
            hashes.setdefault(version.data_sha, set()).add(version.payload_sha)
        yield from _time_faults(version)
    for data_sha, found in hashes.items():
        if len(found) > 1:
            yield f"has {len(found)} SHA-256 of one payload, that of the content {data_sha[:8]}"


def _time_faults(version: Version) -> Iterator[str]:
    for text in filter(None, (version.timestamp, *version.reinstated_at)):
        try:
            timestamp(text, "")
        except FormatError:
            yield f"has no time of {version.version[:8]}, but {text!r}"


def unknown_versions(cuts: Cuts, tables: Mapping[str, TableState]) -> Iterator[Unknown]:
    """Every version that a cut, a review mark or an approval names, and that its table does not have."""
    known = {name: {v.version for v in table.history} for name, table in tables.items()}

    def lacks(table: str, version: str) -> bool:
        return version not in known.get(table, ())

    for cut in cuts.values():
        for table, recordings in cut.recordings.items():
            for version in dict.fromkeys(r.version for r in recordings):
                if lacks(table, version):
                    yield Unknown(table, version, f"the cut {cut.name!r}")
    for name, mark in cuts.reviews.items():
        for table, version in sorted({held for move in mark.moves for held in move.versions.items()}):
            if lacks(table, version):
                yield Unknown(table, version, f"the review mark {name!r}")
    for record in cuts.approvals:
        for table, version in record.versions.items():
            if lacks(table, version):
                yield Unknown(table, version, f"the {record.kind} {record.id[:12]} of the cut {record.cut!r}")


def altered_approvals(cuts: Cuts) -> Iterator[str]:
    """What approvals say that cannot be what was signed."""
    for record in cuts.approvals:
        if not record.intact:
            yield f"has the {record.kind} {record.id[:12]} of the cut {record.cut!r}, and its id is of something else"


def row_faults(row: Entry | None, table: TableState) -> Iterator[str]:
    """Where the manifest's row of a table contradicts the table's own documents; a manifest lists it, or should."""
    metadata, current = table.metadata, table.current
    if row is None:
        yield "does not list it, though its documents are there"
        return
    if metadata is None:
        return
    if row.data_sha != metadata.data_sha:
        yield f"has the content {str(row.data_sha)[:8]} as current, metadata.json {metadata.data_sha[:8]}"
    elif current is not None and row.version != current.version and not _only_r_knows(table, row.version):
        yield f"has the version {str(row.version)[:8]} as current, metadata.json {current.version[:8]}"
    if row.version_count != len(table.history):
        yield f"counts {row.version_count} versions, the history has {len(table.history)}"


def _only_r_knows(table: TableState, version: str | None) -> bool:
    """Whether this may be the current version, under an id that only R can compute: it has the current content."""
    metadata, history = table.metadata, table.history
    if metadata is None or history.find(metadata.version()) is not None:
        return False
    entry = history.find(version or "")
    return entry is not None and entry.data_sha == metadata.data_sha


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other
