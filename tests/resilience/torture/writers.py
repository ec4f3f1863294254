"""Many processes write to one project, with readers all the while, stalls, and a colleague who writes with R."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

import datom_core as dc
from tests.patience import PATIENCE
from tests.resilience.torture.outcome import Outcome
from tests.resilience.torture.place import Place

TABLES = 8
# Forked from a process that has everything imported, and no threads.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.resilience.torture.writers", "tests.resilience.torture.readers"])


@dataclass(frozen=True)
class Done:
    """A write that reported success."""

    table: str
    version: str
    data_sha: str
    commit: str | None
    worker: int
    number: int


@dataclass
class Report:
    """What one writer did."""

    worker: int
    done: list[Done] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0
    slowest: float = 0.0
    stalls: int = 0
    tries: int = 0


def frame(worker: int, number: int) -> pa.Table:
    """Content that no other write has, and that says whose it is in every row."""
    rows = 3 + (worker + number) % 5
    return pa.table({"WORKER": [worker] * rows, "NUMBER": [number] * rows, "ROW": list(range(rows))})


def table_of(worker: int, number: int) -> str:
    """Half of all writes go to one table, the others to the rest."""
    return "shared" if number % 2 else f"t{(worker + number // 2) % (TABLES - 1)}"


def write_many(place: Place, worker: int, writes: int, stall: float, machine: int, start: Any, results: Any) -> None:
    """One process. With ``stall``, it now and then sleeps between its push and its projection.

    Those of one ``machine`` share a cache, which is how writers know of each other.
    """
    os.environ["XDG_CACHE_HOME"] = str(place.folder / f"cache-{machine}")
    logging.getLogger("datom_core").setLevel(logging.ERROR)  # what is tried again is counted
    chance = random.Random(worker)
    project, report = place.open(f"Writer {worker} <w{worker}@example.org>"), Report(worker)

    def hear(event: dc.ProjectEvent) -> None:
        if event.name == "commit" and chance.random() < stall:
            report.stalls += 1
            time.sleep(chance.uniform(0, 1.5))
        report.tries += event.name == "retry"

    project.events.subscribe(hear)
    start.wait()
    begun = time.monotonic()
    for number in range(writes):
        asked = time.monotonic()
        table = table_of(worker, number)
        try:
            done = project.write(table, frame(worker, number), message=f"writer {worker}, write {number}")
            report.done.append(Done(table, done.version, done.data_sha, done.commit_sha, worker, number))
        except dc.DatomError as error:
            report.refused.append(f"{table} {number}: {type(error).__name__}: {error}")
        report.slowest = max(report.slowest, time.monotonic() - asked)
    report.seconds = time.monotonic() - begun
    results.put(report)


def run_writers(
    place: Place, processes: int, writes: int, *, stall: float = 0.0, machines: int = 1
) -> tuple[list[Report], float]:
    """What each of the writers reports, and the seconds from the first write to the last."""
    results, start = PROCESSES.Queue(), PROCESSES.Barrier(processes + 1)
    workers = [
        PROCESSES.Process(target=write_many, args=(place, n, writes, stall, n % machines, start, results))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    start.wait(timeout=PATIENCE)
    begun = time.monotonic()
    reports = [results.get(timeout=1800) for _ in workers]
    seconds = time.monotonic() - begun
    for worker in workers:
        worker.join(timeout=PATIENCE)
    return sorted(reports, key=lambda r: r.worker), seconds


def count_losses(place: Place, reports: list[Report], outcome: Outcome) -> None:
    """Compare what was reported with what a reader and git say now."""
    reader = place.reader()
    log = ["git", "-C", str(place.repository), "rev-list", "--reverse", "main"]
    commits = subprocess.run(log, check=True, capture_output=True, text=True).stdout.split()
    order = {commit: position for position, commit in enumerate(commits)}
    histories = {t.name: reader.history(t.name) for t in reader.list()}
    for table, history in histories.items():
        ids = Counter(v.version for v in history)
        twice = [version for version, times in ids.items() if times > 1]
        positions = [order.get(v.commit_sha or "", -1) for v in history]
        if twice or positions != sorted(positions, reverse=True) or -1 in positions:
            outcome.lost += 1
            outcome.problems.append(f"{table}: twice in its history {twice}; order {positions}")
    for done in (d for r in reports for d in r.done):
        outcome.problems += list(_lost(done, reader, histories))
        outcome.lost = len(outcome.problems)


def _lost(done: Done, reader: dc.ProjectReader, histories: Any) -> Iterator[str]:
    found = [v for v in histories.get(done.table, ()) if v.version == done.version]
    if len(found) != 1:
        yield f"{done}: {len(found)} times in the history"
        return
    if (found[0].data_sha, found[0].commit_sha) != (done.data_sha, done.commit):
        yield f"{done}: the history says {found[0]}"
    if not reader.read_arrow(done.table, done.version).equals(frame(done.worker, done.number)):
        yield f"{done}: holds other values"


def count_disorder(place: Place, outcome: Outcome) -> None:
    """Storage is git's head, nothing is left over, and git is sound."""
    project = place.open()
    validation = project.validate("full")
    if not project.status().level or project.mirror().written or not validation.ok:
        outcome.wrong += 1
        outcome.problems.append(f"storage is not git's head: {validation}")
    left = [o.key for o in place.store().list() if "tmp" in o.key or o.key.endswith(".lock")]
    left += [str(path) for path in place.folder.rglob("*.lock")]
    markers = subprocess.run(
        ["git", "-C", str(place.repository), "grep", "-l", "-e", "^<<<<<<<", "main"], capture_output=True, text=True
    ).stdout.split()
    sound = subprocess.run(["git", "-C", str(place.repository), "fsck", "--strict"], capture_output=True)
    if left or markers or sound.returncode:
        outcome.wrong += 1
        outcome.problems.append(f"left over: {left}; conflict markers: {markers}; fsck: {sound.stderr!r}")


def writers(place: Place, processes: int, writes: int, *, stall: float = 0.0, machines: int = 1) -> Outcome:
    """Writers alone; the note says how fast, and how evenly."""
    place.init()
    reports, seconds = run_writers(place, processes, writes, stall=stall, machines=machines)
    how = (", stalling" if stall else "") + (f", {machines} machines" if machines > 1 else "")
    outcome = Outcome(f"{processes} writers, {place.name}{how}")
    outcome.operations = sum(len(r.done) + len(r.refused) for r in reports)
    outcome.faults = outcome.recovered = sum(r.stalls for r in reports)
    count_losses(place, reports, outcome)
    count_disorder(place, outcome)
    refused = [text for r in reports for text in r.refused]
    # Nobody may need a person: with retries of its own a write must get through.
    outcome.wrong += len(refused)
    outcome.problems += refused
    ends, slowest = sorted(r.seconds for r in reports), max(r.slowest for r in reports)
    outcome.note = (
        f"{outcome.operations / seconds:.1f} writes/s; writers took {ends[0]:.1f} to {ends[-1]:.1f} s, "
        f"slowest write {slowest:.1f} s, {sum(r.tries for r in reports)} tries again"
    )
    return outcome
