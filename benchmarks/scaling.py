"""The figures in docs/scaling.md: a cost model fitted to what `make bench` measured, and simulations based on it."""

from __future__ import annotations

import heapq
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import datom_core as dc
from benchmarks.data import small
from benchmarks.local import Study
from benchmarks.markdown import table, with_figures

#: Round trips of one git command over https: connecting, TLS 1.3, and its own requests.
_ASK, _FETCH, _PUSH = 3, 5, 4
_IN_STORAGE = 4  # sequential requests of what follows a commit


@dataclass(frozen=True)
class Line:
    """Milliseconds by size: ``fixed + slope * size``; ``off`` is the largest deviation from what was measured."""

    fixed: float
    slope: float
    off: float

    @classmethod
    def through(cls, points: Sequence[tuple[float, float]]) -> Line:
        """Fit by least squares of the relative deviation, so that small sizes count as much as large ones."""
        sizes, times = map(np.array, zip(*points, strict=True))
        sides = np.stack([1 / times, sizes / times], axis=1)
        (fixed, slope), *_ = np.linalg.lstsq(sides, np.ones(len(points)), rcond=None)
        return cls(float(fixed), float(slope), float(np.max(np.abs((fixed + slope * sizes) / times - 1))))

    def at(self, size: float) -> float:
        return self.fixed + self.slope * size


@dataclass(frozen=True)
class Phases:
    """Milliseconds of one write of a small table: before its commit, commit and push, and what follows."""

    before: float
    commit: float
    after: float

    @classmethod
    def recorded(cls, writes: int = 30) -> Phases:
        """From the events of real writes, with a remote on this disk."""
        seen: dict[str, list[float]] = {"commit": [], "projection": [], "write": []}
        with tempfile.TemporaryDirectory(prefix="datom-bench-") as folder:
            project = Study(Path(folder)).project

            def note(event: dc.ProjectEvent) -> None:
                if event.name in seen and event.seconds is not None:
                    seen[event.name].append(event.seconds * 1e3)

            project.events.subscribe(note)
            for n in range(writes):
                project.write("ae", small(n))
        whole, commit, after = (statistics.median(seen[k]) for k in ("write", "commit", "projection"))
        return cls(whole - commit - after, commit, after)


def writers(phases: Phases, machines: int, trip: float, writes: int = 40) -> tuple[float, float, float]:
    """Simulate machines that each make one write after another to one remote: writes per second, the 95th percentile of
    seconds per write, and retried pushes per write.

    Args:
        phases: of a write with everything nearby.
        machines: how many; each has one writer at work at a time, because writers on one machine take turns.
        trip: milliseconds of one round trip.
        writes: how many each machine makes.
    """
    chance = random.Random(1)
    look = phases.before + _ASK * trip + _FETCH * trip * (machines > 1)
    send, follow = phases.commit + _PUSH * trip, phases.after + _IN_STORAGE * trip
    left = dict.fromkeys(range(machines), writes)
    read_at = dict.fromkeys(left, 0.0)  # when a machine last saw the tip
    # When a push is decided, whose it is, when its write began, and how often it was rejected.
    pushes = [(look + send + chance.random(), machine, 0.0, 0) for machine in left]
    heapq.heapify(pushes)
    took: list[float] = []
    last, retried, ended = 0.0, 0, 0.0
    while pushes:
        now, machine, begun, tries = heapq.heappop(pushes)
        if last > read_at[machine]:
            retried += 1
            now += chance.uniform(0, min(3000, 50 * 2**tries))
            tries += 1
        else:
            last, ended = now, now + follow
            took.append(ended - begun)
            left[machine] -= 1
            if not left[machine]:
                continue
            now = begun = ended
            tries = 0
        # The tip is what it is when the question reaches the remote, half way to its answer.
        read_at[machine] = now + _ASK * trip
        heapq.heappush(pushes, (now + look + send, machine, begun, tries))
    return len(took) / ended * 1e3, sorted(took)[int(len(took) * 0.95)] / 1e3, retried / len(took)


@dataclass
class Night:
    """What a study costs in one night, and what it holds afterwards."""

    seconds: float
    stored: float
    versions: int


def study(lines: Mapping[str, Line], years: float, largest: float, bytes_per_row: float, mbs: float) -> list[Night]:
    """Simulate a study of forty tables night by night: all are delivered, three in ten have changed, all grow.

    Args:
        lines: the model.
        years: how long.
        largest: rows of the largest table at the end; each further table is a fifth smaller than the one before.
        bytes_per_row: the bytes a payload takes per row.
        mbs: megabytes per second between worker and storage.
    """
    chance, nights = random.Random(1), round(years * 365)
    finals = [largest * 0.8**n for n in range(40)]
    versions, stored, found = [0] * 40, 0.0, []
    for night in range(1, nights + 1):
        milliseconds = 0.0
        for n, final in enumerate(finals):
            rows = final * night / nights
            if chance.random() < 0.3 or night == 1:
                size = rows * bytes_per_row
                milliseconds += lines["new version, by rows"].at(rows) + size / mbs / 1e3
                milliseconds += lines["write, by versions"].slope * versions[n]
                versions[n] += 1
                stored += size
            else:
                milliseconds += lines["unchanged, memo, by rows"].at(rows)
        found.append(Night(milliseconds / 1e3, stored, max(versions)))
    return found


