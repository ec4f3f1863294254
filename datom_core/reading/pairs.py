"""Two versions of a table at once. What both hold in the same bytes is decoded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datom_core import tables
from datom_core.documents import Buffer, Version
from datom_core.reading.stored_documents import StoredDocuments

if TYPE_CHECKING:
    import pyarrow as pa


class TablePair(NamedTuple):
    """Both states of a table.

    Attributes:
        before, after: ``None`` for a table that came or went.
        same: columns that hold the same values in the same order.
    """

    before: pa.Table | None
    after: pa.Table | None
    same: frozenset[str] = frozenset()


def read_pair(documents: StoredDocuments, table: str, before: Version | None, after: Version | None) -> TablePair:
    """Both versions, whose bytes are compared with what was recorded of them.

    Raises:
        NotFoundError, IntegrityError: as `ProjectReader.read`.
    """
    if before is None or after is None:
        payloads = (None if v is None else _payload(documents, table, v) for v in (before, after))
        first, second = (None if p is None else tables.decode_parquet(p) for p in payloads)
        return TablePair(first, second)
    old = _payload(documents, table, before)
    first = tables.decode_parquet(old)
    if before.data_sha == after.data_sha:
        return TablePair(first, first, frozenset(first.column_names))
    new = _payload(documents, table, after)
    same = tables.same_columns(old, new)
    return TablePair(first, tables.decode_beside(new, first, same), same)


def _payload(documents: StoredDocuments, table: str, version: Version) -> Buffer:
    return documents.payload(table, version.data_sha, version.payload_sha)
