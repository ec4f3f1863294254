"""Decide a write: a project's documents and new tables come in, the documents after it go out. No effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datom_core.common import names
from datom_core.documents import (
    Change,
    History,
    Metadata,
    Recording,
    Source,
    Version,
    canonical,
    compare_shapes,
    complete,
    identity_fields,
)
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.planning.project_state import ProjectState, TableState
from datom_core.planning.results import Action, PlannedWrite
from datom_core.planning.write_request import Payload, Stamp, TableWrite
from datom_core.tables import HASH_ALGO


@dataclass(frozen=True)
class TablePlan:
    """What has to be done for one table.

    Attributes:
        write: the request.
        action: ``"created"``, ``"metadata_only"`` or ``"unchanged"``.
        version: the version that will be current.
        identity: the fields that make it.
        recorded: the history's entry, when this version existed before.
        payload_sha: the recorded SHA-256 of the payload, when this content was stored before.
        change: difference to what is current now.
    """

    write: TableWrite
    action: Action
    version: str
    identity: Mapping[str, Any]
    recorded: Version | None
    payload_sha: str | None
    change: Change


@dataclass(frozen=True)
class WritePlan:
    """What a write does: one plan per table, and the tables that the cut must be recorded for."""

    state: ProjectState
    tables: tuple[TablePlan, ...]
    cut: str | None
    recordings: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The tables that are written."""
        return [t.write.table for t in self.tables]

    @property
    def nothing_new(self) -> bool:
        """Whether everything was recorded before, so that there is nothing to commit."""
        return not self.recordings and all(t.action == "unchanged" for t in self.tables)


def plan_write(state: ProjectState, writes: Sequence[TableWrite], cut: str | None = None) -> WritePlan:
    """Decide what writing these tables, and recording them under ``cut``, means for the project.

    Raises:
        FormatError: the project, or a table's documents, may not be rewritten by this release.
        InvalidInputError: a name that collides or belongs to a set, an extract in a product, or a cut with the name
            of a review mark.
        NotFoundError: a declared parent that this project does not have.
    """
    check_writable(state, [w.table for w in writes])
    _check_imports(state, writes)
    for write in writes:
        _check_table_name(state, write.table, [w.table for w in writes])
        _check_parents(state, write)
    if cut is not None:
        state.cuts.check_new_cut(names.check_cut_name(cut))
    plans = tuple(_plan_table(state, write, cut) for write in writes)
    recordings: tuple[str, ...] = ()
    if cut is not None:
        recordings = tuple(p.write.table for p in plans if not state.cuts.stands_for(cut, p.write.table, p.version))
    return WritePlan(state, plans, cut, recordings)


def check_writable(state: ProjectState, tables: Iterable[str]) -> None:
    """Refuse a project, or tables of it, that this release may not rewrite.

    Raises:
        FormatError: says why.
    """
    state.file.check_writable(names.PROJECT_FILE)
    state.manifest.check_writable(names.MANIFEST_FILE)
    for table in tables:
        metadata = state.table(table).metadata
        if metadata is not None:
            metadata.check_writable(names.metadata_file(table))


def _check_table_name(state: ProjectState, table: str, written: Sequence[str]) -> None:
    names.check_new_name(table)
    metadata = state.table(table).metadata
    entry = state.manifest.entries.get(table)
    kinds = {metadata.kind if metadata else "table", entry.kind if entry else "table"} - {"table"}
    if kinds:
        raise InvalidInputError(f"{table} is a {kinds.pop()}, not a table. Choose another name.", table=table)
    if table in state.root_files:
        raise InvalidInputError(f"{table} is a file in the data repo. Choose another name.", table=table)
    twins = [n for n in (*state.manifest.entries, *written) if n != table and n.lower() == table.lower()]
    if twins and entry is None:
        raise InvalidInputError(
            f"{table} and {twins[0]} differ only in case, and would be one folder on some disks. Choose another name.",
            table=table,
        )


