"""What changed between two tables, as values: rows that came and went, cells with other values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from datom_core.documents import Rows
from datom_core.tables.cell_text import in_a_line


@dataclass(frozen=True)
class Retyped:
    """A column whose type changed to another family, such as a number that became text."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class CellChange:
    """One value that changed, as text (`as_text`); ``None`` is a missing value."""

    column: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """Both on one line, told apart; long values are cut around their first difference."""
        before, after = self.in_a_line
        return f"{self.column}: {before} → {after}"

    @property
    def in_a_line(self) -> tuple[str, str]:
        """Both values as the line shows them."""
        return in_a_line(self.before, self.after)


@dataclass(frozen=True)
class ChangedRow:
    """A row that both tables have, with everything that differs.

    Attributes:
        key: its key, value by value as text.
        cells: the values that differ, in column order.
    """

    key: tuple[str | None, ...]
    cells: tuple[CellChange, ...]


@dataclass(frozen=True)
class RowChange:
    """The difference between two tables, by rows.

    Rows are compared by the columns that both tables have with types of one family.

    Attributes:
        key: the columns that say which row is which, or ``None``.
        rows_before, rows_after: how many there are.
        added, removed: rows that only one of the tables has. Without a key, a changed row counts as both.
        changed: rows of the same key with other values; ``None`` without a key.
        reordered: whether the rows that both have are in another order.
        columns_added, columns_removed: by name, in column order.
        columns_retyped: columns whose type is of another family; their values are not compared.
        columns_changed: column -> how many values of rows with the same key changed; those with any.
        added_rows, removed_rows: the first of them, as Arrow tables.
        changed_rows: the first of them, in the order of ``before``.
    """

    key: tuple[str, ...] | None
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int | None
    reordered: bool
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_retyped: tuple[Retyped, ...]
    columns_changed: Mapping[str, int]
    added_rows: pa.Table = field(repr=False, compare=False)
    removed_rows: pa.Table = field(repr=False, compare=False)
    changed_rows: Rows[ChangedRow] = field(repr=False, compare=False)

    def __str__(self) -> str:
        counts = ((self.added, "added"), (self.removed, "removed"), (self.changed or 0, "changed"))
        told = [(n, what) for n, what in counts if n]
        texts = [f"{n:,} {_rows(n) if i == 0 else ''}{what}" for i, (n, what) in enumerate(told)]
        by = f" by {', '.join(self.key)}" if self.key and told else ""
        parts = [", ".join(texts) + by] if told else []
        for names, what in ((self.columns_added, "added"), (self.columns_removed, "removed")):
            parts += [f"columns {what}: {', '.join(names)}"] if names else []
        if self.columns_retyped:
            retyped = (f"{r.column} ({r.before} → {r.after})" for r in self.columns_retyped)
            parts.append(f"columns retyped: {', '.join(retyped)}")
        return "; ".join(parts) or ("the same rows in another order" if self.reordered else "the same rows")


def _rows(count: int) -> str:
    return "row " if count == 1 else "rows "
