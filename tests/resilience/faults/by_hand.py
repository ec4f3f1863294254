"""What a person with a clone does to a repository, and how it is looked at."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

Frame = Callable[[int], pd.DataFrame]


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def edit(remote: Path, clone: Path, change: Callable[[Path], Any]) -> None:
    """Change files of the data repo by hand, as a person with a clone would."""
    subprocess.run(["git", "clone", "-q", remote, clone], check=True)
    change(clone)
    subprocess.run(["git", "-C", clone, "add", "-A"], check=True)
    subprocess.run(["git", "-C", clone, "commit", "-qm", "by hand"], check=True)
    subprocess.run(["git", "-C", clone, "push", "-q"], check=True)
