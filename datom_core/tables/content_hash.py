"""A table's content hash: computed, or remembered from an earlier time that the same table was hashed."""

from __future__ import annotations

from datom_core.tables.hash_cache import HashCache, fingerprint
from datom_core.tables.hashing import hash_normalised
from datom_core.tables.normalisation import Normalised

LARGE = 2**20  # bytes from which on a look beforehand saves more than it costs


class ContentHash:
    """The content hash of one table.

    Args:
        data: the table.
        memo: where hashes of large tables are kept; without one, nothing is remembered.

    Attributes:
        sha: the content hash; a remembered one may only serve to see that nothing changed.
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
