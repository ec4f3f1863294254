"""Files that are read by several processes at once, or by none: named pipes that are filled when all are open."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.patience import PATIENCE


@contextmanager
def filled_at_once(folder: Path, contents: Mapping[str, str]) -> Iterator[None]:
    """Pipes below ``folder`` that give their readers nothing until each has one: the readers are there together.

    Raises:
        AssertionError: at the end, names the pipes that nobody opened while another reader waited.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in contents:
        os.mkfifo(folder / name)
    stop, missing = threading.Event(), set(contents)

    def fill() -> None:
        ends: dict[str, int] = {}
        deadline = time.monotonic() + PATIENCE
        while missing and time.monotonic() < deadline and not stop.wait(0.01):
            for name in sorted(missing):
                end = _open(folder / name)
                if end is not None:
                    ends[name] = end
                    missing.discard(name)
        for name, end in ends.items():
            # Readers that wait in vain find an empty file.
            if not missing:
                os.write(end, contents[name].encode())
            os.close(end)

    filler = threading.Thread(target=fill)
    filler.start()
    try:
        yield
    finally:
        stop.set()
        filler.join()
        for name in contents:
            (folder / name).unlink()
    assert not missing, f"Nobody read {sorted(missing)} while others waited for them."


def _open(pipe: Path) -> int | None:
    """The writer's end, once somebody reads."""
    try:
        end = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None
    os.set_blocking(end, True)
    return end
