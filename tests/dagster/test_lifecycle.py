"""The steps of a project's life as jobs: launched once, launched again, and seen on the assets' pages."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

import datom_core as dc
from datom_dagster import (
    DatomIOManager,
    DatomResource,
    GovernanceResource,
    LocalStorage,
    S3Storage,
    datom_asset,
    datom_definitions,
    datom_jobs,
)
from tests.dagster.conftest import failure
from tests.github.server import github_server
from tests.s3.server import S3Server

JOBS = {
    "init_project",
    "init_governance",
    "attach_governance",
    "migrate_project",
    "validate_project",
    "mirror_project",
    "mark_reviewed",
    "freeze_cut",
    "decommission_project",
}


@datom_asset
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["s1", "s2"]})


@datom_asset
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(FLAG=True)


# A table that others write.
VS = dg.AssetSpec("vs", metadata={"datom/table": "vs"})


class Site:
    """A code location over a study that does not exist yet."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.governance = GovernanceResource(
            storage=LocalStorage(path=str(folder / "gov")), remote=str(folder / "gov.git")
        )
        self.study = DatomResource(
            project="STUDY_001",
            storage=LocalStorage(path=str(folder / "data")),
            governance=self.governance,
            remote=str(folder / "study.git"),
        )
        self.defs = datom_definitions(
            assets=[dm, adsl, VS],
            jobs=datom_jobs([dm, adsl, VS]),
            resources={
                "io_manager": DatomIOManager(datom=self.study),
                "datom": self.study,
                "governance": self.governance,
            },
        )

    def launch(self, job: str, **config: Any) -> dg.ExecuteInProcessResult:
        run_config = {"ops": {job: {"config": config}}} if config else None
        return self.defs.resolve_job_def(job).execute_in_process(
            run_config=run_config, instance=self.instance, raise_on_error=False
        )

    def done(self, job: str, **config: Any) -> dict[str, Any]:
        """Launch; what the run shows."""
        result = self.launch(job, **config)
        assert result.success, failure(result)
        return told(result)

    def materialize(self) -> None:
        job = self.defs.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=self.instance).success

    def observations(self, asset: str) -> list[dg.AssetObservation]:
        records = self.instance.fetch_observations(dg.AssetKey(asset), limit=50).records
        return [r.asset_observation for r in records if r.asset_observation is not None]

    def stale(self, asset: str) -> StaleStatus:
        graph = self.defs.resolve_asset_graph()
        return CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance)).get_status(
            dg.AssetKey(asset)
        )


