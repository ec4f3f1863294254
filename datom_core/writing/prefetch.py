"""Query storage and the remote while a large table is being hashed, so that the answers are ready afterwards."""

from __future__ import annotations

import threading

import pyarrow as pa

from datom_core.common import names
from datom_core.errors import DatomError
from datom_core.git import GitRepo
from datom_core.planning import StorageView
from datom_core.storage import ObjectStore, find
from datom_core.tables import Compression, HashCache


class WritePrefetch:
    """Queries of one write, made before its content hash is known. The write itself reports failures later.

    Args:
        repo, store: where to look.
        memo: remembered hashes of large tables, if kept.
        compression: of the file.
    """

    def __init__(self, repo: GitRepo, store: ObjectStore, memo: HashCache | None, compression: Compression) -> None:
        self.memo, self.compression = memo, compression
        self._repo, self._store = repo, store
        self._lock = threading.Lock()
        self._tip: str | None = None

    def is_new(self, table: str, data: pa.Table) -> bool:
        """Whether storage shows that a table of this shape cannot be its current version.

        If it may be the current one, only the tip is needed to tell: so the tip is fetched as well.
        """
        try:
            key = names.pointer(table)
            pointer = StorageView({key: find(self._store, key)}).pointer(table)
            new = pointer is None or (pointer.rows, list(pointer.column_names)) != (data.num_rows, data.column_names)
            if not new:
                with self._lock:
                    self._tip = self._tip or self._repo.tip()
        except DatomError:
            return False
        return new

    def take_tip(self) -> str | None:
        """The remote's tip at some moment since the write began; planning again uses the tip at that time.

        Raises:
            As `GitRepo.tip`.
        """
        with self._lock:
            tip, self._tip = self._tip, None
        return tip or self._repo.tip()
