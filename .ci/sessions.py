"""Run the terminal sessions of the docs as a reader would: in an empty folder, with the study that the page names.

A session is a block ```console; a line that begins with "$ " is a command, what follows is what it says.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from datom_core.command.run import run
from example_project import small_study

BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```)", re.MULTILINE | re.DOTALL)
#: The same on the study of `make demo`, which must be there.
DEMO = re.compile(r"(?<=^```console demo\n)(.*?)(?=^```)", re.MULTILINE | re.DOTALL)
_HOME = "/home/ada"
# What differs from run to run: ids of commits, and the time. Ids of versions are compared where they come back.
_VARIES = [(re.compile(r"\b[0-9a-f]{8,64}\b"), "#"), (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?"), "@")]


def played(text: str) -> str:
    """A page with its sessions as they go now; a session that differs only in what varies stays as it is."""
    if not BLOCK.search(text):
        return text
    with study_folder(text) as folder:
        return BLOCK.sub(lambda block: _session(block[0], folder), text)


def played_in(text: str, folder: Path, lines: int, blocks: re.Pattern[str] = BLOCK) -> str:
    """A page with its sessions as they go in a folder that is there already, the first lines of each answer."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return blocks.sub(lambda block: _session(block[0], folder.resolve(), lines), text)
    finally:
        os.chdir(before)


def same(told: str, said: str) -> bool:
    """Whether two sessions differ only in what varies."""
    return _masked(told) == _masked(said)


@contextlib.contextmanager
def study_folder(text: str) -> Iterator[Path]:
    """An empty folder to be in, with the small study if the page tells its reader to make it."""
    before, environment = Path.cwd(), dict(os.environ)
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as contexts:
        folder = Path(place, "work").resolve()
        folder.mkdir()
        config = Path(place, "gitconfig")
        config.write_text("[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n")
        os.environ |= {
            "XDG_CACHE_HOME": str(Path(place, "cache")),
            "GIT_CONFIG_GLOBAL": str(config),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        }
        for variable in ("DATOM_PROJECT", "DATOM_REGISTER", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
            os.environ.pop(variable, None)
        os.chdir(folder)
        try:
            # What is written names the machine that writes it.
            contexts.enter_context(patch("datom_core.writing.machine.socket.gethostname", return_value="laptop"))
            contexts.enter_context(patch("datom_core.writing.machine._user", return_value="ada"))
            if "`python -m example_project.small_study`" in text:
                small_study.make(Path())
            yield folder
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ |= environment


def said(line: str) -> str:
    """What a command says on both outputs, as a terminal without an edge shows it."""
    words = shlex.split(line)
    if words[0] != "datom" or {"|", ">", "&&", "||", ";"} & set(words):
        done = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout
    screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        run(words[1:])
    screen.flush()
    text = screen.buffer.getvalue().decode()  # type: ignore[attr-defined]
    return text if not text or text.endswith("\n") else text + "\n"


def _session(told: str, folder: Path, lines: int | None = None) -> str:
    commands = [line for line in told.splitlines() if line.startswith(("$ ", "# "))]
    parts = [f"{c}\n" if c.startswith("# ") else f"{c}\n{_shortened(said(c[2:]), lines)}" for c in commands]
    now = "".join(parts).replace(str(folder), _HOME)
    return told if same(told, now) else now


def _shortened(text: str, lines: int | None) -> str:
    every = text.splitlines(keepends=True)
    return text if lines is None or len(every) <= lines else "".join([*every[: lines - 2], "...\n", every[-1]])


def _masked(text: str) -> str:
    for pattern, mask in _VARIES:
        text = pattern.sub(mask, text)
    return text
