"""A colleague who writes with R."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from tests.r_colleague import RColleague


@pytest.fixture
def colleague(project: dc.Project, remote: Path, tmp_path: Path) -> RColleague:
    return RColleague(remote, tmp_path / "r-clone")


@pytest.fixture
def donor(tmp_path: Path) -> dc.Project:
    """Where the colleague's payloads come from."""
    return dc.Project.init("STUDY_001", dc.MemoryStore(), remote=tmp_path / "donor.git")
