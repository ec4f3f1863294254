"""A project of versions of every kind, and all that a reader can learn of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

import datom_core as dc
from tests.long import LONG

Frame = Callable[[int], pd.DataFrame]
Place = Callable[[str], dc.ObjectStore]

#: Where to, if any store will do: what a move does is the same for each kind, and a disk takes less time.
ELSEWHERE = "s3/team" if LONG else "disk/team"


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def fill(project: dc.Project, dm: Frame) -> None:
    """Versions of every kind: a revert, a metadata-only one, parents, a cut, an odd name."""
    for n in (2, 3, 2):
        project.write("dm", dm(n), message=f"{n} subjects", table_type="imported")
    project.write("dm", dm(2), custom={"reviewed": True}, table_type="imported")
    project.cut("lock", {"Lab (v1)": dm(5), "ex": dm(1)}, message="Database lock")
    project.write("adsl", dm(4), parents=[project.parent("dm")])


def everything(reader: dc.ProjectReader) -> dict[str, Any]:
    """All that a reader can learn."""
    found: dict[str, Any] = {"cuts": {name: dict(cut) for name, cut in reader.cuts().items()}}
    for table in reader.list():
        for entry in reader.history(table.name):
            metadata = reader.metadata(table.name, entry.version)
            content = dc.hash_table(reader.read_arrow(table.name, entry.version)).data_sha
            found[f"{table.name}@{entry.version}"] = (entry, dict(metadata.raw), content, metadata.parents)
        found[table.name] = (table, reader.resolve(table.name))
    return found
