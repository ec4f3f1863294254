"""`make bench`: every job of a writer and a reader, each against a floor of the same run.

``quick`` means small sizes, and one minute. Other arguments are files that the results go into: ``.json`` as data,
``.md`` as a page.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

import datom_core as dc
from benchmarks import growth, local, processes, s3
from benchmarks.data import lab_results
from benchmarks.measure import Table
from benchmarks.report import page


@contextmanager
def group(title: str) -> Iterator[Path]:
    """A folder of its own."""
    print(f"\n{title}", flush=True)
    with tempfile.TemporaryDirectory(prefix="datom-bench-") as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/user-cache"
        yield Path(folder)


def run(quick: bool) -> Table:
    """All jobs."""
    to = Table()
    rows, versions, tables = (100_000, 60, 100) if quick else (1_000_000, 1000, 1000)
    frame = lab_results(rows)
    with group(f"Hash and write, {frame.nbytes / 1e6:.0f} MB in memory") as folder:
        hashed = local.hashing(frame, to)
        local.writing(frame, folder, to, hashed)
    jobs: list[tuple[str, Callable[[Path], object]]] = [
        ("Cut", lambda f: local.cut_of_four(frame, f, to)),
        ("Read", lambda f: local.reading(frame, f, to)),
        ("Upkeep", lambda f: local.upkeep(frame, f, to)),
        ("Opening", lambda f: local.small_jobs(f, to)),
        ("Versions", lambda f: growth.versions(f, to, versions)),
        ("Tables", lambda f: growth.tables(f, to, tables)),
        ("S3", lambda f: s3.writing(frame, f, to, hashed)),
        ("Objects in S3", lambda f: s3.objects(f, to)),
    ]
    for title, job in jobs:
        with group(title) as folder:
            job(folder)
    print("\nProcesses")
    processes.imports(to)
    processes.memory(rows, to)
    return to


def machine() -> dict[str, object]:
    git = subprocess.run(["git", "--version"], capture_output=True, text=True).stdout.strip()
    return {
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "pyarrow": pa.__version__,
        "datom": dc.__version__,
        "git": git.removeprefix("git version "),
        "system": platform.system(),
    }


def main(quick: bool, results: list[Path]) -> None:
    begun = time.monotonic()
    table = run(quick)
    missed = [row.job for row in table.rows if row.target is not None and row.ratio > row.target]
    print(f"\n{len(table.rows)} rows in {time.monotonic() - begun:.0f} s; {len(missed)} miss their target")
    rows = [{**asdict(row), "ratio": row.ratio} for row in table.rows]
    for path in results:
        as_page = path.suffix == ".md"
        path.write_text(
            page(machine(), rows) if as_page else json.dumps({"machine": machine(), "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    given = sys.argv[1:]
    main("quick" in given, [Path(g) for g in given if g != "quick"])
