"""How far long work has come: reported to whoever asked, and displayed by the caller."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a long operation has come.

    Attributes:
        what: the step, such as ``hash``, ``upload``, ``download`` or ``payloads``.
        objects, bytes: done so far. The objects of a hash are columns, those of a transfer parts.
        total_objects, total_bytes: to be done in this step.
        key: what was done last.
    """

    what: str
    objects: int
    total_objects: int
    bytes: int
    total_bytes: int
    key: str = ""


#: Called after each object that is done, from one thread at a time.
OnProgress = Callable[[Progress], None]

_WATCHER: ContextVar[OnProgress | None] = ContextVar("datom_progress", default=None)


@contextlib.contextmanager
def watching(on_progress: OnProgress) -> Iterator[None]:
    """Report to ``on_progress`` how far long work inside the block has come.

    That is the hash of a large table, the upload and download of a large object, and what `migrate`,
    `Project.validate` and `Project.decommission` work through, unless they are given their own callback. An error of
    ``on_progress`` aborts the work, as if the process had ended there.

    ```python
    with dc.watching(lambda p: print(f"{p.what}: {p.bytes} of {p.total_bytes} bytes")):
        project.write("lb", frame)
    ```
    """
    one_at_a_time = threading.Lock()

    def told(progress: Progress) -> None:
        with one_at_a_time:
            on_progress(progress)

    token = _WATCHER.set(told)
    try:
        yield
    finally:
        _WATCHER.reset(token)


def watcher() -> OnProgress:
    """The callback that watches this thread's work, or one that does nothing."""
    return _WATCHER.get() or (lambda progress: None)
