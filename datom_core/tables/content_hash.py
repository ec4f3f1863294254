"""A table's content hash: computed, or remembered from when the same table was hashed before."""

from __future__ import annotations

from datom_core.tables.hash_cache import HashCache, fingerprint
from datom_core.tables.hashing import hash_normalised
from datom_core.tables.normalisation import Normalised

LARGE = 2**20  # bytes of tables for which looking something up beforehand costs less than it saves


class ContentHash:
    """What a table holds.

    Args:
        data: the table.
        memo: where hashes of large tables are kept; without one, nothing is remembered.

    Attributes:
        sha: the content hash; one that was remembered may serve to see that nothing changed, and for nothing else.
    """

    def __init__(self, data: Normalised, memo: HashCache | None) -> None:
        self.data = data
        self._memo = memo if data.table.nbytes > LARGE else None
        self._print = fingerprint(data) if self._memo is not None else ""
        self._hashed: str | None = None
        self.sha = (self._memo.recall(self._print) if self._memo is not None else None) or self.hashed()

    def hashed(self) -> str:
        """The content hash, computed."""
        if self._hashed is None:
            self.sha = self._hashed = hash_normalised(self.data).data_sha
            if self._memo is not None:
                self._memo.keep(self._print, self.sha)
        return self._hashed
