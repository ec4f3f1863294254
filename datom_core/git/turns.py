"""Writers on one machine take turns at a remote.

Without, each of them would plan, push and lose to a neighbour: the more writers, the less gets through. It is about
speed alone. What keeps histories whole is the remote, which takes no commit that is not on top of the last one; so
a turn may be skipped when it cannot be had.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

_PATIENCE = 5.0  # seconds that one and the same holder is waited for
_FIRST_LOOKS = 0.02  # seconds between two looks of one who has just come
_LAST_LOOKS = 0.002  # and of one who has waited for long


class Turns:
    """A lock among processes and threads.

    Args:
        path: of the lock file, which holds a word of the one whose turn it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hung: bytes | None = None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it until the block ends.

        A holder that keeps it for longer than a few seconds (it was stopped, or its network hangs) is not waited for.
        """
        handle = self._open()
        if handle is None:
            yield
            return
        try:
            if self._acquire(handle):
                os.pwrite(handle, secrets.token_bytes(8), 0)
            yield
        finally:
            os.close(handle)

    def _open(self) -> int | None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return None

    def _acquire(self, handle: int) -> bool:
        import fcntl  # not on Windows, where this package reads and does not write

        begun = since = time.monotonic()
        holder = None
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            now, found = time.monotonic(), os.pread(handle, 8, 0)
            if found == self._hung:
                return False
            if found != holder:
                holder, since = found, now
            elif now - since > _PATIENCE:
                self._hung = found
                return False
            # Who has waited longer looks more often, and so comes first.
            pause = max(_LAST_LOOKS, _FIRST_LOOKS / (1 + 10 * (now - begun)))
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
