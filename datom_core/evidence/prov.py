"""Where the versions of a study come from, as W3C PROV: what they are, who recorded them, when, from what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from datom_core.common import Moment, brief, fitting
from datom_core.documents import Cuts, Metadata, Rows, Version
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.evidence.prov_statements import Entry, Known, describe


class State(Protocol):
    """The versions of a study at one moment, such as a `StudyState`."""

    @property
    def versions(self) -> Mapping[str, Version]: ...


class Project(Protocol):
    """What is known of a project, as `ProjectReader` reads it."""

    @property
    def project(self) -> str: ...
    def study_at(self, state: Moment | None = None) -> State: ...
    def version_at(self, table: str, state: Moment | None = None) -> Version: ...
    def log(self, table: str | None = None, state: Moment | None = None) -> Sequence[Entry]: ...
    def history(self, table: str) -> Rows[Version]: ...
    def metadata(self, table: str, version: str | None = None) -> Metadata: ...
    def cuts(self) -> Cuts: ...


@fitting
def provenance_document(
    reader: Project, state: Moment | None = None, *, tables: Collection[str] | None = None
) -> dict[str, Any]:
    """Where the versions of a study come from, as a document of W3C PROV in JSON.

    It has each table's version at the state, all that were current before, and every version in this project from which
    one at the state was derived. Of each: its ids, when and by whom and why it was recorded, from which file and run as
    far as that was recorded; and the cuts, reviews and approvals that name one. The same project gives the same
    document.

    Args:
        reader: a `ProjectReader`.
        state: the name of a cut or of a review mark, a date or time; ``None`` is now. Of one table also a version id or
            its first digits.
        tables: only these.

    Raises:
        NotFoundError: no such state, or a table that it does not have.
        InvalidInputError: ``tables`` is no list of names.
        IntegrityError: a document is not that of its version.
    """
    held = _chosen(reader, state, tables)
    log = {table: tuple(reversed(reader.log(table, state))) for table in held}
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
    return describe(Known(reader.project, log, entries, documents, reader.cuts()))


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
