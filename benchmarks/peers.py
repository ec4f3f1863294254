"""Other tools at the same jobs on the same data, in one process and one run (extra ``bench``; `make bench`).

Given the name of a results file, it adds its findings there.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import itertools
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import datom_core as dc
from benchmarks import floors
from benchmarks.data import lab_results, small
from benchmarks.local import Study
from benchmarks.measure import alternating

_VERSIONS = 200  # of a small table


class Peer(ABC):
    """A tool that keeps versions of tables.

    Attributes:
        package: its name on PyPI.
        about: what it does besides writing the file.
    """

    package: str
    about: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def write(self, name: str, table: pa.Table) -> None:
        """Make the table the current version."""

    @abstractmethod
    def read(self, name: str) -> object:
        """The current version: as Arrow, if the tool provides it."""


class Datom(Peer):
    package, about = "datom-dagster", "content hash, verification, commit and push"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.project = Study(folder).opened(memo=False)

    def write(self, name: str, table: pa.Table) -> None:
        self.project.write(name, table)

    def read(self, name: str) -> object:
        return self.project.reader.read_arrow(name)


class DatomWithMemo(Datom):
    about = "the same, with its memo of unchanged tables"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.project = Study(folder / "memo").project


class Reader(Peer):
    package, about = "datom", "the reader from PyPI, on what we wrote"

    def __init__(self, folder: Path) -> None:
        import datom

        super().__init__(folder)
        self.project = Study(folder).project
        self.open = lambda: datom.get_conn(datom.store_local(str(folder / "store")), "BENCH")
        self.of = datom

    def write(self, name: str, table: pa.Table) -> None:
        self.project.write(name, table)

    def read(self, name: str) -> object:
        return self.of.read(self.open(), name, as_arrow=True)


class Delta(Peer):
    package, about = "deltalake", "a version in its log"

    def write(self, name: str, table: pa.Table) -> None:
        from deltalake import write_deltalake

        write_deltalake(str(self.folder / name), table, mode="overwrite")

    def read(self, name: str) -> object:
        from deltalake import DeltaTable

        return DeltaTable(str(self.folder / name)).to_pyarrow_table()


class Iceberg(Peer):
    package, about = "pyiceberg", "two snapshots in a SQLite catalog"

    def __init__(self, folder: Path) -> None:
        from pyiceberg.catalog.sql import SqlCatalog

        super().__init__(folder)
        self.catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
        self.catalog.create_namespace("study")

    def write(self, name: str, table: pa.Table) -> None:
        self.catalog.create_table_if_not_exists(f"study.{name}", schema=table.schema).overwrite(table)

    def read(self, name: str) -> object:
        return self.catalog.load_table(f"study.{name}").scan().to_arrow()


class Pins(Peer):
    package, about = "pins", "a folder per version; from and to pandas"

    def __init__(self, folder: Path) -> None:
        import pins

        super().__init__(folder)
        self.board: Any = pins.board_folder(str(folder / "board"), versioned=True)

    def write(self, name: str, table: pa.Table) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self.board.pin_write(table.to_pandas(), name, type="parquet")

    def read(self, name: str) -> object:
        return self.board.pin_read(name)


class Dvc(Peer):
    package, about = "dvc", "MD5, a copy in its cache, a git commit; no push"

    def __init__(self, folder: Path) -> None:
        from dvc.repo import Repo

        super().__init__(folder)
        self._git("init", "-q")
        self.repo: Any = Repo.init(str(folder))

    def _git(self, *args: str) -> None:
        who = ["-c", "user.name=B", "-c", "user.email=b@example.org"]
        subprocess.run(["git", "-C", str(self.folder), *who, *args], check=True, capture_output=True)

    def write(self, name: str, table: pa.Table) -> None:
        path = self.folder / f"{name}.parquet"
        pq.write_table(table, path)
        self.repo.add(str(path))
        self._git("add", f"{name}.parquet.dvc")
        with contextlib.suppress(subprocess.CalledProcessError):  # nothing to commit
            self._git("commit", "-q", "-m", f"Update {name}")

    def read(self, name: str) -> object:
        return pq.read_table(self.folder / f"{name}.parquet")


class Lance(Peer):
    package, about = "pylance", "a version in its manifest"

    def write(self, name: str, table: pa.Table) -> None:
        import lance

        lance.write_dataset(table, str(self.folder / name), mode="overwrite")

    def read(self, name: str) -> object:
        import lance

        return lance.dataset(str(self.folder / name)).to_table()


class Arctic(Peer):
    package, about = "arcticdb", "LMDB; from and to pandas"

    def __init__(self, folder: Path) -> None:
        from arcticdb import Arctic as Connection

        super().__init__(folder)
        self.library: Any = Connection(f"lmdb://{folder}/lmdb?map_size=8GB").get_library("b", create_if_missing=True)

    def write(self, name: str, table: pa.Table) -> None:
        self.library.write(name, table.to_pandas())

    def read(self, name: str) -> object:
        return self.library.read(name).data


PEERS: list[type[Peer]] = [Datom, DatomWithMemo, Reader, Delta, Iceberg, Pins, Dvc, Lance, Arctic]


def measured(kind: type[Peer], table: pa.Table, folder: Path) -> dict[str, Any]:
    """One tool at every job: milliseconds, and those of encoding the table, measured in turn with it."""
    peer, numbers, rows = kind(folder), itertools.count(1), table.num_rows
    longer = pa.concat_tables([table, table.slice(0, rows // 20)]).combine_chunks()
    peer.write("same", table)
    peer.write("lb", table)
    stored = _stored(folder)
    peer.write("lb", longer)
    version = _stored(folder) - stored
    encode, new, same, read = alternating(
        lambda: floors.encoded(table),
        lambda: peer.write("lb", longer.slice(0, rows + next(numbers))),
        lambda: peer.write("same", table),
        lambda: peer.read("lb"),
    )
    walls = []
    for frame in map(small, range(_VERSIONS + 10)):
        begun = time.perf_counter()
        peer.write("ae", frame)
        walls.append((time.perf_counter() - begun) * 1e3)
    return {
        "tool": "ours" if issubclass(kind, Datom) else kind.package,
        "version": dc.__version__ if issubclass(kind, Datom) else importlib.metadata.version(kind.package),
        "about": kind.about,
        "encode": encode.wall * 1e3,
        "new": new.wall * 1e3,
        "same": same.wall * 1e3,
        "read": read.wall * 1e3,
        "2nd": statistics.median(walls[1:10]),
        "200th": statistics.median(walls[-20:]),
        "stored": version,
    }


def _stored(folder: Path) -> int:
    """Bytes taken by all files, as the disk counts them."""
    return sum(os.lstat(f"{at}/{name}").st_blocks * 512 for at, _, names in os.walk(folder) for name in names)


def main(rows: int, result: Path | None) -> None:
    logging.disable(logging.WARNING)
    os.environ["LANCE_LOG"] = "error"
    warnings.simplefilter("ignore")
    table, found = lab_results(rows), []
    print(f"\nPeers, {rows:,} rows (ms; ratio to the parquet encode beside it)")
    for kind in PEERS:
        with tempfile.TemporaryDirectory(prefix="datom-bench-") as folder:
            os.environ["XDG_CACHE_HOME"] = f"{folder}/user-cache"
            (Path(folder) / "data").mkdir()
            try:
                row = measured(kind, table, Path(folder) / "data")
            except ImportError as error:
                print(f"  {kind.package}: skipped, it is not installed ({error})", flush=True)
                continue
        found.append(row)
        jobs = ", ".join(f"{job} {row[job]:.0f} ({row[job] / row['encode']:.2f} x)" for job in ("new", "same", "read"))
        print(f"  {row['tool']} {row['version']} [{row['about']}]: {jobs}", end="; ")
        print(f"2nd {row['2nd']:.0f}, 200th {row['200th']:.0f} ms; {row['stored'] / 1e6:.1f} MB a version", flush=True)
    if result is not None:
        known = json.loads(result.read_text())
        result.write_text(json.dumps({**known, "peers": found}, indent=1) + "\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]), Path(given[1]) if len(given) > 1 else None)
