"""What goes wrong around a writer: disks, rights, remotes, names, connections, clocks, caches.

Each fault must end in a success or in a true error; readers see a whole version meanwhile; and once the fault is gone,
the same write again completes it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

import datom_core as dc
from tests.git_http import GitServer
from tests.patience import PATIENCE
from tests.resilience.torture.outcome import Outcome
from tests.resilience.torture.place import Place, place
from tests.resilience.torture.writers import PROCESSES
from tests.servers import serving

NOBODY = 65534
Fault = Callable[[Place], Iterator[dict[str, Any]]]


def frame(n: int) -> pd.DataFrame:
    """Large enough that what is written of it is seen to be missing."""
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)], "X": [((i * 7919) % 104_729) / 7 for i in range(n)]})


def _write(place: Place, options: dict[str, Any], answers: Any) -> None:
    """One process: write with limits of its own; the answer is the action, or the error."""
    try:
        os.environ["XDG_CACHE_HOME"] = str(place.folder / f"cache-{options.get('uid', 0)}")
        if "file_size" in options:
            resource.setrlimit(resource.RLIMIT_FSIZE, (options["file_size"], options["file_size"]))
        if "uid" in options:
            importlib.import_module("git")  # while that may be read
            os.setuid(options["uid"])
        clock = options.get("clock")
        project = dc.Project.open(
            place.store(),
            remote=options.get("remote", place.remote),
            author="Lead <lead@example.org>",
            clock=None if clock is None else lambda: clock,
        )
        answers.put(project.write("dm", frame(options["rows"]), message="under a fault").action)
    except dc.DatomError as error:
        answers.put(f"{type(error).__name__}: {error}")
    except BaseException as error:
        answers.put(f"UNTRUE {type(error).__name__}: {error}")
        raise


def attempt(place: Place, options: dict[str, Any]) -> str:
    answers = PROCESSES.SimpleQueue()
    process = PROCESSES.Process(target=_write, args=(place, options, answers))
    process.start()
    process.join(timeout=PATIENCE)
    if process.is_alive():
        process.kill()
        return "UNTRUE: it hangs"
    return str(answers.get()) if not answers.empty() else f"UNTRUE: died with {process.exitcode}"


def disk_full(at: Place) -> Iterator[dict[str, Any]]:
    """No file may grow beyond some kilobytes: the payload's, then those of git."""
    for size in (2**17, 2**12, 200):
        yield {"file_size": size}


def rights_lost(at: Place) -> Iterator[dict[str, Any]]:
    """The writer may read everything, and change nothing: neither the store, nor the repository."""
    subprocess.run(["chmod", "-R", "a+rX", at.folder], check=True)
    at.folder.parent.chmod(0o755)
    cache = at.folder / f"cache-{NOBODY}"
    cache.mkdir()
    os.chown(cache, NOBODY, NOBODY)
    yield {"uid": NOBODY}


def store_away(at: Place) -> Iterator[dict[str, Any]]:
    with _moved(at.folder / "store"):
        yield {}


def remote_away(at: Place) -> Iterator[dict[str, Any]]:
    with _moved(at.repository):
        yield {}


def name_unknown(at: Place) -> Iterator[dict[str, Any]]:
    """The host's name does not resolve."""
    yield {"remote": "http://no-such-host.invalid/study.git"}


def connection_reset(at: Place) -> Iterator[dict[str, Any]]:
    """The connection breaks at each request of a write in turn: before the server did it, and after."""
    with _served(at.folder / "served") as server:
        for after in (False, True):
            for request in range(1, 9):
                server.cut(request, after=after)
                yield {"remote": server.url("study.git")}


def clock_backwards(at: Place) -> Iterator[dict[str, Any]]:
    yield {"clock": datetime.now(UTC) - timedelta(days=400)}


def cache_broken(at: Place) -> Iterator[dict[str, Any]]:
    """The clone is gone, half there, empty, or full of rubbish."""
    cache = at.folder / "cache-0" / "datom" / "git"
    for harm in ("gone", "half", "empty", "rubbish", "file"):
        for clone in cache.glob("*.git"):
            files = sorted(p for p in clone.rglob("*") if p.is_file())
            if harm in ("gone", "file"):
                shutil.rmtree(clone)
            if harm == "file":
                clone.write_text("not a repository")
            for path in files[:: 2 if harm == "half" else 1]:
                if harm == "half":
                    path.unlink()
                elif harm in ("empty", "rubbish"):
                    path.chmod(0o600)
                    path.write_bytes(b"" if harm == "empty" else os.urandom(64))
        yield {}


#: Those after which the write must have succeeded in spite of the fault.
SUCCESS = ("created", "unchanged", "repaired", "metadata_only")
HARMLESS = frozenset({"clock backwards", "cache broken"})
FAULTS: dict[str, Fault] = {
    "disk full": disk_full,
    "rights lost": rights_lost,
    "store away": store_away,
    "remote away": remote_away,
    "name unknown": name_unknown,
    "connection reset": connection_reset,
    "clock backwards": clock_backwards,
    "cache broken": cache_broken,
}


def fault(name: str, folder: Path) -> Outcome:
    """Write under a fault, read meanwhile, and write again without it."""
    outcome, answers = Outcome(f"fault: {name}"), []
    with place(folder) as at:
        project = at.init()
        project.write("dm", frame(3), message="before")
        attempt(at, {"rows": 5})  # so that there is a cache
        before, rows = 5, 30_000
        for options in FAULTS[name](at):
            rows += 1
            outcome.faults += 1
            outcome.operations += 1
            answers.append(attempt(at, {**options, "rows": rows}))
            before = _judge(name, answers[-1], at, {before, rows}, outcome)
        again = attempt(at, {"rows": rows})
        if again not in SUCCESS or not at.open().status().level or len(at.reader().read_arrow("dm")) != rows:
            outcome.wrong += 1
            outcome.problems.append(f"again, without the fault: {again}")
        outcome.recovered = outcome.faults if not outcome.problems else 0
    outcome.note = "; ".join(dict.fromkeys(a.split(":")[0] for a in answers))
    return outcome


def _judge(name: str, answer: str, at: Place, allowed: set[int], outcome: Outcome) -> int:
    """Count what is not as it should be; how many rows readers see."""
    success = answer in SUCCESS
    if answer.startswith("UNTRUE") or (name in HARMLESS and not success):
        outcome.wrong += 1
        outcome.problems.append(f"{name}: {answer}")
    if name == "store away":
        return min(allowed)
    # Readers see one whole version or the other.
    rows = len(at.reader().read_arrow("dm"))
    if rows not in allowed or (success and rows != max(allowed)):
        outcome.wrong += 1
        outcome.problems.append(f"{name}: {answer}, and readers see {rows} rows")
    return rows


@contextlib.contextmanager
def _moved(path: Path) -> Iterator[None]:
    away = path.with_name(f"{path.name}-away")
    path.rename(away)
    try:
        yield
    finally:
        if path.exists():
            shutil.rmtree(path)
        away.rename(path)


class CuttingServer(GitServer):
    """Breaks the connection at one request, counted from the last call of `cut`."""

    def cut(self, request: int, *, after: bool) -> None:
        self.left, self.after = request, after

    def breaks(self) -> bool:
        self.left -= 1
        return self.left == 0


@contextlib.contextmanager
def _served(root: Path) -> Iterator[CuttingServer]:
    server = CuttingServer(root)
    server.cut(0, after=False)
    with serving(server):
        yield server
