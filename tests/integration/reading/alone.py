"""A project that several tests read: made once, apart from what each test has for itself."""

from __future__ import annotations

from pathlib import Path

import datom_core as dc
from datom_core.testing import Clock


def alone(folder: Path) -> dc.Project:
    """A new project, with its places and its cache below the folder."""
    return dc.Project.init(
        "STUDY_001",
        dc.LocalStore(folder / "store"),
        remote=folder / "remote.git",
        author="Test Author <test@example.org>",
        cache_dir=folder / "cache",
        clock=Clock(),
    )
