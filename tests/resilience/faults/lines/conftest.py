"""A study whose remote is set back, who writes to it afterwards, and fuses that end a writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.resilience.faults.lines.looking import Fuses, frame, reopened
from tests.resilience.faults.test_cut_points import Fuse


@pytest.fixture
def study(project: dc.Project) -> dc.Project:
    """Three versions of dm in three cuts, and one of ae that came second."""
    project.write("dm", frame(2), message="first", cut="c1")
    project.write("ae", frame(1), message="events")
    project.write("dm", frame(3), message="second", cut="c2")
    project.write("dm", frame(4), message="third", cut="c3")
    return project


@pytest.fixture(params=["same process", "new clone"])
def writer(request: pytest.FixtureRequest, study: dc.Project, tmp_path: Path, clock: Clock) -> dc.Project:
    """Who writes after the remote was set back: with a clone that has all of it, or one that is made afterwards."""
    return study if request.param == "same process" else reopened(study, tmp_path, clock)


@pytest.fixture
def fuses(monkeypatch: pytest.MonkeyPatch) -> Fuses:
    """Every push burns the fuse, too."""
    from datom_core.git import GitRepo

    real = GitRepo.publish

    def install(left: int) -> Fuse:
        fuse = Fuse(left)

        def publish(self: GitRepo, *args: Any, **kwargs: Any) -> str:
            return str(fuse.burn(lambda: real(self, *args, **kwargs)))

        monkeypatch.setattr(GitRepo, "publish", publish)
        return fuse

    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
    return install
