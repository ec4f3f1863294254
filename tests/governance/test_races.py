"""Two operations on one project at once: one of them is refused, and neither leaves anything behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.governance.decommission import Decommissioning
from datom_core.governance.register import Register
from datom_core.project.migration import _Migration

Frame = Callable[[int], pd.DataFrame]
Meanwhile = Callable[[type, str, Callable[[], Any]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let something happen once, right after a method of an operation has done its part."""

    def install(owner: type, method: str, happens: Callable[[], Any]) -> None:
        real, fired = getattr(owner, method), []

        def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = real(self, *args, **kwargs)
            if not fired:
                fired.append(True)
                happens()
            return result

        monkeypatch.setattr(owner, method, hooked)

    return install


@pytest.fixture
def target(tmp_path: Path) -> dc.LocalStore:
    return dc.LocalStore(tmp_path / "new")


@pytest.fixture
def other(project: dc.Project, remote: Path) -> dc.Project:
    """The same project, opened by somebody else."""
    return dc.Project.open(project.store, remote=remote)


class TestAMove:
    def test_is_refused_when_the_project_was_registered_meanwhile(
        self,
        governance: dc.Governance,
        project: dc.Project,
        other: dc.Project,
        target: dc.LocalStore,
        meanwhile: Meanwhile,
    ) -> None:
        meanwhile(_Migration, "seed_histories", lambda: governance.attach(other))
        with pytest.raises(dc.ConflictError, match="has been registered since"):
            dc.migrate(project, target, delete_source=True)
        assert governance.project("STUDY_001").location == project.store.location
        assert len(dc.ProjectReader.find("STUDY_001", governance=governance.store).read("dm")) == 3

    def test_is_refused_when_the_project_is_taken_away_meanwhile(
        self, project: dc.Project, other: dc.Project, target: dc.LocalStore, meanwhile: Meanwhile, remote: Path
    ) -> None:
        meanwhile(_Migration, "seed_histories", lambda: _only_marked(other))
        with pytest.raises(dc.ConflictError, match="is being decommissioned"):
            dc.migrate(project, target)

    def test_of_which_a_register_cannot_be_told_does_not_begin(
        self, governance: dc.Governance, project: dc.Project, target: dc.LocalStore, remote: Path
    ) -> None:
        attached = governance.attach(project)
        with pytest.raises(dc.InvalidInputError, match="nowhere that readers could find"):
            dc.migrate(attached, dc.MemoryStore())
        only_read = dc.Project.open(project.store, remote=remote, governance=dc.Governance.open(governance.store))
        with pytest.raises(dc.NotFoundError, match="Open it with remote="):
            dc.migrate(only_read, target)
        assert list(target.list()) == []
        assert governance.project("STUDY_001").location == project.store.location


