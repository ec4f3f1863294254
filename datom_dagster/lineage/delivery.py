"""Hand events over within bounded time, whatever is at the other end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Undelivered(Exception):  # noqa: N818 - what came of it, more than a mistake
    """An event was not handed over. Its text has no part of what the other end said, nor of its address."""


class Delivery:
    """Hands events over one after the other.

    An end that did not answer in time is not asked again: each event would wait as long.

    Args:
        emit: hands over an event.
        timeout: seconds that one may take.
    """

    def __init__(self, emit: Callable[[Any], object], timeout: float) -> None:
        self._emit = emit
        self._timeout = timeout
        self._silent = False

    def send(self, event: object) -> None:
        """Hand an event over.

        Raises:
            Undelivered: it was not taken, or not in time.
        """
        if self._silent:
            raise Undelivered(f"it did not answer within {self._timeout:g} s before, and is not asked again")
        failed: list[BaseException] = []

        def work() -> None:
            try:
                self._emit(event)
            except Exception as error:  # noqa: BLE001 - of any library that carries events
                failed.append(error)

        # The libraries' own limits are for each part of a request; a server that sends a byte now and then has none.
        worker = threading.Thread(target=work, daemon=True, name="datom-openlineage")
        worker.start()
        worker.join(self._timeout)
        if worker.is_alive():
            self._silent = True
            raise Undelivered(f"it did not answer within {self._timeout:g} s")
        if failed:
            raise Undelivered(_told(failed[0])) from None


def _told(error: BaseException) -> str:
    """What kind of failure it was. The text of an error may hold an address with a password, or what a server sent."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"{type(error).__name__}" + ("" if status is None else f", HTTP status {status}")
