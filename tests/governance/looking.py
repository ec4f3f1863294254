"""What a register's repository and its mirror hold."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import datom_core as dc

Frame = Callable[[int], pd.DataFrame]


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def subjects(remote: Path) -> list[str]:
    """Messages of all commits, newest first."""
    return git(remote, "log", "--format=%s").splitlines()


def document(store: dc.ObjectStore, key: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(bytes(store.get(key).data))
    return found


def edit_mirror(store: dc.ObjectStore, key: str, **fields: object) -> None:
    found = store.get(key)
    store.replace(key, json.dumps({**json.loads(bytes(found.data)), **fields}).encode(), found.etag)
