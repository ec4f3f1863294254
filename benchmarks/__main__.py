"""`make bench`: every job of a writer and a reader, each against a floor measured in the same run.

Given a file name, it writes the results there as JSON, for `benchmarks.page`. ``quick`` uses little data, takes a
minute, and fails if a job exceeds its limits of what does not depend on the processor (`benchmarks.counts`). Times
never make it fail, because the ratio of two times depends on the machine.
"""

from __future__ import annotations

import itertools
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
from benchmarks import comparing, counts, growth, local, orchestrated, processes, s3
from benchmarks.data import lab_results, pilot_lb
from benchmarks.local import Sample
from benchmarks.measure import Table

Job = Callable[[Path], object]


@contextmanager
def group(title: str) -> Iterator[Path]:
    """A folder of its own."""
    print(f"\n{title}", flush=True)
    with tempfile.TemporaryDirectory(prefix="datom-bench-") as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/user-cache"
        yield Path(folder)


def sizes(to: Table, samples: list[Sample]) -> None:
    """Writes and reads of tables of several sizes: does time grow in proportion?"""
    writes, reads = {}, {}
    for sample in samples:
        with group(f"Writes, {sample.name}, {sample.table.nbytes / 1e6:.1f} MB in memory") as folder:
            writes[sample.name] = local.writing(sample, folder, to)
        with group(f"Reads, {sample.name}") as folder:
            reads[sample.name] = local.reading(sample, folder, to)
    numbered = [s for s in samples if s.name.endswith(" rows")]
    for sample in numbered:
        rows = sample.table.num_rows
        for curve, found, kind in (
            ("new version", writes, "new"),
            ("parquet encode", writes, "encode"),
            ("unchanged", writes, "same"),
            ("unchanged, memo", writes, "again"),
            ("read", reads, "whole"),
            ("pq.read_table", reads, "plain"),
        ):
            to.point(f"{curve}, by rows", rows, found[sample.name][kind])
    for smaller, larger in itertools.pairwise(numbered):
        if not smaller.has_targets:
            continue
        factor = larger.table.num_rows / smaller.table.num_rows
        for job, found, kind in (("new version", writes, "new"), ("hash", writes, "hash"), ("read", reads, "whole")):
            against = found[smaller.name][kind].times(factor)
            to.add(f"{job}, {larger.name}", found[larger.name][kind], f"{factor:g} x {smaller.name}", against, 1.15)


def run(quick: bool) -> Table:
    """Run all jobs."""
    to = Table()
    rows, versions, tables = (200_000, 60, 100) if quick else (1_000_000, 1000, 1000)
    main = Sample(f"{rows:,} rows", lab_results(rows), has_targets=not quick)
    if quick:
        sizes(to, [main])
    else:
        pilot = Sample("LB of the CDISC pilot", pilot_lb())
        huge = Sample("10,000,000 rows", lab_results(10_000_000), repeats=3)
        sizes(to, [Sample("10,000 rows", lab_results(10_000)), pilot, main, huge])
        del huge
    jobs: list[tuple[str, Job]] = [
        ("Cut", lambda f: local.cut_of_four(main.table, f, to)),
        ("DocumentEditor", lambda f: local.editor(main.table, f, to)),
        ("Changes", lambda f: comparing.changes(main.table, f, to)),
        ("Versions", lambda f: growth.versions(f, to, versions)),
        ("Tables", lambda f: growth.tables(f, to, tables)),
        ("Dagster", lambda f: orchestrated.share(f, to)),
        ("Over http", lambda f: local.over_http(f, to)),
    ]
    if not quick:
        jobs += [
            ("Growth", lambda f: growth.curves(f, to, [1, 100, 1000, 3000, 10_000])),
            ("S3", lambda f: s3.writing(main.table, f, to)),
            ("Objects in S3", lambda f: s3.objects(f, to)),
        ]
    for title, job in jobs:
        with group(title) as folder:
            job(folder)
    print("\nProcesses")
    processes.starts(to)
    for count in [rows] if quick else [rows, 10 * rows]:
        processes.memory(count, to, has_targets=count > 10**6)
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


def main(quick: bool, result: Path | None) -> int:
    """Run the benchmarks; return how many counts exceed their limits, as an exit code."""
    begun = time.monotonic()
    table = run(quick)
    missed = sum(row.is_missed for row in table.rows)
    print(f"\n{len(table.rows)} rows in {time.monotonic() - begun:.0f} s; {missed} miss their target")
    if result is not None:
        rows = [{**asdict(row), "ratio": row.ratio} for row in table.rows]
        found = {"machine": machine(), "rows": rows, "curves": table.curves}
        result.write_text(json.dumps(found, indent=1) + "\n")
    return counted() if quick else 0


def counted() -> int:
    """Count, and return how many counts exceed their limits."""
    with group("What no processor changes") as folder:
        broken = counts.check(lab_results(200_000), folder)
    if broken:
        print(f"\n{broken} counts exceed their limits, which are in benchmarks/counts.py.")
    return broken


if __name__ == "__main__":
    given = sys.argv[1:]
    files = [Path(g) for g in given if g != "quick"]
    sys.exit(main("quick" in given, files[0] if files else None))
