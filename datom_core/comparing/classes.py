"""Put every row of two tables into exactly one class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from datom_core.comparing import matching
from datom_core.comparing.values import Mask, Pairs, Values
from datom_core.tables import Positions

#: The columns that say which subject a row is of, the better one first.
SUBJECTS = ("USUBJID", "SUBJID")
_SEQUENCE = re.compile(r"[A-Z][A-Z0-9]SEQ|ASEQ", re.IGNORECASE)
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Rows whose key occurs more than once: their places on each side, and numbers that stand for their keys.

    Attributes:
        differ: whether they are not the same ones in the same order.
    """

    old: Positions
    new: Positions
    old_keys: Positions
    new_keys: Positions
    differ: bool


@dataclass(frozen=True, eq=False)
class Classes:
    """Which row is in which class.

    Attributes:
        differing: column -> which of the ``changed`` pairs differ in it.
        distinct: pairs of which it is certain which row belongs to which.
    """

    unchanged: Pairs
    changed: Pairs
    differing: Mapping[str, Positions]
    renumbered: Pairs
    rekeyed: Pairs
    removed: Positions
    added: Positions
    duplicates: Duplicates
    distinct: Pairs

    @property
    def reordered(self) -> bool:
        """Whether the rows that both sides have are in another order."""
        pairs = (self.unchanged, self.changed, self.renumbered, self.rekeyed)
        if all(p.in_place for p in pairs):
            return False
        places = np.full(max(int(p.old[-1]) + 1 if len(p) else 0 for p in pairs), -1, np.int64)
        for p in pairs:
            places[p.old] = p.new
        places = places[places >= 0]
        return bool((places[1:] < places[:-1]).any())


def is_sequence(column: str) -> bool:
    """Whether a column is a ``--SEQ`` of SDTM or ADaM: a number that is derived, and may be given anew."""
    return _SEQUENCE.fullmatch(column) is not None


def by_key(values: Values, key: tuple[str, ...], *, distinct: bool = True) -> Classes:
    """Pair rows by their key; ``distinct`` pairs cost time, and are left out where nobody needs them."""
    pairs, removed, added, duplicates = _paired(values, key)
    rest = [c for c in values.columns if c not in key]
    differing = values.differing(pairs, rest)
    differs = _any(differing, len(pairs))
    renumbered = _renumbered(values, key, pairs, differing, differs, removed, added)
    gone_old, gone_new = _marked(renumbered.old, values, 0), _marked(renumbered.new, values, 1)
    taken_old, taken_new = gone_old[pairs.old], gone_new[pairs.new]
    kept = differs & ~taken_old & ~taken_new
    # Where one row of a pair was renumbered, the other one is alone.
    removed = np.sort(np.concatenate([removed[~gone_old[removed]], pairs.old[differs & ~taken_old & taken_new]]))
    added = np.sort(np.concatenate([added[~gone_new[added]], pairs.new[differs & taken_old & ~taken_new]]))
    rekeyed = _rekeyed(values, key, rest, removed, added)
    numbers = np.cumsum(kept) - 1
    picked = {c: numbers[places[kept[places]]] for c, places in differing.items()}
    changed, unchanged = pairs.some(kept), pairs.some(~differs)
    return Classes(
        unchanged=unchanged,
        changed=changed,
        differing={c: places for c, places in picked.items() if len(places)},
        renumbered=renumbered,
        rekeyed=rekeyed,
        removed=_without(removed, rekeyed.old),
        added=_without(added, rekeyed.new),
        duplicates=duplicates,
        distinct=_together(unchanged, changed, renumbered, rekeyed) if distinct else Pairs(_NONE, _NONE),
    )


def by_row(values: Values, *, distinct: bool = True) -> Classes:
    """Pair whole rows, each as often as it occurs; those left over without their ``--SEQ``."""
    before, after = (s.table.num_rows for s, _ in values.tables.sides)
    nothing = Pairs(_NONE, _NONE)
    if not values.columns:  # tables without a common column have no row in common
        unchanged = certain = nothing
    elif values.in_the_same_order(values.columns):
        unchanged = certain = Pairs(np.arange(before), np.arange(before))
    else:
        old, new, _ = values.numbered(values.columns)
        unchanged = Pairs(*matching.matched_multisets(old, new))
        certain = Pairs(*matching.unique_matches(old, new)) if distinct else nothing
    removed, added = _without(np.arange(before), unchanged.old), _without(np.arange(after), unchanged.new)
    content = [c for c in values.columns if not is_sequence(c)]
    renumbered = nothing
    if content and len(content) < len(values.columns):
        renumbered = _by_content(values, content, removed, added)
    return Classes(
        unchanged=unchanged,
        changed=nothing,
        differing={},
        renumbered=renumbered,
        rekeyed=nothing,
        removed=_without(removed, renumbered.old),
        added=_without(added, renumbered.new),
        duplicates=Duplicates(_NONE, _NONE, _NONE, _NONE, differ=False),
        distinct=_together(certain, renumbered),
    )


