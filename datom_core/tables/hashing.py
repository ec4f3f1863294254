"""datom-cv1: the content hash of a table (docs/format.md, "Content hash").

Columns are hashed by value: row order, column order and names count; types of one family, attributes and
storage details do not. The work runs over Arrow buffers in batches, one thread per column.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.common import Progress, watcher
from datom_core.tables.normalisation import Normalised
from datom_core.tables.type_rules import Tag

HASH_ALGO = "datom-cv1"

_MISSING = np.uint64(0x7FF00000000007A2)  # R's NA: a signalling NaN, so it is only ever handled as an integer
_NAN = np.uint64(0x7FF8000000000000)
_MISSING_INT64 = -(2**63)
_BATCH_ROWS = 65_536  # so a batch of a column stays in the processor's cache between conversion and hash
_MAX_JOINED = 2**31 - 2**20  # a batch with more text needs 64-bit offsets
_SMALL_TABLE_BYTES = 1 << 23  # below this, threads cost more than they save
_MAX_THREADS = 16
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}


class ColumnHash(NamedTuple):
    """One column's name and its SHA-256 in hex."""

    name: str
    sha: str


@dataclass(frozen=True)
class TableHash:
    """The content hash of a table.

    Attributes:
        data_sha: 64 hex digits that stand for all values, names and their order.
        column_hashes: one `ColumnHash` per column, in column order.
        rows, columns: the shape.
    """

    data_sha: str
    column_hashes: tuple[ColumnHash, ...]
    rows: int
    columns: int


def hash_normalised(data: Normalised) -> TableHash:
    """Hash a normalised table. Promises the same answer as R for the parquet file that stores it."""
    table = data.table
    jobs = list(zip(table.column_names, table.columns, data.tags, strict=True))
    threads = min(_MAX_THREADS, os.cpu_count() or 1, len(jobs))
    if threads > 1 and table.nbytes > _SMALL_TABLE_BYTES:
        with ThreadPoolExecutor(threads, thread_name_prefix="datom-hash") as pool:
            shas = list(_told(table, pool.map(lambda job: _hash_column(*job), jobs)))
    else:
        shas = list(_told(table, (_hash_column(*job) for job in jobs)))
    whole = hashlib.sha256(HASH_ALGO.encode() + struct.pack("<dd", table.num_rows, table.num_columns))
    whole.update("".join(shas).encode())
    hashes = tuple(ColumnHash(name, sha) for name, sha in zip(table.column_names, shas, strict=True))
    return TableHash(whole.hexdigest(), hashes, table.num_rows, table.num_columns)


def _told(table: pa.Table, shas: Iterable[str]) -> Iterator[str]:
    """Report each finished column to whoever watches."""
    tell = watcher()
    done = Progress("hash", 0, table.num_columns, 0, table.nbytes)
    for sha, name, column in zip(shas, table.column_names, table.columns, strict=True):
        done = replace(done, objects=done.objects + 1, bytes=done.bytes + column.nbytes, key=name)
        tell(done)
        yield sha


def canonical_values(data: pa.ChunkedArray, tag: Tag) -> pa.Array:
    """The values as the hash distinguishes them: equal exactly where it considers them equal.

    Text keeps its missing values; everything else is an integer per value, without missing ones.
    """
    if tag == "chr":
        parts = [pa.array([], pa.large_string()), *(_large_text(batch) for batch in data.chunks)]
        return pa.concat_arrays(parts)
    bits = _BITS[tag]
    empty = pa.array([], pa.int64() if tag == "i64" else pa.uint64())
    return pa.concat_arrays([empty, *(pa.array(bits(batch)) for batch in data.chunks)])


def column_digest(data: pa.ChunkedArray, tag: Tag) -> str:
    """A hash of a column's values alone: equal for two columns of one tag exactly if all their values are."""
    return _hash_column("", data, tag)


