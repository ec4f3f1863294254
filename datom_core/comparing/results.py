"""The tables of a result, made of which rows are in which class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.comparing.classes import SUBJECTS, Classes, is_sequence
from datom_core.comparing.values import Pairs
from datom_core.tables import Positions, TableSide, TwoTables, as_text_column, as_text_columns, encode

# What a row of a domain is about, after the two letters of the domain, and in ADaM.
_TOPICS = ("TERM", "TRT", "TESTCD", "OBJ", "CAT", "STDTC", "DTC")
_NAMED_TOPICS = ("PARAMCD", "AVISIT", "ADT", "ASTDT", "VISITNUM", "VISIT", "RDOMAIN", "IDVAR", "IDVARVAL", "QNAM")
_COUNTED = ("added", "removed", "changed", "cells", "renumbered", "rekeyed", "duplicates")


class Results:
    """Tables of a result."""

    def __init__(self, tables: TwoTables, key: tuple[str, ...], classes: Classes) -> None:
        self._tables, self._key, self._classes = tables, key, classes

    def cells(self) -> tuple[pa.Table, dict[str, pa.Table]]:
        """All cells that changed as text, and by column as they are."""
        changed = self._classes.changed
        typed, texts, places = {}, [], []
        for column, which in self._classes.differing.items():
            pairs = changed.some(which)
            before = self._tables.before.values(column, pairs.old)
            after = self._tables.after.values(column, pairs.new)
            typed[column] = _table([*self._keys(pairs.old), ("before", before), ("after", after)])
            texts.append(as_text_columns(before, after))
            places.append(which)
        at = np.concatenate([np.zeros(0, np.int64), *places])
        number = np.repeat(np.arange(len(places)), [len(p) for p in places])
        order = np.lexsort((number, at))
        names = pa.array(list(typed), pa.string()).take(pa.array(number[order]))
        old, new = (
            pa.chunked_array([c for pair in texts for c in pair[side].chunks], pa.string()).take(pa.array(order))
            for side in (0, 1)
        )
        keys = self._keys(changed.old[at[order]])
        return _table([*keys, ("column", names), ("before", old), ("after", new)]), typed

    def removed(self) -> pa.Table:
        return self._tables.before.table.take(pa.array(self._classes.removed))

    def added(self) -> pa.Table:
        return self._tables.after.table.take(pa.array(self._classes.added))

    def renumbered(self) -> pa.Table:
        """The key, what the row is about if the key does not say it, and each sequence number that changed."""
        pairs = self._classes.renumbered
        columns = [*self._keys(pairs.old)]
        columns += [(c, self._tables.before.values(c, pairs.old)) for c in self._identifying()]
        for column in filter(is_sequence, self._tables.shared):
            before, after = self._sides(column, pairs)
            if len(pairs) and not before.equals(after):
                columns += [(f"{column} before", before), (f"{column} after", after)]
        return _table(columns)

    def rekeyed(self) -> pa.Table:
        """Both values of each column of the key."""
        columns = []
        for column in self._key:
            before, after = self._sides(column, self._classes.rekeyed)
            columns += [(f"{column} before", before), (f"{column} after", after)]
        return _table(columns)

    def duplicates(self) -> pa.Table:
        """All rows with repeated keys, those of one key together, before's first."""
        found, tables = self._classes.duplicates, self._tables
        side = np.repeat([0, 1], [len(found.old), len(found.new)])
        groups, _ = encode(pa.chunked_array([found.old_keys, found.new_keys]))
        order = pa.array(np.lexsort((side, groups)))
        names = pa.array(["before", "after"]).take(pa.array(side))
        columns = [("side", names.take(order)), ("group", pa.array(groups.astype(np.int64) + 1).take(order))]
        for column in tables.both:
            old, new = tables.before.values(column, found.old), tables.after.values(column, found.new)
            columns.append((column, _stacked(old, new).take(order)))
        return _table(columns)

    def by_subject(self) -> tuple[str | None, pa.Table]:
        """Which column names subjects, and the counts of each."""
        subject = next((c for c in SUBJECTS if all(c in s.tags for s, _ in self._tables.sides)), None)
        found, before, after = self._classes, self._tables.before, self._tables.after
        cells = [found.changed.old[places] for places in found.differing.values()]
        rows: list[tuple[str, TableSide, Positions]] = [
            ("added", after, found.added),
            ("removed", before, found.removed),
            ("changed", before, found.changed.old),
            ("cells", before, np.concatenate([np.zeros(0, np.int64), *cells])),
            ("renumbered", before, found.renumbered.old),
            ("rekeyed", before, found.rekeyed.old),
            ("duplicates", before, found.duplicates.old),
            ("duplicates", after, found.duplicates.new),
        ]
        return subject, _counts(subject, rows)

    def _keys(self, rows: Positions) -> list[tuple[str, pa.ChunkedArray]]:
        return [(c, self._tables.before.values(c, rows)) for c in self._key]

    def _sides(self, column: str, pairs: Pairs) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        return self._tables.before.values(column, pairs.old), self._tables.after.values(column, pairs.new)

    def _identifying(self) -> list[str]:
        """Columns beside the key that say what a row is about, where the key is but a number of it."""
        telling = [c for c in self._key if not is_sequence(c) and c not in (*SUBJECTS, "STUDYID", "DOMAIN")]
        if telling:
            return []
        rest = [c for c in self._tables.shared if c not in self._key and not is_sequence(c)]
        subject = [c for c in SUBJECTS if c in rest and not any(s in self._key for s in SUBJECTS)][:1]
        topics = [c for c in rest if c[2:] in _TOPICS or c in _NAMED_TOPICS]
        return [*subject, *topics] if topics else rest