def _check_imports(state: ProjectState, writes: Sequence[TableWrite]) -> None:
    """Refuse extracts in a product, whose tables are derived from those of other projects."""
    imported = [w.table for w in writes if w.declared.table_type == "imported"]
    if imported and state.file.product_set is not None:
        raise InvalidInputError(
            f"{state.file.name} is a product, and imports no extracts: {', '.join(imported)}. Import them into the "
            "project of the study, and derive from there.",
            tables=tuple(imported),
        )


def _check_parents(state: ProjectState, write: TableWrite) -> None:
    missing = []
    for parent in write.declared.parents or ():
        if parent.source == state.file.name:
            entry = state.table(parent.table).history.find(parent.version)
            if entry is None or entry.data_sha != parent.data_sha:
                missing.append(str(parent))
    if missing:
        raise NotFoundError(
            f"{write.table}: these parents are not versions in this project: {', '.join(missing)}. "
            "Declare parents with project.parent(table, version).",
            parents=tuple(missing),
        )


def _plan_table(state: ProjectState, write: TableWrite, cut: str | None) -> TablePlan:
    table = state.table(write.table)
    current = table.current
    # After an upgrade to schema 2, a version of schema 1 still stands for the same table, so nothing is new.
    schemas = (2, 1) if state.manifest.schema == 2 else (1,)
    identities = [_identity(write, schema, state.file.name) for schema in schemas]
    by_id = {canonical.metadata_sha(i): i for i in identities}
    new = next(iter(by_id))
    recorded = next((e for e in map(table.history.find, by_id) if e is not None), None)
    standing = next((v for v in by_id if cut is not None and state.cuts.stands_for(cut, write.table, v)), None)
    if standing is not None:
        # Delivering an old cut once more must not take the table back to it.
        action: Action = "unchanged"
        recorded = table.history.find(standing)
    elif current is not None and current.version in by_id:
        action = "unchanged"
        recorded = current
    else:
        same_data = current is not None and current.data_sha == write.data_sha
        action = "metadata_only" if same_data else "created"
    version = recorded.version if recorded else new
    previous = current.version if current else None
    if action == "unchanged":
        change = Change(previous, 0)
    else:
        change = compare_shapes(table.metadata, previous, rows=write.rows, column_names=write.column_names)
    pinned = table.history.payload_sha(write.data_sha)
    return TablePlan(write, action, version, by_id[version], recorded, pinned, change)


def _identity(write: TableWrite, schema: int, project: str) -> dict[str, Any]:
    source = Source(project, write.table, write.data_sha)
    return identity_fields(
        schema,
        data_sha=write.data_sha,
        hash_algo=HASH_ALGO,
        rows=write.rows,
        column_names=write.column_names,
        declared=write.declared,
        imported_as=source if write.declared.table_type == "imported" else None,
    )


def apply(plan: WritePlan, payloads: Mapping[str, Payload], stamp: Stamp) -> ProjectState:
    """The project's documents after the write.

    Args:
        plan: from `plan_write`.
        payloads: the stored object of each planned table, by table name.
        stamp: who, when and why.
    """
    state = plan.state
    for table in plan.tables:
        if table.action != "unchanged":
            state = _record(state, table, payloads[table.write.table], stamp)
    versions = {p.write.table: p.version for p in plan.tables}
    recorded = {name: versions[name] for name in plan.recordings}
    # What a new entry of the history says is not said twice.
    told = {p.write.table: stamp.provenance_of(p.write) for p in plan.tables if p.action == "unchanged"}
    cuts = state.cuts.with_recordings(
        str(plan.cut),
        recorded,
        at=stamp.at,
        author=stamp.author,
        message=stamp.message,
        provenance={table: found for table, found in told.items() if found is not None},
    )
    if cuts is not state.cuts and state.manifest is plan.state.manifest:
        # The manifest is written last and so proves that storage has everything: it must change with the cuts.
        state = replace(state, manifest=state.manifest.with_rows(state.manifest.rows(), stamp.at))
    return replace(state, cuts=cuts)


