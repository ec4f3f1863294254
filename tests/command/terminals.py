"""A terminal of its own for the command: what it shows, with keys that are typed into it.

The command runs in a process that was forked from one that has everything loaded: the terminal, its signals and the
exit code are real, and a run costs a twentieth of a new Python's start.
"""

from __future__ import annotations

import fcntl
import io
import multiprocessing
import os
import re
import struct
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE, wait_until

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_COMMAND = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LOADED = [
    "datom_core.command.app",
    "datom_core.command.progress",
    "datom_core.comparing",
    "datom_core.project",
    "rich.table",
    "pandas",
    "pyarrow.parquet",
]


@dataclass(frozen=True)
class Screen:
    """What came of a run.

    Attributes:
        code: the exit code.
        shown: all that the terminal was told.
        piped: what went to standard output, if that was no terminal.
    """

    code: int | None
    shown: str
    piped: str

    @property
    def coloured(self) -> bool:
        return _STYLE.search(self.shown) is not None

    @property
    def lines(self) -> list[str]:
        """As a person reads them: what was written over is gone."""
        return [line.rpartition("\r")[2] for line in _COMMAND.sub("", self.shown).split("\n")[:-1]]


def in_terminal(
    *arguments: str,
    width: int = 80,
    height: int = 50,
    variables: Mapping[str, str] | None = None,
    typed: Sequence[tuple[str, str]] = (),
    pipe: bool = False,
) -> Screen:
    """Run the command in the working folder, in a terminal.

    Args:
        *arguments: of the command.
        width, height: of the terminal.
        variables: of the environment, beside those of the process; a pager that waits for no key is set.
        typed: texts to wait for, each with the keys that are then typed.
        pipe: standard output is a pipe; the rest stays the terminal.
    """
    terminal, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    out = Path(os.devnull) if not pipe else Path("cache", "piped")
    out.parent.mkdir(exist_ok=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    # The size is that of this terminal; a worker of pytest-xdist says that of its own.
    around = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment = {**around, "TERM": "xterm-256color", "PAGER": "cat", **(variables or {})}
    process = context.Process(
        target=_run, args=(os.ttyname(inside), str(out) if pipe else None, list(arguments), environment, os.getcwd())
    )
    seen = io.BytesIO()
    reading = threading.Thread(target=_read, args=(terminal, seen), daemon=True)
    reading.start()
    process.start()
    for text, keys in typed:
        wait_until(lambda text=text: text in seen.getvalue().decode(errors="replace") or not process.is_alive())  # type: ignore[misc]
        os.write(terminal, keys.encode())
    process.join(PATIENCE)
    os.close(inside)
    reading.join(PATIENCE)
    os.close(terminal)
    shown = seen.getvalue().decode().replace("\r\n", "\n")
    return Screen(process.exitcode, shown, out.read_text() if pipe else "")


def _read(terminal: int, seen: io.BytesIO) -> None:
    try:
        while data := os.read(terminal, 65536):
            seen.write(data)
    except OSError:  # as Linux has it, once nobody holds the other side
        pass


def _run(terminal: str, out: str | None, arguments: list[str], environment: dict[str, str], folder: str) -> None:
    os.setsid()
    inside = os.open(terminal, os.O_RDWR)
    fcntl.ioctl(inside, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(inside, number)
    if out is not None:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    from datom_core.command import main

    main(arguments)
