"""A project with a long life, and a colleague who commits by hand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc

ADA, GRACE = "Ada Lovelace <ada@example.org>", "Grace Hopper <grace@example.org>"


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(rows)]})


@dataclass(frozen=True)
class Clone:
    """A clone in which somebody works with plain git."""

    folder: Path

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str, files: dict[str, str | None], *options: str, author: str = GRACE) -> str:
        """Commit files and push; ``None`` removes one."""
        for path, text in files.items():
            if text is None:
                (self.folder / path).unlink()
            else:
                (self.folder / path).write_text(text)
        self.git("add", "-A")
        self.git(*options, "commit", "-q", "--allow-empty", f"--author={author}", "-m", message)
        self.git("push", "-q", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def read(self, path: str) -> Any:
        return json.loads((self.folder / path).read_text())

    def pull(self) -> None:
        self.git("pull", "-q", "--ff-only", "origin", "main")


@pytest.fixture
def by_hand(tmp_path: Path) -> Callable[[dc.Project], Clone]:
    def clone(project: dc.Project) -> Clone:
        folder = tmp_path / "by-hand"
        subprocess.run(["git", "clone", "-q", project.remote, folder], check=True, capture_output=True)
        return Clone(folder)

    return clone


def told(events: dc.AuditTrail) -> list[tuple[str, str, str | None, str | None]]:
    """The kind, action, table and cut of events."""
    return [(e.kind, e.action, e.table, e.cut) for e in events]
