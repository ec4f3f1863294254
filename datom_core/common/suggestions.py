"""Suggest the existing name that somebody may have meant by one that does not exist."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence

_MOST = 3
_CONSIDERED = 20_000
_LISTED = 20


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"``, or ``""`` when no known name resembles it; case and separators hardly count."""
    folded: dict[str, str] = {}
    for one in itertools.islice(known, _CONSIDERED):
        folded.setdefault(_folded(one), one)
    close = difflib.get_close_matches(_folded(str(name)[:200]), folded, n=_MOST, cutoff=0.7)
    if not close:
        return ""
    *others, last = [repr(folded[one]) for one in close]
    return f" Did you mean {', '.join(others)}{' or ' if others else ''}{last}?"


def brief(names: Sequence[str]) -> str:
    """Names as a sentence lists them: the first of them, and how many there are more."""
    more = len(names) - _LISTED
    return (", ".join(names[:_LISTED]) or "none") + (f" and {more:,} more" if more > 0 else "")


def _folded(name: str) -> str:
    return name.lower().replace("_", "-").replace(" ", "-")
