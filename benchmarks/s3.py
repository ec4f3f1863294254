"""Objects and tables in S3 (moto's server on loopback, with authentication), against boto3 on the same bytes."""

from __future__ import annotations

import io
import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

import datom_core as dc
from benchmarks import floors
from benchmarks.data import small
from benchmarks.local import Study
from benchmarks.measure import Table, Timing, alternating, timed
from tests.s3.server import moto

_SIZES = {"one request": 5 * 2**20, "parts": 128 * 2**20}
_FAR = 0.15  # seconds added to each answer when round trips are counted


class Requests:
    """The requests that a store sends to its server.

    Attributes:
        names: operations, in the order they were sent.
    """

    def __init__(self, store: dc.S3Store) -> None:
        self.names: list[str] = []
        self.delay = 0.0
        store.client.meta.events.register("before-send.s3", self._sent)

    def _sent(self, event_name: str, **_: Any) -> None:
        self.names.append(event_name.rpartition(".")[2])
        time.sleep(self.delay)

    @contextmanager
    def slow(self) -> Iterator[None]:
        self.delay = _FAR
        yield
        self.delay = 0.0

    def told(self, action: Callable[[], object]) -> str:
        """How many requests an action sends, and how many in sequence, judged by its time when each request is slow."""
        self.names.clear()
        begun = time.perf_counter()
        action()
        near, sent = time.perf_counter() - begun, len(self.names)
        with self.slow():
            begun = time.perf_counter()
            action()
            far = time.perf_counter() - begun
        return f"{sent} requests, {round((far - near) / _FAR)} one after the other"


def objects(folder: Path, to: Table) -> None:
    """`S3Store`'s upload and download against boto3's own transfer."""
    with moto(folder) as server:
        store = server.store(server.bucket())
        for what, size in _SIZES.items():
            _compare(store, f"{size / 2**20:.0f} MiB, {what}", os.urandom(size), to)


def _compare(store: dc.S3Store, what: str, data: bytes, to: Table) -> None:
    """Both sides put to new keys each time, and read one object again and again."""
    numbers = itertools.count()
    client: Any = store.client
    theirs = {"Bucket": store.bucket, "Key": "theirs"}
    client.upload_fileobj(io.BytesIO(data), **theirs)
    ours = f"ours/{len(data)}.parquet"
    store.create(ours, data)
    up, create, down, get = alternating(
        lambda: client.upload_fileobj(io.BytesIO(data), Bucket=store.bucket, Key=f"theirs-{next(numbers)}"),
        lambda: store.create(f"ours/{next(numbers)}.parquet", data),
        lambda: client.download_fileobj(**theirs, Fileobj=io.BytesIO()),
        lambda: store.get(ours),
    )
    to.add(f"S3Store.create, {what}", create, "boto3 upload_fileobj", up)
    to.add(f"S3Store.get, {what}", get, "boto3 download_fileobj", down)


def writing(table: pa.Table, folder: Path, to: Table) -> None:
    """Writes and reads of a project in a bucket."""
    with moto(folder) as server:
        store = server.store(server.bucket(), "study")
        (folder / "disk").mkdir()
        study, near = Study(folder, store), Study(folder / "disk")
        plain, size, numbers = study.opened(memo=False), f"{table.num_rows:,} rows", itertools.count(1)
        data, client, reader = floors.encoded(table), store.client, study.project.reader
        requests = Requests(store)

        def put() -> None:
            client.put_object(Bucket=store.bucket, Key=f"floor-{next(numbers)}", Body=data)

        for project in (study.project, near.project):
            project.write("same", table)
            project.write("lb", table)
        study.project.write("same", table)
        one, local, new, hashed, same, again, get, read = alternating(
            put,
            lambda: near.project.write("lb", table.slice(next(numbers))),
            lambda: study.project.write("lb", table.slice(next(numbers))),
            lambda: dc.hash_table(table),
            lambda: plain.write("same", table),
            lambda: study.project.write("same", table),
            lambda: client.get_object(Bucket=store.bucket, Key="floor-1")["Body"].read(),
            lambda: reader.read_arrow("lb"),
        )
        told = requests.told(lambda: study.project.write("lb", table.slice(next(numbers))))
        to.add(f"new version, S3, {size}", new, "local + 1.2 PUT", local + one.times(1.2), 1.0, told)
        told = requests.told(lambda: plain.write("same", table))
        to.add(f"unchanged write, S3, {size}", same, "hash", hashed, 1.1, told)
        to.add(f"unchanged again, S3, {size}", again, "hash", hashed, 0.4)
        to.add(
            f"read, S3, {size}", read, "GET of the same bytes", get, note=requests.told(lambda: reader.read_arrow("lb"))
        )
        _listing(study, requests, to)
        _editor(study, to)


def _listing(study: Study, requests: Requests, to: Table) -> None:
    study.project.write_all({f"t{n}": small(n) for n in range(20)})
    reader, client = dc.ProjectReader.open(study.store), study.store.client  # type: ignore[attr-defined]
    where = {"Bucket": study.store.location.root, "Key": "study/datom/.metadata/manifest.json"}
    one, listed = alternating(lambda: client.get_object(**where)["Body"].read(), reader.list)
    to.add("list the tables, S3", listed, "GET of the manifest", one, note=requests.told(reader.list))
    told = requests.told(lambda: reader.history("lb"))
    to.add("history of a table, S3", timed(lambda: reader.history("lb")), "GET of the manifest", one, note=told)
    numbers = itertools.count(10**6)
    write = timed(lambda: study.project.write("t1", small(next(numbers))))
    told = requests.told(lambda: study.project.write("t1", small(next(numbers))))
    to.add("new version of 100 rows, S3", write, "GET of the manifest", one, note=told)


def _editor(study: Study, to: Table) -> None:
    study.project.mirror()
    deep, full = alternating(lambda: study.project.validate("deep"), lambda: study.project.validate("full"))
    to.add("validate in full, S3", full, "validate deep", deep)
    begun = time.perf_counter()
    dc.migrate(study.opened(), dc.LocalStore(study.folder / "moved"))
    took = Timing(time.perf_counter() - begun)
    size = sum(info.size for info in dc.LocalStore(study.folder / "moved").list())
    to.add("migrate from S3 to a disk, verified", took, "validate in full", full, note=f"{size / 1e6:.0f} MB, once")
