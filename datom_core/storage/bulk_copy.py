"""Work through many objects: copy them to another store and make sure that they arrived, or just examine them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, TypeVar

from datom_core.common import OnProgress, Progress, watcher
from datom_core.errors import DatomError, IntegrityError
from datom_core.storage.abilities import copy_within
from datom_core.storage.protocol import ObjectStore

Verify = Literal["hash", "size"]

T = TypeVar("T")

_THREADS = 8
_LARGE = 64 * 2**20
_LARGE_AT_ONCE = 2  # two copies of an object are in memory while they are compared

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Item:
    """An object that must be in the target.

    Attributes:
        key, size: as listed by the source.
        sha256: of its bytes, if one is recorded.
        present: whether the target already lists an object of that size.
    """

    key: str
    size: int
    sha256: str | None = None
    present: bool = False


def copy(
    source: ObjectStore,
    target: ObjectStore,
    items: Sequence[Item],
    *,
    verify: Verify,
    what: str,
    on_progress: OnProgress | None = None,
) -> None:
    """Get every item into the target. What is already there is verified, not copied again; nothing is overwritten.

    Args:
        source, target: the stores; within one server, the bytes do not pass through this machine.
        items: what to copy.
        verify: ``"hash"`` reads each object back and compares its SHA-256, ``"size"`` compares sizes.
        what: names the step in progress reports.
        on_progress: called for each object.

    Raises:
        IntegrityError: names every object that is missing from the target or differs there.
        The errors of the stores.
    """
    copier = _Copier(source, target, verify)
    problems = [p for _, p in each(items, copier.copy, what=what, on_progress=on_progress) if p is not None]
    if problems:
        raise IntegrityError(
            f"{len(problems)} objects are not in {target.location} as they should be:\n  - "
            + "\n  - ".join(sorted(problems)),
            problems=tuple(sorted(problems)),
        )


def each(
    items: Sequence[Item], work: Callable[[Item], T], *, what: str, on_progress: OnProgress | None = None
) -> Iterator[tuple[Item, T]]:
    """The results of ``work`` for each item, in parallel, as they come; few large objects are in memory at once.

    Args:
        items: what to work on.
        work: called from several threads.
        what: names the step in progress reports.
        on_progress: called for each finished item; by default, whoever is listening (`watching`).

    Raises:
        The first error of ``work``; after it, no further item is begun.
    """
    large = threading.Semaphore(_LARGE_AT_ONCE)

    def bounded(item: Item) -> T:
        with large if item.size >= _LARGE else nullcontext():
            return work(item)

    tell = on_progress or watcher()
    done = Progress(what, 0, len(items), 0, sum(i.size for i in items))
    for item, result in _in_parallel(bounded, items):
        done = replace(done, objects=done.objects + 1, bytes=done.bytes + item.size, key=item.key)
        _log.debug("%s: %s (%d of %d)", what, item.key, done.objects, done.total_objects)
        tell(done)
        yield item, result


class _Copier:
    def __init__(self, source: ObjectStore, target: ObjectStore, verify: Verify) -> None:
        self.source = source
        self.target = target
        self.verify = verify

    def copy(self, item: Item) -> str | None:
        """Get one item into the target; returns what is wrong with it, if anything."""
        expected = item.sha256
        if not item.present and not self._within_the_server(item):
            stored = self.source.get(item.key)
            if expected is not None and stored.sha256 != expected:
                return f"{item.key}: the source holds SHA-256 {stored.sha256[:16]}..., recorded is {expected[:16]}..."
            expected = stored.sha256
            self.target.create(item.key, stored.data, {"sha256": expected})
        return self._compare(item, expected)

    def _compare(self, item: Item, expected: str | None) -> str | None:
        if self.verify == "size":
            found = self.target.head(item.key)
            size = found.size if found is not None else None
            return None if size == item.size else f"{item.key}: {size} bytes instead of {item.size}"
        actual = self.target.get(item.key).sha256
        if expected is None:
            expected = self.source.get(item.key).sha256
        return None if actual == expected else f"{item.key}: SHA-256 {actual[:16]}... instead of {expected[:16]}..."

    def _within_the_server(self, item: Item) -> bool:
        # Documents may be replaced while they are copied; what was read must be what arrives.
        return item.sha256 is not None and copy_within(self.source, self.target, item.key, item.size)


def _in_parallel(work: Callable[[Item], T], items: Sequence[Item]) -> Iterator[tuple[Item, T]]:
    """Results as they come. If one item fails, no other is begun, and the first failure is raised."""
    waiting = iter(items)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="datom-copy") as pool:
        running: dict[Future[T], Item] = {pool.submit(work, i): i for i in islice(waiting, 2 * _THREADS)}
        failure: DatomError | None = None
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                item = running.pop(future)
                error = future.exception()
                if error is not None and not isinstance(error, DatomError):
                    raise error
                failure = failure or error
                if error is None:
                    yield item, future.result()
            if failure is None:
                running |= {pool.submit(work, i): i for i in islice(waiting, len(finished))}
        if failure is not None:
            raise failure
