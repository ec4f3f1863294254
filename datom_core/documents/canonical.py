"""The exact JSON from which a version id is computed, and the layout of every document.

Only `metadata_sha` must match the reference implementation byte for byte (docs/format.md, "Version id");
the layout of `dump` follows it so that a rewrite by R changes few lines.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

#: Fields that make a version (schema 2). Everything else may change without a new version.
IDENTITY_FIELDS = frozenset(
    "colnames custom data_sha hash_algo kind ncol nrow original_file_sha parents source_lineage table_type".split()
)
#: Known fields that are not identity. A field in neither list was written by a newer release.
OTHER_FIELDS = frozenset(
    "column_hashes created_at datom_version document_sha original_format parquet_sha project schema_version "
    "size_bytes".split()
)
# Schema 1 excludes by name instead of including by name; the two agree on every known document.
_SCHEMA_1_EXCLUDED = frozenset("created_at datom_version parquet_sha column_hashes size_bytes".split())

_INT_MAX = 2_147_483_647
_DECIMALS = 10_000
# jsonlite up to 1.8.4 prints at most 15 significant digits, later ones 17. Values where it matters are
# refused on the way in, so one constant is enough.
_MAX_SIGNIFICANT = 15


def format_number(value: int | float) -> str:
    """The text that R's JSON gives a number: four decimals, then up to 15 significant digits.

    Raises:
        ValueError: NaN and infinities have no JSON text.
    """
    if isinstance(value, int):
        return str(value) if abs(value) <= _INT_MAX else _format_double(float(value))
    if not math.isfinite(value):
        raise ValueError(f"{value!r} has no JSON text")
    return _format_double(value)


def _format_double(value: float) -> str:
    size = abs(value)
    if not 1e-5 < size < _INT_MAX:
        digits = math.ceil(min(_MAX_SIGNIFICANT, max(1.0, math.log10(size) if size else -math.inf) + 4))
        return f"{value:.{digits}g}"
    whole = math.trunc(size)
    scaled = (size - whole) * _DECIMALS
    fraction = math.trunc(scaled)
    rest = scaled - fraction
    if rest > 0.5 or (rest == 0.5 and fraction % 2):
        fraction += 1
    if fraction == _DECIMALS:
        fraction, whole = 0, whole + 1
    sign = "-" if value < 0 else ""
    decimals = f".{fraction:04d}".rstrip("0") if fraction else ""
    return f"{sign}{whole}{decimals}"


def format_string(value: str) -> str:
    """A JSON string in UTF-8; a slash is escaped only right after ``<``."""
    return encode_basestring(value).replace("</", "<\\/")


def canonical(value: Any) -> str:
    """Compact JSON in the order given, with R's number format."""
    if isinstance(value, str):
        return format_string(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return format_number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{format_string(k)}:{canonical(v)}" for k, v in value.items()) + "}"
    return "[" + ",".join(canonical(v) for v in value) + "]"


def identity(document: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a metadata document that makes its version, sorted by the UTF-8 bytes of the keys.

    A document without ``kind`` is of schema 1 and follows that schema's rule.
    """
    if "kind" in document:
        kept = {k: v for k, v in document.items() if k in IDENTITY_FIELDS}
    else:
        kept = {k: v for k, v in document.items() if k not in _SCHEMA_1_EXCLUDED}
    return dict(sorted(kept.items(), key=lambda item: item[0].encode()))


def metadata_sha(document: Mapping[str, Any]) -> str:
    """The version id of a metadata document: SHA-256 of its canonical identity, in hex."""
    return hashlib.sha256(canonical(identity(document)).encode()).hexdigest()


def dump(document: Any) -> bytes:
    """A document as it is stored: two blanks of indent, short arrays on one line, one newline at the end."""
    return (_pretty(document, "") + "\n").encode()


def _pretty(value: Any, indent: str) -> str:
    if type(value) is str:
        return format_string(value)
    if type(value) is int:
        return str(value)
    inner = indent + "  "
    if isinstance(value, Mapping) and value:
        rows = [f"{inner}{format_string(k)}: {_pretty(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        if not any(isinstance(v, Mapping) or (isinstance(v, Sequence) and not isinstance(v, str)) for v in value):
            return "[" + ", ".join(_pretty(v, inner) for v in value) + "]"
        return "[\n" + ",\n".join(inner + _pretty(v, inner) for v in value) + f"\n{indent}]"
    # Not `canonical`: a stored number keeps every digit, only its hash is taken at R's precision.
    return format_string(value) if isinstance(value, str) else json.dumps(value)
