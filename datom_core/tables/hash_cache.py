"""Hashes of tables that this machine has hashed before, so that an unchanged table need not be hashed again.

An entry is named by BLAKE3 of the schema and of the raw Arrow buffers, which costs a sixth of the content hash: equal
buffers are equal tables. Other buffers may hold an equal table, and then it is hashed. No version is ever made by an
entry: it can only say that nothing changed (`Writer.run`), and whatever is recorded was hashed before. The folder is
only a cache, beside the clones.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from datom_core.common import is_sha
from datom_core.tables.normalisation import Normalised
from datom_core.tables.type_rules import Tag

_PADDING = 256  # bytes by which the buffers of a whole array may exceed its contents
_KEPT = 1024  # entries; one is 64 bytes


class HashCache:
    """Content hashes by fingerprint, one small file each.

    Args:
        cache_dir: where clones are cached; by default the user's cache directory.
    """

    def __init__(self, cache_dir: str | os.PathLike[str] | None = None) -> None:
        import platformdirs

        root = Path(cache_dir) if cache_dir is not None else platformdirs.user_cache_path("datom")
        self.folder = root / "hashes"

    def recall(self, fingerprint: str) -> str | None:
        """The content hash kept for a fingerprint, if any."""
        try:
            text = (self.folder / fingerprint).read_text("ascii")
        except (OSError, UnicodeError):
            return None
        return text if is_sha(text) else None

    def keep(self, fingerprint: str, data_sha: str) -> None:
        """Keep a content hash; if that fails, the table is hashed again next time."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, path = tempfile.mkstemp(prefix="new-", dir=self.folder)
            with open(handle, "w", encoding="ascii") as file:
                file.write(data_sha)
            os.replace(path, self.folder / fingerprint)
            self._tidy()

    def _tidy(self) -> None:
        """Drop the older half when there are too many."""
        found = [self.folder / name for name in os.listdir(self.folder)]
        if len(found) > _KEPT:
            found.sort(key=lambda path: path.stat().st_mtime_ns)
            for path in found[: len(found) - _KEPT // 2]:
                path.unlink(missing_ok=True)


def fingerprint(data: Normalised) -> str:
    """64 hex digits that no two tables of different content share."""
    from blake3 import blake3  # not for readers

    def of_column(name: str, column: pa.ChunkedArray, tag: Tag) -> bytes:
        digest = blake3(f"{tag}\0{column.type}\0{name}".encode())
        for chunk in column.chunks:
            digest.update(b"\0%d" % len(chunk))
            for buffer in _raw(chunk):
                digest.update(b"\0%d\0" % buffer.size)
                digest.update(buffer)
        return digest.digest()

    columns = zip(data.table.column_names, data.table.columns, data.tags, strict=True)
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="datom-memo") as pool:
        return blake3(b"".join(pool.map(lambda column: of_column(*column), columns))).hexdigest()


def _raw(array: pa.Array) -> Iterator[pa.Buffer]:
    """All memory that makes up the array's values."""
    if pa.types.is_dictionary(array.type):
        yield from _raw(array.indices)
        yield from _raw(array.dictionary)
    elif array.get_total_buffer_size() > array.nbytes + _PADDING:
        # A part of longer buffers, so a copy of just that part.
        yield pa.record_batch([array], ["part"]).serialize()
    else:
        nothing = pa.py_buffer(b"")
        yield pa.py_buffer(b"%d" % array.offset)
        yield from (nothing if buffer is None else buffer for buffer in array.buffers())
