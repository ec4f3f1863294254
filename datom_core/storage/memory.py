"""A store in the memory of this process, for tests and experiments."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator, Mapping

from datom_core.common import check_key, fitting, logged, normalise_prefix
from datom_core.documents import Buffer, Location, PlaceKind, add_kind
from datom_core.errors import ConflictError, NotFoundError
from datom_core.storage.protocol import ObjectInfo, StoredObject

_log = logging.getLogger(__name__)


class MemoryStore:
    """Keeps objects in a dict. Two stores share nothing, whatever their names."""

    @fitting
    def __init__(self, name: str = "memory", prefix: str = "") -> None:
        self._location = Location("memory", name, normalise_prefix(prefix), given_prefix=prefix)
        self._objects: dict[str, tuple[bytes, str, Mapping[str, str]]] = {}
        self._lock = threading.Lock()
        self._tags = itertools.count(1)

    @property
    def location(self) -> Location:
        return self._location

    def get(self, key: str) -> StoredObject:
        with self._lock:
            entry = self._objects.get(check_key(key))
        if entry is None:
            raise NotFoundError(f"There is no object {key} in {self.location}.", key=key)
        return StoredObject(entry[0], entry[1])

    def head(self, key: str) -> ObjectInfo | None:
        with self._lock:
            entry = self._objects.get(check_key(key))
        return None if entry is None else ObjectInfo(key, len(entry[0]), entry[2])

    @logged(_log)
    def create(self, key: str, data: Buffer, metadata: Mapping[str, str] | None = None) -> bool:
        with self._lock:
            if check_key(key) in self._objects:
                return False
            self._objects[key] = (bytes(data), str(next(self._tags)), dict(metadata or {}))
            return True

    @logged(_log)
    def replace(self, key: str, data: Buffer, etag: str) -> str:
        with self._lock:
            entry = self._objects.get(check_key(key))
            if entry is None or entry[1] != etag:
                raise ConflictError(f"{key} in {self.location} changed since it was read.", key=key)
            tag = str(next(self._tags))
            self._objects[key] = (bytes(data), tag, entry[2])
            return tag

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._lock:
            found = [(k, v) for k, v in self._objects.items() if k.startswith(prefix)]
        for key, entry in sorted(found, key=lambda item: item[0].encode()):
            yield ObjectInfo(key, len(entry[0]), entry[2])

    @logged(_log)
    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(check_key(key), None)

    def check(self) -> None:
        """A memory store is always there."""

    def __repr__(self) -> str:
        if not hasattr(self, "_location"):
            return "MemoryStore(...)"  # still being made: a traceback is showing it
        return f"MemoryStore({self._location.root!r}, prefix={self._location.prefix!r})"


add_kind(PlaceKind(name="memory", shared=False))
