"""A study in a bucket: assets write to it, readers read it, and no secret shows anywhere."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock
from datom_dagster import (
    DatomIOManager,
    DatomResource,
    S3Storage,
    datom_asset,
    datom_change_report,
    datom_definitions,
    datom_jobs,
)
from tests.dagster.conftest import failure
from tests.long import long
from tests.s3.server import S3Server

ROOT = Path(__file__).resolve().parents[2]
Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    return s3_server.bucket()


@pytest.fixture(autouse=True)
def keys(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDY_KEY", s3_server.owner.access_key)
    monkeypatch.setenv("STUDY_SECRET", s3_server.owner.secret_key.reveal())


@pytest.fixture
def storage(s3_server: S3Server, bucket: str) -> S3Storage:
    return S3Storage(
        bucket=bucket,
        prefix="team/onc",
        endpoint_url=s3_server.endpoint,
        access_key_env="STUDY_KEY",
        secret_key_env="STUDY_SECRET",
    )


@pytest.fixture
def project(s3_server: S3Server, bucket: str, remote: Path, clock: Clock) -> dc.Project:
    return dc.Project.init("STUDY_001", s3_server.store(bucket, "team/onc"), remote=remote, clock=clock)


@datom_asset
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["s1", "s2"]})


@datom_asset
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(FLAG=True)


def test_a_report_lies_beside_the_project_and_is_written_once(storage: S3Storage, s3_server: S3Server) -> None:
    first, second = (storage.publish("STUDY 1/dm/a-b.html", b"<html>") for _ in range(2))
    key = "team/onc/STUDY 1/dm/a-b.html"
    assert first == second == f"{s3_server.endpoint}/{storage.bucket}/team/onc/STUDY%201/dm/a-b.html"
    found = s3_server.s3.get_object(Bucket=storage.bucket, Key=key)
    assert (found["ContentType"], found["Body"].read()) == ("text/html; charset=utf-8", b"<html>")
    gone = storage.model_copy(update={"bucket": "no-such-bucket"})
    gone._store = None
    with pytest.raises(dc.StorageError, match="cannot be written into the bucket no-such-bucket: NoSuchBucket"):
        gone.publish("a/b.html", b"")


def definitions(study: DatomResource) -> dg.Definitions:
    return datom_definitions(
        assets=[dm, adsl], resources={"io_manager": DatomIOManager(datom=study), "datom": study}, jobs=[JOB]
    )


JOB = dg.define_asset_job("everything")


def test_assets_in_a_bucket(project: dc.Project, storage: S3Storage) -> None:
    study = DatomResource(project="STUDY_001", storage=storage, remote=project.remote)
    defs = definitions(study)
    first, second = (defs.resolve_job_def("everything").execute_in_process() for _ in range(2))
    assert first.success
    assert {t.name: t.versions for t in project.reader.list()} == {"dm": 1, "adsl": 1}
    assert {e.materialization.metadata["datom/changed"].value for e in second.get_asset_materialization_events()} == {
        False
    }
    spec = next(s for s in defs.resolve_all_asset_specs() if s.key == dg.AssetKey("dm"))
    assert spec.metadata["dagster/uri"] == f"s3://{project.store.location.root}/team/onc/datom/dm"
    assert project.status().level


@long
def test_every_step_in_a_process_of_its_own(
    project: dc.Project, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STUDY_BUCKET", project.store.location.root)
    monkeypatch.setenv("STUDY_ENDPOINT", s3_server.endpoint)
    monkeypatch.setenv("STUDY_REPO", project.remote)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        assert dg.execute_job(dg.reconstructable(job_of_processes), instance=instance).success
    assert [p.table for p in project.reader.parents("adsl") or ()] == ["dm"]


def job_of_processes() -> dg.JobDefinition:
    storage = S3Storage(
        bucket=dg.EnvVar("STUDY_BUCKET"),
        prefix="team/onc",
        endpoint_url=dg.EnvVar("STUDY_ENDPOINT"),
        access_key_env="STUDY_KEY",
        secret_key_env="STUDY_SECRET",
    )
    study = DatomResource(project="STUDY_001", storage=storage, remote=dg.EnvVar("STUDY_REPO"))
    return definitions(study).resolve_job_def("everything")


class TestReader:
    """Without a remote, assets load; a run that would write fails before any step."""

    @pytest.fixture
    def study(
        self, project: dc.Project, storage: S3Storage, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
    ) -> Any:
        project.write("dm", pd.DataFrame({"USUBJID": ["s1", "s2", "s3"]}))
        owner = s3_server.store(project.store.location.root, "team/onc")
        keys = s3_server.user(dc.iam_policy(owner, "reader"))
        monkeypatch.setenv("STUDY_KEY", keys.access_key)
        monkeypatch.setenv("STUDY_SECRET", keys.secret_key.reveal())
        return DatomResource(project="STUDY_001", storage=storage)

    def test_assets_load(self, study: DatomResource, tmp_path: Path) -> None:
        seen = []

        @dg.asset(io_manager_key="elsewhere")
        def report(dm: pd.DataFrame) -> int:
            seen.append(len(dm))
            return len(dm)

        defs = datom_definitions(
            assets=[dm, report],
            resources={
                "io_manager": DatomIOManager(datom=study),
                "elsewhere": dg.FilesystemIOManager(base_dir=str(tmp_path)),
            },
            jobs=[dg.define_asset_job("reports", selection=[report])],
        )
        assert defs.resolve_job_def("reports").execute_in_process().success
        assert seen == [3]

    def test_a_run_that_would_write_fails_before_it_begins(self, study: DatomResource) -> None:
        began = []

        @datom_asset(name="dm")
        def dm_again() -> pd.DataFrame:
            began.append(1)
            return pd.DataFrame({"x": [1]})

        defs = datom_definitions(assets=[dm_again], resources={"io_manager": DatomIOManager(datom=study)}, jobs=[JOB])
        result = defs.resolve_job_def("everything").execute_in_process(raise_on_error=False)
        assert not result.success
        assert "dm cannot be written: the resource of project STUDY_001 has no remote" in failure(result)
        assert began == []

    def test_without_datom_definitions_it_fails_at_the_write(self, study: DatomResource) -> None:
        result = dg.materialize([dm], resources={"io_manager": DatomIOManager(datom=study)}, raise_on_error=False)
        assert "has no remote, so that it can only read" in failure(result)


WITHOUT_DAGSTER_AWS = """
import sys
import dagster as dg
import pandas as pd
import datom_core as dc
import datom_dagster
assert "dagster_aws" not in sys.modules, "every process of a run would pay for it"
sys.modules["dagster_aws"] = None
from datom_dagster import DatomIOManager, DatomResource, S3Storage, datom_asset, datom_definitions
from datom_dagster.resources.aws import S3Resource

