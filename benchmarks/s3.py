"""Objects and tables in S3 (moto's server on loopback, with authentication on), against boto3 on the same bytes."""

from __future__ import annotations

import io
import itertools
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

import datom_core as dc
from benchmarks import floors
from benchmarks.local import Study
from benchmarks.measure import Table, Timing, timed
from tests.s3.server import moto

_SIZES = {"one request": 5 * 2**20, "parts": 128 * 2**20}


def objects(folder: Path, to: Table) -> None:
    """`S3Store`'s upload and download against boto3's own transfer."""
    with moto(folder) as server:
        store = server.store(server.bucket())
        for what, size in _SIZES.items():
            _compare(store, f"{size / 2**20:.0f} MiB, {what}", os.urandom(size), to)


def _compare(store: dc.S3Store, what: str, data: bytes, to: Table) -> None:
    """Both sides put to keys that are new each time, and read one object again and again."""
    numbers = itertools.count()
    client: Any = store.client
    theirs = {"Bucket": store.bucket, "Key": "theirs"}
    client.upload_fileobj(io.BytesIO(data), **theirs)
    ours = f"ours/{len(data)}.parquet"
    store.create(ours, data)
    floor = timed(lambda: client.upload_fileobj(io.BytesIO(data), Bucket=store.bucket, Key=f"theirs-{next(numbers)}"))
    create = timed(lambda: store.create(f"ours/{next(numbers)}.parquet", data))
    to.add(f"S3Store.create, {what}", create, "boto3 upload_fileobj", floor)
    floor = timed(lambda: client.download_fileobj(**theirs, Fileobj=io.BytesIO()))
    to.add(f"S3Store.get, {what}", timed(lambda: store.get(ours)), "boto3 download_fileobj", floor)


def writing(table: pa.Table, folder: Path, to: Table, hashed: Timing) -> None:
    """A new version and an unchanged write of a project in a bucket."""
    with moto(folder) as server:
        store = server.store(server.bucket(), "study")
        study, size, numbers = Study(folder, store), f"{table.num_rows:,} rows", itertools.count(1)
        data = floors.encoded(table)
        client: Any = store.client

        def put() -> None:
            client.put_object(Bucket=store.bucket, Key=f"floor-{next(numbers)}", Body=data)

        one, encode = timed(put), floors.encode(table)
        both = Timing(encode.wall + 1.2 * one.wall, encode.cpu + one.cpu)
        study.project.write("lb", table)
        new = timed(lambda: study.project.write("lb", table.slice(next(numbers))))
        to.add(f"new version, S3, {size}", new, "encode + 1.2 PUT", both, 1.1, f"one PUT {one.wall * 1e3:.0f} ms")
        study.project.write("lb", table)
        same = timed(lambda: study.project.write("lb", table))
        to.add(f"unchanged write, S3, {size}", same, "hash", hashed, 1.1)
        reader = study.project.reader

        def get() -> None:
            client.get_object(Bucket=store.bucket, Key="floor-1")["Body"].read()

        to.add(f"read, S3, {size}", timed(lambda: reader.read_arrow("lb")), "GET of the same bytes", timed(get))
