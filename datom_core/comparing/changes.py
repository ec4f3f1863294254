"""What changed between two states of a table, whole: every row, cell, column and label, as values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

import pyarrow as pa

from datom_core.documents import Version

#: Where a key comes from, in the order in which they are tried; ``rows`` means that whole rows are compared.
KeySource = Literal["given", "rules", "data", "domain", "rows"]

#: What became of a table between two cuts.
Fate = Literal["changed", "unchanged", "came", "went"]


@dataclass(frozen=True)
class RejectedKey:
    """A key that was tried and not taken.

    Attributes:
        columns, source: which one, and from where.
        reason: why not, as the end of a sentence ("is not unique in after: 3 rows share ...").
    """

    columns: tuple[str, ...]
    source: KeySource
    reason: str


@dataclass(frozen=True)
class KeyDecision:
    """How rows were told apart, and why so.

    Attributes:
        columns: the key; empty when whole rows are compared.
        source: where it comes from.
        why: one sentence for a person, with the origin of the key (a standard, a file's metadata, an argument).
        rejected: those tried before it, in order.
    """

    columns: tuple[str, ...]
    source: KeySource
    why: str
    rejected: tuple[RejectedKey, ...] = ()


@dataclass(frozen=True)
class ColumnChange:
    """A property of a column that changed: its ``type``, ``label``, ``format``, or any other that the data carries.

    Attributes:
        column, what: of which column, which property.
        before, after: as text; ``None`` where there is none.
        comparable: for a ``type``, whether values can still be compared (int32 and int64 can, a number and text not).
    """

    column: str
    what: str
    before: str | None
    after: str | None
    comparable: bool = True


@dataclass(frozen=True)
class ComparisonSettings:
    """How values are compared. By default two values are equal when the content hash takes them for equal.

    Attributes:
        absolute, relative: column -> tolerance; a number within either of them is equal. A relative one is a part of
            the larger of both numbers. It counts where a key pairs rows, not between whole rows.
        fold_case, fold_blanks: text columns whose case, or whose leading, trailing and repeated blanks, do not count.
        ignore: columns that are not compared at all.
        masked: columns whose values no report may show; they are compared all the same.
    """

    absolute: Mapping[str, float] = field(default_factory=dict)
    relative: Mapping[str, float] = field(default_factory=dict)
    fold_case: tuple[str, ...] = ()
    fold_blanks: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Every column that is named."""
        return frozenset().union(*(getattr(self, f.name) for f in fields(self)))

    def only(self, columns: Collection[str]) -> ComparisonSettings:
        """What concerns these columns."""
        absolute, relative = (
            {c: t for c, t in given.items() if c in columns} for given in (self.absolute, self.relative)
        )
        lists = (self.fold_case, self.fold_blanks, self.ignore, self.masked)
        return ComparisonSettings(absolute, relative, *(tuple(c for c in given if c in columns) for given in lists))


@dataclass(frozen=True)
class Side:
    """One of the two states.

    Attributes:
        rows, columns: its shape.
        version: which version it is; ``None`` for a frame.
        cut: the cut that it was named by, if any.
    """

    rows: int
    columns: tuple[str, ...]
    version: Version | None = None
    cut: str | None = None


@dataclass(frozen=True, eq=False)
class TableChanges:
    """Everything that changed in one table.

    Each row of both sides is in exactly one class: ``unchanged`` pairs, ``changed`` pairs, ``renumbered`` pairs,
    ``rekeyed`` pairs, ``added``, ``removed``, ``duplicates``. So
    ``before.rows == unchanged + changed + renumbered + rekeyed + removed + duplicates of before``, and likewise for
    ``after`` with ``added``.

    Attributes:
        table: its name.
        fate: ``changed`` also when only columns, labels or the order of rows changed.
        before, after: the two states; ``None`` for a table that came or went.
        key: how rows were told apart.
        settings: how values were compared.
        unchanged, changed: pairs of rows with the same key, all of whose values are equal, or not.
        cells: every value that changed: the key's columns, ``column``, ``before``, ``after`` (as text), in the order of
            ``before``'s rows, then of columns.
        typed: column -> its part of ``cells`` with the values as they are: the key's columns, ``before``, ``after``.
        added, removed: whole rows that only one side has, with all its columns.
        renumbered: pairs of rows that differ in ``--SEQ`` columns alone: the key's columns (of ``before``), the
            identifying columns of the row if the key has none but ``--SEQ``, and for each ``--SEQ`` column that changed
            ``X before`` and ``X after``.
        rekeyed: pairs of rows whose key differs, and that are equal else; candidates, as no data can prove it:
            ``X before``, ``X after`` for each column of the key.
        duplicates: all rows of both sides whose key occurs more than once on one of them: ``side`` (``before`` or
            ``after``), ``group`` (a number from 1 per key), then the columns that both have.
        reordered: whether the rows that both sides have are in another order.
        columns_added, columns_removed: by name, in column order.
        columns_renamed: column of before -> column of after with the same values in all paired rows (candidates;
            they are in ``columns_added`` and ``columns_removed`` too).
        columns_changed: types, labels, formats that changed.
        attributes_changed: the same of the table itself (its label, name).
        by_column: column -> how many cells changed in it; only those with any.
        by_subject: ``subject``, ``added``, ``removed``, ``changed`` (rows), ``cells``, ``renumbered``, ``rekeyed``,
            ``duplicates``; one row per subject with any, sorted; no rows without a column of subjects.
        subject: the column that names subjects (USUBJID, SUBJID), if both sides have one.
    """

    table: str
    fate: Fate
    before: Side | None
    after: Side | None
    key: KeyDecision
    settings: ComparisonSettings
    unchanged: int
    changed: int
    reordered: bool
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_renamed: Mapping[str, str]
    columns_changed: tuple[ColumnChange, ...]
    attributes_changed: tuple[ColumnChange, ...]
    by_column: Mapping[str, int]
    subject: str | None
    cells: pa.Table = field(repr=False)
    typed: Mapping[str, pa.Table] = field(repr=False)
    added: pa.Table = field(repr=False)
    removed: pa.Table = field(repr=False)
    renumbered: pa.Table = field(repr=False)
    rekeyed: pa.Table = field(repr=False)
    duplicates: pa.Table = field(repr=False)
    by_subject: pa.Table = field(repr=False)

    def hidden(self, also: Iterable[str] = ()) -> frozenset[str]:
        """The columns whose values nobody may see: those that are masked, under whatever name they had or got.

        Args:
            also: columns to mask beside those that the comparison was told to.
        """
        hidden = {*also, *self.settings.masked}
        # A renamed column has the same values under another name.
        names = [{old, new} for old, new in self.columns_renamed.items()]
        while more := [pair for pair in names if pair & hidden and not pair <= hidden]:
            hidden = hidden.union(*more)
        return frozenset(hidden)


@dataclass(frozen=True, eq=False)
class StudyChanges(Mapping[str, TableChanges]):
    """What changed in a study between two of its states: a mapping from table to `TableChanges`.

    Attributes:
        project: its name.
        before, after: how the two states were asked for: the name of a cut or of a review mark, or a moment.
        tables: every table that either state holds, those that came and went too, by name.
    """

    project: str
    before: str
    after: str
    tables: Mapping[str, TableChanges]

    def __getitem__(self, table: str) -> TableChanges:
        return self.tables[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)
