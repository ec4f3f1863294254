"""Whether the documents in git agree with one another. No effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from datom_core.common import names
from datom_core.documents import Version, timestamp
from datom_core.errors import FormatError
from datom_core.planning import Problem, ProjectState, TableState


def disagreements(state: ProjectState) -> Iterator[Problem]:
    """Where the manifest, the tables' documents and the cuts contradict one another."""
    for table in state.manifest.entries:
        if table not in state.tables:
            yield _inconsistent(table, names.MANIFEST_FILE, f"lists it, and {names.metadata_file(table)} is not there")
    for table, at_tip in state.tables.items():
        for what in _history_faults(at_tip):
            yield _inconsistent(table, names.history_file(table), what)
        for what in _row_faults(state, table, at_tip):
            yield _inconsistent(table, names.MANIFEST_FILE, what)
    for cut in state.cuts.values():
        for table, recordings in cut.recordings.items():
            for version in dict.fromkeys(r.version for r in recordings):
                if state.table(table).history.find(version) is None:
                    what = f"has it in the cut {cut.name!r}, and there is no such version"
                    yield Problem("inconsistent", table, version, names.CUTS_FILE, what, fixable=False)
    yield from _mark_faults(state)


def _mark_faults(state: ProjectState) -> Iterator[Problem]:
    for name, mark in state.cuts.reviews.items():
        if name in state.cuts:
            what = f"in git has {name!r} as the name of a cut and of a review mark"
            yield Problem("inconsistent", None, None, names.CUTS_FILE, what, fixable=False)
        for table, version in sorted({held for move in mark.moves for held in move.versions.items()}):
            if state.table(table).history.find(version) is None:
                what = f"has it in the review mark {name!r}, and there is no such version"
                yield Problem("inconsistent", table, version, names.CUTS_FILE, what, fixable=False)


def _inconsistent(table: str, path: str, what: str) -> Problem:
    return Problem("inconsistent", table, None, path, f"in git {what}", fixable=False)


def _history_faults(at_tip: TableState) -> Iterator[str]:
    metadata, history = at_tip.metadata, at_tip.history
    if metadata is not None and at_tip.current is None:
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


def _row_faults(state: ProjectState, table: str, at_tip: TableState) -> Iterator[str]:
    row, metadata, current = state.manifest.entries.get(table), at_tip.metadata, at_tip.current
    if row is None:
        yield "does not list it, though its documents are there"
        return
    if metadata is None:
        return
    if row.data_sha != metadata.data_sha:
        yield f"has the content {str(row.data_sha)[:8]} as current, metadata.json {metadata.data_sha[:8]}"
    elif current is not None and row.version != current.version and not _only_r_knows(at_tip, row.version):
        yield f"has the version {str(row.version)[:8]} as current, metadata.json {current.version[:8]}"
    if row.version_count != len(at_tip.history):
        yield f"counts {row.version_count} versions, the history has {len(at_tip.history)}"


def _only_r_knows(at_tip: TableState, version: str | None) -> bool:
    """Whether this may be the current version, under an id that only R can compute: it has the current content."""
    metadata, history = at_tip.metadata, at_tip.history
    if metadata is None or history.find(metadata.version()) is not None:
        return False
    entry = history.find(version or "")
    return entry is not None and entry.data_sha == metadata.data_sha


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other
