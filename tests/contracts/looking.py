"""What suites look at after a call: commits, and objects in a store."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import datom_core as dc

Frame = Callable[[int], pd.DataFrame]


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


def commits(remote: Path) -> int:
    return int(git(remote, "rev-list", "--count", "HEAD"))


def objects(store: dc.ObjectStore) -> dict[str, bytes]:
    """Everything in a store; white space at the end of a document is the store's own affair."""
    found = {o.key: bytes(store.get(o.key).data) for o in store.list()}
    return {key: data.rstrip() if key.endswith(".json") else data for key, data in found.items()}
