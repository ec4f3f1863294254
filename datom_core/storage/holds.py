"""Legal holds: objects that nobody can remove or replace until the hold is lifted, where a store has such a thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from datom_core.errors import DatomError, InvalidInputError
from datom_core.storage.protocol import ObjectStore

T = TypeVar("T")

_THREADS = 16
_SHOWN = 10  # keys in a message


class Holds(Protocol):
    """Holds on a store's objects."""

    def possible(self) -> bool | None:
        """Whether the place knows holds; ``None`` if that cannot be determined."""
        ...

    def is_on(self, key: str) -> bool:
        """Whether an object is held."""
        ...

    def put(self, key: str) -> None:
        """Hold an object; nothing happens if it is held."""
        ...


@runtime_checkable
class _Holding(Protocol):
    def holds(self) -> Holds:
        """Holds on the store's objects."""
        ...


@dataclass(frozen=True)
class HoldReport:
    """What was put under legal hold, or is.

    Attributes:
        location: where the objects lie.
        possible: whether the place knows holds; ``None`` if that cannot be determined.
        held: keys that are held now.
        added: those of them that were not before.
        free: keys that are not held.
        note: why nothing is held, where the place does not know holds.
    """

    location: str
    possible: bool | None
    held: tuple[str, ...] = field(default=(), repr=False)
    added: tuple[str, ...] = field(default=(), repr=False)
    free: tuple[str, ...] = field(default=(), repr=False)
    note: str = ""

    @property
    def complete(self) -> bool:
        """Whether all of it is held."""
        return bool(self.held) and not self.free

    def __str__(self) -> str:
        if self.note:
            return self.note
        return f"{len(self.held):,} of {len(self.held) + len(self.free):,} objects under legal hold"


def look_at_holds(store: ObjectStore, keys: Iterable[str]) -> HoldReport:
    """Which of these objects are held.

    Raises:
        AccessDeniedError: one may not ask; names the right. StorageError: the store failed.
    """
    listed, known = sorted(set(keys)), _of(store)
    if isinstance(known, str):
        return HoldReport(str(store.location), possible=False, free=tuple(listed), note=known)
    on = dict(zip(listed, _each(known.is_on, listed), strict=True))
    held = tuple(key for key in listed if on[key])
    return HoldReport(str(store.location), known.possible(), held, free=tuple(k for k in listed if not on[k]))


def hold_objects(store: ObjectStore, keys: Iterable[str]) -> HoldReport:
    """Put objects under legal hold, where the place knows that; it only looks at those that are held already.

    Raises:
        AccessDeniedError: one may not; names the right. What was held so far stays held, and the same call goes on.
        NotFoundError: an object is not there. StorageError: the store failed; call it again.
    """
    before = look_at_holds(store, keys)
    known = _of(store)
    if isinstance(known, str):
        return before
    _each(known.put, before.free)
    held = tuple(sorted({*before.held, *before.free}))
    return HoldReport(before.location, before.possible, held, before.free)


def refuse_held(store: ObjectStore, keys: Iterable[str], project: str) -> str:
    """Refuse to remove objects of which one is held.

    A delete would hide it behind a marker, and the project would be half removed.

    Returns:
        What is not known of that, in a sentence; ``""`` if nothing is held.

    Raises:
        InvalidInputError: names the objects. Nothing has been touched.
        AccessDeniedError: the place knows holds, and one may not ask for them; names the right.
    """
    known = _of(store)
    if isinstance(known, str):
        return ""
    if known.possible() is None:
        return f"Whether {store.location} has legal holds could not be asked; what is held stays as an old version."
    held = look_at_holds(store, keys).held
    if held:
        more = f" and {len(held) - _SHOWN:,} more" if len(held) > _SHOWN else ""
        raise InvalidInputError(
            f"{len(held):,} objects of {project} in {store.location} are under legal hold: {', '.join(held[:_SHOWN])}"
            f"{more}. Whoever put them there has to lift that first. Nothing was done.",
            project=project,
            held=held,
        )
    return ""


def _of(store: ObjectStore) -> Holds | str:
    """The holds of a store; or why there are none."""
    if not isinstance(store, _Holding):
        return f"{store.location} knows no legal holds; a bucket with object lock does."
    holds = store.holds()
    if holds.possible() is False:
        return f"{store.location} has no object lock, and so no legal holds."
    return holds


def _each(act: Callable[[str], T], keys: Sequence[str]) -> list[T]:
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="datom-holds") as pool:
        done = [pool.submit(act, key) for key in keys]
        try:
            return [one.result() for one in done]
        except DatomError:
            for one in done:
                one.cancel()
            raise
