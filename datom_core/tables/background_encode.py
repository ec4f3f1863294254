"""A table's parquet file, encoded while the table is hashed when it will most likely be needed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from datom_core.tables.compression import Compression
from datom_core.tables.parquet import encode_parquet


class Encoding:
    """The file of one table.

    Args:
        data: the table, normalised.
        compression: of the file.
    """

    def __init__(self, data: pa.Table, compression: Compression) -> None:
        self.data, self.compression = data, compression
        self._begun: Future[memoryview | None] | None = None

    def begin(self, is_needed: Callable[[], bool]) -> None:
        """Encode on a separate thread if ``is_needed``, which is called there, says so."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="datom-encode")
        self._begun = pool.submit(lambda: self._encoded() if is_needed() else None)
        pool.shutdown(wait=False)  # the thread ends with its work

    def file(self) -> memoryview:
        """The file's bytes, from the encoding that was begun, or encoded now."""
        found = self._begun.result() if self._begun is not None else None
        return self._encoded() if found is None else found

    def _encoded(self) -> memoryview:
        return encode_parquet(self.data, self.compression)
