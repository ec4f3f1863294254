"""Sees all that anybody could see of a run, and tells where a secret shows."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pytest

from tests.github.conftest import logged, told_by
from tests.s3.server import S3Server

T = TypeVar("T")


class Witness:
    """What is kept of a run, to be searched.

    Args:
        secrets: name -> secret.
        folder: everything on disk: caches, repositories, stores, git's configuration.
        s3, buckets: every object there.
    """

    def __init__(self, secrets: dict[str, str], folder: Path, s3: S3Server, buckets: Iterable[str]) -> None:
        self.secrets = secrets
        self.folder = folder
        self.s3 = s3
        self.buckets = tuple(buckets)
        self.commands: set[bytes] = set()
        self._said: list[str] = []

    def sees(self, value: T) -> T:
        """Keep what a value shows."""
        self._said.append(f"{value!r} {value}")
        return value

    def hears(self, error: BaseException) -> str:
        """Keep what an error shows."""
        self._said.append(told_by(error))
        return str(error)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the arguments of all processes, many times a second."""
        done = threading.Event()

        def watch() -> None:
            looked: dict[str, int] = {}
            while not done.wait(0.02):
                # A process becomes another program soon after it has begun, or never.
                looked = {process: looked.get(process, 0) + 1 for process in filter(str.isdigit, os.listdir("/proc"))}
                for process in (process for process, times in looked.items() if times <= 10):
                    with suppress(OSError):  # it has ended by now
                        self.commands.add(Path("/proc", process, "cmdline").read_bytes())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def places(self, caplog: pytest.LogCaptureFixture, printed: str) -> Iterator[tuple[str, bytes]]:
        """Every place that was looked at, with its contents."""
        yield "logs", logged(caplog).encode()
        yield "reprs and errors", "\n".join(self._said).encode()
        yield "output", printed.encode()
        yield "arguments", b"\n".join(self.commands)
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            yield f"file {path.relative_to(self.folder)}", path.read_bytes()
        for repository in [self.folder, *(head.parent for head in self.folder.rglob("HEAD"))]:
            shown = subprocess.run(["git", "config", "--list"], cwd=repository, capture_output=True, check=True)
            yield f"configuration in {repository.relative_to(self.folder)}", shown.stdout
        for bucket in self.buckets:
            for listed in self.s3.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                stored = self.s3.s3.get_object(Bucket=bucket, Key=listed["Key"])
                yield f"object {listed['Key']}", f"{stored['Metadata']}".encode() + stored["Body"].read()

    def shown(self, caplog: pytest.LogCaptureFixture, printed: str) -> list[str]:
        """Where which secret shows, as it is or as it travels."""
        spelt = {form: name for name, secret in self.secrets.items() for form in _spellings(secret)}
        return [
            f"{name} in {place}"
            for place, content in self.places(caplog, printed)
            for name in sorted({name for form, name in spelt.items() if form in content})
        ]


def _spellings(secret: str) -> set[bytes]:
    login = base64.b64encode(f"git:{secret}".encode())
    return {secret.encode(), quote(secret, safe="").encode(), base64.b64encode(secret.encode()), login}
