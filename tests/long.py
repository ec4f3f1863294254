"""What `make test` leaves to `make test-long`: the second of two tests that tell of the same mistakes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

#: Whether this is the long run.
LONG = bool(os.environ.get("DATOM_LONG"))

#: Marks a test, or a set of its parameters, that only the long run has; a skip, so that it is listed.
long = pytest.mark.skipif(not LONG, reason="`make test-long` runs it")


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """Many cases that go one way through the code: each n-th in `make test`, all in `make test-long`."""
    return [case if n % every == 0 else pytest.param(*_values(case), marks=long) for n, case in enumerate(cases)]


def paired(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """All combinations, of which `make test` has each value of either at least once."""
    most = max(len(first), len(second))
    chosen = {(n % len(first), n % len(second)) for n in range(most)}
    both = [(one, other, (i, j) in chosen) for i, one in enumerate(first) for j, other in enumerate(second)]
    return [(one, other) if short else pytest.param(one, other, marks=long) for one, other, short in both]


def examples(number: int) -> int:
    """How many examples Hypothesis makes up: a third in `make test`, other ones each time."""
    return number if LONG else max(20, number // 3)


def telling(kinds: Sequence[str]) -> list[int]:
    """Of many effects, the places of the first of each kind and of the very last; all in `make test-long`."""
    return [n for n, kind in enumerate(kinds) if LONG or kind not in kinds[:n] or n == len(kinds) - 1]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
