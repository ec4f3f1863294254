"""The results of `make bench` as a page of the documentation, with plots (the extra ``bench`` has matplotlib)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.markdown import table, with_figures

_HEAD = """# Benchmarks

What each job costs against a floor: what must happen in any case, measured in the same run, in turn with the job. Times
depend on the machine, ratios hardly. `make bench` measures all of it in about ten minutes and writes this page,
`benchmarks.json` and the plots; `make bench-quick`, which CI runs, takes a minute and fails where a job takes more
requests, programs, lines of Python or bytes than it should, which no processor changes.

Medians of five runs (three of ten million rows) after one to warm up. The table is a laboratory domain of eleven
columns; that of the CDISC pilot is the real one. S3 is moto's server on loopback, git's remote is on the same disk, or
behind git's own server program. Processor time counts git's. What limits the rows that miss their target is told in
[scaling.md](scaling.md).

"""
_PEERS = """
## Other tools

The same table and the same jobs, in one process: 1,000,000 rows, five per cent appended, the whole table handed over.
In brackets the ratio to the parquet encoding that was measured in turn with that tool. "On disk" is what the disk holds
more after a new version of the large table.

"""
_TOOLS = "tool|what it does besides the file|new version|unchanged|read|2nd of 100 rows|200th|on disk".split("|")


_READS_ONLY = "datom"  # a tool that only reads: we wrote the data for it
#: What the README shows: its wording, the job, and the job's floor.
_SHOWN = [
    ("content hash, all checks included", "hash", "SHA-256 of as many bytes"),
    ("a new version: hashed, encoded, stored, committed, pushed", "new version", "parquet encode"),
    ("the same content again", "unchanged write", "hash"),
    ("the same once more on the same machine", "unchanged again, with the memo", "hash"),
    ("read to Arrow, verified", "read to Arrow, verified", "pq.read_table"),
    ("read with text as dictionaries", "read to Arrow with dictionaries", "pq.read_table"),
    ("read to pandas", "read to pandas", "pq.read_table().to_pandas()"),
]


def in_readme(text: str, found: Mapping[str, Any]) -> str:
    """The README with a run's figures."""
    rows = {(row["job"], row["floor"]): row for row in found["rows"]}
    jobs = []
    for said, job, floor in _SHOWN:
        row = rows[f"{job}, 1,000,000 rows", floor]
        jobs.append([said, f"{row['measured']['wall'] * 1e3:.0f} ms", f"{row['ratio']:.2f} x {floor}"])
    for job in ("2nd", "1,000th"):
        row = next(r for (j, f), r in rows.items() if j.startswith(f"{job} version") and f.startswith("commit"))
        said, took = f"the {job} version of a table of 100 rows", f"{row['measured']['wall'] * 1e3:.0f} ms"
        jobs.append([said, took, f"{row['ratio']:.2f} x git's commit and push"])
    tools = [
        [f"{row['tool']} {row['version']}: {row['about']}", *(f"{row[job]:.0f} ms" for job in ("new", "same", "read"))]
        for row in found["peers"]
        if row["tool"] != _READS_ONLY
    ]
    compared = table(["the same table, in one process", "new version", "unchanged", "read"], tools)
    return with_figures(text, table(["", "time", "against"], jobs) + "\n\n" + compared)


def page(found: Mapping[str, Any]) -> str:
    """The page, in Markdown."""
    about = ", ".join(f"{key} {value}" for key, value in found["machine"].items())
    jobs = table(["job", "measured", "CPU", "ratio", "floor", "target"], map(_job, found["rows"]))
    plots = "![Milliseconds by rows, and by versions and tables](images/benchmarks.svg)"
    tools = table(_TOOLS, map(_tool, found["peers"]))
    return f"{_HEAD}Machine and versions: {about}.\n\n{jobs}\n\n{plots}\n{_PEERS}{tools}\n"


def _job(row: Mapping[str, Any]) -> list[str]:
    target, ratio, note, unit = row["target"], row["ratio"], row["note"], row["unit"]
    aim = "" if target is None else f"{target:g} x" if ratio <= target else f"**{target:g} x, missed**"
    cpu = f"{row['measured']['cpu'] * 1e3:.0f} ms" if row["measured"]["cpu"] else ""
    job = f"{row['job']} ({note})" if note else row["job"]
    took, floor = (f"{row[part]['wall'] * 1e3:,.1f} {unit}" for part in ("measured", "against"))
    return [job, took, cpu, f"{ratio:.2f} x", f"{row['floor']}: {floor}", aim]


def _tool(row: Mapping[str, Any]) -> list[str]:
    new, same, read = (f"{row[job]:.0f} ms ({row[job] / row['encode']:.2f} x)" for job in ("new", "same", "read"))
    second, later, stored = f"{row['2nd']:.0f} ms", f"{row['200th']:.0f} ms", f"{row['stored'] / 1e6:.1f} MB"
    if row["tool"] == _READS_ONLY:
        new = same = second = later = stored = ""
    return [f"{row['tool']} {row['version']}", row["about"], new, same, read, second, later, stored]


def plot(curves: Mapping[str, Iterable[tuple[float, float]]], path: Path) -> None:
    """Plot cost by rows, and by the number of versions and of tables, on logarithmic axes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "datom", "font.size": 9})
    from matplotlib import pyplot

    sides = {"rows": "rows of the table", "versions": "versions of the table", "tables": "tables of the project"}
    figure, axes = pyplot.subplots(1, len(sides), figsize=(12, 4), layout="constrained")
    for axis, (key, label) in zip(axes, sides.items(), strict=True):
        for title, points in curves.items():
            name, _, by = title.rpartition(", by ")
            if by == key:
                sizes, times = zip(*points, strict=True)
                floor = name in ("parquet encode", "pq.read_table", "git alone")
                axis.plot(sizes, times, "--" if floor else "-", marker=".", label=name)
        axis.set(xscale="log", yscale="log", xlabel=label, ylabel="milliseconds")
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def main(result: Path) -> None:
    found = json.loads(result.read_text())
    result.with_suffix(".md").write_text(page(found))
    readme = result.parent.parent / "README.md"
    readme.write_text(in_readme(readme.read_text(), found))
    plot(found["curves"], result.parent / "images" / f"{result.stem}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
