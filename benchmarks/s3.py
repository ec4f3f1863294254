"""Upload and download through `S3Store`, against boto3's own transfer of the same bytes in the same run."""

from __future__ import annotations

import io
import itertools
import os
import tempfile
from pathlib import Path
from typing import Any

import datom_core as dc
from benchmarks.timing import median, row
from tests.s3.server import moto

_SIZES = {"one request": 5 * 2**20, "parts": 128 * 2**20}


def main() -> None:
    print("\nS3: moto's server on loopback, with authentication on\n")
    with tempfile.TemporaryDirectory() as folder, moto(Path(folder)) as server:
        store = server.store(server.bucket())
        for what, size in _SIZES.items():
            _compare(store, what, os.urandom(size))


def _compare(store: dc.S3Store, what: str, data: bytes) -> None:
    """Both sides put to keys that are new each time, and read one object again and again."""
    numbers = itertools.count()
    client: Any = store.client
    theirs = {"Bucket": store.bucket, "Key": "theirs"}
    client.upload_fileobj(io.BytesIO(data), **theirs)
    ours = f"ours/{len(data)}.parquet"
    store.create(ours, data)

    def put() -> None:
        client.upload_fileobj(io.BytesIO(data), Bucket=store.bucket, Key=f"theirs-{next(numbers)}")

    name = f"{len(data) / 2**20:.0f} MiB, {what}"
    floor = median(put)
    row(f"boto3 upload_fileobj, {name}", floor, floor, len(data))
    create = median(lambda: store.create(f"ours/{next(numbers)}.parquet", data))
    row("S3Store.create, with SHA-256 and condition", create, floor, len(data))
    floor = median(lambda: client.download_fileobj(**theirs, Fileobj=io.BytesIO()))
    row(f"boto3 download_fileobj, {name}", floor, floor, len(data))
    row("S3Store.get, hashed while it arrives", median(lambda: store.get(ours)), floor, len(data))
    print()
