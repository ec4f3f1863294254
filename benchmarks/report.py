"""The results of a run as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_HEAD = """# Benchmarks

What each job costs against a floor: what must happen in any case, measured in the same run. Times depend on the
machine, ratios hardly.
`make bench` measures all of it in about three minutes and writes this page, `make bench-quick` a small version in one.
Of two jobs with one floor the times were taken in turn where they are close. Not measured yet: other tools, ten million
rows, git over http.
Medians of five runs after one to warm up; S3 is moto's server on loopback; git's remote lies on the same disk.

"""


def page(machine: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> str:
    """The page, in Markdown."""
    about = ", ".join(f"{key} {value}" for key, value in machine.items())
    lines = [
        f"Machine and versions: {about}.",
        "",
        "| job | time | CPU | ratio | floor | target |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_line(row) for row in rows]
    return _HEAD + "\n".join(lines) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    target, ratio, note = row["target"], row["ratio"], row["note"]
    aim = "" if target is None else f"{target:g} x" if ratio <= target else f"**{target:g} x, missed**"
    cpu = f"{row['measured']['cpu'] * 1e3:.0f} ms" if row["measured"]["cpu"] else ""
    job = f"{row['job']} ({note})" if note else row["job"]
    time = f"{row['measured']['wall'] * 1e3:.1f} ms"
    return f"| {job} | {time} | {cpu} | {ratio:.2f} x | {row['floor']}: {row['against']['wall'] * 1e3:.1f} ms | {aim} |"