def _table(columns: list[tuple[str, pa.ChunkedArray]]) -> pa.Table:
    # Two columns may have one name, such as a key that is called "before": places tell them apart.
    return pa.Table.from_arrays([data for _, data in columns], names=[name for name, _ in columns])


def _stacked(before: pa.ChunkedArray, after: pa.ChunkedArray) -> pa.ChunkedArray:
    """Both sides as one column, in a type that holds either; as text where none does."""
    kind = before.type if before.type == after.type else _common(before.type, after.type)
    try:
        sides = [as_text_column(side) if kind == pa.string() else side.cast(kind) for side in (before, after)]
    except pa.ArrowInvalid:  # an integer beyond what doubles hold
        kind, sides = pa.string(), [as_text_column(side) for side in (before, after)]
    return pa.chunked_array([c for side in sides for c in side.chunks], kind)


def _common(before: pa.DataType, after: pa.DataType) -> pa.DataType:
    kinds = (before, after)
    if all(map(pa.types.is_integer, kinds)):
        return pa.int64()
    if all(pa.types.is_integer(k) or pa.types.is_floating(k) for k in kinds):
        return pa.float64()
    return pa.string()


def _counts(subject: str | None, rows: list[tuple[str, TableSide, Positions]]) -> pa.Table:
    if subject is None:
        codes, labels, offsets = np.zeros(0, np.int32), pa.array([], pa.string()), [0] * (len(rows) + 1)
    else:
        texts = [as_text_column(side.values(subject, places)) for _, side, places in rows]
        every = pa.chunked_array([c for text in texts for c in text.chunks], pa.string())
        labels = pc.unique(every)
        labels = labels.take(pc.sort_indices(labels))
        codes = pc.index_in(every, value_set=labels).to_numpy()
        offsets = np.cumsum([0, *(len(t) for t in texts)]).tolist()
    counts: dict[str, Positions] = {what: np.zeros(len(labels), np.int64) for what in _COUNTED}
    for (what, _, _), start, end in zip(rows, offsets[:-1], offsets[1:], strict=True):
        counts[what] += np.bincount(codes[start:end], minlength=len(labels)).astype(np.int64)
    return _table([("subject", labels), *((what, pa.array(n)) for what, n in counts.items())])


def by_column(differing: Mapping[str, Positions]) -> dict[str, int]:
    """How many cells changed in each column."""
    return {column: len(places) for column, places in differing.items()}
