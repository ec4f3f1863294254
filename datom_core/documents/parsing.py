"""The door through which JSON enters: parsing within bounds, and typed access to fields with errors that name them."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from datom_core.common import is_sha
from datom_core.errors import FormatError

#: The newest schema of metadata and manifest documents that this release reads and writes.
SUPPORTED_SCHEMA = 2

T = TypeVar("T")

#: Bytes of a JSON document: several times what the history of a hundred thousand versions takes.
LARGEST = 256 * 2**20
# Levels. What we write has little more than twenty; functions that walk a document recurse.
_DEEPEST = 100
_LARGEST_WHOLE = 2**63 - 1  # what Arrow, Dagster and R's bit64 hold

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

#: Bytes as stores hand them out.
Buffer = bytes | memoryview


def parse(data: Buffer, source: str, *, largest: int = LARGEST) -> Any:
    """The JSON value of ``data``.

    Args:
        data: the document.
        source: what it is, for errors.
        largest: bytes; a longer document is not parsed.

    Raises:
        FormatError: too long, not JSON in UTF-8, lone surrogates, a key twice in one object, NaN or infinities,
            numbers of thousands of digits, or nested too deeply; ``source`` is named.
    """
    check_size(data, source, largest)
    try:
        text = str(data, "utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
        _check_depth(value)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is not text, and fails here
        return value
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{source} is not a readable JSON document ({error}). It may be truncated or edited by hand; "
            "mirror the project, or restore the file from git.",
            source=source,
        ) from error


def parse_object(data: Buffer, source: str) -> dict[str, Any]:
    """As `parse`, for a document that must be an object."""
    value = parse(data, source)
    if not isinstance(value, dict):
        raise FormatError(f"{source} should hold an object, not {_kind(value)}.", source=source)
    return value


def check_size(data: Buffer, source: str, largest: int) -> None:
    """Refuse a document before it is parsed, which takes many times its length in memory.

    Raises:
        FormatError: it has more than ``largest`` bytes.
    """
    size = memoryview(data).nbytes
    if size > largest:
        raise FormatError(
            f"{source} has {size:,} bytes, where at most {largest:,} are read. Nothing that datom writes is as long; "
            "mirror the project, or restore the file from git.",
            source=source,
            size=size,
        )


def _check_depth(value: Any) -> None:
    level = [value] if type(value) in (dict, list) else []
    for _ in range(_DEEPEST):
        if not level:
            return
        level = [
            child
            for holder in level
            for child in (holder.values() if type(holder) is dict else holder)
            if type(child) in (dict, list)
        ]
    if level:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = sorted(key for key, times in Counter(k for k, _ in pairs).items() if times > 1)
        raise ValueError(f"these keys occur twice: {', '.join(map(repr, twice[:10]))}")
    return result


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def optional(document: Mapping[str, Any], key: str, kind: type[T], source: str) -> T | None:
    """The field when it is there; ``null`` and R's empty object count as absent.

    Raises:
        FormatError: the field has another type.
    """
    value = document.get(key)
    if type(value) is kind:
        return value  # the usual case, and worth it: a long history asks ten thousand times
    if value is None or (value == {} and kind is not dict):
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise FormatError(
            f"{source}: {key!r} should be {kind.__name__}, not {_kind(value)} ({str(value)[:60]!r}).",
            source=source,
            field=key,
        )
    return value


def required(document: Mapping[str, Any], key: str, kind: type[T], source: str) -> T:
    """As `optional`, for a field that must be there."""
    value = optional(document, key, kind, source)
    if value is None:
        raise FormatError(f"{source}: {key!r} is missing.", source=source, field=key)
    return value


def sha(document: Mapping[str, Any], key: str, source: str) -> str | None:
    """A recorded hash when it is there: 64 lower-case hex digits and nothing else.

    Raises:
        FormatError: it is something else.
    """
    value = optional(document, key, str, source)
    if value is not None and not is_sha(value):
        raise FormatError(
            f"{source}: {key!r} should be 64 lower-case hex digits; {value[:80]!r} is not a content hash or any other.",
            source=source,
            field=key,
        )
    return value


def required_sha(document: Mapping[str, Any], key: str, source: str) -> str:
    """As `sha`, for a hash that must be there."""
    value = sha(document, key, source)
    if value is None:
        raise FormatError(f"{source}: {key!r} is missing.", source=source, field=key)
    return value


def count(document: Mapping[str, Any], key: str, source: str) -> int | None:
    """A whole number of at least 0 when it is there; R writes some as ``12.0`` or in exponent form."""
    value = document.get(key)
    if value is None or value == {}:
        return None
    if not _is_whole(value) or value < 0:
        raise FormatError(
            f"{source}: {key!r} should be a whole number, not {str(value)[:60]!r}.", source=source, field=key
        )
    return int(value)


def _is_whole(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    # YAML has infinities, too.
    return math.isfinite(value) and abs(value) <= _LARGEST_WHOLE and value == int(value)


def strings(document: Mapping[str, Any], key: str, source: str) -> tuple[str, ...]:
    """An array of strings; a single string stands for an array of one (R writes one column so)."""
    value = document.get(key)
    if isinstance(value, str):
        return (value,)
    if value is None or value == {}:
        return ()
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise FormatError(f"{source}: {key!r} should be an array of strings.", source=source, field=key)
    return tuple(value)


def objects(document: Mapping[str, Any], key: str, source: str) -> tuple[Mapping[str, Any], ...] | None:
    """An array of objects, or ``None`` when the field is absent."""
    value = document.get(key)
    if value is None or value == {}:
        return None
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise FormatError(f"{source}: {key!r} should be an array of objects.", source=source, field=key)
    return tuple(value)


def schema_of(document: Mapping[str, Any], source: str, *, ceiling: int = SUPPORTED_SCHEMA) -> int:
    """The schema number that a document declares; absent means 1 (docs/format.md, "Schema 1 and schema 2").

    Raises:
        FormatError: not a whole number of at least 1, or above ``ceiling``.
    """
    declared = document.get("schema_version")
    if declared is None:
        return 1
    if not _is_whole(declared) or declared < 1:
        raise FormatError(
            f"{source}: 'schema_version' should be a whole number of at least 1, not {str(declared)[:60]!r}.",
            source=source,
            field="schema_version",
        )
    if declared > ceiling:
        raise FormatError(
            f"{source} is of schema {int(declared)}; this release reads up to {ceiling}. "
            "Install a newer datom-dagster.",
            source=source,
            schema=int(declared),
        )
    return int(declared)


def timestamp(text: str, source: str) -> datetime:
    """The instant of an ISO 8601 text; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(f"{source}: {text!r} is not a time.", source=source) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def format_timestamp(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``, the whole second in UTC, as every document writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
