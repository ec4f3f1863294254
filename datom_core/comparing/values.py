"""The values of two tables as a comparison sees them: equal as the content hash says, but for what settings allow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.comparing.changes import ComparisonSettings
from datom_core.tables import Numbers, Positions, TwoTables, canonical_values, encode, join_numbers

Mask = npt.NDArray[np.bool_]
_T = TypeVar("_T")
_U = TypeVar("_U")

_MAX_THREADS = 8
_SMALL = 1 << 21  # cells below which threads cost more than they save
_LONGEST = 2**31 - 2**20  # bytes of text from which 32-bit offsets do not reach
_BATCH = 1 << 17  # pairs that are compared at once
_FEW_RUNS = 128  # so many slices are made faster than a batch is gathered
_FEW_CHUNKS = 1_000
_ROUNDING = 4 * np.finfo(np.float64).eps  # 1.1 - 1.0 is within 0.1


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of before with rows of after, in the order of before."""

    old: Positions
    new: Positions

    def __len__(self) -> int:
        return len(self.old)

    def some(self, which: Mask | Positions) -> Pairs:
        return Pairs(self.old[which], self.new[which])

    @property
    def in_place(self) -> bool:
        """Whether each row is paired with the one in the same place."""
        return np.array_equal(self.old, self.new)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of a side.

    Attributes:
        runs: where each run of consecutive rows begins, when there are few of them.
    """

    positions: Positions
    runs: Positions | None = None

    @classmethod
    def of(cls, positions: Positions) -> _Rows:
        starts = np.flatnonzero(np.diff(positions) != 1) + 1
        few = len(starts) < _FEW_RUNS and len(positions)
        return cls(positions, np.concatenate([[0], starts]) if few else None)

    def gather(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """These rows of a column; by slices, which copy nothing, where they are few runs."""
        positions, runs = self.positions, self.runs
        if runs is not None and column.num_chunks <= _FEW_CHUNKS:
            ends = [*runs[1:].tolist(), len(positions)]
            slices = [
                column.slice(int(positions[start]), end - start) for start, end in zip(runs.tolist(), ends, strict=True)
            ]
            return pa.chunked_array([chunk for part in slices for chunk in part.chunks], column.type)
        return column.take(pa.array(positions))


class _Batch(NamedTuple):
    """Some of the pairs, and where they begin."""

    start: int
    old: _Rows
    new: _Rows

    @classmethod
    def of(cls, pairs: Pairs, start: int) -> _Batch:
        some = slice(start, start + _BATCH)
        return cls(start, _Rows.of(pairs.old[some]), _Rows.of(pairs.new[some]))


class Values:
    """Both tables, and what of their columns is compared.

    Attributes:
        columns: the columns that are compared, in the order of ``before``.
    """

    def __init__(
        self,
        tables: TwoTables,
        settings: ComparisonSettings,
        same_columns: frozenset[str] = frozenset(),
        known: Values | None = None,
    ) -> None:
        self.tables, self.settings = tables, settings
        self.columns = [c for c in tables.shared if c not in settings.ignore]
        self._same = same_columns
        self._folded = {*settings.fold_case, *settings.fold_blanks}
        # Those found in the search for a key are not searched for again.
        same = known is not None and known._folding == self._folding
        self._numbers: dict[str, tuple[Numbers, int]] = dict(known._numbers) if known and same else {}

    @property
    def _folding(self) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(self.settings.fold_case), frozenset(self.settings.fold_blanks)

    @property
    def split(self) -> int:
        """How many of the rows of both together are those of before."""
        return int(self.tables.before.table.num_rows)

    def numbered(self, columns: Sequence[str]) -> tuple[Positions, Positions, int]:
        """For the rows of each side, a number that stands for their values in these columns, and a bound of them."""
        missing = [c for c in columns if c not in self._numbers]
        for column, found in zip(missing, self.each(self._encode, missing), strict=True):
            self._numbers[column] = found
        codes, bound = join_numbers([self._numbers[c] for c in columns], self.tables.rows)
        return codes[: self.split], codes[self.split :], bound

    def numbered_rows(self, columns: Sequence[str], old: Positions, new: Positions) -> tuple[Positions, Positions, int]:
        """As `numbered`, of these rows alone."""
        parts = self.each(lambda column: self._encode_rows(column, old, new), columns)
        codes, bound = join_numbers(parts, len(old) + len(new))
        return codes[: len(old)], codes[len(old) :], bound

    def filled(self, columns: Sequence[str], rows: Positions) -> Mask:
        """Which of these rows of before have any value in these columns."""
        found = np.zeros(len(rows), np.bool_)
        for column in columns:
            there = pc.is_valid(_Rows(rows).gather(self.tables.before.table.column(column)))
            found |= there.to_numpy(zero_copy_only=False)
        return found

    def all_missing(self, columns: Sequence[str], side: int) -> int:
        """How many rows of a side (0 or 1) have no value in any of these columns."""
        table = self.tables.sides[side][0].table
        empty = np.ones(table.num_rows, np.bool_)
        for column in columns:
            if not table.column(column).null_count:
                return 0
            empty &= pc.is_null(table.column(column)).to_numpy(zero_copy_only=False)
        return int(empty.sum())

    def in_the_same_order(self, columns: Sequence[str]) -> bool:
        """Whether all rows have the same values in these columns, row by row; no tolerance counts."""
        before, after = (s.table for s, _ in self.tables.sides)
        if before.num_rows != after.num_rows:
            return False
        rest = [c for c in columns if c not in self._same]
        return all(not len(self._unequal(c, *self._sides(c, None))) for c in rest)

    def differing(self, pairs: Pairs, columns: Iterable[str]) -> dict[str, Positions]:
        """For each of these columns with any difference, which of these pairs differ."""
        in_place = pairs.in_place
        rest = [c for c in columns if not (in_place and c in self._same)]
        whole = in_place and len(pairs) == self.tables.before.table.num_rows == self.tables.after.table.num_rows
        # In batches, so that no copy of a whole column is made for it.
        batches = [] if whole else [_Batch.of(pairs, start) for start in range(0, len(pairs), _BATCH)]
        found = self.each(lambda c: self._differing(c, None) if whole else self._differing_of(c, batches), rest)
        return {c: d for c, d in zip(rest, found, strict=True) if len(d)}

    def each(self, work: Callable[[_T], _U], jobs: Sequence[_T]) -> list[_U]:
        """The work for each, in threads when it is much; what it calls of Arrow and numpy lets go of the GIL."""
        threads = min(_MAX_THREADS, os.cpu_count() or 1, len(jobs))
        if threads < 2 or self.tables.rows * len(jobs) < _SMALL:
            return [work(job) for job in jobs]
        with ThreadPoolExecutor(threads, thread_name_prefix="datom-compare") as pool:
            return list(pool.map(work, jobs))

    def _encode(self, column: str) -> tuple[Numbers, int]:
        before, after = (s.table.column(column) for s, _ in self.tables.sides)
        if self.in_the_same_order([column]):
            codes, some = encode(self._joined(column, before, after.slice(0, 0)))
            return np.concatenate([codes, codes]), some
        return encode(self._joined(column, before, after))

    def _encode_rows(self, column: str, old: Positions, new: Positions) -> tuple[Numbers, int]:
        if column in self._numbers:
            codes, bound = self._numbers[column]
            return np.concatenate([codes[: self.split][old], codes[self.split :][new]]), bound
        before, after = (s.table.column(column) for s, _ in self.tables.sides)
        return encode(self._joined(column, _Rows(old).gather(before), _Rows(new).gather(after)))

    def _joined(self, column: str, before: pa.ChunkedArray, after: pa.ChunkedArray) -> pa.ChunkedArray:
        """Values of before and then of after, equal exactly if they are to be taken for equal."""
        if self.tables.tag(column) != "chr":
            tag = self.tables.tag(column)
            return pa.chunked_array([canonical_values(before, tag), canonical_values(after, tag)])
        old, new = self._text(column, before), self._text(column, after)
        return pa.chunked_array([*old.chunks, *new.chunks], old.type)

    def _text(self, column: str, data: pa.ChunkedArray) -> pa.ChunkedArray:
        text = data.cast(pa.large_string()) if data.nbytes > _LONGEST else data.cast(pa.string())
        if column in self.settings.fold_blanks:
            text = pc.replace_substring_regex(pc.utf8_trim_whitespace(text), r"\s+", " ")
        return pc.utf8_lower(text) if column in self.settings.fold_case else text

    def _differing_of(self, column: str, batches: Sequence[_Batch]) -> Positions:
        found = [self._differing(column, (batch.old, batch.new)) + batch.start for batch in batches]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def _differing(self, column: str, rows: tuple[_Rows, _Rows] | None) -> Positions:
        """Which of these rows differ by more than is tolerated; without any, of all rows as they stand."""
        before, after = self._sides(column, rows)
        found = self._unequal(column, before, after)
        if len(found) and (column in self.settings.absolute or column in self.settings.relative):
            some = pa.array(found)
            found = found[~self._within(column, before.take(some), after.take(some))]
        return found

    def _sides(self, column: str, rows: tuple[_Rows, _Rows] | None) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        before, after = (s.table.column(column) for s, _ in self.tables.sides)
        return (before, after) if rows is None else (rows[0].gather(before), rows[1].gather(after))

    def _unequal(self, column: str, before: pa.ChunkedArray, after: pa.ChunkedArray) -> Positions:
        """Where these values of a column are unequal, whatever is tolerated."""
        tag = self.tables.tag(column)
        folded = column in self._folded or pa.types.is_dictionary(before.type)
        if folded or before.type != after.type:
            if tag == "chr":
                found = _unequal(self._text(column, before), self._text(column, after))
            else:
                found = _unequal(canonical_values(before, tag), canonical_values(after, tag))
        else:
            found = _unequal(before, after)
            if len(found) and pa.types.is_floating(before.type):
                # Two NaN are not equal to Arrow.
                some = pa.array(found)
                found = found[_unequal(*(canonical_values(s.take(some), tag) for s in (before, after)))]
        return found

    def _within(self, column: str, before: pa.ChunkedArray, after: pa.ChunkedArray) -> Mask:
        """Which numbers differ by no more than is tolerated; relative to the larger of both."""
        old, new = (_doubles(side) for side in (before, after))
        whole = pa.types.is_integer(before.type) and pa.types.is_integer(after.type)
        with np.errstate(invalid="ignore", over="ignore"):
            largest = np.maximum(np.abs(old), np.abs(new))
            apart = _apart(before, after) if whole else np.abs(old - new)
            tolerated = np.maximum(
                self.settings.absolute.get(column, 0.0), self.settings.relative.get(column, 0.0) * largest
            )
            # A tolerance of 0 is none, and integers are not rounded.
            rounding = 0.0 if whole else np.where(tolerated > 0, _ROUNDING * largest, 0.0)
            within: Mask = np.isfinite(largest) & (apart <= tolerated + rounding)
        return within


def _apart(before: pa.ChunkedArray, after: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """How far integers are apart, also where doubles would round them: their difference fits 64 bits without a sign."""
    old, new = (side.cast(pa.int64()).fill_null(0).to_numpy() for side in (before, after))
    apart = np.maximum(old, new).astype(np.uint64) - np.minimum(old, new).astype(np.uint64)
    found: npt.NDArray[np.float64] = apart.astype(np.float64)
    return found


def _doubles(numbers: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Numbers as doubles; missing ones as NaN, which is within no tolerance."""
    found: npt.NDArray[np.float64] = (
        numbers.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy().astype(np.float64)
    )
    return found


def _unequal(before: pa.ChunkedArray | pa.Array, after: pa.ChunkedArray | pa.Array) -> Positions:
    unequal = pc.not_equal(before, after)
    if before.null_count or after.null_count:
        unequal = pc.or_(pc.fill_null(unequal, False), pc.xor(pc.is_null(before), pc.is_null(after)))
    return np.asarray(pc.indices_nonzero(unequal)).astype(np.int64)