def _record(state: ProjectState, plan: TablePlan, payload: Payload, stamp: Stamp) -> ProjectState:
    name, data_sha, origin = plan.write.table, plan.write.data_sha, plan.write.declared.origin
    history = _with_reverts_of_r(state.table(name))
    if plan.recorded is None:
        created_at = stamp.at
        history = history.with_version(
            plan.version,
            data_sha=data_sha,
            at=stamp.at,
            author=stamp.author,
            message=stamp.message,
            payload_sha=payload.sha,
            file_sha=origin.sha if origin is not None else None,
            provenance=stamp.provenance_of(plan.write),
        )
    else:
        # The first time stays, so that the document still tells which of several entries it describes.
        created_at = plan.recorded.timestamp or stamp.at
        told = stamp.provenance_of(plan.write)
        by = Recording(plan.version, stamp.at, stamp.author, stamp.message, told)
        history = history.with_reinstated(plan.version, stamp.at, by)
    document = complete(
        plan.identity,
        payload_sha=payload.sha,
        created_at=created_at,
        writer=stamp.writer,
        project=state.file.name,
        size=payload.size,
        origin=origin,
    )
    manifest = state.manifest.with_table(
        name,
        version=plan.version,
        data_sha=data_sha,
        now=stamp.at,
        size=payload.size,
        count=len(history),
        origin=origin,
    )
    table = TableState(Metadata.from_document(document, names.metadata_file(name)), history)
    return replace(state, manifest=manifest, tables={**state.tables, name: table})


def _with_reverts_of_r(table: TableState) -> History:
    """The history with the time at which R made the current version current again.

    R writes that time into the metadata document alone, where the next write would wipe it out.
    """
    current, metadata = table.current, table.metadata
    if current is None or metadata is None or metadata.created_at is None or current.timestamp is None:
        return table.history
    known = {current.timestamp, *current.reinstated_at}
    if metadata.created_at in known or metadata.created_at < max(known):
        return table.history
    return table.history.with_reinstated(current.version, metadata.created_at)


def repin(state: ProjectState, name: str, data_sha: str, payload: Payload, now: str) -> ProjectState:
    """The documents once a table's lost payload had to be written anew, with other bytes than before."""
    table, rows = state.table(name), dict(state.manifest.rows())
    metadata = table.metadata
    if metadata is not None and metadata.data_sha == data_sha:
        metadata = metadata.with_fields(parquet_sha=payload.sha, size_bytes=payload.size)
        if name in rows:
            rows[name] = {**rows[name], "size_bytes": payload.size}
    repaired = TableState(metadata, table.history.with_payload_sha(data_sha, payload.sha))
    manifest = state.manifest.with_rows(rows, now)
    return replace(state, manifest=manifest, tables={**state.tables, name: repaired})


def changed_files(before: ProjectState, after: ProjectState) -> dict[str, bytes]:
    """The files of the data repo that differ between two states: path -> contents."""
    files = {path: data for path, data in after.files.items() if before.files.get(path) is not data}
    for name, table in after.tables.items():
        was = before.table(name)
        if table.metadata is not None and table.metadata is not was.metadata:
            files[names.metadata_file(name)] = table.metadata.to_json()
        if table.history is not was.history:
            files[names.history_file(name)] = table.history.to_json()
    if after.cuts is not before.cuts:
        files[names.CUTS_FILE] = after.cuts.to_json()
    if after.manifest is not before.manifest:
        files[names.MANIFEST_FILE] = after.manifest.to_json()
    if after.governance is not None and after.governance is not before.governance:
        files[names.GOVERNANCE_FILE] = after.governance.to_json()
    if after.signers is not before.signers:
        files[names.SIGNERS_FILE] = after.signers.to_text()
    if after.file is not before.file:
        files[names.PROJECT_FILE] = after.file.to_yaml()
    return files


def planned(table: TablePlan, plan: WritePlan) -> PlannedWrite:
    """One table of a plan, as its caller sees it."""
    write = table.write
    cut = plan.cut if write.table in plan.recordings else None
    return PlannedWrite(write.table, table.version, write.data_sha, table.action, write.rows, cut, table.change)
