"""Where the versions of a study come from, as W3C PROV: what they are, who recorded them, when, from what."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from datom_core.common import Moment, brief
from datom_core.documents import Metadata, Version
from datom_core.errors import InvalidInputError, NotFoundError, UnprovenWarning
from datom_core.evidence.prov_known import Entry, Known, Project, Signed
from datom_core.evidence.prov_statements import describe


def provenance_document(
    reader: Project, state: Moment | None = None, *, tables: Collection[str] | None = None
) -> dict[str, Any]:
    """As `ProjectReader.provenance_document`."""
    held = _chosen(reader, state, tables)
    return _document(reader, held, {table: tuple(reversed(reader.log(table, state))) for table in held})


def provenance_of(reader: Project, held: Mapping[str, Version]) -> dict[str, Any]:
    """The same, for these versions of tables; that R left one of them unproven is said elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnprovenWarning)
        return _document(reader, held, {t: tuple(reversed(reader.log(t, version))) for t, version in held.items()})


def _document(reader: Project, held: Mapping[str, Version], log: Mapping[str, Sequence[Entry]]) -> dict[str, Any]:
    documents: dict[tuple[str, str], Metadata] = {}
    entries: dict[tuple[str, str], Version] = {}
    histories: dict[str, dict[str, Version]] = {}
    told = {(table, entry.version) for table, all_of in log.items() for entry in all_of}
    left = [(table, version.version) for table, version in held.items()]
    while left:
        table, version = place = left.pop()
        if place in documents or version not in _history(reader, table, histories):
            continue
        told.add(place)
        documents[place] = document = reader.metadata(table, version)
        left += [(p.table, p.version) for p in document.parents or () if p.source == reader.project]
    for table, version in told:
        found = _history(reader, table, histories).get(version)
        if found is not None:
            entries[table, version] = found
    return describe(Known(reader.project, log, entries, documents, reader.cuts(), _approvals(reader)))


def _approvals(reader: object) -> Iterable[Signed]:
    """The approvals and withdrawals of the project, where its reader knows of any."""
    found: Iterable[Signed] = getattr(reader, "approvals", tuple)()
    return found


def _chosen(reader: Project, state: Moment | None, tables: Collection[str] | None) -> Mapping[str, Version]:
    if tables is None:
        return reader.study_at(state).versions
    if isinstance(tables, str) or not isinstance(tables, Collection):
        raise InvalidInputError(f"tables is a list of names, not {tables!r}.")
    if len(tables) == 1:
        (table,) = tables
        return {table: reader.version_at(table, state)}
    versions = reader.study_at(state).versions
    missing = [table for table in tables if table not in versions]
    if missing:
        raise NotFoundError(f"There is no table {brief(missing)} at that state; it has {brief(list(versions))}.")
    return {table: versions[table] for table in tables}


def _history(reader: Project, table: str, known: dict[str, dict[str, Version]]) -> dict[str, Version]:
    """Version id -> entry; nothing where storage does not have the table."""
    if table not in known:
        try:
            known[table] = {v.version: v for v in reader.history(table)}
        except NotFoundError:
            known[table] = {}
    return known[table]
