"""A machine without git: readers work, writers are told at once what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc

SCRIPT = """
import sys
import datom_core as dc
store = dc.LocalStore(sys.argv[1])
print(len(dc.ProjectReader.open(store, "STUDY_001").read("dm")), "rows")
at = sys.argv[2]
for use in (lambda: dc.Project.open(store, remote=at), lambda: dc.Project.init("X", store, remote=at)):
    try:
        use()
    except dc.NotFoundError as error:
        print(error)
"""


@pytest.mark.parametrize("refresh", [None, "quiet", "0"])
def test_readers_work_and_writers_are_told(
    refresh: str | None, store: dc.LocalStore, remote: Path, tmp_path: Path
) -> None:
    dc.Project.init("STUDY_001", store, remote=remote).write("dm", pd.DataFrame({"x": [1, 2]}))
    (tmp_path / "empty").mkdir()
    environment = {**os.environ, "PATH": str(tmp_path / "empty")}
    if refresh is not None:
        environment["GIT_PYTHON_REFRESH"] = refresh
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, store.location.root, str(remote)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "2 rows" in done.stdout
    assert done.stdout.count("apt-get install git") == 2
    assert done.stdout.count("brew install git") == 2