@datom_asset
def dm() -> pd.DataFrame: ...

storage = S3Storage(bucket="b-1", profile="study")
assert storage.credentials() == dc.ProfileCredentials("study")
study = DatomResource(project="STUDY_001", storage=storage, remote="https://git.example.org/study.git")
dg.Definitions.validate_loadable(datom_definitions(assets=[dm], resources={"io_manager": DatomIOManager(datom=study)}))
try:
    S3Resource(region_name="eu-central-1")
except dc.NotFoundError as error:
    print(error)
"""


class TestCredentials:
    def test_of_a_dagster_aws_resource(self, project: dc.Project, bucket: str, s3_server: S3Server) -> None:
        aws = pytest.importorskip("dagster_aws.s3", reason="dagster-aws has no release for this core yet")
        s3 = aws.S3Resource(
            endpoint_url=s3_server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=dg.EnvVar("STUDY_KEY"),
            aws_secret_access_key=dg.EnvVar("STUDY_SECRET"),
        )
        storage = S3Storage(bucket=bucket, prefix="team/onc", s3=s3)
        study = DatomResource(project="STUDY_001", storage=storage, remote=project.remote)
        result = dg.materialize([dm], resources={"io_manager": DatomIOManager(datom=study), "s3": s3})
        assert result.success
        assert len(project.reader.read("dm")) == 2

    def test_all_else_works_without_dagster_aws(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_DAGSTER_AWS], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "pip install 'datom-dagster[aws]'" in done.stdout

    def test_ambient_when_asked_for(
        self, project: dc.Project, bucket: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.owner.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.owner.secret_key.reveal())
        storage = S3Storage(bucket=bucket, prefix="team/onc", endpoint_url=s3_server.endpoint, ambient=True)
        assert DatomResource(project="STUDY_001", storage=storage).open_reader().project == "STUDY_001"

    def test_a_role(self) -> None:
        storage = S3Storage(bucket="b-1", profile="study", role_arn="arn:aws:iam::1:role/r", role_external_id="x")
        source = storage.credentials()
        assert source == dc.RoleCredentials(
            "arn:aws:iam::1:role/r", dc.ProfileCredentials("study"), external_id="x", region="us-east-1"
        )

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "none are named"),
            ({"ambient": True, "profile": "p"}, "profile and ambient exclude each other"),
            ({"access_key_env": "A"}, "access_key_env needs secret_key_env"),
        ],
    )
    def test_one_place(self, given: dict[str, Any], said: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=said):
            S3Storage(bucket="b-1", **given).store()

    @pytest.mark.parametrize(
        ("given", "said"), [({}, "neither keys nor a profile"), ({"aws_access_key_id": "AKIAONLY"}, "half a pair")]
    )
    def test_one_place_in_a_dagster_aws_resource(self, given: dict[str, Any], said: str) -> None:
        aws = pytest.importorskip("dagster_aws.s3", reason="dagster-aws has no release for this core yet")
        with pytest.raises(dc.InvalidInputError, match=said):
            S3Storage(bucket="b-1", s3=aws.S3Resource(**given)).store()


def test_no_secret_shows(
    project: dc.Project, storage: S3Storage, s3_server: S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = s3_server.owner.secret_key.reveal()
    study = DatomResource(project="STUDY_001", storage=storage, remote=project.remote)
    defs = definitions(study)
    job = defs.resolve_job_def("everything")
    with dg.instance_for_test() as instance:
        result = job.execute_in_process(instance=instance)
        events = [entry.to_json() for entry in instance.all_logs(result.run_id)]
    assert events
    places = {
        "events": "\n".join(events),
        "run": repr(result.dagster_run),
        "repr": repr(study) + repr(storage) + repr(storage.store()) + repr(storage.store().__dict__),
        "snapshot": dg.serialize_value(job.get_job_snapshot()) + json.dumps(str(job.run_config_schema.config_type)),
        "logs": "\n".join(r.getMessage() for r in caplog.records),
    }
    assert {name for name, text in places.items() if secret in text} == set()


def test_a_move_to_a_server_that_is_named_does_not_go_to_the_one_at_hand(
    project: dc.Project, storage: S3Storage, bucket: str
) -> None:
    """Nor are the keys of one server shown to another."""
    study = DatomResource(project="STUDY_001", storage=storage, remote=project.remote)
    (job,) = (j for j in datom_jobs(governance=False) if j.name == "migrate_project")
    to = {"backend": "s3", "root": bucket, "prefix": "elsewhere", "endpoint_url": "http://127.0.0.1:9"}
    with pytest.raises(dg.Failure, match="must come from one place"):
        job.execute_in_process(
            run_config={"ops": {"migrate_project": {"config": {"to": to}}}}, resources={"datom": study}
        )


def test_a_report_of_changes_in_a_bucket(
    s3_server: S3Server, bucket: str, storage: S3Storage, project: dc.Project, instance: dg.DagsterInstance
) -> None:
    for cut, ages in (("2026-01", [40]), ("2026-02", [41])):
        project.cut(cut, {"dm": pd.DataFrame({"USUBJID": ["s1"], "AGE": ages})})
    study = DatomResource(project="STUDY_001", storage=storage)
    kept = storage.model_copy(update={"prefix": "reports"})
    spec = dg.AssetSpec("dm")

    def made(place: S3Storage) -> dg.ExecuteInProcessResult:
        report = datom_change_report([spec], reports=place)
        return dg.materialize(
            [spec, report], selection=[report], resources={"datom": study}, instance=instance, raise_on_error=False
        )

    (event,) = made(kept).get_asset_materialization_events()
    address = str(event.materialization.metadata["datom/report"].value)
    start = f"{s3_server.endpoint}/{bucket}/"
    assert address.startswith(f"{start}reports/STUDY_001/2026-02/changes_since_2026-01-")
    found = s3_server.store(bucket, "reports").client.get_object(Bucket=bucket, Key=address.removeprefix(start))
    assert found["ContentType"] == "text/html; charset=utf-8"
    assert b"2026-02" in found["Body"].read()
    (again,) = made(kept).get_asset_materialization_events()
    assert str(again.materialization.metadata["datom/report"].value) == address
