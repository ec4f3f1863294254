"""Projects as values: documents after writes, and what storage shows of them, without git or storage."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from datom_core.common import names
from datom_core.documents import Author, Cuts, Declared, Line, Location, Manifest, Metadata, ProjectFile, Version
from datom_core.planning import (
    Payload,
    ProjectState,
    Stamp,
    StorageView,
    TableWrite,
    apply,
    pinned_payloads,
    plan_write,
)
from datom_core.storage import StoredObject

WHO = Author("Test Author", "test@example.org")
PLACE = Location("local", "/data")
COMMIT = "c" * 40


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02d}:00Z"


def empty(schema: int = 2) -> ProjectState:
    """A project that has no table yet."""
    file = ProjectFile.new("STUDY_001", PLACE, "git@example.org:s.git", schema=schema, date="2026-01-01", writer="py-0")
    return ProjectState(file, Manifest.new("STUDY_001", schema, at(0)), Cuts(), None, {})


def table(name: str, content: str, *, rows: int = 3, **declared: Any) -> TableWrite:
    """A table to be written, of a content that stands for itself; ``declared`` are the fields of `Declared`."""
    return TableWrite(name, sha(content), rows, ("USUBJID", "AGE"), Declared(**declared))


def payload_of(content: str) -> Payload:
    return Payload(sha(f"the bytes of {sha(content)}"), 100)


def stamp(minute: int, message: str = "why", writer: str = "py-0") -> Stamp:
    return Stamp(at(minute), WHO, message, writer)


def written(
    state: ProjectState, *writes: TableWrite, cut: str | None = None, minute: int = 1, writer: str = "py-0"
) -> ProjectState:
    """The documents after a write; each content has one payload."""
    payloads = {w.table: Payload(sha(f"the bytes of {w.data_sha}"), 100) for w in writes}
    return apply(plan_write(state, writes, cut), payloads, stamp(minute, writer=writer))


def metadata_of(state: ProjectState, name: str) -> Metadata:
    found = state.table(name).metadata
    assert found is not None
    return found


def current_of(state: ProjectState, name: str) -> Version:
    found = state.table(name).current
    assert found is not None
    return found


def documents_of(state: ProjectState) -> dict[str, bytes]:
    """The documents that storage holds when it is level with git, but for snapshots."""
    found = {names.MANIFEST_KEY: state.manifest.to_json(), names.LINE_KEY: Line.new("main", COMMIT).to_json()}
    if state.cuts:
        found[names.CUTS_KEY] = state.cuts.to_json()
    if state.governance is not None:
        found[names.GOVERNANCE_KEY] = state.governance.to_json()
    for name, at_tip in state.tables.items():
        found |= {
            names.pointer(name): metadata_of(state, name).to_json(),
            names.history(name): at_tip.history.to_json(),
        }
    return found


def seen(documents: Mapping[str, bytes]) -> StorageView:
    """What a look at storage brings home when it holds these documents."""
    return StorageView({key: StoredObject(data, "tag") for key, data in documents.items()})


def sizes_of(state: ProjectState) -> dict[str, int]:
    """Every object in storage when it is level with git."""
    found = {key: len(data) for key, data in documents_of(state).items()}
    snapshots = [names.snapshot(name, v.version) for name, t in state.tables.items() for v in t.history]
    return found | dict.fromkeys([*snapshots, *pinned_payloads(state)], 100)


def with_rows(state: ProjectState, **rows: Mapping[str, Any] | None) -> ProjectState:
    """The project with fields of its manifest's rows changed, or with a row less."""
    kept = {name: row for name, row in state.manifest.rows().items() if rows.get(name, row) is not None}
    changed = {name: {**kept.get(name, {}), **fields} for name, fields in rows.items() if fields is not None}
    return replace(state, manifest=state.manifest.with_rows({**kept, **changed}))


#: A project of two tables and a cut, and the next commit: other content of dm, and another cut.
BEFORE = written(empty(), table("dm", "a"), table("ae", "e"), cut="c1", minute=1)
TIP = written(BEFORE, table("dm", "b", rows=4), cut="c2", minute=2)
