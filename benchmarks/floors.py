"""What has to happen in any case: the measures that jobs are compared with."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data import hashed_bytes


def encoded(table: pa.Table) -> bytes:
    """The table as a parquet file, with the same options as payloads."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, version="2.4", compression="snappy")
    return bytes(sink.getvalue())


def digester(table: pa.Table) -> Callable[[], object]:
    """SHA-256, on one thread, of as many bytes as the content hash runs over."""
    data = os.urandom(1024) * (hashed_bytes(table) // 1024)
    return lambda: hashlib.sha256(data)


def keeper(table: pa.Table, folder: Path) -> Callable[[], object]:
    """SHA-256 of the parquet file, and the file written and flushed to disk."""
    data, numbers = encoded(table), itertools.count()

    def keep() -> None:
        hashlib.sha256(data)
        with open(folder / f"kept-{next(numbers) % 2}.parquet", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    return keep


def committer(folder: Path, remote: str | None = None, size: int = 0) -> Callable[[], object]:
    """Commit three small files by plumbing, and push them to a bare repository: one fast-import, one push.

    Args:
        folder: where to make the clone and, without a remote, the repository.
        remote: an empty bare repository.
        size: how many bytes longer one of the files is, in lines of random digits.
    """
    clone = folder / "floor-clone.git"
    here = folder / "floor.git"
    for path in [clone] if remote else [here, clone]:
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(path)], check=True)
    numbers, tip, bulk = itertools.count(), [b""], b"\n".join(os.urandom(32).hex().encode() for _ in range(size // 65))

    def commit() -> None:
        number = next(numbers)
        lines = [b"commit refs/heads/main\nmark :1\ncommitter x <x@example.org> 1700000000 +0000\ndata 1\nx\n"]
        lines += [b"from " + tip[0] + b"\n"] if tip[0] else []
        for n in range(3):
            text = f'{{"number": {number}, "file": {n}}}'.encode() * 20 + (bulk if n == 0 else b"")
            lines.append(b"M 100644 inline f%d\ndata %d\n%s\n" % (n, len(text), text))
        lines.append(b"get-mark :1\ndone\n")
        git = ["git", f"--git-dir={clone}"]
        made = subprocess.run([*git, "fast-import", "--quiet", "--done"], input=b"".join(lines), capture_output=True)
        tip[0] = made.stdout.strip()
        push = [*git, "push", "-q", remote or str(here), f"{tip[0].decode()}:refs/heads/main"]
        subprocess.run(push, check=True, capture_output=True)

    return commit
