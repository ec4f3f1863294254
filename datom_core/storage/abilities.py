"""What a store may be able to do beyond what every store must; found by looking for the method, never by class.

A store has an ability if it has the method. Without it, callers do without the ability.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from datom_core.documents import Buffer
from datom_core.storage.protocol import ObjectStore


@runtime_checkable
class _Preparing(Protocol):
    def prepare(self) -> None:
        """Make the root, as the first write would."""
        ...


@runtime_checkable
class _Tidying(Protocol):
    def remove_empty(self) -> None:
        """Remove what deleted objects left behind, such as empty folders; others may be writing."""
        ...


@runtime_checkable
class _Leaving(Protocol):
    def clean_up(self) -> None:
        """Remove what the store itself keeps in the namespace, once nobody uses it any more."""
        ...


@runtime_checkable
class _Measured(Protocol):
    def free_bytes(self) -> int:
        """How many bytes can still be stored."""
        ...


@runtime_checkable
class _Keeping(Protocol):
    def kept_after_delete(self) -> str:
        """What remains of deleted objects, in a sentence; ``""`` if nothing does."""
        ...


@runtime_checkable
class _Copying(Protocol):
    def copy_from(self, source: ObjectStore, key: str, size: int) -> bool:
        """Copy an object, unless it is already there, without its bytes passing through here; ``False`` if ``source``
        does not allow that."""
        ...


@runtime_checkable
class _Piecemeal(Protocol):
    def pieces(self, key: str) -> Iterator[Buffer]:
        """The object's bytes, a piece at a time; `NotFoundError` if there is none."""
        ...


def prepare(store: ObjectStore) -> None:
    """Make a place ready for use: if the store has folders, its root exists afterwards."""
    if isinstance(store, _Preparing):
        store.prepare()


def remove_empty(store: ObjectStore) -> None:
    """Remove what deleted objects left behind, while the place stays in use."""
    if isinstance(store, _Tidying):
        store.remove_empty()


def clean_up(store: ObjectStore) -> None:
    """Remove what is left of a place once its objects are gone, such as empty folders."""
    remove_empty(store)
    if isinstance(store, _Leaving):
        store.clean_up()


def free_bytes(store: ObjectStore) -> int | None:
    """How many bytes can still be stored, if the store can tell."""
    return store.free_bytes() if isinstance(store, _Measured) else None


def kept_after_delete(store: ObjectStore) -> str:
    """What remains of deleted objects, in a sentence; ``""`` if nothing does, as far as is known."""
    return store.kept_after_delete() if isinstance(store, _Keeping) else ""


def copy_within(source: ObjectStore, target: ObjectStore, key: str, size: int) -> bool:
    """Whether an object was copied by the server that holds both stores."""
    return isinstance(target, _Copying) and target.copy_from(source, key, size)


def in_pieces(store: ObjectStore, key: str) -> Iterator[Buffer]:
    """An object's bytes, a piece at a time if the store can, or else at once.

    Raises:
        NotFoundError: there is none.
    """
    if isinstance(store, _Piecemeal):
        yield from store.pieces(key)
    else:
        yield store.get(key).data
