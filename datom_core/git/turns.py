"""Writers on one machine take turns at a remote, and let one of them do the work that all of them wait for.

Without turns, each would plan, push and lose to another: the more writers, the less gets through. Turns are for speed
only. Histories stay whole because the remote takes no commit that is not on top of the last one, and the store
replaces only what was seen there; so a writer may go without a turn if it cannot get one.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

_PATIENCE = 5.0  # seconds to wait for one and the same holder
_FIRST_LOOKS = 0.02  # seconds between two looks of a writer that has just come
_LAST_LOOKS = 0.002  # and of one that has waited long
_BEGUN, _DONE = 8, 16  # where the lock file keeps the numbers of the last work begun and done

Outcome = Literal["at once", "waited", "spared", "not held"]


class Turns:
    """A lock among processes and threads.

    Args:
        path: of the lock file. It holds a word written by whoever has the turn, and counts of the work done together.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hung: bytes | None = None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and keep it until the block ends.

        If a holder keeps it for more than a few seconds (it was stopped, or its network hangs), stop waiting.
        """
        with self._opened() as handle:
            if handle is not None:
                self._acquire(handle)
            yield

    def together(self, work: Callable[[bool], object]) -> None:
        """Run work so that every run serves all who asked for it before that run began.

        Returns once a run that began after this call has ended, no matter whose; an error is only the caller's own.

        Args:
            work: is told whether nobody else was working, so that what the caller looked up before still holds. If not,
                it must start from what is there now, because it also works for others.
        """
        with self._opened() as handle:
            if handle is None:
                work(False)
                return
            asked = _number(handle, _BEGUN)
            outcome = self._acquire(handle, lambda: _number(handle, _DONE) > asked)
            if outcome == "spared":
                return
            if outcome != "waited":
                work(outcome == "at once")
                return
            mine = _number(handle, _BEGUN) + 1
            begun = _note(handle, _BEGUN, struct.pack("<Q", mine))
            work(False)
            if begun:
                _note(handle, _DONE, struct.pack("<Q", mine))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int | None]:
        handle = None
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield handle
        finally:
            if handle is not None:
                os.close(handle)  # which ends the turn

    def _acquire(self, handle: int, spared: Callable[[], bool] = lambda: False) -> Outcome:
        import fcntl  # not on Windows, where this package reads and does not write

        begun = since = time.monotonic()
        holder: bytes | None = None
        outcome: Outcome = "at once"
        while True:
            if spared():
                return "spared"
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if spared():  # the holder may have finished since we looked
                    return "spared"
                _note(handle, 0, secrets.token_bytes(8))
                return outcome
            outcome = "waited"
            now, found = time.monotonic(), os.pread(handle, 8, 0)
            if found == self._hung:
                return "not held"
            if found != holder:
                holder, since = found, now
            elif now - since > _PATIENCE:
                self._hung = found
                return "not held"
            # The longest-waiting writer looks most often, and so comes first.
            pause = max(_LAST_LOOKS, _FIRST_LOOKS / (1 + 10 * (now - begun)))
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


def _note(handle: int, at: int, data: bytes) -> bool:
    """Whether it could be written; a full disk only costs speed."""
    with contextlib.suppress(OSError):
        return os.pwrite(handle, data, at) == len(data)
    return False


def _number(handle: int, at: int) -> int:
    found = os.pread(handle, 8, at)
    return int(struct.unpack("<Q", found)[0]) if len(found) == 8 else 0
