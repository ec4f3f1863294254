"""How long tests wait for what must happen. No test passes or fails by how fast the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds after which a test takes a wait for a hang; the slowest machine under the heaviest load needs less.
PATIENCE = 600


def wait_until(happened: Callable[[], object], otherwise: Callable[[], str] = str, *, every: float = 0.02) -> None:
    """Wait until something has happened.

    Args:
        happened: is asked every ``every`` seconds.
        otherwise: what to say when it never does.
    """
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(every)
