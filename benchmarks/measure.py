"""Measurements of a job, against the floor that was measured in the same run."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

REPEATS = 5


@dataclass(frozen=True)
class Timing:
    """Medians of several runs after one to warm up.

    Attributes:
        wall: seconds on the clock; gigabytes if memory is compared.
        cpu: processor seconds, including those of child processes such as git.
    """

    wall: float
    cpu: float = 0.0

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.wall + other.wall, self.cpu + other.cpu)

    def times(self, factor: float) -> Timing:
        return Timing(self.wall * factor, self.cpu * factor)


@dataclass(frozen=True)
class Row:
    """A job, and what it is compared with.

    Attributes:
        job: what was done.
        measured: how long it took.
        floor: what it is compared with: what must happen in any case.
        against: how long that took.
        target: the ratio to reach, if one was set.
        note: what else was observed.
        unit: the unit of a thousandth of what was measured.
    """

    job: str
    measured: Timing
    floor: str
    against: Timing
    target: float | None = None
    note: str = ""
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        return self.measured.wall / self.against.wall

    @property
    def is_missed(self) -> bool:
        return self.target is not None and self.ratio > self.target


@dataclass
class Table:
    """The rows of one run, printed as they come.

    Attributes:
        curves: points to plot: title -> (size, milliseconds) by size.
    """

    rows: list[Row] = field(default_factory=list)
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(
        self,
        job: str,
        measured: Timing,
        floor: str,
        against: Timing,
        target: float | None = None,
        note: str = "",
        unit: str = "ms",
    ) -> None:
        row = Row(job, measured, floor, against, target, note, unit)
        self.rows.append(row)
        aim = "" if target is None else f" (target {target:g}{', MISSED' if row.is_missed else ''})"
        print(
            f"  {job:<48} {row.measured.wall * 1e3:9.1f} {unit} {row.ratio:7.2f} x {floor}{aim}"
            f"{'; ' + note if note else ''}",
            flush=True,
        )

    def point(self, curve: str, size: float, measured: Timing) -> None:
        """Add a point to a curve."""
        self.curves.setdefault(curve, []).append((size, measured.wall * 1e3))


def timed(action: Callable[[], object]) -> Timing:
    """Medians of one action."""
    return alternating(action)[0]


def alternating(*actions: Callable[[], object], repeats: int = REPEATS) -> list[Timing]:
    """Medians of several actions, run in turn so that whatever else the machine does affects all of them."""
    walls: list[list[float]] = [[] for _ in actions]
    cpus: list[list[float]] = [[] for _ in actions]
    for number in range(repeats + 1):
        for action, wall, cpu in zip(actions, walls, cpus, strict=True):
            with _clocks() as spent:
                action()
            if number:
                wall.append(spent[0])
                cpu.append(spent[1])
    return [Timing(statistics.median(w), statistics.median(c)) for w, c in zip(walls, cpus, strict=True)]


@contextmanager
def _clocks() -> Iterator[list[float]]:
    spent = [0.0, 0.0]
    begun, used = time.perf_counter(), _processors()
    yield spent
    spent[:] = [time.perf_counter() - begun, _processors() - used]


def _processors() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
