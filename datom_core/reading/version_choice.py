"""Which version of a table a reader asks for: by id, by a cut's name, by a time, or the current one."""

from __future__ import annotations

from datom_core.common import Moment, moment_of, names
from datom_core.documents import Metadata, Version
from datom_core.errors import InvalidInputError
from datom_core.reading.stored_documents import StoredDocuments


def choose(
    documents: StoredDocuments,
    table: str,
    version: str | None,
    cut: str | None,
    as_of: Moment | None,
    *,
    sets: bool = False,
) -> tuple[Metadata, Version | None]:
    """The current metadata, and the history's entry of the version asked for (``None``: the current one).

    Args:
        documents: of the project.
        table, version, cut, as_of: as `ProjectReader.read`.
        sets: a set may be chosen, too.

    Raises:
        As `ProjectReader.read`.
    """
    names.check_name(table)
    given = [n for n, v in (("version", version), ("cut", cut), ("as_of", as_of)) if v is not None]
    if version is not None and len(given) > 1:
        raise InvalidInputError(f"Choose a version by {' or by '.join(given)}, not by more than one of them.")
    moment = None if as_of is None else moment_of(as_of)
    if cut is not None:
        version = documents.cuts().find(names.check_cut_name(cut)).version_of(table, moment)
    current = documents.pointer(table)
    if current.kind != "table" and not sets:
        raise InvalidInputError(f"{table} is a {current.kind}, not a table; it has no rows to read.", table=table)
    if version is not None:
        return current, documents.history(table).resolve(version, table)
    if moment is not None:
        return current, documents.history(table).as_of(moment, current, table)
    return current, None
