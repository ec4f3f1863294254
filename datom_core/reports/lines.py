"""The rows of a comparison as lines of text, in one shape for every kind of change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pyarrow as pa

from datom_core.comparing import TableChanges
from datom_core.reports.masking import MASKED_TEXT, Masking
from datom_core.tables import alone, as_text, in_a_line

#: What became of a row.
Kind = Literal["changed", "added", "removed", "renumbered", "rekeyed", "duplicate"]

_BEFORE, _AFTER = " before", " after"
_AT_ONCE = 5_000  # lines made at a time: memory is theirs, not that of the whole


class Masked:
    """A value that may not be shown."""

    def __str__(self) -> str:
        return MASKED_TEXT


MASKED = Masked()

#: A value as text, not yet fit to be shown; ``None`` is a missing one.
Text = str | None | Masked


class Pair(NamedTuple):
    """A value before and after."""

    column: str
    before: Text
    after: Text

    def shown(self, longest: int) -> tuple[str, str]:
        """Both on one line, told apart."""
        if isinstance(self.before, Masked) or isinstance(self.after, Masked):
            return MASKED_TEXT, MASKED_TEXT
        before, after = in_a_line(self.before, self.after, longest)
        return _finished(self.before, before, longest), _finished(self.after, after, longest)


class Line(NamedTuple):
    """One row, or one value of a row: its key, what differs, and its other values."""

    key: tuple[Text, ...]
    pairs: tuple[Pair, ...] = ()
    values: tuple[Text, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Block:
    """All lines of a kind.

    Attributes:
        kind: what became of them.
        count: how many lines.
        key, values: the columns of `Line.key` and `Line.values`.
        lines: those from a place up to another.
    """

    kind: Kind
    count: int
    key: tuple[str, ...]
    values: tuple[str, ...]
    lines: Callable[[int, int], list[Line]]

    def __iter__(self) -> Iterator[Line]:
        for begin in range(0, self.count, _AT_ONCE):
            yield from self.lines(begin, min(begin + _AT_ONCE, self.count))


def shown(text: Text, longest: int) -> str:
    """A value on one line; what is missing or masked never looks like text that reads the same."""
    if isinstance(text, Masked):
        return MASKED_TEXT
    return _finished(text, alone(text, longest), longest)


def _finished(text: str | None, line: str, longest: int) -> str:
    if text == MASKED_TEXT:
        return f'"{text}"'
    if text is not None and len(text) > longest:
        return f"{line} ({len(text):,} characters)"
    return line


def blocks(changes: TableChanges, masking: Masking) -> tuple[Block, ...]:
    """What there is to show of each kind that has any rows, with masked values masked."""
    made = (
        _cells(changes.cells, masking),
        _whole("added", changes.added, changes.key.columns, masking),
        _whole("removed", changes.removed, changes.key.columns, masking),
        _renumbered(changes.renumbered, masking),
        _rekeyed(changes.rekeyed, masking),
        _whole("duplicate", changes.duplicates, changes.key.columns, masking),
    )
    return tuple(block for block in made if block.count)


def _texts(table: pa.Table, place: int, hidden: bool) -> Sequence[Text]:
    return [MASKED] * table.num_rows if hidden else as_text(table.column(place))


def _tuples(columns: list[Sequence[Text]], rows: int) -> list[tuple[Text, ...]]:
    return list(zip(*columns, strict=True)) if columns else [()] * rows


def _cells(table: pa.Table, masking: Masking) -> Block:
    """The last three columns are ``column``, ``before`` and ``after``: a key may have columns of these names, too."""
    width = max(table.num_columns - 3, 0)
    key = tuple(table.column_names[:width])

    def lines(begin: int, end: int) -> list[Line]:
        part = table.slice(begin, end - begin)
        keys = _tuples([_texts(part, i, masking.hides(c)) for i, c in enumerate(key)], part.num_rows)
        columns, before, after = (part.column(width + i).to_pylist() for i in range(3))
        hidden = {c: masking.hides(c) for c in set(columns)}
        return [
            Line(k, (Pair(c, MASKED, MASKED) if hidden[c] else Pair(c, b, a),))
            for k, c, b, a in zip(keys, columns, before, after, strict=True)
        ]

    return Block("changed", table.num_rows, key, (), lines)


def _whole(kind: Kind, table: pa.Table, key_columns: tuple[str, ...], masking: Masking) -> Block:
    """Whole rows; of duplicates, the first two columns say on which side they are, and which share a key."""
    first = 2 if kind == "duplicate" and table.num_columns else 0
    names = table.column_names
    keys = [i for i in range(first, len(names)) if names[i] in key_columns]
    others = [i for i in range(first, len(names)) if names[i] not in key_columns]

    def lines(begin: int, end: int) -> list[Line]:
        part = table.slice(begin, end - begin)
        texts = {i: _texts(part, i, masking.hides(names[i])) for i in (*keys, *others)}
        details = [""] * part.num_rows
        if first:
            sides, groups = part.column(0).to_pylist(), part.column(1).to_pylist()
            details = [f"{side}, key {group}" for side, group in zip(sides, groups, strict=True)]
        found = zip(
            _tuples([texts[i] for i in keys], part.num_rows),
            _tuples([texts[i] for i in others], part.num_rows),
            details,
            strict=True,
        )
        return [Line(k, (), values, detail) for k, values, detail in found]

    return Block(kind, table.num_rows, tuple(names[i] for i in keys), tuple(names[i] for i in others), lines)


def _renumbered(table: pa.Table, masking: Masking) -> Block:
    names, stems = table.column_names, _stems(table)
    key = tuple(c for c in names if not any(c in (f"{s}{_BEFORE}", f"{s}{_AFTER}") for s in stems))
    return _pairs("renumbered", table, key, key, stems, masking)


def _rekeyed(table: pa.Table, masking: Masking) -> Block:
    stems = _stems(table)
    return _pairs("rekeyed", table, stems, tuple(f"{s}{_BEFORE}" for s in stems), stems, masking)


def _pairs(
    kind: Kind,
    table: pa.Table,
    key: tuple[str, ...],
    sources: tuple[str, ...],
    stems: tuple[str, ...],
    masking: Masking,
) -> Block:
    """Pairs of rows: the columns ``sources`` say which row it is, ``stems`` what may differ."""
    places = {name: place for place, name in enumerate(table.column_names)}

    def lines(begin: int, end: int) -> list[Line]:
        part = table.slice(begin, end - begin)
        keys = _tuples([_texts(part, places[c], masking.hides_pair(c)) for c in sources], part.num_rows)
        sides = []
        for stem in stems:
            hidden = masking.hides_pair(stem)
            before, after = (_texts(part, places[f"{stem}{side}"], hidden) for side in (_BEFORE, _AFTER))
            sides.append([Pair(stem, b, a) for b, a in zip(before, after, strict=True)])
        pairs = zip(*sides, strict=True) if sides else [()] * part.num_rows
        # A masked value is shown as masked whether it differs or not.
        return [
            Line(k, tuple(p for p in ps if isinstance(p.before, Masked) or p.before != p.after))
            for k, ps in zip(keys, pairs, strict=True)
        ]

    return Block(kind, table.num_rows, key, (), lines)


def _stems(table: pa.Table) -> tuple[str, ...]:
    """The columns whose values before and after the table holds."""
    names = table.column_names
    return tuple(
        n.removesuffix(_BEFORE) for n in names if n.endswith(_BEFORE) and f"{n.removesuffix(_BEFORE)}{_AFTER}" in names
    )
