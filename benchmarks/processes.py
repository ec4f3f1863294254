"""What takes a separate process to measure: how long a start takes, and a job's peak memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.data import small
from benchmarks.local import Study
from benchmarks.measure import Table, Timing, alternating

_TOLD = {
    "stream": ("a write from a stream, beside the page cache", "the table in memory"),
    "compare": ("a comparison of two versions", "that of reading both"),
}


_COMMAND = "import sys; from datom_core.command import main; sys.stdout = open('/dev/null', 'w'); main({!r})"


def starts(to: Table) -> None:
    """The import of the core, and the command: neither may bring in what only others need."""
    # Compiled once, as an installed package is.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = f"{tempfile.gettempdir()}/datom-bench-compiled"

    def start(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "study").mkdir()
        project = Study(Path(folder) / "study").project
        for table in ("dm", "ae", "lb"):
            project.write(table, small(1))
        codes = {
            "nothing": "pass",
            "import datom_core": "import datom_core",
            "datom --help": _COMMAND.format(["--help"]),
            "datom list": _COMMAND.format(["list", "-p", project.store.location.root]),
            "import pyarrow": "import pyarrow.parquet, pyarrow.compute",
            "import numpy": "import numpy",
            "import datom, the PyPI reader": "import datom",
        }
        found = alternating(*(lambda code=code: start(code) for code in codes.values()))
    bare, *rest = found
    for name, timing in zip(list(codes)[1:], rest, strict=True):
        cpu = Timing(timing.cpu - bare.cpu, timing.cpu - bare.cpu)
        aim = 1.0 if name in ("import datom_core", "datom --help") else None
        to.add(f"{name}, processor time beside Python's", cpu, "150 ms", Timing(0.15), aim)


def memory(rows: int, to: Table, has_targets: bool) -> None:
    """The memory peaks of a write, a read and a write from a stream, against the size of the table in memory."""
    with tempfile.TemporaryDirectory() as folder:
        for job, target in (("write", 1.25), ("read", 1.6), ("stream", None), ("compare", 1.5)):
            command = [sys.executable, "-m", "benchmarks.processes", job, str(rows), folder]
            size, peak = map(float, subprocess.run(command, check=True, capture_output=True).stdout.split())
            name, against = _TOLD.get(job, (f"a {job}", "the table in memory"))
            to.add(
                f"peak memory of {name}, {rows:,} rows",
                Timing(peak / 1e9),
                against,
                Timing(size / 1e9),
                target if has_targets else None,
                unit="MB",
            )


def _status(field: str) -> int:
    """What the system says about this process, in bytes. Not from getrusage, which counts the parent's memory, too."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def growth_of(action: Callable[[], object]) -> int:
    """By how many bytes this process's memory, not counting pages of files, grew at its peak during an action."""
    most = before = _status("RssAnon")
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.002):
            most = max(most, _status("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    action()
    done.set()
    watcher.join()
    return most - before


def _write(rows: int, folder: Path) -> None:
    import pyarrow as pa

    from benchmarks.data import small
    from benchmarks.local import Study

    (folder / "write").mkdir()
    project = Study(folder / "write").project
    project.write("warm", small(1))
    # Another process makes the table, so that its peak does not count here.
    subprocess.run([sys.executable, "-m", "benchmarks.processes", "make", str(rows), str(folder)], check=True)
    before = _status("VmHWM")
    with pa.OSFile(str(folder / "lb.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    project.write("lb", table)
    print(table.nbytes, _status("VmHWM") - before)


def _read(folder: Path) -> None:
    import datom_core as dc

    reader = dc.ProjectReader.open(dc.LocalStore(folder / "write" / "store"))
    reader.read_arrow("warm")
    before = _status("VmHWM")
    table = reader.read_arrow("lb")
    print(table.nbytes, _status("VmHWM") - before)


def _stream(rows: int, folder: Path) -> None:
    """A write of as many rows, never all in memory at once. Pages of files can be dropped at any time."""
    import pyarrow as pa

    from benchmarks.data import lab_results, small
    from benchmarks.local import Study

    (folder / "stream").mkdir()
    project = Study(folder / "stream").project
    part = lab_results(min(rows, 100_000))
    size = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal size
        for start in range(0, rows, part.num_rows):
            sequence = pa.array(range(start, start + part.num_rows))
            batch = part.set_column(1, "LBSEQ", sequence).to_batches()[0]
            size += batch.nbytes
            yield batch

    project.write("warm", small(1))
    grown = growth_of(lambda: project.write("lb", pa.RecordBatchReader.from_batches(part.schema, batches())))
    print(size, grown)


def _compare(rows: int, folder: Path) -> None:
    """Both versions read and compared. Other processes write them, and read them without comparing."""
    import datom_core as dc
    from benchmarks.comparing import KEY

    for job in ("versions", "two"):
        command = [sys.executable, "-m", "benchmarks.processes", job, str(rows), str(folder)]
        read = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    reader = dc.ProjectReader.open(dc.LocalStore(folder / "compare" / "store"))
    new, old = reader.history("lb")
    reader.changes("warm", *reader.history("warm"))
    print(read.split()[1], growth_of(lambda: reader.changes("lb", old, new, key=KEY)))


def _two(folder: Path) -> None:
    """Both versions read, and kept."""
    import datom_core as dc

    reader = dc.ProjectReader.open(dc.LocalStore(folder / "compare" / "store"))
    entries = reader.history("lb")
    reader.read_arrow("warm")
    kept: list[Any] = []
    grown = growth_of(lambda: kept.extend(reader.read_arrow("lb", e, verify="bytes") for e in entries))
    print(sum(table.nbytes for table in kept), grown)


def _versions(rows: int, folder: Path) -> None:
    """Write two versions of the table."""
    from benchmarks.comparing import keyed, next_version
    from benchmarks.data import lab_results, small
    from benchmarks.local import Study

    (folder / "compare").mkdir()
    project, table = Study(folder / "compare").project, keyed(lab_results(rows))
    for name, both in (("warm", (small(1), small(2))), ("lb", (table, next_version(table)))):
        for version in both:
            project.write(name, version)


def _make(rows: int, folder: Path) -> None:
    """Write the table to a file."""
    import pyarrow as pa

    from benchmarks.data import lab_results

    table = lab_results(rows)
    with pa.OSFile(str(folder / "lb.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def main(job: str, rows: int, folder: Path) -> None:
    """Run one job; print the size of its table and by how much the process grew, in bytes."""
    if job == "write":
        _write(rows, folder)
    elif job == "read":
        _read(folder)
    elif job == "stream":
        _stream(rows, folder)
    elif job == "compare":
        _compare(rows, folder)
    elif job == "two":
        _two(folder)
    elif job == "versions":
        _versions(rows, folder)
    else:
        _make(rows, folder)


if __name__ == "__main__":
    _, what, how_many, where = sys.argv
    main(what, int(how_many), Path(where))
