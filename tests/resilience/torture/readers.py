"""Readers that never rest while others write, and a colleague who pushes before she uploads, late, or never."""

from __future__ import annotations

import contextlib
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import datom_core as dc
from tests.patience import PATIENCE
from tests.r_colleague import RColleague
from tests.resilience.torture.outcome import Outcome
from tests.resilience.torture.place import PROJECT, Place
from tests.resilience.torture.writers import PROCESSES, count_disorder, count_losses, run_writers


@dataclass
class StorageView:
    """What one reader saw."""

    reads: int = 0
    versions: set[tuple[str, str]] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def read_on(place: Place, number: int, stop: Any, results: Any) -> None:
    """One process: current, pinned and as-of, without a pause."""
    chance, seen = random.Random(number), StorageView()
    reader = place.reader()
    while not stop.is_set():
        try:
            _read_once(reader, chance, seen)
        except dc.DatomError as error:
            seen.problems.append(f"{type(error).__name__}: {error}")
    results.put(seen)


def _read_once(reader: dc.ProjectReader, chance: random.Random, seen: StorageView) -> None:
    tables = reader.list()
    if not tables:
        return
    table = chance.choice(list(tables))
    current = reader.resolve(table.name)
    frames = {"current": reader.read_arrow(table.name), "pinned": reader.read_arrow(table.name, current.version)}
    frames["listed"] = reader.read_arrow(table.name, table.version)
    try:
        # In one second there may be several versions, of which that answers whose data never came.
        frames["as of now"] = reader.read_arrow(table.name, as_of=current.latest.recorded_at)
    except dc.NotFoundError as error:
        seen.missing.add(str(error.details["key"]))
    seen.versions |= {(table.name, current.version), (table.name, str(table.version))}
    seen.reads += len(frames)
    for how, data in frames.items():
        # Every row of a frame says whose it is: two in one would be a mixture.
        owners = {tuple(row.values())[:2] for row in data.select(data.column_names[:2]).to_pylist()}
        if "WORKER" in data.column_names and len(owners) != 1:
            seen.problems.append(f"{table.name}, {how}: a mixture of {owners}")
    if dc.hash_table(frames["pinned"]).data_sha != current.data_sha:
        seen.problems.append(f"{table.name}@{current.version[:8]}: other content than the history says")


class Rita:
    """Writes with R beside the others: pushes first, uploads at once, late or never."""

    def __init__(self, place: Place) -> None:
        self.place, self.chance = place, random.Random(7)
        self.colleague = RColleague(place.repository, place.folder / "r-clone")
        donor = place.folder / "donor.git"
        self.donor = dc.Project.init(PROJECT, dc.MemoryStore(), remote=donor)
        self.pushed = self.late = self.never = 0
        self.owed: set[str] = set()

    def write(self, number: int) -> None:
        """One version of a table of hers."""
        rows = number + 1
        while True:
            try:
                payload = self.colleague.push_version_of("lb_r", self.donor, rows)
                break
            except subprocess.CalledProcessError:
                # Somebody was faster; a person would pull and try again.
                subprocess.run(["git", "-C", self.colleague.folder, "fetch", "-q"], check=True)
                subprocess.run(["git", "-C", self.colleague.folder, "reset", "-q", "--hard", "origin/main"], check=True)
        self.pushed += 1
        sha = self.donor.reader.resolve("lb_r").data_sha
        key, what = f"lb_r/{sha}.parquet", self.chance.random()
        if what < 0.5:
            self.owed.add(key)
        if what < 0.25:
            self.never += 1
            return
        if what < 0.5:
            self.late += 1
            time.sleep(self.chance.uniform(0.2, 1.0))
        self.place.store().create(key, payload)


@contextlib.contextmanager
def reading(place: Place, readers: int) -> Iterator[list[StorageView]]:
    """Readers while the block runs; what they saw is in the list afterwards."""
    stop, results = PROCESSES.Event(), PROCESSES.Queue()
    processes = [PROCESSES.Process(target=read_on, args=(place, n, stop, results)) for n in range(readers)]
    for process in processes:
        process.start()
    seen: list[StorageView] = []
    try:
        yield seen
    finally:
        stop.set()
        seen += [results.get(timeout=PATIENCE) for _ in processes]
        for process in processes:
            process.join(timeout=PATIENCE)


def mixed(place: Place, processes: int, writes: int, readers: int, r_writes: int) -> Outcome:
    """Writers, some of which stall, readers, and a colleague with R, all at once."""
    place.init()
    rita = Rita(place) if r_writes else None

    def write_with_r() -> None:
        for number in range(r_writes):
            assert rita is not None
            rita.write(number)

    outcome = Outcome(f"{processes} writers, {readers} readers, R: {r_writes}, {place.name}")
    thread = threading.Thread(target=write_with_r)
    with reading(place, readers) as seen:
        thread.start()
        reports, seconds = run_writers(place, processes, writes, stall=0.05)
        thread.join()
    outcome.operations = sum(len(r.done) for r in reports) + sum(s.reads for s in seen)
    outcome.faults = sum(r.stalls for r in reports)
    refused = [text for r in reports for text in r.refused]
    problems = [text for s in seen for text in s.problems] + refused
    count_losses(place, reports, outcome)
    reader = place.reader()
    known = {(t.name, v.version) for t in reader.list() for v in reader.history(t.name)}
    strange = {v for s in seen for v in s.versions} - known
    untrue = {key for s in seen for key in s.missing} - (rita.owed if rita is not None else set())
    problems += [f"{key} was said to be missing" for key in untrue]
    problems += [f"a version that git does not have was shown: {v}" for v in strange]
    outcome.wrong += len(problems)
    outcome.problems += problems
    if rita is not None:
        outcome.faults += rita.late + rita.never
        outcome.problems += _heal(place, rita)
    count_disorder(place, outcome)
    outcome.recovered = outcome.faults if not outcome.problems else 0
    writes, reads = sum(len(r.done) for r in reports), sum(s.reads for s in seen)
    outcome.note = f"{writes / seconds:.1f} writes/s, {reads / seconds:.0f} reads/s"
    if rita is not None:
        outcome.note += f"; R pushed {rita.pushed}, uploaded late {rita.late}, never {rita.never}"
    return outcome


def _heal(place: Place, rita: Rita) -> Iterator[str]:
    """Put back what R never uploaded, as whoever has the frames would."""
    for version in rita.donor.reader.history("lb_r"):
        key = f"lb_r/{version.data_sha}.parquet"
        place.store().create(key, rita.donor.store.get(key).data)
    report = place.open().mirror()
    if report.waiting:
        yield f"still waiting for {report.waiting}"
    if len(place.reader().history("lb_r")) < rita.pushed:
        yield f"R pushed {rita.pushed} versions, and {len(place.reader().history('lb_r'))} are there"