class TestARegistration:
    def test_is_taken_back_when_the_project_has_moved(
        self,
        governance: dc.Governance,
        project: dc.Project,
        other: dc.Project,
        target: dc.LocalStore,
        meanwhile: Meanwhile,
        remote: Path,
    ) -> None:
        meanwhile(Register, "bring_level", lambda: dc.migrate(other, target))
        with pytest.raises(dc.ConflictError, match="has moved to"):
            governance.attach(project)
        assert len(governance.projects(details=False)) == 0
        assert governance.attach(dc.Project.open(target, remote=remote)).governed

    def test_is_taken_back_when_another_register_was_faster(
        self,
        governance: dc.Governance,
        project: dc.Project,
        other: dc.Project,
        meanwhile: Meanwhile,
        tmp_path: Path,
    ) -> None:
        second = dc.Governance.init(dc.LocalStore(tmp_path / "gov2"), remote=tmp_path / "gov2.git")
        meanwhile(Register, "bring_level", lambda: second.attach(other))
        with pytest.raises(dc.AlreadyExistsError, match="is registered in"):
            governance.attach(project)
        assert (len(governance.projects(details=False)), len(second.projects(details=False))) == (0, 1)
        assert list(governance.store.list()) == []

    def test_stays_when_somebody_else_completed_it_and_moved_the_data(
        self,
        governance: dc.Governance,
        project: dc.Project,
        other: dc.Project,
        target: dc.LocalStore,
        meanwhile: Meanwhile,
    ) -> None:
        meanwhile(Register, "bring_level", lambda: dc.migrate(governance.attach(other), target))
        with pytest.raises(dc.ConflictError, match="has moved to"):
            governance.attach(project)
        assert governance.project("STUDY_001").location == target.location

    def test_that_broke_off_follows_a_move_that_it_knew_nothing_of(
        self,
        governance: dc.Governance,
        project: dc.Project,
        target: dc.LocalStore,
        remote: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with monkeypatch.context() as patched:

            def fail(*_: object, **__: object) -> None:
                raise dc.StorageError("The network is away.")

            patched.setattr("datom_core.writing.document_edits.DocumentEditor.run", fail)
            with pytest.raises(dc.StorageError):
                governance.attach(project)
        dc.migrate(project, target)
        assert governance.attach(dc.Project.open(target, remote=remote)).governed
        record = governance.project("STUDY_001")
        assert (record.location, record.previous[0].location) == (target.location, project.store.location)


class TestAReader:
    def test_finds_a_project_that_moves_at_this_moment(
        self, governance: dc.Governance, project: dc.Project, target: dc.LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from datom_core.reading import reader

        attached, real, moves = governance.attach(project), reader.locate, [target]

        def located(*args: Any, **kwargs: Any) -> dc.ObjectStore:
            found = real(*args, **kwargs)
            if moves:
                dc.migrate(attached, moves.pop(), delete_source=True)
            return found

        monkeypatch.setattr(reader, "locate", located)
        assert len(dc.ProjectReader.find("STUDY_001", governance=governance.store).read("dm")) == 3


class TestADecommission:
    def test_is_refused_when_the_data_was_moved_meanwhile(
        self, project: dc.Project, other: dc.Project, target: dc.LocalStore, meanwhile: Meanwhile, remote: Path
    ) -> None:
        meanwhile(Decommissioning, "_preview", lambda: dc.migrate(other, target))
        with pytest.raises(dc.ConflictError, match="has moved to"):
            project.decommission(confirm="STUDY_001")
        assert len(dc.Project.open(target, remote=remote).reader.read("dm")) == 3

    def test_is_refused_when_the_project_was_registered_meanwhile(
        self, governance: dc.Governance, project: dc.Project, other: dc.Project, meanwhile: Meanwhile, dm: Frame
    ) -> None:
        meanwhile(Decommissioning, "_preview", lambda: governance.attach(other))
        with pytest.raises(dc.ConflictError, match="has been registered since"):
            project.decommission(confirm="STUDY_001")
        assert project.write("dm", dm(5)).changed

    def test_of_a_project_whose_registration_is_lost(
        self, governance: dc.Governance, project: dc.Project, remote: Path
    ) -> None:
        """It would count as gone already: the repository would go, and the data stay."""
        attached = governance.attach(project)
        governance.register.remove("STUDY_001", "by hand")
        governance.register.forget("STUDY_001")
        with pytest.raises(dc.NotFoundError, match=r"Governance\.attach"):
            attached.decommission(confirm="STUDY_001")
        governance.attach(attached).decommission(confirm="STUDY_001")
        assert list(project.store.list()) == []
        assert not remote.exists()


def _only_marked(project: dc.Project) -> None:
    """A decommission that broke off after its first step."""
    with pytest.MonkeyPatch.context() as patched:

        def fail(*_: object) -> None:
            raise dc.StorageError("The disk is away.")

        patched.setattr(Decommissioning, "_clear", fail)
        with pytest.raises(dc.StorageError, match="stopped at storage"):
            project.decommission(confirm="STUDY_001")
