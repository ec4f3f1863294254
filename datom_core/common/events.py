"""Report what is done to a project as it happens: a log line per effect, and a `ProjectEvent` for each subscriber.

Every effect is logged by the module that has it, below the logger ``datom_core``: what changes bytes somewhere at
debug, a commit and a written table at info, what is tried again at warning. A record's ``datom`` has the same facts.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, ParamSpec, TypeVar

#: What an event is about: a payload that was stored, a commit that was pushed, storage that was brought level, a table
#: that was written, an attempt that is repeated.
EventName = Literal["payload", "commit", "projection", "write", "retry"]

_LEVELS = {"write": logging.INFO, "commit": logging.INFO, "retry": logging.WARNING}

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class ProjectEvent:
    """Something that was done to a project.

    Attributes:
        name: ``payload``, ``commit``, ``projection``, ``write`` or ``retry``.
        project: its name.
        table, version: of a write; the table of a payload.
        commit: the commit that was pushed.
        action: of a write, as in `WriteResult`.
        attempt: which try it was, from 1.
        bytes: that were put, or that the payload of a write has.
        seconds: that it took.
        cause: of a retry.
    """

    name: EventName
    project: str
    table: str | None = None
    version: str | None = None
    commit: str | None = None
    action: str | None = None
    attempt: int = 1
    bytes: int | None = None
    seconds: float | None = None
    cause: str | None = None

    def __str__(self) -> str:
        short = {"version": self.version and self.version[:8], "commit": self.commit and self.commit[:8]}
        facts = {**asdict(self), **short, "seconds": None}
        said = " ".join(f"{k}={v}" for k, v in facts.items() if v is not None and k not in ("name", "cause"))
        took = f" ms={self.seconds * 1000:.0f}" if self.seconds is not None else ""
        return f"{self.name} {said}{took}" + (f": {self.cause}" if self.cause is not None else "")


Subscriber = Callable[[ProjectEvent], None]


class ProjectEvents:
    """Reports what is done to a project, for metrics or another log.

    Args:
        project: its name.
        log: where each event is logged, too.
    """

    def __init__(self, project: str, log: logging.Logger) -> None:
        self._project = project
        self._log = log
        self._subscribers: list[Subscriber] = []
        self._lock = threading.Lock()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` with each `ProjectEvent` from now on, from the thread that has the effect.

        If it raises, the error is logged and the write goes on.

        Returns:
            A function that ends the subscription.
        """
        with self._lock:
            self._subscribers = [*self._subscribers, subscriber]

        def end() -> None:
            with self._lock:
                self._subscribers = [s for s in self._subscribers if s is not subscriber]

        return end

    def tell(self, name: EventName, **facts: Any) -> None:
        """Report an event."""
        event = ProjectEvent(name, self._project, **facts)
        level = _LEVELS.get(name, logging.DEBUG)
        if self._log.isEnabledFor(level):
            self._log.log(level, "%s", event, extra={"datom": asdict(event)})
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:  # noqa: BLE001 - a subscriber's error is no reason for a write to fail
                self._log.exception("A subscriber of %s's events failed.", self._project)

    @contextlib.contextmanager
    def timed(self, name: EventName, **facts: Any) -> Iterator[dict[str, Any]]:
        """Report what the block did, unless it fails; the block adds the facts that it learns to the mapping."""
        begun = time.monotonic()
        yield facts
        self.tell(name, **facts, seconds=time.monotonic() - begun)


def logged(log: logging.Logger) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a store's method log each change of an object: what, where, how many bytes, how long, with what result."""

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(method)
        def effect(*args: P.args, **options: P.kwargs) -> T:
            if not log.isEnabledFor(logging.DEBUG):
                return method(*args, **options)
            begun = time.monotonic()
            outcome = "failed"
            try:
                result = method(*args, **options)
                outcome = "done" if result is not False else "is there already"
                return result
            finally:
                _log_effect(log, method.__name__, args, outcome, time.monotonic() - begun)

        return effect

    return decorate


def _log_effect(log: logging.Logger, verb: str, args: tuple[Any, ...], outcome: str, seconds: float) -> None:
    store, key, *rest = args
    size = memoryview(rest[0]).nbytes if rest else None
    facts = {"effect": verb, "location": str(store.location), "key": key, "bytes": size, "seconds": seconds}
    said = "" if size is None else f" bytes={size}"
    log.debug(
        "%s %s in %s%s ms=%.0f: %s", verb, key, facts["location"], said, seconds * 1000, outcome, extra={"datom": facts}
    )
