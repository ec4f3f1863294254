"""The steps of a project's life as jobs: how they are configured, broken off, and launched again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

import datom_core as dc
from datom_dagster import DatomResource, GovernanceResource, LocalStorage, datom_jobs

Launch = Callable[..., dg.ExecuteInProcessResult]
FRAME = pd.DataFrame({"USUBJID": ["s1", "s2"]})


@pytest.fixture
def register(tmp_path: Path) -> GovernanceResource:
    return GovernanceResource(storage=LocalStorage(path=str(tmp_path / "gov")), remote=str(tmp_path / "gov.git"))


@pytest.fixture
def governed(register: GovernanceResource, tmp_path: Path) -> DatomResource:
    return DatomResource(
        project="STUDY_001",
        storage=LocalStorage(path=str(tmp_path / "data")),
        governance=register,
        remote=str(tmp_path / "study.git"),
    )


@pytest.fixture
def launch(governed: DatomResource, register: GovernanceResource) -> Launch:
    jobs = {job.name: job for job in datom_jobs()}

    def run(name: str, **config: Any) -> dg.ExecuteInProcessResult:
        return jobs[name].execute_in_process(
            run_config={"ops": {name: {"config": config}}} if config else None,
            resources={"datom": governed, "governance": register},
        )

    return run


@pytest.fixture
def attached(launch: Launch, governed: DatomResource) -> DatomResource:
    """A registered project with one table; nothing but jobs made it."""
    for name in ("init_governance", "init_project", "attach_governance"):
        assert launch(name).success
    governed.open_project().write("dm", FRAME)
    return governed


def stop(*_: object, **__: object) -> None:
    raise dc.FormatError("The process is gone.")


class TestDefinitions:
    def test_the_jobs_of_a_project_can_be_loaded(self, governed: DatomResource, register: GovernanceResource) -> None:
        resources = {"datom": governed, "governance": register}
        dg.Definitions.validate_loadable(dg.Definitions(jobs=datom_jobs(), resources=resources))

    def test_so_can_those_of_several(self, governed: DatomResource, register: GovernanceResource) -> None:
        resources = {"datom": governed, "governance": register}
        jobs = [job for study in ("one", "two") for job in datom_jobs(study=study, resources=resources)]
        dg.Definitions.validate_loadable(dg.Definitions(jobs=jobs))
        assert {"migrate_project_one", "migrate_project_two"} <= {job.name for job in jobs}

    @pytest.mark.parametrize(
        ("name", "config"),
        [
            ("migrate_project", {"to": {"backend": "s4", "root": "b"}}),
            ("migrate_project", {"to": {"backend": "s3"}}),
            ("migrate_project", {"to": {"backend": "s3", "root": "b"}, "verify": "none"}),
            ("validate_project", {"depth": "shallow"}),
            ("decommission_project", {"dry_run": False}),
        ],
    )
    def test_what_cannot_be_is_refused_at_launch(self, launch: Launch, name: str, config: dict[str, Any]) -> None:
        with pytest.raises(dg.DagsterInvalidConfigError):
            launch(name, **config)

    @pytest.mark.parametrize("field", ["storage", "governance"])
    def test_a_resource_that_is_none(self, study: DatomResource, field: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=f"{field} must be a"):
            DatomResource(**{"project": "S", "storage": study.storage, field: "/data"})


class TestAgain:
    def test_a_creation_that_broke_off_is_completed(
        self, launch: Launch, governed: DatomResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("datom_core.publishing.projector.Projector.bring_level", stop)
            with pytest.raises(dg.Failure, match="is gone"):
                launch("init_project")
        assert launch("init_project").success
        assert [o.key for o in governed.store().list()] == [".metadata/manifest.json"]
        assert launch("init_project").success

    def test_a_place_that_is_taken(self, launch: Launch, tmp_path: Path) -> None:
        dc.Project.init("OTHER", dc.LocalStore(tmp_path / "data"), remote=tmp_path / "other.git")
        with pytest.raises(dg.Failure, match="holds the project 'OTHER' already"):
            launch("init_project")

    def test_a_move_that_broke_off_after_it_was_recorded(
        self, launch: Launch, attached: DatomResource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        move = {"to": {"backend": "local", "root": str(tmp_path / "new")}, "delete_source": True}
        with monkeypatch.context() as patched:
            patched.setattr("datom_core.project.migration._Migration.clear", stop)
            with pytest.raises(dg.Failure, match="is gone"):
                launch("migrate_project", **move)
        for _ in range(2):
            assert launch("migrate_project", **move).success
        assert list(dc.LocalStore(tmp_path / "data").list()) == []
        assert len(attached.open_reader().read("dm")) == 2

    def test_of_a_project_without_register_the_old_place_is_told(
        self, study: DatomResource, project: dc.Project, tmp_path: Path
    ) -> None:
        project.write("dm", FRAME)
        old, new = ({"backend": "local", "root": root} for root in (project.store.location.root, str(tmp_path / "new")))
        dc.migrate(project, dc.LocalStore(tmp_path / "new"))
        moved = DatomResource(project="STUDY_001", storage=LocalStorage(path=new["root"]), remote=study.remote)
        (job,) = (j for j in datom_jobs(governance=False) if j.name == "migrate_project")
        config = {"to": new, "source": old, "delete_source": True}
        job.execute_in_process(run_config={"ops": {"migrate_project": {"config": config}}}, resources={"datom": moved})
        assert list(project.store.list()) == []


class TestWhereTheDataLies:
    def test_a_register_that_is_not_there_is_not_passed_over(
        self, launch: Launch, attached: DatomResource, tmp_path: Path
    ) -> None:
        """Its data has moved: what ``storage`` still holds is old."""
        launch("migrate_project", to={"backend": "local", "root": str(tmp_path / "new")})
        attached.open_project().write("dm", FRAME.head(1))
        shutil.move(tmp_path / "gov", tmp_path / "unmounted")
        with pytest.raises(dc.NotFoundError, match="is registered in"):
            attached.open_reader()
        shutil.move(tmp_path / "unmounted", tmp_path / "gov")
        assert len(attached.open_reader().read("dm")) == 1


def test_a_decommission_is_a_dry_run_unless_told_otherwise(launch: Launch, attached: DatomResource) -> None:
    launch("decommission_project", confirm="STUDY_001")
    assert len(attached.open_reader().read("dm")) == 2
    with pytest.raises(dg.Failure, match="Nothing was done"):
        launch("decommission_project", confirm="STUDY_01", dry_run=False)
    launch("decommission_project", confirm="STUDY_001", dry_run=False)
    with pytest.raises(dc.NotFoundError):
        attached.open_project()


@pytest.mark.filterwarnings("ignore:Property `OpDefinition.version` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("theirs", [None, "v1"], ids=["unversioned", "versioned"])
def test_what_a_job_notes_about_an_asset_of_others_is_no_change(
    study: DatomResource, project: dc.Project, instance: dg.DagsterInstance, theirs: str | None
) -> None:
    """They may tell its versions apart in another way than by content."""
    project.write("dm", FRAME)

    @dg.observable_source_asset
    def dm() -> dg.DataVersion:
        return dg.DataVersion(str(theirs))

    @dg.asset(deps=[dm])
    def adsl() -> None: ...

    defs = dg.Definitions(assets=[dm, adsl], jobs=[dg.define_asset_job("derive", [adsl])])
    if theirs is not None:
        instance.report_runless_asset_event(dg.AssetObservation("dm", tags={"dagster/data_version": theirs}))
    assert defs.resolve_job_def("derive").execute_in_process(instance=instance).success
    jobs = {job.name: job for job in datom_jobs([dm], governance=False, resources={"datom": study})}
    for _ in range(2):
        assert jobs["validate_project"].execute_in_process(instance=instance).success
    assert len(instance.fetch_observations(dg.AssetKey("dm"), limit=9).records) == 2 + (theirs is not None)
    stale = CachingStaleStatusResolver(instance, defs.resolve_asset_graph(), LoadingContextForTest(instance))
    assert stale.get_status(dg.AssetKey("adsl")) is StaleStatus.FRESH
