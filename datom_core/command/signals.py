"""Ctrl-C, and a request to end: the first interrupts the verb in good order, the second ends the process at once."""

from __future__ import annotations

import os
import signal
from typing import Any

_asked: list[int] = []


def heed_signals() -> None:
    """Let both interrupt the verb where it is.

    A second one does not wait for what is still on its way, such as a large upload. Nothing is lost by either: what a
    verb had begun is completed when it runs again.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, _asked_to_end)


def interrupted_code() -> int:
    """The exit code that tells which signal it was, as the shell has it."""
    return 128 + (_asked[0] if _asked else signal.SIGINT)


def _asked_to_end(number: int, frame: Any) -> None:
    if _asked:
        os._exit(interrupted_code())
    _asked.append(number)
    for one in (signal.SIGINT, signal.SIGTERM):
        # The system itself ends the process at the second one: Python would not see it while it waits for a thread.
        if signal.getsignal(one) is _asked_to_end:
            signal.signal(one, signal.SIG_DFL)
    raise KeyboardInterrupt
