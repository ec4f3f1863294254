"""Where a scenario happens: a store and a remote, told in plain values so that processes can be given it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import datom_core as dc
from tests.git_http import bare_repository, served
from tests.s3.server import moto

PROJECT = "STUDY_001"


@dataclass(frozen=True)
class Place:
    """A project's place.

    Attributes:
        name: for the table.
        folder: of everything.
        remote: URL of the repository, which lies in ``folder / "study.git"``.
        bucket, endpoint, access_key, secret_key: of a store on S3; a folder without.
    """

    name: str
    folder: Path
    remote: str
    bucket: str | None = None
    endpoint: str | None = None
    access_key: str = ""
    secret_key: str = ""

    @property
    def repository(self) -> Path:
        return self.folder / "served" / "study.git"

    def store(self) -> dc.ObjectStore:
        if self.bucket is None:
            return dc.LocalStore(self.folder / "store")
        credentials = dc.Credentials(self.access_key, self.secret_key)
        return dc.S3Store(self.bucket, credentials=credentials, endpoint_url=self.endpoint)

    def init(self) -> dc.Project:
        return dc.Project.init(PROJECT, self.store(), remote=self.remote, author="Lead <lead@example.org>")

    def open(self, author: str = "Lead <lead@example.org>") -> dc.Project:
        return dc.Project.open(self.store(), remote=self.remote, author=author)

    def reader(self) -> dc.ProjectReader:
        return dc.ProjectReader.open(self.store(), PROJECT)


@contextlib.contextmanager
def place(folder: Path, *, http: bool = False, s3: bool = False) -> Iterator[Place]:
    """A new place; its servers on loopback end with the block."""
    with contextlib.ExitStack() as stack:
        repository = folder / "served" / "study.git"
        bare_repository(repository, "main")
        remote = str(repository)
        if http:
            server = stack.enter_context(served(folder / "served"))
            remote = server.url("study.git")
        name = f"{'http' if http else 'file'} + {'S3' if s3 else 'local'}"
        if not s3:
            yield Place(name, folder, remote)
            return
        bucket = stack.enter_context(moto(folder))
        keys = bucket.owner
        yield Place(name, folder, remote, bucket.bucket(), bucket.endpoint, keys.access_key, keys.secret_key.reveal())
