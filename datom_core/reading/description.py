"""What there is to know of one version of a table, at one look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datom_core import tables
from datom_core.documents import Metadata, Parent, Rows, Source, Version, block, rows
from datom_core.errors import InvalidInputError
from datom_core.reading.states import StateLike, Versions, find_state
from datom_core.reading.stored_documents import StoredDocuments

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ColumnInfo:
    """A column.

    Attributes:
        name: its name.
        type: as Arrow calls it; ``category`` for text that is stored as categories.
        label: what the data says that it is, if it does.
    """

    name: str
    type: str
    label: str | None


@dataclass(frozen=True, eq=False)
class TableDescription:
    """A version of a table.

    Attributes:
        project, table: whose.
        version: its entry in the history: who recorded it, when and why, and each time that it came back.
        current: whether it is current.
        rows, size_bytes: how large it is; the bytes are those of its file.
        table_type: ``"imported"`` or ``"derived"``.
        columns: in their order.
        cuts, reviews: names of the cuts and review marks that stand for it.
        parents, lineage: as `Metadata` has them.
        custom: the writer's own metadata.
        head: its first rows.
    """

    project: str
    table: str
    version: Version
    current: bool
    rows: int
    size_bytes: int
    table_type: str | None
    columns: Rows[ColumnInfo] = field(repr=False)
    cuts: tuple[str, ...]
    reviews: tuple[str, ...]
    parents: tuple[Parent, ...] | None
    lineage: tuple[Source, ...] | None
    custom: Mapping[str, Any]
    head: pa.Table = field(repr=False)

    def head_as_text(self, columns: int | None = None) -> list[list[str | None]]:
        """The first rows as text, of the first columns or of all; ``None`` is a missing value."""
        shown = self.head.columns[:columns]
        return [list(row) for row in zip(*map(tables.as_text, shown), strict=True)]

    def __repr__(self) -> str:
        return f"{block(self)}\n\n{self.columns!r}"


def describe(
    of: Versions, documents: StoredDocuments, table: str, state: StateLike | None, first: int
) -> TableDescription:
    """As `ProjectReader.describe`."""
    given: object = first
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise InvalidInputError(f"rows is how many rows to show, 0 or more, not {first!r}.")
    entry = find_state(of, table, state).version
    pointer = documents.pointer(table)
    current = documents.history(table).current(pointer)
    is_current = current is not None and current.version == entry.version
    metadata: Metadata = pointer if is_current else documents.proven(table, entry)
    data = documents.payload(table, entry.data_sha, entry.payload_sha)
    head, cuts = tables.first_rows(data, first), documents.cuts()
    return TableDescription(
        project=of.project,
        table=table,
        version=entry,
        current=is_current,
        rows=metadata.rows or 0,
        size_bytes=memoryview(data).nbytes,
        table_type=metadata.table_type,
        columns=rows(_column(f) for f in head.schema),
        cuts=tuple(name for name in cuts if cuts.stands_for(name, table, entry.version)),
        reviews=tuple(name for name, mark in cuts.reviews.items() if mark.get(table) == entry.version),
        parents=metadata.parents,
        lineage=metadata.lineage,
        custom=metadata.custom,
        head=head,
    )


def _column(column: pa.Field) -> ColumnInfo:
    import pyarrow as pa

    kind = "category" if pa.types.is_dictionary(column.type) else str(column.type)
    label = (column.metadata or {}).get(b"label")
    return ColumnInfo(column.name, kind, None if label is None else label.decode(errors="replace"))
