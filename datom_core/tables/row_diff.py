"""Compare two tables row by row: which rows were added or removed and, by key, which changed.

Values are equal when the content hash takes them for equal: 1 and 1.0, -0.0 and 0.0, any two NaN, text and
categories; a missing value equals a missing value, and nothing else. All work runs over whole columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.common import fitting
from datom_core.documents import Rows, rows
from datom_core.errors import InvalidInputError
from datom_core.tables.cell_text import as_text, as_texts, in_a_line
from datom_core.tables.hashing import canonical_values
from datom_core.tables.normalisation import Normalised
from datom_core.tables.tabular import normalised
from datom_core.tables.type_rules import Tag

_NAMED = 5  # keys that an error names

Positions = npt.NDArray[np.int64]


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


@fitting
def diff(before: object, after: object, key: str | Sequence[str] | None = None, *, examples: int = 20) -> RowChange:
    """What changed from one table to another, row by row.

    Args:
        before, after: tables as `hash_table` takes them.
        key: columns that tell rows apart. Without them whole rows are compared, each as often as it occurs.
        examples: how many rows of each kind to show; the counts are of all.

    Raises:
        InvalidInputError: a key column is not in both tables, or of another type in one of them; the key does not
            tell all rows apart (the first repeated keys are named); several columns have the same name.
        UnsupportedColumnsError: a column has no content hash.
    """
    sides = (_Side(normalised(before, what="before")), _Side(normalised(after, what="after")))
    pair = _Pair(*sides, _key_columns(key))
    return pair.by_key(examples) if pair.key is not None else pair.whole(examples)


def _key_columns(key: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if key is None:
        return None
    columns = (key,) if isinstance(key, str) else tuple(key)
    if not columns or len(set(columns)) != len(columns) or not all(isinstance(c, str) for c in columns):
        raise InvalidInputError(f"key is one or more column names, each once; not {key!r}.")
    return columns


class _Side:
    """One of the two tables."""

    def __init__(self, data: Normalised) -> None:
        self.table = data.table
        self.names: list[str] = data.table.column_names
        self.tags: dict[str, Tag] = dict(zip(self.names, data.tags, strict=True))
        twice = sorted({n for n in self.names if self.names.count(n) > 1})
        if twice:
            raise InvalidInputError(
                f"Several columns are called {', '.join(map(repr, twice))}, so that they cannot be told apart; rename "
                "them."
            )

    def texts(self, column: str, positions: Positions) -> list[str | None]:
        return as_text(self.values(column, positions))

    def values(self, column: str, positions: Positions) -> pa.ChunkedArray:
        return self.table.column(column).take(pa.array(positions))


class _Pair:
    """Both tables, with the columns that can be compared."""

    def __init__(self, before: _Side, after: _Side, key: tuple[str, ...] | None) -> None:
        self.before, self.after, self.key = before, after, key
        both = [c for c in before.names if c in after.tags]
        self.retyped = tuple(
            Retyped(c, str(before.table.field(c).type), str(after.table.field(c).type))
            for c in both
            if not self._one_family(c)
        )
        odd = {r.column for r in self.retyped}
        self.shared = [c for c in both if c not in odd]
        self._check_key()

    def by_key(self, examples: int) -> RowChange:
        assert self.key is not None
        old, new, distinct = self._codes(self.key)
        self._check_unique(old, distinct, self.before, "before")
        self._check_unique(new, distinct, self.after, "after")
        places = np.full(distinct, -1)
        places[new] = np.arange(len(new))
        found = places[old]
        known = np.zeros(distinct, np.bool_)
        known[old] = True
        stayed = np.flatnonzero(found >= 0)
        differing = self._differing(stayed, found[stayed])
        changed = np.zeros(len(stayed), np.bool_)
        for column in differing.values():
            changed |= column
        first = np.flatnonzero(changed)[:examples]
        return self._result(
            removed=np.flatnonzero(found < 0),
            added=np.flatnonzero(~known[new]),
            reordered=bool((np.diff(found[stayed]) < 0).any()),
            changed=int(changed.sum()),
            columns_changed={c: int(d.sum()) for c, d in differing.items()},
            changed_rows=self._changed_rows(differing, first, stayed[first], found[stayed][first]),
            examples=examples,
        )

    def whole(self, examples: int) -> RowChange:
        old, new, distinct = self._codes(self.shared)
        if not self.shared:
            new, distinct = new + 1, 2  # tables without a common column have no row in common
        counts_old, counts_new = (np.bincount(codes, minlength=distinct) for codes in (old, new))
        # The n-th row of its kind has a partner when the other table has n of them.
        rank_old, rank_new = _ranks(old, counts_old), _ranks(new, counts_new)
        stays_old, stays_new = rank_old < counts_new[old], rank_new < counts_old[new]
        return self._result(
            removed=np.flatnonzero(~stays_old),
            added=np.flatnonzero(~stays_new),
            reordered=not np.array_equal(old[stays_old], new[stays_new]),
            changed=None,
            columns_changed={},
            changed_rows=rows([]),
            examples=examples,
        )

    def _result(self, *, removed: Positions, added: Positions, examples: int, **rest: Any) -> RowChange:
        return RowChange(
            key=self.key,
            rows_before=self.before.table.num_rows,
            rows_after=self.after.table.num_rows,
            added=len(added),
            removed=len(removed),
            columns_added=tuple(c for c in self.after.names if c not in self.before.tags),
            columns_removed=tuple(c for c in self.before.names if c not in self.after.tags),
            columns_retyped=self.retyped,
            added_rows=self.after.table.take(pa.array(added[:examples])),
            removed_rows=self.before.table.take(pa.array(removed[:examples])),
            **rest,
        )

    def _one_family(self, column: str) -> bool:
        old, new = self.before.tags[column], self.after.tags[column]
        if {old, new} == {"num", "i64"}:
            # The width of integers does not matter.
            return all(pa.types.is_integer(s.table.field(column).type) for s in (self.before, self.after))
        return old == new

    def _values(self, column: str) -> tuple[pa.Array, pa.Array]:
        old, new = self.before.tags[column], self.after.tags[column]
        tag: Tag = "i64" if "i64" in (old, new) else old
        return tuple(canonical_values(s.table.column(column), tag) for s in (self.before, self.after))

    def _codes(self, columns: Sequence[str]) -> tuple[Positions, Positions, int]:
        """A number per row that stands for its values in these columns; from 0, the same ones in both tables."""
        split = self.before.table.num_rows
        codes, distinct = _codes(
            [pa.chunked_array([*self._values(c)]) for c in columns], split + self.after.table.num_rows
        )
        return codes[:split], codes[split:], distinct

    def _differing(self, old: Positions, new: Positions) -> dict[str, npt.NDArray[np.bool_]]:
        """For each column with any difference, which of these pairs of rows differ."""
        assert self.key is not None
        found = {}
        for column in self.shared:
            if column in self.key:
                continue
            here, there = self._values(column)
            here, there = here.take(pa.array(old)), there.take(pa.array(new))
            missing = pc.xor(here.is_null(), there.is_null())
            differs = pc.or_(pc.fill_null(pc.not_equal(here, there), False), missing).to_numpy(zero_copy_only=False)
            if differs.any():
                found[column] = differs
        return found

    def _changed_rows(
        self, differing: Mapping[str, npt.NDArray[np.bool_]], pairs: Positions, old: Positions, new: Positions
    ) -> Rows[ChangedRow]:
        assert self.key is not None
        keys = list(zip(*(self.before.texts(c, old) for c in self.key), strict=True))
        texts = {
            c: (*as_texts(self.before.values(c, old), self.after.values(c, new)), d[pairs])
            for c, d in differing.items()
        }
        return rows(
            ChangedRow(key, tuple(CellChange(c, b[i], a[i]) for c, (b, a, d) in texts.items() if d[i]))
            for i, key in enumerate(keys)
        )

    def _check_key(self) -> None:
        key = self.key or ()
        problems = [f"{c!r} is not in {which}" for c in key for s, which in self._sides() if c not in s.tags] + [
            f"{r.column!r} is {r.before} before and {r.after} after" for r in self.retyped if r.column in key
        ]
        if problems:
            raise InvalidInputError(f"The key cannot tell rows apart: {'; '.join(problems)}.", key=self.key)

    def _sides(self) -> tuple[tuple[_Side, str], tuple[_Side, str]]:
        return (self.before, "before"), (self.after, "after")

    def _check_unique(self, codes: Positions, distinct: int, side: _Side, which: str) -> None:
        assert self.key is not None
        counts = np.bincount(codes, minlength=distinct)
        repeated = np.flatnonzero(counts > 1)
        if not len(repeated):
            return
        first = np.flatnonzero(_ranks(codes, counts) == 1)[:_NAMED]
        named = list(zip(*(side.texts(c, first) for c in self.key), strict=True))
        shown = "; ".join(
            f"{', '.join(str(v) for v in values)} ({counts[codes[place]]} times)"
            for values, place in zip(named, first, strict=True)
        )
        more = f", and {len(repeated) - _NAMED} more" if len(repeated) > _NAMED else ""
        raise InvalidInputError(
            f"The key {', '.join(self.key)} does not tell the rows of {which} apart: {shown}{more}. Give a key that is "
            "unique, or none.",
            key=self.key,
            duplicates=tuple(named),
        )


def repeated(table: object, key: str | Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows of a table share their key with another row, by the equality of `diff`.

    Raises:
        InvalidInputError: a key column is missing, or several columns have the same name.
    """
    side, columns = _Side(normalised(table)), _key_columns(key) or ()
    absent = [c for c in columns if c not in side.tags]
    if absent:
        raise InvalidInputError(f"No column {', '.join(map(repr, absent))} in this table; it has {side.names}.")
    values = [pa.chunked_array([canonical_values(side.table.column(c), side.tags[c])]) for c in columns]
    codes, distinct = _codes(values, side.table.num_rows)
    found: npt.NDArray[np.bool_] = np.bincount(codes, minlength=distinct)[codes] > 1
    return found


def _codes(columns: Sequence[pa.ChunkedArray], length: int) -> tuple[Positions, int]:
    """A number from 0 per row that stands for its values in all these columns, and how many there are."""
    codes, distinct = np.zeros(length, np.int64), 1
    for column in columns:
        these, some = _encode(column)
        codes, distinct = _encode(pa.chunked_array([codes * some + these])) if distinct > 1 else (these, some)
    return codes, distinct


def _encode(values: pa.ChunkedArray) -> tuple[Positions, int]:
    """Equal values as equal numbers from 0, and how many there are."""
    encoded = values.combine_chunks().dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), len(encoded.dictionary)


def _ranks(codes: Positions, counts: Positions) -> Positions:
    """For each row, how many rows with the same code come before it."""
    if counts.max(initial=0) <= 1:
        return np.zeros(len(codes), np.int64)
    order = np.argsort(codes, kind="stable")
    ranks = np.empty(len(codes), np.int64)
    ranks[order] = np.arange(len(codes)) - (np.cumsum(counts) - counts)[codes[order]]
    return ranks


def _rows(count: int) -> str:
    return "row " if count == 1 else "rows "