def _paired(values: Values, key: tuple[str, ...]) -> tuple[Pairs, Positions, Positions, Duplicates]:
    """Pairs of rows with the same key, rows whose key the other side lacks, and those with repeated keys."""
    old, new, bound = values.numbered(key)
    again = np.union1d(matching.repeated(old), matching.repeated(new))
    in_place = np.array_equal(old, new)
    found = np.arange(len(old)) if in_place else matching.partners(old, new, bound)
    here, there = np.ones(len(old), np.bool_), np.ones(len(new), np.bool_)
    if len(again):
        here, there = ~np.isin(old, again), ~np.isin(new, again)
    both = np.flatnonzero(here & (found >= 0))
    there[found[both]] = False
    duplicates = Duplicates(_NONE, _NONE, _NONE, _NONE, differ=False)
    if len(again):
        twice_old, twice_new = np.flatnonzero(np.isin(old, again)), np.flatnonzero(np.isin(new, again))
        here_all, there_all, _ = values.numbered_rows(values.columns, twice_old, twice_new)
        differ = not np.array_equal(here_all, there_all)
        duplicates = Duplicates(twice_old, twice_new, old[twice_old], new[twice_new], differ)
    return Pairs(both, found[both]), np.flatnonzero(here & (found < 0)), np.flatnonzero(there), duplicates


def _renumbered(
    values: Values,
    key: tuple[str, ...],
    pairs: Pairs,
    differing: Mapping[str, Positions],
    differs: Mask,
    removed: Positions,
    added: Positions,
) -> Pairs:
    """Rows that differ in ``--SEQ`` alone."""
    content = [c for c in values.columns if not is_sequence(c)]
    if len(content) == len(values.columns) or not content:
        return Pairs(_NONE, _NONE)
    if not any(map(is_sequence, key)):
        # The key is a part of the content, so that only rows of one pair can have the same.
        other = _any({c: d for c, d in differing.items() if not is_sequence(c)}, len(pairs))
        return pairs.some(differs & ~other)
    old = np.sort(np.concatenate([removed, pairs.old[differs]]))
    new = np.sort(np.concatenate([added, pairs.new[differs]]))
    return _by_content(values, content, old, new)


def _by_content(values: Values, content: list[str], old: Positions, new: Positions) -> Pairs:
    """Pairs of these rows with the same values in these columns, which no other of these rows has."""
    if not len(old) or not len(new):
        return Pairs(_NONE, _NONE)
    here, there, _ = values.numbered_rows(content, old, new)
    first, second = matching.unique_matches(here, there)
    return Pairs(old[first], new[second])


def _rekeyed(values: Values, key: tuple[str, ...], rest: list[str], removed: Positions, added: Positions) -> Pairs:
    """Rows that are left over with equal values outside of the key, which no other row has.

    A row of the same subject is preferred: in the values of one subject fewer rows are alike.
    """
    found = Pairs(_NONE, _NONE)
    if not rest:
        return found
    subject = [c for c in SUBJECTS if c in key and c in values.columns][:1]
    for columns in ([*rest, *subject], rest) if subject and len(key) > 1 else (rest,):
        old, new = _without(removed, found.old), _without(added, found.new)
        pairs = _by_content(values, columns, old, new)
        pairs = pairs.some(values.filled(rest, pairs.old)) if len(pairs) else pairs
        pairs = pairs.some(_alone(values, columns, pairs)) if len(pairs) else pairs
        found = _together(found, pairs)
    return found


def _alone(values: Values, columns: list[str], pairs: Pairs) -> Positions:
    """Which of these pairs share their values in these columns with no other row of either table."""
    (here, there) = (np.arange(s.table.num_rows) for s, _ in values.tables.sides)
    for column in columns:
        # Only rows that agree so far are looked at further, so that this costs little when the pairs are few.
        if len(here) + len(there) <= 4 * len(pairs):
            break
        old, new, bound = values.numbered_rows([column], here, np.concatenate([there, pairs.new]))
        wanted = np.zeros(max(bound, 1), np.bool_)
        wanted[new[len(there) :]] = True
        here, there = here[wanted[old]], there[wanted[new[: len(there)]]]
    old, new, _ = values.numbered_rows(columns, here, there)
    first, _ = matching.unique_matches(old, new)
    single = np.zeros(values.split, np.bool_)
    single[here[first]] = True
    return np.flatnonzero(single[pairs.old])


def _any(differing: Mapping[str, Positions], length: int) -> Mask:
    found = np.zeros(length, np.bool_)
    for places in differing.values():
        found[places] = True
    return found


def _marked(rows: Positions, values: Values, side: int) -> Mask:
    found = np.zeros(values.tables.sides[side][0].table.num_rows, np.bool_)
    found[rows] = True
    return found


def _without(rows: Positions, taken: Positions) -> Positions:
    return rows[~np.isin(rows, taken)] if len(taken) else rows


def _together(*several: Pairs) -> Pairs:
    parts: Iterable[Pairs] = [p for p in several if len(p)]
    old, new = (np.concatenate([_NONE, *(getattr(p, side) for p in parts)]) for side in ("old", "new"))
    order = np.argsort(old, kind="stable")
    return Pairs(old[order], new[order])
