"""Missing values that say why they are missing: ``.A`` in SAS, ``.a`` in Stata, declared ones in SPSS.

They become null, like every missing value. The column's metadata keeps how many there were of each.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

#: The key in a column's metadata: a JSON object from each missing value, spelled as in ``value_labels``, to its count.
MISSING_VALUES = "missing_values"
_DISTINCT = 100  # a range in SPSS may hold more values than anybody wants to read
_OTHERS = "others"


def special_missing(schema: pa.Schema) -> dict[str, dict[str, int]]:
    """By column, which special missing values of a file became null, and how many of each.

    A parquet file may hold anything under this name; only our own form counts.
    """
    return {f.name: counts for f in schema if (counts := _counts((f.metadata or {}).get(MISSING_VALUES.encode())))}


def _counts(raw: bytes | None) -> dict[str, int]:
    try:
        found = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        return {}
    whole = isinstance(found, dict) and all(type(n) is int for n in found.values())
    return found if whole else {}


def with_special_missing(table: pa.Table, counts: Mapping[str, Mapping[str, int]]) -> pa.Table:
    """The table with the counts in the metadata of its columns."""
    schema = table.schema
    for column, found in counts.items():
        if not found:
            continue
        most = Counter(found).most_common(_DISTINCT)
        kept = dict(sorted(most))
        if len(found) > len(most):
            kept[_OTHERS] = sum(found.values()) - sum(kept.values())
        position = schema.get_field_index(column)
        field = schema.field(position)
        metadata = {**(field.metadata or {}), MISSING_VALUES: json.dumps(kept, ensure_ascii=False)}
        schema = schema.set(position, field.with_metadata(metadata))
    return table.cast(schema)


def without_tags(values: Sequence[Any], counts: Counter[str]) -> list[Any]:
    """The numbers of a SAS or Stata column; letters among them are missing values, and are counted."""
    counts.update(v for v in values if isinstance(v, str))
    return [None if isinstance(v, str) else v for v in values]


def without_declared(data: pa.Array, ranges: Sequence[Mapping[str, Any]], counts: Counter[str]) -> pa.Array:
    """The values of an SPSS column without those that it declares missing, which are counted."""
    missing = pa.array([False] * len(data), pa.bool_())
    text = pa.types.is_string(data.type)
    compared = pc.utf8_rtrim(data, " ") if text else data
    for one in ranges:
        low, high = ((str(one[k]).rstrip(" ") if text else one[k]) for k in ("lo", "hi"))
        inside = pc.and_(pc.greater_equal(compared, low), pc.less_equal(compared, high))
        missing = pc.or_(missing, pc.fill_null(inside, False))
    for found in pc.value_counts(compared.filter(missing)).to_pylist():
        counts[str(found["values"])] += found["counts"]
    return pc.if_else(missing, pa.scalar(None, data.type), data)
