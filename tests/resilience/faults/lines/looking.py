"""What a line, the branch and storage show, and how they are set back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

import datom_core as dc
from datom_core.testing import Clock
from tests.resilience.faults.test_cut_points import Fuse

LINE = ".metadata/line.json"
HISTORY = "dm/.metadata/version_history.json"


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)], "AGE": range(40, 40 + n)})


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout.strip()


def set_back(remote: Path, commits: int, branch: str = "main") -> str:
    """As after a force-push; the commit that was there."""
    was = git(remote, "rev-parse", branch)
    git(remote, "update-ref", f"refs/heads/{branch}", f"{branch}~{commits}")
    return was


def everything(project: dc.Project) -> tuple[dict[str, bytes], str]:
    objects = {o.key: bytes(project.store.get(o.key).data) for o in project.store.list()}
    return objects, git(Path(project.remote), "show-ref")


def line(project: dc.Project) -> dict[str, Any]:
    return dict(json.loads(bytes(project.store.get(LINE).data)))


def put_line(project: dc.Project, **fields: Any) -> None:
    project.store.replace(LINE, json.dumps({**line(project), **fields}).encode(), project.store.get(LINE).etag)


def reopened(study: dc.Project, tmp_path: Path, clock: Clock, **options: Any) -> dc.Project:
    options = {"cache_dir": tmp_path / "elsewhere", **options}
    return dc.Project.open(study.store, remote=study.remote, clock=clock, **options)


Fuses = Callable[[int], Fuse]
