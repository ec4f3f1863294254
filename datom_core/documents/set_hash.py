"""datom-sv1: the content hash of a set's member list (docs/format.md, "Set hash")."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

SET_ALGO = "datom-sv1"


def hash_set(payload: object) -> str | None:
    """The content hash of a set's parsed payload, whatever the order of its file; ``None`` if it is not one."""
    try:
        return _set(payload).hex()
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError):
        return None


def _set(payload: Any) -> bytes:
    members = {_hash(4, _map(m["id"]), _map(m.get("tags"))) for m in _listed(payload["members"])}
    return _hash(6, SET_ALGO.encode(), _hash(5, _map(payload.get("tags")), *sorted(members)))


def _map(labels: Mapping[str, Any] | None) -> bytes:
    pairs = sorted((key.encode(), value) for key, value in (labels or {}).items())
    return _hash(3, *(part for key, value in pairs for part in (_hash(1, key), _strings(value))))


def _strings(values: Any) -> bytes:
    texts = [values] if isinstance(values, str) else _listed(values)
    return _hash(2, *(_hash(1, text) for text in sorted({text.encode() for text in texts})))


def _listed(value: Any) -> Iterable[Any]:
    if not isinstance(value, list):
        raise TypeError("not an array")
    return value


def _hash(kind: int, *parts: bytes) -> bytes:
    return hashlib.sha256(bytes([kind]) + b"".join(parts)).digest()
