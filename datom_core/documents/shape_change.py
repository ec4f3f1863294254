"""What changed from one version of a table to the next, as far as their documents show."""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.documents.metadata import Metadata


@dataclass(frozen=True)
class Change:
    """The difference between two versions, by shape.

    Attributes:
        previous: the version that was current before, or ``None`` for a first version.
        rows: rows gained (negative: lost).
        columns_added, columns_removed: by name, in column order.
    """

    previous: str | None
    rows: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.previous is None:
            return "first version"
        parts = [f"{self.rows:+d} row{'' if abs(self.rows) == 1 else 's'}"] if self.rows else []
        parts += [f"columns added: {', '.join(self.columns_added)}"] if self.columns_added else []
        parts += [f"columns removed: {', '.join(self.columns_removed)}"] if self.columns_removed else []
        return "; ".join(parts) or "same shape"


def compare_shapes(
    before: Metadata | None, previous: str | None, *, rows: int, column_names: tuple[str, ...]
) -> Change:
    """The change from ``before`` (whose version is ``previous``) to a table of this shape."""
    if before is None:
        return Change(None, rows, column_names)
    return Change(
        previous,
        rows - (before.rows or 0),
        tuple(c for c in column_names if c not in before.column_names),
        tuple(c for c in before.column_names if c not in column_names),
    )
