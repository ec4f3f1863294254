"""Jobs of writers and readers, on disk."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import datom_core as dc
from benchmarks import floors
from benchmarks.data import corrected, small
from benchmarks.measure import REPEATS, Table, Timing, alternating, timed
from tests.git_http import bare_repository, served

AUTHOR = "B <b@example.org>"


class Study:
    """A project on disk, with a remote on the same disk.

    Args:
        folder: an empty folder.
        store: if the data should not be on the disk.
        remote: if the remote should not be in the folder.
    """

    def __init__(self, folder: Path, store: dc.ObjectStore | None = None, remote: str | None = None) -> None:
        self.folder = folder
        self.store = store or dc.LocalStore(folder / "store")
        self.remote = remote or str(folder / "study.git")
        self.project = dc.Project.init(
            "BENCH", self.store, remote=self.remote, cache_dir=folder / "cache", author=AUTHOR
        )

    def opened(self, cache: str = "cache", *, memo: bool = True) -> dc.Project:
        """The same project, opened as if in another process."""
        return dc.Project.open(self.store, remote=self.remote, cache_dir=self.folder / cache, author=AUTHOR, memo=memo)


@dataclass(frozen=True)
class Sample:
    """A table to measure with.

    Attributes:
        has_targets: whether targets were set for it.
        repeats: how often each job is run.
    """

    name: str
    table: pa.Table
    has_targets: bool = False
    repeats: int = REPEATS

    def aim(self, target: float) -> float | None:
        return target if self.has_targets else None


def writing(sample: Sample, folder: Path, to: Table) -> dict[str, Timing]:
    """Every kind of write, run in turn with its floor; return the times by kind."""
    study, table = Study(folder), sample.table
    plain, memo = study.opened(memo=False), study.project
    new, first, fix, why = (itertools.count() for _ in range(4))
    longer = pa.concat_tables([table, table.slice(0, max(1, table.num_rows // 20))])
    rows = table.num_rows
    for name in ("lb", "same", "again", "why", "fix"):
        memo.write(name, table)
    kinds = {
        "encode": lambda: floors.encoded(table),
        "digest": floors.digester(table),
        "keep": floors.keeper(table, folder),
        "commit": floors.committer(folder),
        "alone": lambda: _alone(lambda: dc.hash_table(table)),
        "hash": lambda: dc.hash_table(table),
        "first": lambda: plain.write(f"first{next(first)}", table),
        "new": lambda: plain.write("lb", longer.slice(0, rows + 1 + next(new))),
        "fix": lambda: plain.write("fix", corrected(table, next(fix))),
        "same": lambda: plain.write("same", table),
        "again": lambda: memo.write("again", table),
        "why": lambda: plain.write("why", table, custom={"reason": f"n{next(why)}"}),
    }
    t = dict(zip(kinds, alternating(*kinds.values(), repeats=sample.repeats), strict=True))
    n, aim, all_of_it = sample.name, sample.aim, t["encode"] + t["keep"] + t["commit"]
    everything = "encode + SHA-256 and fsync of the file + commit and push"
    to.add(f"hash, {n}", t["hash"], "SHA-256 of as many bytes", t["digest"], aim(1.3))
    to.add(f"hash on one thread, {n}", t["alone"], "SHA-256 of as many bytes", t["digest"], aim(1.3))
    to.add(f"hash, {n}", t["hash"], "hash on one thread", t["alone"], aim(0.59))
    to.add(f"first write, {n}", t["first"], everything, all_of_it)
    to.add(f"new version, {n}", t["new"], "parquet encode", t["encode"], aim(1.1))
    to.add(f"new version, {n}", t["new"], everything, all_of_it)
    to.add(f"one value corrected, {n}", t["fix"], f"hash + {everything}", t["hash"] + all_of_it)
    to.add(f"unchanged write, {n}", t["same"], "hash", t["hash"], aim(1.1))
    to.add(f"unchanged again, with the memo, {n}", t["again"], "hash", t["hash"], aim(0.4))
    to.add(f"metadata only, {n}", t["why"], "hash + commit and push", t["hash"] + t["commit"])
    return t


def _alone(action: Callable[[], object]) -> None:
    """Run an action as if there were only one processor."""
    known = os.cpu_count
    os.cpu_count = lambda: 1
    try:
        action()
    finally:
        os.cpu_count = known


def reading(sample: Sample, folder: Path, to: Table) -> dict[str, Timing]:
    """Read the current version whole, in part and as pandas, and an old one; each against pyarrow on the same bytes."""
    study, table, n, aim = Study(folder), sample.table, sample.name, sample.aim
    first = study.project.write("lb", table)
    study.project.write("lb", table.slice(0, table.num_rows - 1))
    reader = study.project.reader
    path = folder / "floor.parquet"
    path.write_bytes(floors.encoded(table))
    columns = table.column_names[1:3]
    text = [field.name for field in table.schema if pa.types.is_string(field.type)]
    kinds = {
        "plain": lambda: pq.read_table(path),
        "digest": lambda: hashlib.sha256(path.read_bytes()),
        "plain two": lambda: pq.read_table(path, columns=columns),
        "plain dictionaries": lambda: pq.read_table(path, read_dictionary=text),
        "whole": lambda: reader.read_arrow("lb"),
        "old": lambda: reader.read_arrow("lb", first.version),
        "two": lambda: reader.read_arrow("lb", columns=columns),
        "dictionaries": lambda: reader.read_arrow("lb", dictionaries=True),
        "frame": lambda: pq.read_table(path).to_pandas(),
        "pandas": lambda: reader.read("lb"),
        "categories": lambda: reader.read("lb", categories=True),
    }
    t = dict(zip(kinds, alternating(*kinds.values(), repeats=sample.repeats), strict=True))
    to.add(f"read to Arrow, verified, {n}", t["whole"], "pq.read_table", t["plain"], aim(1.05))
    to.add(f"read to Arrow, verified, {n}", t["whole"], "pq.read_table + SHA-256 of the file", t["plain"] + t["digest"])
    to.add(f"read an old version, {n}", t["old"], "pq.read_table", t["plain"], aim(1.05))
    to.add(f"read two of the columns, {n}", t["two"], "pq.read_table", t["plain"], aim(0.3))
    least = t["plain two"] + t["digest"]
    to.add(f"read two of the columns, {n}", t["two"], "pq.read_table of the same + SHA-256 of the file", least)
    to.add(f"read to Arrow with dictionaries, {n}", t["dictionaries"], "pq.read_table", t["plain"], aim(0.35))
    least = t["plain dictionaries"] + t["digest"]
    floor = "pq.read_table with dictionaries + SHA-256 of the file"
    to.add(f"read to Arrow with dictionaries, {n}", t["dictionaries"], floor, least)
    to.add(f"read to pandas, {n}", t["pandas"], "pq.read_table().to_pandas()", t["frame"], aim(1.05))
    to.add(f"read to pandas as categories, {n}", t["categories"], "pq.read_table().to_pandas()", t["frame"], aim(0.6))
    return t


def cut_of_four(table: pa.Table, folder: Path, to: Table) -> None:
    """Four tables in one commit, one of them large, as in a study."""
    study, numbers = Study(folder), itertools.count()

    def version() -> dict[str, pa.Table]:
        n = next(numbers)
        part = table.num_rows // 50
        return {"lb": table.slice(n), **{t: table.slice(n, part) for t in ("dm", "ex", "ae")}}

    single, whole = alternating(
        lambda: study.project.write("lb", version()["lb"]),
        lambda: study.project.cut(f"c{next(numbers)}", version()),
    )
    to.add(f"cut of four tables, {table.num_rows:,} rows", whole, "its largest table alone", single, 1.3)


def over_http(folder: Path, to: Table) -> None:
    """A hundred rows with a remote over HTTP (git's own server program behind Python's), and with one on disk."""
    for name in ("study", "floor"):
        bare_repository(folder / "served" / f"{name}.git")
    with served(folder / "served") as server:
        (folder / "disk").mkdir()
        numbers = itertools.count()
        far, near = Study(folder, remote=server.url("study.git")), Study(folder / "disk")
        commit_far, commit_near, wrote_far, wrote_near = alternating(
            floors.committer(folder, server.url("floor.git")),
            floors.committer(folder / "disk"),
            lambda: far.project.write("ae", small(next(numbers))),
            lambda: near.project.write("ae", small(next(numbers))),
        )
    to.add("new version of 100 rows, remote on disk", wrote_near, "commit and push of three small files", commit_near)
    to.add("new version of 100 rows, remote over http", wrote_far, "commit and push of three small files", commit_far)


def editor(table: pa.Table, folder: Path, to: Table) -> None:
    """Validation of every byte, and a move."""
    study, numbers = Study(folder), itertools.count()
    for n in range(4):
        study.project.write("lb", table.slice(n))
    payloads = list((folder / "store").rglob("*.parquet"))

    def hash_all() -> None:
        for payload in payloads:
            hashlib.sha256(payload.read_bytes())

    def copy_all() -> None:
        """Every byte read, written, flushed, read again and hashed."""
        for payload in payloads:
            with open(folder / "copy", "wb") as file:
                file.write(payload.read_bytes())
                file.flush()
                os.fsync(file.fileno())
            hashlib.sha256((folder / "copy").read_bytes())

    def move() -> None:
        target = dc.LocalStore(folder / f"moved-{next(numbers)}")
        dc.migrate(dc.Project.open(current[0], remote=folder / "study.git", cache_dir=folder / "cache"), target)
        current[0] = target

    full, deep, hashed = alternating(
        lambda: study.project.validate("full"), lambda: study.project.validate("deep"), hash_all
    )
    to.add("validate in full, 4 versions", full, "read and SHA-256 of the same files", hashed)
    to.add("validate deep, 4 versions", deep, "read and SHA-256 of the same files", hashed)
    current: list[dc.ObjectStore] = [study.store]
    to.add(
        "migrate, 4 versions, verified", timed(move), "copy, fsync, read, SHA-256 of the same files", timed(copy_all)
    )
