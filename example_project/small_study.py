"""A small study for the pages in docs/: four tables, two cuts and a register, created in the current folder.

python -m example_project.small_study
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

import datom_core as dc

AUTHOR = "Ada Lovelace <ada@example.org>"
_FIRST_WRITE = datetime(2026, 1, 15, tzinfo=UTC)


def make(folder: Path) -> dc.Project:
    """Create the study in ``folder/study``, the register that knows it in ``folder/register``, and ``datom.toml``.

    Raises:
        AlreadyExistsError: they already exist.
    """
    # Fixed times, because the pages ask what the data was on a certain day.
    hours = itertools.count()

    def clock() -> datetime:
        return _FIRST_WRITE + timedelta(hours=next(hours))

    study, register = folder / "study", folder / "register"
    remote = study / "history.git"
    project = dc.Project.init("STUDY_001", dc.LocalStore(study / "data"), remote=remote, author=AUTHOR, clock=clock)
    project.cut("interim", {"lb": table(3), "dm": table(2), "ae": table(2)}, message="Interim analysis")
    project.cut("lock", {"lb": table(4), "dm": table(2), "ae": table(2)}, message="Database lock")
    project.write("lb", table(5), message="After the lock")
    project.write("adlb", table(1), parents=[project.parent("lb")])
    governance = dc.Governance.init(
        dc.LocalStore(register / "data"), remote=register / "history.git", author=AUTHOR, clock=clock
    )
    governance.attach(project)
    settings(folder).save(folder / "datom.toml")
    return project


def settings(folder: Path) -> dc.ProjectSettings:
    """Where the study and its register are, for `datom` and whoever opens them by a file."""
    register = dc.RegisterSettings(dc.StorageSettings(path="register/data"), remote="register/history.git")
    storage = dc.StorageSettings(path="study/data")
    return dc.ProjectSettings("STUDY_001", storage, register, remote="study/history.git", folder=folder)


def table(rows: int) -> pd.DataFrame:
    """``rows`` subjects, each with a result."""
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(rows)], "LBSTRESN": [float(i) for i in range(rows)]})


if __name__ == "__main__":
    print(make(Path()).reader.list())
    print("The study is in study/, the register in register/; datom.toml says so to the command.")
