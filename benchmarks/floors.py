"""What has to happen whoever does it: the measures that jobs are compared with."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data import hashed_bytes
from benchmarks.measure import Timing, timed


def encoded(table: pa.Table) -> bytes:
    """The table as a parquet file, with the options that payloads have."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, version="2.4", compression="snappy")
    return bytes(sink.getvalue())


def sha256(table: pa.Table) -> Timing:
    """SHA-256, on one thread, of as many bytes as the content hash runs over."""
    data = os.urandom(1024) * (hashed_bytes(table) // 1024)
    return timed(lambda: hashlib.sha256(data))


def encode(table: pa.Table) -> Timing:
    return timed(lambda: encoded(table))


def git_commit(folder: Path, files: int = 3) -> Timing:
    """Commit three small files by plumbing, and push them to a bare repository: one fast-import, one push."""
    remote, clone = folder / "floor.git", folder / "floor-clone.git"
    for path in (remote, clone):
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(path)], check=True)
    numbers, tip = itertools.count(), [b""]

    def commit() -> None:
        number = next(numbers)
        lines = [b"commit refs/heads/main\nmark :1\ncommitter x <x@example.org> 1700000000 +0000\ndata 1\nx\n"]
        lines += [b"from " + tip[0] + b"\n"] if tip[0] else []
        for n in range(files):
            text = f'{{"number": {number}, "file": {n}}}'.encode() * 20
            lines.append(b"M 100644 inline f%d\ndata %d\n%s\n" % (n, len(text), text))
        lines.append(b"get-mark :1\ndone\n")
        git = ["git", f"--git-dir={clone}"]
        made = subprocess.run([*git, "fast-import", "--quiet", "--done"], input=b"".join(lines), capture_output=True)
        tip[0] = made.stdout.strip()
        push = [*git, "push", "-q", str(remote), f"{tip[0].decode()}:refs/heads/main"]
        subprocess.run(push, check=True, capture_output=True)

    return timed(commit)
