"""What a project costs as it grows, in versions of one table and in tables of one project."""

from __future__ import annotations

import itertools
import json
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datom_core as dc
from benchmarks import floors
from benchmarks.data import small
from benchmarks.local import Study
from benchmarks.measure import Table, Timing, alternating, timed

_AROUND = 10  # neighbouring versions whose median stands for one
_HISTORY = "ae/.metadata/version_history.json"
_SMALL = "commit and push of three small files"


def versions(folder: Path, to: Table, last: int) -> None:
    """The cost of the n-th version of a table of a hundred rows, with all versions written one after the other."""
    study, commit = Study(folder), timed(floors.committer(folder))
    walls = []
    for number in range(last + _AROUND):
        frame = small(number)
        begun = time.perf_counter()
        study.project.write("ae", frame, message=f"Version {number}")
        walls.append(time.perf_counter() - begun)

    def at(n: int) -> Timing:
        return Timing(statistics.median(walls[max(1, n - _AROUND) : n + _AROUND]))

    second = at(2)
    to.add("2nd version of 100 rows", second, _SMALL, commit, 2)
    for n in sorted({200, last} & set(range(last + 1))):
        to.add(f"{n:,}th version of 100 rows", at(n), "2nd version", second, 1.5)
        to.add(f"{n:,}th version of 100 rows", at(n), _SMALL, commit, 2)
    (folder / "same").mkdir()
    same = timed(floors.committer(folder / "same", size=len(study.store.get(_HISTORY).data)))
    to.add(f"{last:,}th version of 100 rows", at(last), "commit and push of files as long", same, 2)
    reader = study.project.reader
    one, history = alternating(lambda: study.store.get(_HISTORY), lambda: reader.history("ae"))
    to.add(f"history of {last + _AROUND:,} versions", history, "reading its file", one, note="at most 5 ms beyond it")
    stored = sum(info.size for info in study.store.list())
    opening(study, to, f"{last + _AROUND:,} commits", f"stored {stored / (last + _AROUND) / 1e3:.1f} kB a version")


def opening(study: Study, to: Table, size: str, note: str = "") -> None:
    """Opening a project and checking its state, with and without a cache, against git's own clone."""
    numbers = itertools.count()

    def clone(*how: str) -> None:
        target = study.folder / f"clone-{next(numbers)}"
        subprocess.run(["git", "clone", "-q", "--bare", *how, f"file://{study.remote}", target], check=True)

    full, newest, warm, cold = alternating(
        clone,
        lambda: clone("--depth=1"),
        lambda: study.opened().status(),
        lambda: study.opened(f"cold-{next(numbers)}").status(),
    )
    to.add(f"open and status, warm cache, {size}", warm, "git clone --depth=1", newest, note=note)
    to.add(f"open and status, cold cache, {size}", cold, "git clone --depth=1", newest)
    to.add(f"open and status, cold cache, {size}", cold, "git clone", full)


def tables(folder: Path, to: Table, count: int) -> None:
    """Listing many tables."""
    study = Study(folder)
    frames = {f"t{n:05d}": small(n) for n in range(count)}
    begun = time.perf_counter()
    study.project.write_all(frames)
    wrote = time.perf_counter() - begun
    reader = dc.ProjectReader.open(study.store)
    one, listed = alternating(lambda: study.store.get(".metadata/manifest.json"), reader.list)
    told = f"at most 5 ms beyond it; written in one commit in {wrote:.1f} s"
    to.add(f"list {count:,} tables", listed, "reading the manifest", one, note=told)
    numbers = itertools.count(10**6)
    few, write = alternating(floors.committer(folder), lambda: study.project.write("t00001", small(next(numbers))))
    to.add(f"write to one of {count:,} tables", write, _SMALL, few)


def curves(folder: Path, to: Table, sizes: list[int]) -> None:
    """A write to a table with many versions, and to a project with many tables, without making all of them first."""
    for what, lengthened in (("versions", _with_versions), ("tables", _with_tables)):
        for size in sizes:
            at = folder / f"{what}-{size}"
            at.mkdir()
            study, numbers = Study(at), itertools.count(1)
            study.project.write("ae", small(0))
            length = lengthened(study, size)
            reader = dc.ProjectReader.open(study.store)
            look: Callable[[], object] = reader.list if what == "tables" else lambda r=reader: r.history("ae")
            floor, write, seen = alternating(
                floors.committer(at, size=length),
                lambda s=study, n=numbers: s.project.write("ae", small(next(n))),  # type: ignore[misc]
                look,
            )
            to.add(f"write at {size:,} {what}", write, "commit and push of files as long", floor)
            to.point(f"write, by {what}", size, write)
            to.point(f"git alone, by {what}", size, floor)
            to.point(f"{'list' if what == 'tables' else 'history'}, by {what}", size, seen)


def _with_versions(study: Study, count: int) -> int:
    """Make it look as if a table had ``count`` versions; return the length of its history."""
    known = json.loads(bytes(study.store.get(_HISTORY).data))
    theirs = [{**_entry(n), "commit_sha": _digits(n, 40)} for n in range(count - 1)]
    _replace(study, _HISTORY, [*known, *theirs])
    plain = [{k: v for k, v in e.items() if k != "commit_sha"} for e in [*known, *theirs]]
    return _commit(study, "ae/version_history.json", plain)


def _with_tables(study: Study, count: int) -> int:
    """Make it look as if a project had ``count`` tables; return the length of its manifest."""
    key = ".metadata/manifest.json"
    manifest = json.loads(bytes(study.store.get(key).data))
    [(section, entries)] = [(k, v) for k, v in manifest.items() if isinstance(v, dict) and "ae" in v]
    manifest[section] = {**entries, **{f"t{n:05d}": {**entries["ae"]} for n in range(count - 1)}}
    _replace(study, key, manifest)
    return _commit(study, ".datom/manifest.json", manifest)


def _entry(n: int) -> dict[str, Any]:
    return {
        "version": _digits(n, 64),
        "data_sha": _digits(-n - 1, 64),
        "timestamp": "2026-01-01T00:00:00Z",
        "author": {"name": "B", "email": "b@example.org"},
        "commit_message": f"Version {n}",
        "parquet_sha": _digits(n + 10**6, 64),
    }


def _digits(seed: int, length: int) -> str:
    return f"{random.Random(seed).getrandbits(4 * length):0{length}x}"


def _replace(study: Study, key: str, document: object) -> None:
    study.store.replace(key, _text(document), study.store.get(key).etag)


def _commit(study: Study, path: str, document: object) -> int:
    """Put a file on the remote's branch; return its length."""
    git, text = ["git", f"--git-dir={study.remote}"], _text(document)
    tip = subprocess.run([*git, "rev-parse", "main"], capture_output=True, check=True).stdout.strip()
    head = b"commit refs/heads/main\ncommitter x <x@example.org> 1700000000 +0000\ndata 1\nx\nfrom " + tip
    stream = head + b"\nM 100644 inline %s\ndata %d\n%s\ndone\n" % (path.encode(), len(text), text)
    subprocess.run([*git, "fast-import", "--quiet", "--done"], input=stream, check=True)
    return len(text)


def _text(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
