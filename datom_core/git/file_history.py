"""How files of a branch came to be, commit by commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from datom_core.documents import Author


@dataclass(frozen=True)
class Added:
    """How a file came to be.

    Attributes:
        commit: the commit that added it.
        author, at: who made that commit, and when.
    """

    commit: str
    author: Author
    at: datetime