def _large_text(batch: pa.Array) -> pa.Array:
    text = batch.dictionary_decode() if pa.types.is_dictionary(batch.type) else batch
    return text.cast(pa.large_string())


def _hash_column(name: str, data: pa.ChunkedArray, tag: Tag) -> str:
    digest = hashlib.sha256(tag.encode() + name.encode() + b"\0")
    if tag == "chr":
        # All masks come before all values, so the column is walked twice.
        for batch in _batches(data):
            digest.update(_mask(batch).data)
        for batch in _batches(data):
            digest.update(_text(batch))
            digest.update(b"\0")
        return digest.hexdigest()
    bits = _BITS[tag]
    for batch in _batches(data):
        digest.update(bits(batch).data)
    if tag == "drtn":
        digest.update(b"\0secs")
    return digest.hexdigest()


def _batches(data: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in data.chunks:
        for start in range(0, len(chunk), _BATCH_ROWS):
            yield chunk.slice(start, _BATCH_ROWS)


def _mask(batch: pa.Array) -> npt.NDArray[np.uint8]:
    # A dictionary's missing values are those of its indices; normalised labels are never missing.
    if not batch.null_count:
        return np.zeros(len(batch), np.uint8)
    return np.asarray(pc.is_null(batch).cast(pa.uint8()))


def _text(batch: pa.Array) -> pa.Buffer:
    """Each row's UTF-8, with a NUL between two; a missing row is empty."""
    text = batch.dictionary_decode() if pa.types.is_dictionary(batch.type) else batch
    if text.nbytes > _MAX_JOINED:
        text = text.cast(pa.large_string())
    kind = text.type
    # One list of all rows is joined several times faster than each row with its NUL.
    rows = pa.ListArray.from_arrays(pa.array([0, len(text)], pa.int32()), text.fill_null(""))
    return pc.binary_join(rows, pa.scalar("\0", kind))[0].as_buffer()


def _canonical_bits(values: npt.NDArray[np.float64], batch: pa.Array) -> npt.NDArray[np.uint64]:
    """Doubles as little-endian integers with one pattern each for NaN, zero and missing."""
    bits = values.view(np.uint64).copy()
    bits[np.isnan(values)] = _NAN
    bits[values == 0.0] = 0
    if batch.null_count:
        bits[np.asarray(pc.is_null(batch))] = _MISSING
    return bits.astype("<u8", copy=False)


def _integers(batch: pa.Array) -> npt.NDArray[np.int64]:
    whole = batch.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(batch.type) else batch.cast(pa.int64())
    filled: npt.NDArray[np.int64] = whole.fill_null(0).to_numpy(zero_copy_only=False)
    return filled


def _number_bits(batch: pa.Array) -> npt.NDArray[np.uint64]:
    numbers = batch.cast(pa.uint8()) if pa.types.is_boolean(batch.type) else batch
    doubles = numbers.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
    return _canonical_bits(doubles, batch)


def _date_bits(batch: pa.Array) -> npt.NDArray[np.uint64]:
    return _canonical_bits(_integers(batch).astype(np.float64), batch)


def _second_bits(batch: pa.Array) -> npt.NDArray[np.uint64]:
    if pa.types.is_time32(batch.type):
        whole: Any = batch.cast(pa.int32())
    else:
        whole = batch
    return _canonical_bits(_integers(whole).astype(np.float64) / _PER_SECOND[batch.type.unit], batch)


def _int64_bits(batch: pa.Array) -> npt.NDArray[np.int64]:
    filled: npt.NDArray[np.int64] = batch.cast(pa.int64()).fill_null(_MISSING_INT64).to_numpy(zero_copy_only=False)
    return filled.astype("<i8", copy=False)


_BITS: dict[Tag, Callable[[pa.Array], npt.NDArray[Any]]] = {
    "num": _number_bits,
    "i64": _int64_bits,
    "date": _date_bits,
    "time": _second_bits,
    "drtn": _second_bits,
}
