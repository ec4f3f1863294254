"""Pair rows by numbers that stand for their values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.tables import Positions, encode, ranks

_DENSE = 4  # times the rows: as far as numbers may reach to be places in an array


def repeated(codes: Positions) -> Positions:
    """The numbers that occur more than once, sorted."""
    if len(codes) < 2 or bool((codes[1:] > codes[:-1]).all()):
        return codes[:0]
    ordered = np.sort(codes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def sharing(codes: Positions) -> int:
    """How many rows have a number that another row has, too."""
    again = repeated(codes)
    return int(np.isin(codes, again).sum()) if len(again) else 0


def partners(old: Positions, new: Positions, bound: int) -> Positions:
    """For each of the old numbers the place where the new ones have it, or -1; new ones are unique."""
    if bound <= _DENSE * (len(old) + len(new)) + 1024:
        return _places(old, new, bound)
    there = pc.index_in(pa.array(old), value_set=pa.array(new))
    return np.asarray(there.fill_null(-1)).astype(np.int64)


def _places(old: Positions, new: Positions, bound: int) -> Positions:
    places = np.full(bound, -1, np.int32 if len(new) < 2**31 else np.int64)
    places[new] = np.arange(len(new))
    return places[old].astype(np.int64)


def unique_matches(old: Positions, new: Positions) -> tuple[Positions, Positions]:
    """The places of numbers that occur exactly once on either side, in the order of the old ones."""
    here, there = _once(old), _once(new)
    _, first, second = np.intersect1d(old[here], new[there], assume_unique=True, return_indices=True)
    left, right = here[first], there[second]
    order = np.argsort(left)
    return left[order], right[order]


def _once(codes: Positions) -> Positions:
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    found: Positions = first[counts == 1].astype(np.int64)
    return found


def matched_multisets(old: Positions, new: Positions) -> tuple[Positions, Positions]:
    """Pair the n-th row of its number with the n-th of the same number; places, in the order of the old ones."""
    codes, distinct = encode(pa.chunked_array([old, new]))
    here, there = codes[: len(old)].astype(np.int64), codes[len(old) :].astype(np.int64)
    del codes
    counts_old, counts_new = (np.bincount(c, minlength=distinct) for c in (here, there))
    if max(counts_old.max(initial=0), counts_new.max(initial=0)) <= 1:
        found = _places(here, there, distinct)
        both = np.flatnonzero(found >= 0)
        return both, found[both]
    nth_old, nth_new = ranks(here, counts_old), ranks(there, counts_new)
    stays = np.flatnonzero(nth_old < counts_new[here])
    kept = np.flatnonzero(nth_new < counts_old[there])
    by_old = stays[np.lexsort((nth_old[stays], here[stays]))]
    by_new = kept[np.lexsort((nth_new[kept], there[kept]))]
    order = np.argsort(by_old)
    return by_old[order], by_new[order]
