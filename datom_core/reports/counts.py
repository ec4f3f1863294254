"""How much changed, as numbers: counted once, so that every form says the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import pyarrow.compute as pc

from datom_core.comparing import TableChanges


@dataclass(frozen=True)
class Counts:
    """The classes of rows of `TableChanges`, and what changed in columns.

    Attributes:
        rows_before, rows_after: 0 where there is no such side.
        changed, cells: rows of the same key with other values, and how many values.
        added, removed, renumbered, rekeyed: rows (of pairs: pairs).
        duplicates: rows, of both sides.
        unchanged: pairs of rows.
        columns: columns added, columns removed, and properties of columns and of the table that changed.
        subjects: subjects with any change of rows.
    """

    rows_before: int = 0
    rows_after: int = 0
    changed: int = 0
    cells: int = 0
    added: int = 0
    removed: int = 0
    renumbered: int = 0
    rekeyed: int = 0
    duplicates_before: int = 0
    duplicates_after: int = 0
    unchanged: int = 0
    columns: int = 0
    subjects: int = 0

    @property
    def duplicates(self) -> int:
        return self.duplicates_before + self.duplicates_after

    def to_json(self) -> dict[str, int]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


def count(changes: TableChanges) -> Counts:
    """The counts of one table."""
    duplicates = changes.duplicates.num_rows
    # By place: a column of the data may have the same name.
    earlier = pc.sum(pc.equal(changes.duplicates.column(0), "before")).as_py() if duplicates else 0
    return Counts(
        rows_before=changes.before.rows if changes.before else 0,
        rows_after=changes.after.rows if changes.after else 0,
        changed=changes.changed,
        cells=changes.cells.num_rows,
        added=changes.added.num_rows,
        removed=changes.removed.num_rows,
        renumbered=changes.renumbered.num_rows,
        rekeyed=changes.rekeyed.num_rows,
        duplicates_before=earlier,
        duplicates_after=duplicates - earlier,
        unchanged=changes.unchanged,
        columns=sum(
            map(
                len,
                (changes.columns_added, changes.columns_removed, changes.columns_changed, changes.attributes_changed),
            )
        ),
        subjects=changes.by_subject.num_rows,
    )


def total(counts: Iterable[Counts]) -> dict[str, int]:
    """The sums over tables; of subjects there is none, as a subject is in many tables."""
    listed = list(counts)
    return {f.name: sum(getattr(c, f.name) for c in listed) for f in fields(Counts) if f.name != "subjects"}
