"""Jobs of writers and readers, on a disk."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import datom_core as dc
from benchmarks import floors
from benchmarks.measure import Table, Timing, alternating, timed


class Study:
    """A project on a disk, with a remote on the same disk.

    Args:
        folder: an empty one.
        store: elsewhere than on the disk.
    """

    def __init__(self, folder: Path, store: dc.ObjectStore | None = None) -> None:
        self.folder = folder
        self.store = store or dc.LocalStore(folder / "store")
        self.project = dc.Project.init(
            "BENCH", self.store, remote=folder / "study.git", cache_dir=folder / "cache", author="B <b@example.org>"
        )


def hashing(table: pa.Table, to: Table) -> Timing:
    """The content hash; its time is what an unchanged write is compared with."""
    size = f"{table.num_rows:,} rows"
    hashed = timed(lambda: dc.hash_table(table))
    to.add(f"hash, {size}", hashed, "SHA-256 of as many bytes", floors.sha256(table), 1.3)
    return hashed


def writing(table: pa.Table, folder: Path, to: Table, hashed: Timing) -> None:
    """A new version, the same again, and other metadata for the same data."""
    study, size = Study(folder), f"{table.num_rows:,} rows"
    encode, commit = floors.encode(table), floors.git_commit(folder)
    appended = pa.concat_tables([table, table.slice(0, table.num_rows // 20)])
    rows, reasons = itertools.count(table.num_rows), itertools.count()
    study.project.write("lb", table)
    to.add(
        f"new version, local, {size}",
        timed(lambda: study.project.write("lb", appended.slice(0, next(rows)))),
        "parquet encode",
        encode,
        1.1,
        f"commit and push alone {commit.wall * 1e3:.0f} ms",
    )
    study.project.write("lb", table)
    to.add(f"unchanged write, {size}", timed(lambda: study.project.write("lb", table)), "hash", hashed, 1.1)
    to.add(
        f"metadata only, {size}",
        timed(lambda: study.project.write("lb", table, custom={"reason": f"n{next(reasons)}"})),
        "hash",
        hashed,
    )


def cut_of_four(table: pa.Table, folder: Path, to: Table) -> None:
    """Four tables in one commit, of which one is large, as in a study."""
    study, numbers = Study(folder), itertools.count()

    def version() -> dict[str, pa.Table]:
        n = next(numbers)
        part = table.num_rows // 50
        return {"lb": table.slice(n), **{t: table.slice(n, part) for t in ("dm", "ex", "ae")}}

    single = timed(lambda: study.project.write("lb", version()["lb"]))
    whole = timed(lambda: study.project.cut(f"c{next(numbers)}", version()))
    to.add(f"cut of four tables, {table.num_rows:,} rows", whole, "its largest table alone", single, 1.3)


def reading(table: pa.Table, folder: Path, to: Table) -> None:
    """The current version whole and in part, an old one, and as pandas; each against pyarrow on the same bytes."""
    study, size = Study(folder), f"{table.num_rows:,} rows"
    first = study.project.write("lb", table)
    study.project.write("lb", table.slice(1))
    reader = study.project.reader
    data = floors.encoded(table)
    path = folder / "floor.parquet"
    path.write_bytes(data)
    columns = ["LBSEQ", "LBTESTCD"]
    plain, whole, old, two, dictionaries = alternating(
        lambda: pq.read_table(path),
        lambda: reader.read_arrow("lb"),
        lambda: reader.read_arrow("lb", first.version),
        lambda: reader.read_arrow("lb", columns=columns),
        lambda: reader.read_arrow("lb", dictionaries=True),
    )
    to.add(f"read to Arrow, verified, {size}", whole, "pq.read_table", plain, 1.05)
    to.add(f"read an old version, {size}", old, "pq.read_table", plain, 1.05)
    to.add(f"read two of eleven columns, {size}", two, "pq.read_table", plain, 0.3)
    to.add(f"read to Arrow with dictionaries, {size}", dictionaries, "pq.read_table", plain, 0.35)
    plain, frames, categories = alternating(
        lambda: pq.read_table(path).to_pandas(),
        lambda: reader.read("lb"),
        lambda: reader.read("lb", categories=True),
    )
    to.add(f"read to pandas, {size}", frames, "pq.read_table().to_pandas()", plain, 1.05)
    to.add(f"read to pandas as categories, {size}", categories, "pq.read_table().to_pandas()", plain, 0.6)


def small_jobs(folder: Path, to: Table) -> None:
    """Opening a project, cold and warm, and a project's report on itself."""
    study = Study(folder)
    study.project.write("dm", pa.table({"USUBJID": ["01-001"]}))
    caches = itertools.count()
    commit = floors.git_commit(folder)

    def opened(cache: str) -> None:
        dc.Project.open(study.store, remote=folder / "study.git", cache_dir=folder / cache).status()

    to.add("open and status, warm cache", timed(lambda: opened("cache")), "commit and push", commit)
    to.add("open and status, cold cache", timed(lambda: opened(f"cold-{next(caches)}")), "commit and push", commit)


def upkeep(table: pa.Table, folder: Path, to: Table) -> None:
    """Validation of every byte, and a move."""
    study, numbers = Study(folder), itertools.count()
    for n in range(4):
        study.project.write("lb", table.slice(n))
    payloads = list((folder / "store").rglob("*.parquet"))

    def hash_all() -> None:
        import hashlib

        for payload in payloads:
            hashlib.sha256(payload.read_bytes())

    def copy_all() -> None:
        for payload in payloads:
            io.BytesIO(payload.read_bytes())
            (folder / "copy").write_bytes(payload.read_bytes())

    to.add(
        "validate in full, 4 versions",
        timed(lambda: study.project.validate("full")),
        "read and SHA-256 of the same files",
        timed(hash_all),
    )

    def move() -> None:
        target = dc.LocalStore(folder / f"moved-{next(numbers)}")
        dc.migrate(dc.Project.open(current[0], remote=folder / "study.git", cache_dir=folder / "cache"), target)
        current[0] = target

    current: list[dc.ObjectStore] = [study.store]
    to.add("migrate, 4 versions, verified", timed(move), "read and write of the same files", timed(copy_all))
