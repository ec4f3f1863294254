"""The same life by Dagster's jobs: the code stays when the data moves, and no secret is in Dagster's database."""

from __future__ import annotations

import logging
from typing import Any

import dagster as dg
import pandas as pd
import pytest

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
from tests.end_to_end.story.conftest import KEEPER, Acme
from tests.long import long


@datom_asset
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01-001", "01-002"], "AGE": [63, 71]})


@pytest.fixture
def defs(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """A project on a disk, in a register in a bucket, both with repositories on GitHub that are not there yet."""
    keys = acme.keys["keeper"]
    monkeypatch.setenv("KIM_KEY", keys.access_key)
    monkeypatch.setenv("KIM_SECRET", keys.secret_key.reveal())
    monkeypatch.setenv("KIM_TOKEN", acme.witness.secrets["kim"])
    on_github = {"token_env": "KIM_TOKEN", "github_api_url": acme.github.api_url, "author": KEEPER}
    bucket = S3Storage(
        bucket=acme.bucket,
        prefix="register",
        endpoint_url=acme.s3.endpoint,
        access_key_env="KIM_KEY",
        secret_key_env="KIM_SECRET",
    )
    register = GovernanceResource(storage=bucket, remote=f"{acme.github.url}/acme/governance.git", **on_github)
    study = DatomResource(
        project="STUDY_001",
        storage=LocalStorage(path=str(acme.folder / "disk")),
        remote=f"{acme.github.url}/acme/study-001.git",
        governance=register,
        **on_github,
    )
    resources = {"io_manager": DatomIOManager(datom=study), "datom": study, "governance": register}
    return datom_definitions(assets=[dm], jobs=datom_jobs([dm]), resources=resources)


@long
def test_the_life_of_a_study_by_jobs(
    acme: Acme, defs: dg.Definitions, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    home = acme.folder / "dagster"
    home.mkdir()
    with acme.witness.watching(), dg.DagsterInstance.local_temp(str(home)) as instance:

        def launch(job: str, **config: Any) -> None:
            run_config = {"ops": {job: {"config": config}}} if config else {}
            assert defs.resolve_job_def(job).execute_in_process(instance=instance, run_config=run_config).success

        def materialized() -> str:
            result = dg.materialize([dm], instance=instance, resources=dict(defs.resources or {}))
            return str(result.asset_materializations_for_node("dm")[0].metadata["datom/action"].value)

        for job in ("init_governance", "init_project"):
            launch(job)
            launch(job)  # again it changes nothing
        assert materialized() == "created"
        launch("attach_governance")
        assert materialized() == "unchanged"
        place = {"backend": "s3", "root": acme.bucket, "prefix": "studies/001", "endpoint_url": acme.s3.endpoint}
        names = {"access_key_env": "KIM_KEY", "secret_key_env": "KIM_SECRET"}
        launch("migrate_project", to={**place, **names}, message="The disk is retired", sunset_at="2030-06-30")
        assert materialized() == "unchanged"
        register = acme.store("register", "statistician")
        assert len(dc.ProjectReader.find("STUDY_001", governance=register).read("dm")) == 2
        launch("validate_project", depth="full")
        launch("mirror_project")
        launch("decommission_project", confirm="STUDY_001")  # a dry run
        assert set(acme.github.repositories) == {"acme/governance", "acme/study-001"}
        assert acme.witness.shown(caplog, "") == []
        launch("decommission_project", confirm="STUDY_001", dry_run=False)
    assert set(acme.github.repositories) == {"acme/governance"}
    assert acme.objects("studies/") == {}
    out, err = capfd.readouterr()
    assert acme.witness.shown(caplog, out + err) == []
