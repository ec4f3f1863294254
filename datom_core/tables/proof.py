"""Whether what is stored is what its name says: a payload its content hash, a document its version.

These two cannot be forged. Whoever may write to a store can forge all else there: what an object's own metadata, a
history or a pointer says is no evidence. What R leaves open is named as such (docs/format.md, "What R leaves open").
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from datom_core.documents import Buffer, Metadata, hash_set, parse
from datom_core.errors import DatomError, FormatError
from datom_core.tables.hashing import HASH_ALGO, hash_normalised
from datom_core.tables.normalisation import Normalised
from datom_core.tables.parquet import decode_parquet, parquet_shape
from datom_core.tables.tabular import normalised
from datom_core.tables.verdict import PROVEN, Told, Verdict, by_r

_CLASSES = b"r"  # the schema's metadata in which R keeps classes that parquet has no type for


def judge_table(table: pa.Table, data_sha: str, told: Told = lambda: None) -> Verdict:
    """Compare a decoded table with a content hash.

    Args:
        table: the whole table.
        data_sha: the hash that it is stored under.
        told: gives the document of a version that has this content, which tells who hashed it, and how; asked for only
            when the hashes differ. ``None`` when there is none.
    """
    try:
        data = normalised(table)
    except DatomError:
        return _unlike("it is a table that has no content hash", table, told())
    actual = hash_normalised(data).data_sha
    if actual == data_sha:
        return PROVEN
    document = told()
    if by_r(document) and hash_normalised(_as_integer64(data)).data_sha == data_sha:
        return PROVEN
    return _unlike(f"it holds the content {actual[:8]}", table, document)


def judge_payload(
    key: str, data: Buffer, told: Told = lambda: None, *, shape: tuple[int, Sequence[str]] | None = None
) -> Verdict:
    """Compare a payload's bytes with the content hash in its key.

    Args:
        key: of the payload.
        data: its bytes.
        told: as `judge_table`.
        shape: rows and column names that the content has, when they are known: a file of another shape is not decoded,
            which may take far more memory than its bytes.
    """
    data_sha = key.rpartition("/")[2].partition(".")[0]
    if key.endswith(".json"):
        return _judge_set(data, data_sha)
    try:
        if shape is not None and (found := parquet_shape(data)) != (shape[0], list(shape[1])):
            return Verdict(f"it holds {found[0]} rows of {len(found[1])} columns")
        table = decode_parquet(data)
    except FormatError:
        return Verdict("it is no readable table")
    return judge_table(table, data_sha, told)


def _judge_set(data: Buffer, data_sha: str) -> Verdict:
    try:
        actual = hash_set(parse(data, "the set"))
    except FormatError:
        actual = None
    if actual is None:
        return Verdict("it is no readable set")
    return PROVEN if actual == data_sha else Verdict(f"it holds the content {actual[:8]}")


def _unlike(fault: str, table: pa.Table, document: Metadata | None) -> Verdict:
    """The verdict on a table that does not match its hash, in view of what R may have hashed."""
    if not by_r(document):
        return Verdict(fault)
    if document is not None and document.hash_algo != HASH_ALGO:
        return Verdict(fault, f"it was hashed by {document.hash_algo or 'a rule from before R recorded which'}")
    return Verdict(fault, _lost_in_parquet(table))


def _as_integer64(data: Normalised) -> Normalised:
    """The same with every 64-bit integer in the family of R's integer64, which is all that R writes as such."""
    kinds = zip(data.tags, data.table.schema.types, strict=True)
    return Normalised(data.table, tuple("i64" if pa.types.is_int64(kind) else tag for tag, kind in kinds))


#: Types of what R holds in doubles, with fractions and units of its own.
_IN_DOUBLES = (pa.types.is_date32, pa.types.is_timestamp, pa.types.is_time32, pa.types.is_duration)


def _lost_in_parquet(table: pa.Table) -> str | None:
    """Which columns R may have hashed with something that does not reach its file."""
    classes = _CLASSES in (table.schema.metadata or {})

    def loses(kind: pa.DataType, missing: int) -> bool:
        if pa.types.is_float64(kind):
            return missing > 0  # a value that arithmetic made missing has other bits than one that was missing before
        if pa.types.is_int32(kind):
            return classes  # a time of day of data.table, by its class
        return any(test(kind) for test in _IN_DOUBLES)

    names = [f.name for f, column in zip(table.schema, table.columns, strict=True) if loses(f.type, column.null_count)]
    if not names:
        return None
    return f"R may have hashed in {', '.join(map(repr, names))} what parquet does not keep"
