"""datom-cv1: the content hash of a table (docs/format.md, "Content hash").

Columns are hashed by value: row order, column order and names count; types of one family, attributes and
storage details do not. The work runs over Arrow buffers in batches, one thread per column.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.common import Progress, watcher
from datom_core.tables.normalisation import Normalised
from datom_core.tables.type_rules import Tag

HASH_ALGO = "datom-cv1"

_MISSING = pa.scalar(0x7FF00000000007A2, pa.uint64())  # R's NA: a signalling NaN, so it is handled as an integer only
_NAN = pa.scalar(0x7FF8000000000000, pa.uint64())
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
    return pa.concat_arrays([empty, *(bits(batch) for batch in data.chunks)])


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
            digest.update(_mask(batch))
        for batch in _batches(data):
            digest.update(_text(batch))
            digest.update(b"\0")
        return digest.hexdigest()
    bits = _BITS[tag]
    for batch in _batches(data):
        digest.update(_little_endian(bits(batch)))
    if tag == "drtn":
        digest.update(b"\0secs")
    return digest.hexdigest()


def _batches(data: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in data.chunks:
        for start in range(0, len(chunk), _BATCH_ROWS):
            yield chunk.slice(start, _BATCH_ROWS)


def _mask(batch: pa.Array) -> bytes | memoryview:
    # A dictionary's missing values are those of its indices; normalised labels are never missing.
    return _memory(pc.is_null(batch).cast(pa.uint8())) if batch.null_count else bytes(len(batch))


def _memory(values: pa.Array) -> memoryview:
    """The values of an array of numbers without missing ones, as they lie in memory."""
    width = values.type.bit_width // 8
    return memoryview(values.buffers()[1])[values.offset * width : (values.offset + len(values)) * width]


def _little_endian(values: pa.Array) -> memoryview | array[int]:
    """The same of 64-bit integers, with the least byte first on every machine."""
    if sys.byteorder == "little":
        return _memory(values)
    turned = array("Q")
    turned.frombytes(_memory(values))
    turned.byteswap()
    return turned


def _text(batch: pa.Array) -> pa.Buffer:
    """Each row's UTF-8, with a NUL between two; a missing row is empty."""
    text = batch.dictionary_decode() if pa.types.is_dictionary(batch.type) else batch
    if text.nbytes > _MAX_JOINED:
        text = text.cast(pa.large_string())
    kind = text.type
    # One list of all rows is joined several times faster than each row with its NUL.
    rows = pa.ListArray.from_arrays(pa.array([0, len(text)], pa.int32()), text.fill_null(""))
    return pc.binary_join(rows, pa.scalar("\0", kind))[0].as_buffer()


def _canonical_bits(doubles: pa.Array) -> pa.Array:
    """Doubles as integers with one pattern each for NaN, zero and missing."""
    one_zero = pc.add(doubles, 0.0)  # minus zero becomes zero
    bits, nan = one_zero.view(pa.uint64()), pc.is_nan(one_zero)
    if pc.any(nan).as_py():
        bits = pc.if_else(nan, _NAN, bits)
    return bits.fill_null(_MISSING) if bits.null_count else bits


def _number_bits(batch: pa.Array) -> pa.Array:
    numbers = batch.cast(pa.uint8()) if pa.types.is_boolean(batch.type) else batch
    return _canonical_bits(numbers.cast(pa.float64()))


def _date_bits(batch: pa.Array) -> pa.Array:
    return _number_bits(batch.cast(pa.int32()))


def _second_bits(batch: pa.Array) -> pa.Array:
    whole = batch.cast(pa.int32() if pa.types.is_time32(batch.type) else pa.int64())
    return _canonical_bits(pc.divide(whole.cast(pa.float64(), safe=False), _PER_SECOND[batch.type.unit]))


def _int64_bits(batch: pa.Array) -> pa.Array:
    return batch.cast(pa.int64()).fill_null(_MISSING_INT64)


_BITS: dict[Tag, Callable[[pa.Array], pa.Array]] = {
    "num": _number_bits,
    "i64": _int64_bits,
    "date": _date_bits,
    "time": _second_bits,
    "drtn": _second_bits,
}
