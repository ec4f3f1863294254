"""What a project costs as it grows: versions of one table, and tables of one project."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import datom_core as dc
from benchmarks import floors
from benchmarks.data import small
from benchmarks.local import Study
from benchmarks.measure import Table, Timing, timed

_AROUND = 10  # versions whose median stands for one


def versions(folder: Path, to: Table, last: int) -> None:
    """The cost of the n-th version of a table of a hundred rows."""
    study, commit = Study(folder), floors.git_commit(folder)
    walls = []
    for number in range(last + _AROUND):
        frame = small(number)
        begun = time.perf_counter()
        study.project.write("ae", frame, message=f"Version {number}")
        walls.append(time.perf_counter() - begun)

    def at(n: int) -> Timing:
        return Timing(statistics.median(walls[max(1, n - _AROUND) : n + _AROUND]), 0.0)

    second = at(2)
    to.add("2nd version of 100 rows", second, "commit and push of three small files", commit, 2)
    for n in sorted({200, last} & set(range(last + 1))):
        to.add(f"{n:,}th version of 100 rows", at(n), "commit and push of three small files", commit, 2)
        to.add(f"{n:,}th version of 100 rows", at(n), "2nd version", second, 1.5)
    reader, key = study.project.reader, "ae/.metadata/version_history.json"
    one = timed(lambda: study.store.get(key))
    to.add(
        f"history of {last + _AROUND:,} versions",
        timed(lambda: reader.history("ae")),
        "reading its file",
        one,
        note="at most 5 ms beyond it",
    )


def tables(folder: Path, to: Table, count: int) -> None:
    """Listing many tables."""
    study = Study(folder)
    frames = {f"t{n:05d}": small(n) for n in range(count)}
    begun = time.perf_counter()
    study.project.write_all(frames)
    wrote = time.perf_counter() - begun
    reader = dc.ProjectReader.open(study.store)
    one = timed(lambda: study.store.get(".metadata/manifest.json"))
    to.add(
        f"list {count:,} tables",
        timed(reader.list),
        "reading the manifest",
        one,
        note=f"at most 5 ms beyond it; written in one commit in {wrote:.1f} s",
    )
    numbers = iter(range(10**6, 10**7))
    few = floors.git_commit(folder)
    to.add(
        f"write to one of {count:,} tables",
        timed(lambda: study.project.write("t00001", small(next(numbers)))),
        "commit and push of three small files",
        few,
    )
