"""What a job takes on any processor: requests, programs, flushes, bytes, lines of Python.

Times say how fast this machine is today; these counts say what the code asks of any machine. `make bench-quick` fails
if one of them exceeds its limit, so that a quiet, a loaded, a fast and a slow machine give the same answer.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import pyarrow as pa

import datom_core as dc
from benchmarks.data import small
from benchmarks.local import Study

_PACKAGE = str(Path(dc.__file__).parent)
_REQUESTS = ("get", "head", "create", "replace", "list", "delete")
_programs: Counter[str] = Counter()


@dataclass(frozen=True)
class Limits:
    """The most that a job may take; a kind that is left out is not checked.

    Attributes:
        requests: requests to the store.
        programs: programs started, which are git's.
        flushes: flushes of files and folders to disk.
        lines: lines of Python run in `datom_core`. A loop over rows shows up here at once.
        hashed: bytes that go through SHA-256, per byte of the table.
        arrow: bytes that Arrow allocates in total, per byte of the table: every copy counts, even a freed one.
        heap: the most that Python and numpy hold besides Arrow, per byte of the table.
    """

    requests: float
    programs: float
    flushes: float
    lines: float
    hashed: float | None = None
    arrow: float | None = None
    heap: float | None = None


#: Requests, programs and flushes are exact; lines and bytes may exceed what was counted by a third, because they differ
#: between versions of Python and pyarrow.
LIMITS = {
    "hash": Limits(0, 0, 0, 2_000, hashed=1.0, arrow=1.5, heap=0.1),
    "new version": Limits(25, 2, 12, 14_700, hashed=1.3, arrow=4.5, heap=0.1),
    "unchanged": Limits(4, 0, 0, 5_400, hashed=1.0, arrow=1.5, heap=0.1),
    "unchanged, by memo": Limits(4, 0, 0, 4_700, hashed=0.0, arrow=0.01, heap=0.01),
    "read": Limits(2, 0, 0, 440, hashed=0.15, arrow=2.3, heap=0.01),
    # By its full id: that proves the document and the content, which hashes the table.
    "read an old version": Limits(4, 0, 0, 4_100, hashed=1.3, arrow=3.9, heap=0.1),
    "the same, bytes alone": Limits(3, 0, 0, 1_450, hashed=0.15, arrow=2.3, heap=0.01),
    "read two columns": Limits(2, 0, 0, 460, hashed=0.15, arrow=0.55, heap=0.01),
    "60th version": Limits(18, 2, 12, 42_000),
    "cut of four": Limits(69, 2, 38, 104_000, hashed=1.4, arrow=5.0, heap=0.1),
    "validate deep": Limits(103, 0, 0, 119_000, hashed=0.01, arrow=0.01, heap=0.05),
}

#: The most modules that a start may load beside those of Python itself: a package that is not needed brings dozens.
MODULES = {"import datom_core": 43, "datom --help": 180, "datom list": 400}


def check(table: pa.Table, folder: Path) -> int:
    """Count every job, print what was counted, and return how many counts exceed their limit."""
    broken = _starts(folder / "started")
    for name, job, size in _jobs(table, folder):
        limits, counted = LIMITS[name], _counted(job, size)
        shown = []
        for kind, count in counted.items():
            limit = getattr(limits, kind)
            if limit is not None:
                over = count > limit
                broken += over
                shown.append(f"{kind} {count:g}" + (f" EXCEEDS {limit:g}" if over else ""))
        print(f"  {name:<24} {', '.join(shown)}", flush=True)
    return broken


def _starts(folder: Path) -> int:
    """Count the modules that starts load, print them, and return how many exceed their limit."""
    folder.mkdir()
    project = Study(folder).project
    project.write("dm", small(1))
    run = "from datom_core.command import main\ntry: main({!r})\nexcept SystemExit: pass"
    codes = {
        "import datom_core": "import datom_core",
        "datom --help": run.format(["--help"]),
        "datom list": run.format(["list", "-p", project.store.location.root]),
    }
    broken = 0
    for name, code in codes.items():
        told = f"import sys\nbefore = len(sys.modules)\n{code}\nprint(len(sys.modules) - before)"
        said = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True).stdout
        count, limit = int(said.splitlines()[-1]), MODULES[name]
        broken += count > limit
        print(f"  {name:<24} modules {count}" + (f" EXCEEDS {limit}" if count > limit else ""), flush=True)
    return broken


def _jobs(table: pa.Table, folder: Path) -> Iterator[tuple[str, Callable[[], object], int]]:
    """Every job, with the size of its table in bytes."""
    study, numbers = Study(folder), itertools.count(1)
    plain, size, rows = study.opened(memo=False), table.nbytes, table.num_rows
    first = plain.write("lb", table)
    plain.write("same", table)
    study.project.write("memo", table)
    yield "hash", lambda: dc.hash_table(table), size
    yield "new version", lambda: plain.write("lb", table.slice(0, rows - next(numbers))), size
    yield "unchanged", lambda: plain.write("same", table), size
    yield "unchanged, by memo", lambda: study.project.write("memo", table), size
    yield "read", lambda: study.project.reader.read_arrow("lb"), size
    yield "read an old version", lambda: study.project.reader.read_arrow("lb", first.version), size
    by_bytes = lambda: study.project.reader.read_arrow("lb", first.version, verify="bytes")  # noqa: E731
    yield "the same, bytes alone", by_bytes, size
    yield "read two columns", lambda: study.project.reader.read_arrow("lb", columns=table.column_names[1:3]), size
    for _ in range(60):
        plain.write("ae", small(next(numbers)))
    yield "60th version", lambda: plain.write("ae", small(next(numbers))), small(0).nbytes
    yield "cut of four", lambda: plain.cut(f"c{next(numbers)}", _parts(table, next(numbers))), size
    yield "validate deep", lambda: study.project.validate("deep"), size


def _parts(table: pa.Table, number: int) -> dict[str, pa.Table]:
    part = table.num_rows // 50
    return {"lb": table.slice(number), **{t: table.slice(number, part) for t in ("dm", "ex", "ae")}}


def _counted(job: Callable[[], object], size: int) -> dict[str, float]:
    """Count each kind in a separate run, after one to warm up, because watching one kind affects another."""
    job()
    pool = pa.default_memory_pool()
    with ExitStack() as stack:
        calls = stack.enter_context(_calls())
        begun = pool.total_bytes_allocated()
        job()
        arrow = pool.total_bytes_allocated() - begun
    with _lines() as lines:
        job()
    with _heap() as heap:
        job()
    return {
        "requests": calls["requests"],
        "programs": calls["programs"],
        "flushes": calls["flushes"],
        "lines": lines["lines"],
        "hashed": round(calls["hashed"] / size, 3),
        "arrow": round(arrow / size, 3),
        "heap": round(heap["peak"] / size, 3),
    }


@contextmanager
def _calls() -> Iterator[Counter[str]]:
    """Count requests to stores on disk, programs, flushes, and bytes through SHA-256."""
    seen: Counter[str] = Counter()
    _programs.clear()
    with ExitStack() as stack:
        for verb in _REQUESTS:
            stack.enter_context(_spied(dc.LocalStore, verb, lambda *_: seen.update(requests=1)))
        stack.enter_context(_spied(os, "fsync", lambda *_: seen.update(flushes=1)))
        stack.enter_context(mock.patch.object(hashlib, "sha256", _sha256(seen)))
        yield seen
    seen["programs"] = _programs.total()


def _spied(owner: Any, name: str, note: Callable[..., object]) -> AbstractContextManager[Any]:
    original = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        note(*args)
        return original(*args, **kwargs)

    return mock.patch.object(owner, name, call)


def _sha256(seen: Counter[str]) -> Callable[..., Any]:
    """A `hashlib.sha256` that counts the bytes it is given."""
    real, lock = hashlib.sha256, threading.Lock()

    class Counting:
        def __init__(self, data: Any = b"", **options: Any) -> None:
            self._digest = real(**options)
            self.update(data)
            self.digest, self.hexdigest = self._digest.digest, self._digest.hexdigest

        def update(self, data: Any) -> None:
            with lock:
                seen.update(hashed=memoryview(data).nbytes)
            self._digest.update(data)

    return Counting


@contextmanager
def _lines() -> Iterator[Counter[str]]:
    """Count the lines of `datom_core` that are run, including those in threads started meanwhile."""
    seen: Counter[str] = Counter()
    lock = threading.Lock()

    def enter(frame: FrameType, event: str, argument: object) -> Any:
        return line if frame.f_code.co_filename.startswith(_PACKAGE) else None

    def line(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            with lock:
                seen["lines"] += 1
        return line

    before = sys.gettrace()
    threading.settrace(enter)
    sys.settrace(enter)
    try:
        yield seen
    finally:
        sys.settrace(before)
        threading.settrace(None)  # type: ignore[arg-type]


@contextmanager
def _heap() -> Iterator[dict[str, int]]:
    found: dict[str, int] = {}
    tracemalloc.start()
    try:
        begun = tracemalloc.get_traced_memory()[0]
        yield found
        found["peak"] = tracemalloc.get_traced_memory()[1] - begun
    finally:
        tracemalloc.stop()


def _note_program(event: str, arguments: object) -> None:
    if event == "subprocess.Popen":
        _programs["started"] += 1


# An audit hook stays for the life of the process; it sees every program, however it is started.
sys.addaudithook(_note_program)
