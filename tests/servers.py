"""Servers on loopback and a free port, as processes of their own or in threads of this one, ended with the test run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import socketserver
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.patience import PATIENCE, wait_until

_GRACE = 5  # seconds in which a server may end by itself; it is killed otherwise, which no test minds
Server = TypeVar("Server", bound=socketserver.BaseServer)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server at work in a thread of this process; it is closed afterwards."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def started(
    command: list[str], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process group of its own, with its output in ``log``. Nothing of the group stays."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=env, cwd=cwd, start_new_session=True)
        try:
            yield process
        finally:
            _end(process)


@contextmanager
def running(
    command: list[str], url: str, log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`started`, once ``url`` answers."""
    with started(command, log, env=env, cwd=cwd) as process:
        _wait_for(url, process, log)
        yield process


def _end(process: subprocess.Popen[bytes]) -> None:
    # Asked first; then whatever did not heed that, or was left behind by its parent, is made to.
    for by, seconds in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, PATIENCE)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return True
        except urllib.error.HTTPError:
            return True  # it answers, if only to say no
        except (urllib.error.URLError, OSError):
            return False

    wait_until(answers, log.read_text)
