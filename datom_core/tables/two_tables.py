"""Two tables side by side: which columns they share, and each row's values as one number.

Values are equal when the content hash takes them for equal. All work runs over whole columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from datom_core.errors import InvalidInputError
from datom_core.tables.cell_text import as_text
from datom_core.tables.hashing import canonical_values
from datom_core.tables.normalisation import Normalised
from datom_core.tables.row_change import Retyped
from datom_core.tables.type_rules import Tag

#: Numbers of rows, from 0.
Positions = npt.NDArray[np.int64]
#: A number from 0 per row, as narrow as it can be.
Numbers = npt.NDArray[np.unsignedinteger[Any]]


class TableSide:
    """One of the two tables."""

    def __init__(self, data: Normalised) -> None:
        self.table = data.table
        self.names: list[str] = data.table.column_names
        self.tags: dict[str, Tag] = dict(zip(self.names, data.tags, strict=True))
        if len(self.tags) != len(self.names):
            twice = sorted({n for n in self.names if self.names.count(n) > 1})
            raise InvalidInputError(
                f"Several columns are called {', '.join(map(repr, twice))}, so that they cannot be told apart; rename "
                "them."
            )

    def without_rows(self) -> TableSide:
        """The same columns, empty."""
        return TableSide(Normalised(self.table.slice(0, 0), tuple(self.tags.values())))

    def texts(self, column: str, positions: Positions) -> list[str | None]:
        return as_text(self.values(column, positions))

    def values(self, column: str, positions: Positions) -> pa.ChunkedArray:
        return self.table.column(column).take(pa.array(positions))


class TwoTables:
    """Both tables, with the columns that can be compared.

    Attributes:
        both: the columns that both have, in the order of ``before``.
        retyped: those of them whose type changed to another family.
        shared: the others.
    """

    def __init__(self, before: TableSide, after: TableSide) -> None:
        self.before, self.after = before, after
        self.both = [c for c in before.names if c in after.tags]
        self.retyped = tuple(
            Retyped(c, str(before.table.field(c).type), str(after.table.field(c).type))
            for c in self.both
            if not self._one_family(c)
        )
        odd = {r.column for r in self.retyped}
        self.shared = [c for c in self.both if c not in odd]

    @property
    def sides(self) -> tuple[tuple[TableSide, str], tuple[TableSide, str]]:
        return (self.before, "before"), (self.after, "after")

    @property
    def rows(self) -> int:
        """Of both together."""
        return int(self.before.table.num_rows + self.after.table.num_rows)

    def tag(self, column: str) -> Tag:
        """How a shared column is compared."""
        old, new = self.before.tags[column], self.after.tags[column]
        return "i64" if "i64" in (old, new) else old

    def canonical(self, column: str) -> tuple[pa.Array, pa.Array]:
        """The values of a shared column, equal exactly where the hash takes them for equal."""
        tag = self.tag(column)
        return tuple(canonical_values(s.table.column(column), tag) for s, _ in self.sides)

    def _one_family(self, column: str) -> bool:
        old, new = self.before.tags[column], self.after.tags[column]
        if {old, new} == {"num", "i64"}:
            # The width of integers does not matter.
            return all(pa.types.is_integer(s.table.field(column).type) for s, _ in self.sides)
        return old == new


def encode(values: pa.ChunkedArray) -> tuple[Numbers, int]:
    """Equal values as equal numbers from 0, and how many there are; missing ones have a number of their own.

    The numbers are as narrow as they can be, since those of a whole key are held at once.
    """
    encoded = values.dictionary_encode(null_encoding="encode")
    if not encoded.num_chunks:
        return np.zeros(0, np.uint8), 0
    # The chunks share one dictionary, whose last state is the whole one.
    distinct = len(encoded.chunk(encoded.num_chunks - 1).dictionary)
    width = np.min_scalar_type(max(distinct - 1, 0))
    return np.concatenate([c.indices.to_numpy(zero_copy_only=False).astype(width) for c in encoded.chunks]), distinct


def join_numbers(columns: Iterable[tuple[Numbers, int]], length: int) -> tuple[Positions, int]:
    """A number per row that stands for its numbers in all these columns, and a bound that none reaches."""
    codes, bound = np.zeros(length, np.int64), 1
    for these, some in columns:
        if some <= 1:
            continue
        if bound * some >= 2**62:
            compact, bound = encode(pa.chunked_array([codes]))
            codes = compact.astype(np.int64)
        codes *= some
        codes += these
        bound *= some
    return codes, bound


def number_rows(columns: Sequence[pa.ChunkedArray], length: int) -> tuple[Positions, int]:
    """A number from 0 per row that stands for its values in all these columns, and how many there are."""
    codes, bound = join_numbers([encode(c) for c in columns], length)
    if len(columns) < 2 or bound <= 1:
        return codes, bound
    compact, distinct = encode(pa.chunked_array([codes]))
    return compact.astype(np.int64), distinct


def ranks(codes: Positions, counts: Positions) -> Positions:
    """For each row, how many rows with the same number come before it."""
    if counts.max(initial=0) <= 1:
        return np.zeros(len(codes), np.int64)
    order = np.argsort(codes, kind="stable")
    found = np.empty(len(codes), np.int64)
    found[order] = np.arange(len(codes)) - (np.cumsum(counts) - counts)[codes[order]]
    return found