def told(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The metadata of the run's only output."""
    outputs = [e.step_output_data.metadata for e in result.all_events if e.is_successful_output]
    return {
        k: [r.data for r in v.records] if isinstance(v, dg.TableMetadataValue) else v.value
        for k, v in outputs[0].items()
    }


@pytest.fixture
def site(tmp_path: Path, instance: dg.DagsterInstance) -> Site:
    return Site(tmp_path, instance)


@pytest.fixture
def studied(site: Site) -> Site:
    """Created, registered, and materialized."""
    site.done("init_governance")
    site.done("init_project")
    site.materialize()
    site.done("attach_governance")
    return site


def test_every_job_is_there_with_its_config(site: Site) -> None:
    jobs = {j.name: j for j in datom_jobs([dm])}
    assert set(jobs) == JOBS
    assert {j.name for j in datom_jobs([dm], governance=False)} == JOBS - {"init_governance", "attach_governance"}
    assert all(site.defs.resolve_job_def(name).description for name in JOBS)
    for name in JOBS - {"init_governance", "attach_governance", "mirror_project"}:
        fields = jobs[name].graph.node_defs[0].config_field.config_type.fields
        assert all(f.description for f in fields.values()), name


def test_two_studies_in_one_code_location(site: Site) -> None:
    resources = {"datom": site.study, "governance": site.governance}
    more = datom_jobs([dm], study="study_002", resources=resources)
    assert {j.name for j in more} == {f"{name}_study_002" for name in JOBS}
    dg.Definitions.validate_loadable(dg.Definitions(jobs=[*datom_jobs([dm]), *more], resources=resources))


def test_from_nothing_to_a_registered_study(site: Site) -> None:
    begun = site.done("init_governance")
    assert begun["datom/projects"] == 0
    created = site.done("init_project")
    assert (created["datom/project"], created["datom/tables"]) == ("STUDY_001", 0)
    site.materialize()
    registered = site.done("attach_governance")
    assert registered["datom/name"] == "STUDY_001"
    assert str(site.folder / "data") in registered["datom/location"]
    (seen,) = site.observations("dm")
    assert seen.metadata["datom/event"].value == "registered"
    assert len(site.governance.open_governance().projects()) == 1


def test_observations_make_nothing_stale_and_each_job_can_be_launched_again(studied: Site) -> None:
    assert studied.stale("adsl") is StaleStatus.FRESH
    studied.done("validate_project", depth="deep")
    assert len(studied.observations("dm")) == 2
    assert studied.stale("dm") is StaleStatus.FRESH
    assert studied.stale("adsl") is StaleStatus.FRESH
    for job in ("init_governance", "init_project", "attach_governance", "mirror_project"):
        studied.done(job)
    assert studied.done("init_project")["datom/tables"] == 2


class TestMoving:
    def test_the_resources_follow(self, studied: Site) -> None:
        """Nothing has to be configured anew: the register says where the data lies."""
        place = {"backend": "local", "root": str(studied.folder / "new"), "prefix": "p"}
        dry = studied.done("migrate_project", to=place, dry_run=True)
        assert dry["datom/dry_run"] is True
        assert not (studied.folder / "new").exists()
        moved = studied.done("migrate_project", to=place, message="to the new disk", sunset_at="2027-01-31")
        assert moved["datom/objects"] == dry["datom/objects"]
        assert str(studied.folder / "new") in moved["datom/target"]
        assert [o.metadata["datom/event"].value for o in studied.observations("dm")] == ["moved", "registered"]
        assert studied.stale("adsl") is StaleStatus.FRESH
        studied.materialize()
        assert str(studied.study.open_project().store.location) == f"local:{studied.folder}/new/p"
        record = studied.governance.open_governance().project("STUDY_001")
        assert (record.previous[0].sunset_at, record.events[0].reason) == ("2027-01-31", "to the new disk")

    def test_to_s3_and_by_name_alone(self, studied: Site, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NEW_KEY", s3_server.owner.access_key)
        monkeypatch.setenv("NEW_SECRET", s3_server.owner.secret_key.reveal())
        bucket = s3_server.bucket()
        keys = {"access_key_env": "NEW_KEY", "secret_key_env": "NEW_SECRET"}
        place = {"backend": "s3", "root": bucket, "prefix": "p", "endpoint_url": s3_server.endpoint, **keys}
        studied.done("migrate_project", to=place)
        # A code location that knows nothing but the name, the register, and keys.
        storage = S3Storage(bucket="any", endpoint_url=s3_server.endpoint, **keys)
        reader = DatomResource(project="STUDY_001", storage=storage, governance=studied.governance).open_reader()
        assert len(reader.read("dm")) == 2

    def test_what_cannot_be(self, studied: Site) -> None:
        for config, said in (
            ({"to": {"backend": "s3", "root": "bucket"}}, "must come from one place"),
            ({"to": {"backend": "local", "root": f"{studied.folder}/data"}}, "already"),
            ({"to": {"backend": "local", "root": f"{studied.folder}/new"}, "sunset_at": "soon"}, "must be a date"),
        ):
            result = studied.launch("migrate_project", **config)
            assert not result.success
            assert said in failure(result)

    def test_misspelt_config_is_refused_at_launch(self, site: Site) -> None:
        with pytest.raises(dg.DagsterInvalidConfigError, match="delete_sourc"):
            site.launch("migrate_project", to={"backend": "local", "root": "/x"}, delete_sourc=True)
        with pytest.raises(dg.DagsterInvalidConfigError, match="deepest"):
            site.launch("validate_project", depth="deepest")
        with pytest.raises(dg.DagsterInvalidConfigError, match="ftp"):
            site.launch("migrate_project", to={"backend": "ftp", "root": "/x"})


class TestValidating:
    def test_what_is_wrong_fails_the_run_with_a_list(self, studied: Site) -> None:
        project = studied.study.open_project()
        project.store.delete("dm/.metadata/metadata.json")
        project.store.delete(f"dm/{project.reader.resolve('adsl').data_sha}.parquet")
        result = studied.launch("validate_project", depth="quick")
        assert not result.success
        error = result.get_step_failure_events()[0].step_failure_data
        assert "dm/.metadata/metadata.json" in failure(result)
        shown = error.user_failure_data.metadata
        assert shown["datom/problems"].records[0].data["key"] == "dm/.metadata/metadata.json"
        fixed = studied.done("validate_project", depth="deep", fix=True)
        assert [row["key"] for row in fixed["datom/fixed"]] == ["dm/.metadata/metadata.json"]


class TestDecommissioning:
    def test_nothing_is_done_in_a_dry_run_or_for_a_typo(self, studied: Site) -> None:
        shown = studied.done("decommission_project", confirm="STUDY_001")
        assert shown["datom/dry_run"] is True
        assert shown["datom/objects"] > 0
        assert (studied.folder / "study.git").exists()
        # Nor with a name that is misspelt.
        result = studied.launch("decommission_project", confirm="STUDY_01", dry_run=False)
        assert "Nothing was done" in failure(result)
        assert len(studied.study.open_reader().list()) == 2

    def test_for_real_and_again_after_a_break(self, studied: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:

            def away(*_: object) -> None:
                raise dc.AccessDeniedError("The disk is write protected.")

            patched.setattr(dc.LocalStore, "delete", away)
            result = studied.launch("decommission_project", confirm="STUDY_001", dry_run=False)
            assert "stopped at storage" in failure(result)
        studied.done("decommission_project", confirm="STUDY_001", dry_run=False)
        assert not (studied.folder / "study.git").exists()
        assert len(studied.governance.open_governance().projects()) == 0


def test_a_project_that_can_only_be_read(studied: Site) -> None:
    reader = DatomResource(project="STUDY_001", governance=studied.governance)
    (job,) = [j for j in datom_jobs(governance=False, resources={"datom": reader}) if j.name == "mirror_project"]
    result = job.execute_in_process(instance=studied.instance, raise_on_error=False)
    assert "has no remote" in failure(result)
    assert len(reader.open_reader().read("dm")) == 2


def test_a_study_needs_a_place() -> None:
    with pytest.raises(ValueError, match="needs storage, or governance"):
        DatomResource(project="S")


def test_on_github(tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repositories are created and deleted by the jobs; the token is named, and shows nowhere."""
    with github_server(tmp_path / "github") as server:
        token = server.user("ada")
        monkeypatch.setenv("STUDY_TOKEN", token)
        on_host = {"token_env": "STUDY_TOKEN", "github_api_url": server.api_url}
        site = Site(tmp_path, instance)
        site.governance = GovernanceResource(
            storage=LocalStorage(path=str(tmp_path / "gov")), remote=f"{server.url}/ada/gov.git", **on_host
        )
        site.study = DatomResource(
            project="STUDY_001",
            storage=LocalStorage(path=str(tmp_path / "data")),
            governance=site.governance,
            remote=f"{server.url}/ada/study.git",
            **on_host,
        )
        resources = {"datom": site.study, "governance": site.governance}
        site.defs = dg.Definitions(jobs=datom_jobs(), resources=resources)
        for job in ("init_governance", "init_project", "attach_governance"):
            site.done(job)
        assert server.exists("ada/study")
        refused = site.launch("decommission_project", confirm="STUDY_001", dry_run=False)
        assert "stopped at repository" in failure(refused)
        assert "`delete_repo` is what datom needs" in failure(refused)
        monkeypatch.setenv("STUDY_TOKEN", server.user("ada", ["repo", "delete_repo"]))
        site.done("decommission_project", confirm="STUDY_001", dry_run=False)
        assert not server.exists("ada/study")
        assert server.exists("ada/gov")
        told_everywhere = "".join(str(e) for r in instance.get_runs() for e in instance.all_logs(r.run_id))
        assert token not in told_everywhere
        assert token not in repr(site.study) + "".join(json.dumps(r.run_config) for r in instance.get_runs())
