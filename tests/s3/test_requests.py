"""How many requests each operation sends; the table in docs/s3.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.s3.proxy import Proxy

Frame = Callable[[int], pd.DataFrame]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "s3.md"

#: Operation -> requests, for a process that has opened the project already.
EXPECTED = {
    "read current": 2,
    "read pinned": 3,
    "read a cut": 4,
    "list": 1,
    "history": 1,
    "cuts": 1,
    "write new": 12,
    "write unchanged": 3,
}


@pytest.fixture
def counted(project: dc.Project, behind: dc.S3Store, remote: Path, proxy: Proxy, dm: Frame) -> dict[str, int]:
    """Requests by operation."""
    first = project.write("dm", dm(3))
    project.write("dm", dm(4), cut="lock")
    ours = dc.Project.open(behind, remote=remote)
    ours.write("dm", dm(5))  # asks the server once what it knows
    reader = dc.ProjectReader.open(behind)
    operations: dict[str, Callable[[], object]] = {
        "read current": lambda: reader.read("dm"),
        "read pinned": lambda: reader.read("dm", version=first.version[:8]),
        "read a cut": lambda: reader.read("dm", cut="lock"),
        "list": reader.list,
        "history": lambda: reader.history("dm"),
        "cuts": reader.cuts,
        "write unchanged": lambda: ours.write("dm", dm(5)),
        "write new": lambda: ours.write("dm", dm(6)),
    }
    counts = {}
    for name, operation in operations.items():
        proxy.seen.clear()
        operation()
        counts[name] = len(proxy.seen)
    return counts


def test_the_counts(counted: dict[str, int]) -> None:
    assert counted == EXPECTED


def test_the_table_in_the_docs() -> None:
    told = dict(re.findall(r"^\| (\w[\w ]+) \| (\d+) \|", DOCS.read_text(), re.MULTILINE))
    assert {name: int(count) for name, count in told.items() if name in EXPECTED} == EXPECTED


def test_opening(project: dc.Project, behind: dc.S3Store, proxy: Proxy) -> None:
    # Made with check=True, the store has looked at the bucket once; opening a reader reads the manifest,
    # and looks whether the project is registered.
    assert [line.split()[0] for line in proxy.lines()] == ["HEAD"]
    dc.ProjectReader.open(behind)
    assert [line.split()[0] for line in proxy.lines()] == ["HEAD", "GET", "GET"]


def test_a_table_of_many_versions(
    project: dc.Project,
    behind: dc.S3Store,
    remote: Path,
    proxy: Proxy,
    dm: Frame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The unchanged write costs five requests then: it does not grow with the history."""
    monkeypatch.setattr("datom_core.publishing.projector._LISTED_VERSIONS", 6)
    ours = dc.Project.open(behind, remote=remote)
    for n in range(1, 10):
        ours.write("dm", dm(2), custom={"n": n})
    proxy.seen.clear()
    assert ours.write("dm", dm(2), custom={"n": 9}).action == "unchanged"
    assert len(proxy.seen) == 5
