"""Pairs of rows of two tables, by a key or as a whole, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.documents import Rows, rows
from datom_core.errors import InvalidInputError
from datom_core.tables.cell_text import as_texts
from datom_core.tables.hashing import canonical_values
from datom_core.tables.row_change import CellChange, ChangedRow, RowChange
from datom_core.tables.two_tables import Positions, TableSide, TwoTables, number_rows, ranks

_NAMED = 5  # keys that an error names


class RowPairs:
    """Both tables, with the columns that can be compared."""

    def __init__(self, before: TableSide, after: TableSide, key: tuple[str, ...] | None) -> None:
        self.before, self.after, self.key = before, after, key
        self.tables = TwoTables(before, after)
        self.retyped, self.shared = self.tables.retyped, self.tables.shared
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
        rank_old, rank_new = ranks(old, counts_old), ranks(new, counts_new)
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

    def _codes(self, columns: Sequence[str]) -> tuple[Positions, Positions, int]:
        """A number per row that stands for its values in these columns; from 0, the same ones in both tables."""
        split = self.before.table.num_rows
        codes, distinct = number_rows(
            [pa.chunked_array([*self.tables.canonical(c)]) for c in columns], split + self.after.table.num_rows
        )
        return codes[:split], codes[split:], distinct

    def _differing(self, old: Positions, new: Positions) -> dict[str, npt.NDArray[np.bool_]]:
        """For each column with any difference, which of these pairs of rows differ."""
        assert self.key is not None
        found = {}
        for column in self.shared:
            if column in self.key:
                continue
            here, there = self.tables.canonical(column)
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
        problems = [f"{c!r} is not in {which}" for c in key for s, which in self.tables.sides if c not in s.tags] + [
            f"{r.column!r} is {r.before} before and {r.after} after" for r in self.retyped if r.column in key
        ]
        if problems:
            raise InvalidInputError(f"The key cannot tell rows apart: {'; '.join(problems)}.", key=self.key)

    def _check_unique(self, codes: Positions, distinct: int, side: TableSide, which: str) -> None:
        assert self.key is not None
        counts = np.bincount(codes, minlength=distinct)
        repeated = np.flatnonzero(counts > 1)
        if not len(repeated):
            return
        first = np.flatnonzero(ranks(codes, counts) == 1)[:_NAMED]
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


def shared_keys(side: TableSide, columns: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows share their values in these columns with another row."""
    values = [pa.chunked_array([canonical_values(side.table.column(c), side.tags[c])]) for c in columns]
    codes, distinct = number_rows(values, side.table.num_rows)
    found: npt.NDArray[np.bool_] = np.bincount(codes, minlength=distinct)[codes] > 1
    return found
