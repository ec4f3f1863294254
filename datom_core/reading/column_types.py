"""Which types the columns of a stored version have, and which columns have changed type."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from datom_core.common import names
from datom_core.documents import Metadata
from datom_core.errors import DatomError
from datom_core.storage import ObjectStore


def stored_types(store: ObjectStore, table: str, metadata: Metadata) -> Mapping[str, pa.DataType] | None:
    """The types by column of the version that ``metadata`` describes; the whole payload is fetched for that.

    ``None`` when they cannot be known: the payload is gone, or is not the one that was recorded. A write that
    repairs such a table must not fail here.
    """
    try:
        stored = store.get(names.payload(table, metadata.data_sha))
        if metadata.payload_sha not in (None, stored.sha256):
            return None
        schema = pq.read_schema(pa.BufferReader(pa.py_buffer(stored.data)))
    except (DatomError, pa.ArrowException):
        return None
    return {f.name: f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in schema}


def retyped(before: Mapping[str, pa.DataType], now: pa.Schema) -> tuple[str, ...]:
    """The columns whose type has changed, as in ``AGE: int64 -> string``; units do not count."""
    return tuple(
        f"{f.name}: {before[f.name]} -> {f.type}"
        for f in now
        if f.name in before and _kind(before[f.name]) != _kind(f.type)
    )


def _kind(kind: pa.DataType) -> object:
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    if pa.types.is_timestamp(kind):
        return "timestamp", kind.tz
    named = (
        ("text", pa.types.is_string),
        ("text", pa.types.is_large_string),
        ("text", pa.types.is_string_view),
        ("time", pa.types.is_time),
        ("duration", pa.types.is_duration),
    )
    return next((name for name, is_one in named if is_one(kind)), kind)
