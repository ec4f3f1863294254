"""A machine without git, or with an old one: readers work, writers are told at once what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.long import long

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


@pytest.mark.parametrize("refresh", [None, "quiet", pytest.param("0", marks=long)])
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


OLD_GIT = """#!/bin/sh
if [ "$1" = version ]; then echo "git version {version}"; else exec {git} "$@"; fi
"""


@pytest.mark.parametrize(
    ("version", "accepted"), [("2.28.1", False), ("1.9.5.msysgit.0", False), ("2.29.0-rc1", True), ("3.0 (a)", True)]
)
def test_an_old_git_is_named_before_anything_is_done(
    version: str, accepted: bool, tmp_path: Path, store: dc.LocalStore, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / version / "git"  # what a program says of its version is asked once for each place
    program.parent.mkdir()
    program.write_text(OLD_GIT.format(version=version, git=shutil.which("git")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    if accepted:
        dc.Project.init("STUDY_001", store, remote=remote)
        return
    number = version[:4].rstrip(".")
    uses: list[Callable[[], object]] = [
        lambda: dc.Project.init("STUDY_001", store, remote=remote),
        lambda: dc.Project.open(store, remote=remote),
    ]
    for use in uses:
        with pytest.raises(dc.NotFoundError, match=rf"2\.29 or newer, and this machine has {number}.*apt-get"):
            use()
    assert not remote.exists()
    assert list(store.list()) == []
