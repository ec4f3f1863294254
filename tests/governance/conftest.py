"""A register, and projects to be put into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def mirror(tmp_path: Path) -> dc.LocalStore:
    """The register's storage."""
    return dc.LocalStore(tmp_path / "gov-store")


@pytest.fixture
def gov_remote(tmp_path: Path) -> Path:
    return tmp_path / "acme-gov.git"


@pytest.fixture
def governance(mirror: dc.LocalStore, gov_remote: Path, clock: Clock) -> dc.Governance:
    return dc.Governance.init(mirror, remote=gov_remote, clock=clock)


@pytest.fixture
def project(tmp_path: Path, remote: Path, dm: Frame, clock: Clock) -> dc.Project:
    """A project with two versions of one table, registered nowhere."""
    made = dc.Project.init("STUDY_001", dc.LocalStore(tmp_path / "store"), remote=remote, clock=clock)
    made.write("dm", dm(2), message="first")
    made.write("dm", dm(3), message="second")
    return made
