"""What every object store promises. Stores know keys and bytes, never tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from datom_core.documents import Buffer, Location


@dataclass(frozen=True)
class ObjectInfo:
    """What is known about an object without reading it.

    Attributes:
        key: relative to the store's namespace.
        size: in bytes.
        metadata: as given to `ObjectStore.create`, if the backend can keep it.
    """

    key: str
    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredObject:
    """An object's bytes.

    Attributes:
        data: the bytes.
        etag: the tag that `ObjectStore.replace` needs to swap the object.
        sha256: SHA-256 of the bytes in hex; computed as they arrived, or when first asked for.
    """

    data: Buffer = field(repr=False)
    etag: str
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.sha256:
            object.__setattr__(self, "sha256", hashlib.sha256(self.data).hexdigest())


@runtime_checkable
class ObjectStore(Protocol):
    """Objects by key below one namespace, ``{root}/{prefix}/datom/``.

    Keys are relative, with ``/`` between segments. Every write is atomic: a reader sees the whole old object or the
    whole new one, even if the writer is killed.

    All methods raise `InvalidInputError` for a key that is not plain, `AccessDeniedError` when rights are missing, and
    `StorageError` when the backend fails.
    """

    @property
    def location(self) -> Location:
        """Where the namespace lies, without credentials."""
        ...

    def get(self, key: str) -> StoredObject:
        """The object's bytes; `NotFoundError` if there is none."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """The object's size and metadata, or ``None`` if there is none."""
        ...

    def create(self, key: str, data: Buffer, metadata: Mapping[str, str] | None = None) -> bool:
        """Store an object unless its key is taken. Of several simultaneous callers, exactly one gets ``True``.

        ``data`` is not copied: a `memoryview` over a memory-mapped file is uploaded from disk.

        ``False`` means that an object was there; it has not been touched.
        """
        ...

    def replace(self, key: str, data: Buffer, etag: str) -> str:
        """Replace the object that has the tag ``etag`` with new bytes, and return the new tag.

        No two states of an object share a tag, even if their bytes are equal. A store that can only tag bytes adds
        white space at the end of a JSON document for that.

        Raises:
            ConflictError: the object has changed, or is gone; nothing was written.
        """
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key begins with ``prefix``, sorted by key (by their UTF-8 bytes)."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens if there is none."""
        ...

    def check(self) -> None:
        """Raise `NotFoundError` if the store's root does not exist."""
        ...