def figures(found: Mapping[str, Any]) -> str:
    """The part of the page that is generated."""
    lines = {title: Line.through(points) for title, points in found["curves"].items()}
    phases = Phases.recorded()
    parts = [_model(lines), _growth(found["curves"]), _writers(phases), _study(lines), _portfolio(phases)]
    return "\n\n".join(parts)


def _model(lines: Mapping[str, Line]) -> str:
    per = {
        "rows": (1e6, "a million rows"),
        "versions": (1e3, "a thousand versions"),
        "tables": (1e3, "a thousand tables"),
    }
    rows = []
    for title, line in lines.items():
        name, _, by = title.rpartition(", by ")
        factor, unit = per[by]
        rows.append([name, f"{line.fixed:.1f} ms", f"{line.slope * factor:.1f} ms for {unit}", f"{line.off:.0%}"])
    return "### The model\n\n" + table(["operation", "fixed", "and", "largest deviation"], rows)


def _growth(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    parts = []
    for by in ("versions", "tables"):
        chosen = {
            title.rpartition(", by ")[0]: dict(map(tuple, p)) for title, p in curves.items() if title.endswith(by)
        }
        sizes = sorted(next(iter(chosen.values())))
        rows = [[f"{size:,.0f}", *(f"{points[size]:.1f} ms" for points in chosen.values())] for size in sizes]
        parts.append(table([by, *chosen], rows))
    return "### Measured growth\n\n" + "\n\n".join(parts)


def _writers(phases: Phases) -> str:
    trips = {"one disk, 0 ms": 0.0, "one region, 2 ms": 2.0, "a country, 20 ms": 20.0, "an ocean, 90 ms": 90.0}
    rows = []
    for machines in (1, 2, 4, 8, 16, 32):
        cells = (writers(phases, machines, trip) for trip in trips.values())
        rows.append([machines, *(f"{rate:.1f} ({slow:.1f} s; {again:.1f})" for rate, slow, again in cells)])
    told = (
        f"Recorded of a write: {phases.before:.0f} ms before its commit, {phases.commit:.0f} ms for commit and push, "
        f"{phases.after:.0f} ms after it. Writes a second of all machines together (95th percentile of one write; "
        "pushes tried again, per write):"
    )
    return "### Writers of one remote (simulated)\n\n" + told + "\n\n" + table(["machines", *trips], rows)


def _study(lines: Mapping[str, Line]) -> str:
    largest = 1e9
    nights = study(lines, 3, largest, 12.19, 400)
    last = nights[-1]
    rows = []
    for n in (91, 182, 365, 730, len(nights)):
        month = [night.seconds / 60 for night in nights[n - 30 : n]]
        took = f"{statistics.mean(month):.1f} min ({max(month):.1f})"
        rows.append([f"{n / 365:.1f}", f"{nights[n - 1].stored / 1e12:.2f} TB", took, f"{nights[n - 1].versions:,}"])
    read, full = lines["read, by rows"].at(largest) / 1e3, last.stored / 1e6 / 400
    told = (
        "Forty tables, of which the largest has a thousand million rows in the end (121 GB as a table, 12 GB a file, "
        "and so a stream), delivered each night for three years; three of ten have changed. One worker of two cores, "
        "400 MB/s to storage. Mean of a month's nights, and the longest:"
    )
    after = (
        f"At the end the largest table is read in {read:.0f} s from a disk, its history lists in "
        f'{lines["history, by versions"].at(last.versions):.0f} ms, and `validate("full")`, which hashes '
        f"{last.stored / 1e12:.1f} TB, takes {full / 3600:.1f} hours of one worker; `deep` reads documents alone."
    )
    grown = table(["years", "stored", "the night takes", "versions of the busiest table"], rows)
    return "### A study of ten terabytes (simulated)\n\n" + "\n\n".join([told, grown, after])


def _portfolio(phases: Phases) -> str:
    rows = []
    for name, trip in (("one region, 2 ms", 2.0), ("a country, 20 ms", 20.0)):
        glance, details = (1000 / 8 * (trip + 1) * k / 1e3 for k in (1, 4))
        ask = (phases.before / 2 + _ASK * trip) / 1e3
        rows.append([name, f"{glance:.1f} s", f"{details:.1f} s", f"{1000 * ask:.0f} s", f"{1000 * ask / 60:.1f}"])
    head = [
        "round trip",
        "register alone",
        "with each project's state",
        "one look at every remote",
        "sensors for one a minute",
    ]
    return "### A portfolio of 1,000 studies (simulated)\n\n" + table(head, rows)


def main(result: Path) -> None:
    page = result.parent / "scaling.md"
    page.write_text(with_figures(page.read_text(), figures(json.loads(result.read_text()))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
