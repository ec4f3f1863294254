"""What only a process of its own can tell: how long an import takes, and how much memory a job needs at its peak."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Table, Timing, timed


def imports(to: Table) -> None:
    """The import of the core; nothing that it needs for writing, S3 or GitHub alone may come with it."""

    def start(code: str) -> Timing:
        return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    bare, whole, arrow = start("pass"), start("import datom_core"), start("import pyarrow, pyarrow.parquet")
    cost = (whole.cpu - bare.cpu) * 1e3
    to.add("import datom_core", whole, "import pyarrow.parquet", arrow, note=f"{cost:.0f} ms CPU of 150")


def memory(rows: int, to: Table) -> None:
    """The peak of a write and of a read, against the size of the table in memory."""
    with tempfile.TemporaryDirectory() as folder:
        for job, target in (("write", 1.25), ("read", 1.6)):
            command = [sys.executable, "-m", "benchmarks.processes", job, str(rows), folder]
            size, peak = map(float, subprocess.run(command, check=True, capture_output=True).stdout.split())
            # Megabytes in the place of milliseconds: what is compared is a ratio all the same.
            to.add(
                f"peak memory of a {job}, {rows:,} rows, MB for ms",
                Timing(peak / 1e9, 0.0),
                "the table in memory",
                Timing(size / 1e9, 0.0),
                target,
            )


def _peak() -> int:
    """The most that the process ever had in memory, in bytes. Not from getrusage, which counts a parent's too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def main(job: str, rows: int, folder: Path) -> None:
    """One job; prints the size of its table and by how much the process grew, the table included, in bytes."""
    import datom_core as dc
    from benchmarks.data import small

    where = {"remote": folder / "study.git", "cache_dir": folder / "cache"}
    store = dc.LocalStore(folder / "store")
    if job == "read":
        reader = dc.ProjectReader.open(store)
        reader.read_arrow("warm")
        before = _peak()
        table = reader.read_arrow("lb")
        print(table.nbytes, _peak() - before)
        return
    project = dc.Project.init("BENCH", store, **where)  # type: ignore[arg-type]
    project.write("warm", small(1))
    lab_file = folder / "lb.arrow"
    if not lab_file.exists():
        # Made by another process, whose peak is not this one's.
        subprocess.run([sys.executable, "-m", "benchmarks.processes", "make", str(rows), str(folder)], check=True)
    import pyarrow as pa

    before = _peak()
    with pa.OSFile(str(lab_file)) as file:
        table = pa.ipc.open_file(file).read_all()
    project.write("lb", table)
    print(table.nbytes, _peak() - before)


def make(rows: int, folder: Path) -> None:
    """The table in a file."""
    import pyarrow as pa

    from benchmarks.data import lab_results

    table = lab_results(rows)
    with pa.OSFile(str(folder / "lb.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


if __name__ == "__main__":
    _, what, how_many, where = sys.argv
    make(int(how_many), Path(where)) if what == "make" else main(what, int(how_many), Path(where))
