"""Medians, and the lines that show them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

REPEATS = 5


def median(action: Callable[[], object]) -> float:
    """Median seconds of `REPEATS` runs after one to warm up."""
    action()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def row(name: str, seconds: float, floor: float, size: int) -> None:
    """One line: time, throughput, and the ratio to the floor of its group."""
    print(f"  {name:<46} {seconds * 1e3:8.0f} ms  {size / seconds / 1e6:8.0f} MB/s  {seconds / floor:5.2f} x")
