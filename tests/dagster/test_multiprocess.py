"""Steps in processes of their own, as Dagster runs them by default: four write to one project at once."""

# Dagster reads annotations at run time, so they must not be strings here.
import os
import subprocess
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, datom_asset, datom_assets, datom_definitions
from tests.pipes import filled_at_once

TABLES = {"ae": 1, "dm": 2, "lb": 3, "vs": 4}


@pytest.fixture
def instance(kept_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    return kept_instance


def csv(table: str, rows: int) -> str:
    return "USUBJID,DOMAIN\n" + "".join(f"01-{i:03d},{table.upper()}\n" for i in range(rows))


def frame(table: str, rows: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i:03d}" for i in range(rows)], "DOMAIN": table.upper()})


def extract(table: str, cut: str | None) -> pd.DataFrame:
    return pd.read_csv(Path(os.environ["STUDY_EXTRACTS"], f"{table}.csv"))


@datom_asset
def subjects(ae: pd.DataFrame, dm: pd.DataFrame, lb: pd.DataFrame, vs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"N": [len(table) for table in (ae, dm, lb, vs)]})


def job() -> dg.JobDefinition:
    """The job, as each process makes it anew."""
    study = DatomResource(
        project="STUDY_001", storage=LocalStorage(path=dg.EnvVar("STUDY_DATA")), remote=dg.EnvVar("STUDY_REPO")
    )
    defs = datom_definitions(
        assets=[*datom_assets(project=study, tables=list(TABLES), extract=extract), subjects],
        jobs=[dg.define_asset_job("tables")],
        resources={"io_manager": DatomIOManager(datom=study)},
    )
    return defs.resolve_job_def("tables")


@pytest.fixture
def own_server() -> Iterator[None]:
    """The processes have the environment of the server that forks them, which another test may have started before."""
    server: Any = forkserver._forkserver  # type: ignore[attr-defined]
    server._stop()
    yield
    server._stop()


@pytest.mark.usefixtures("own_server")
def test_four_processes_write_at_once(
    project: dc.Project, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    monkeypatch.setenv("STUDY_DATA", project.store.location.root)
    monkeypatch.setenv("STUDY_REPO", str(remote))
    monkeypatch.setenv("STUDY_EXTRACTS", str(tmp_path / "extracts"))
    contents = {f"{table}.csv": csv(table, rows) for table, rows in TABLES.items()}
    # What is imported once need not be imported by each step anew.
    start = {"forkserver": {"preload_modules": ["datom_dagster", "pandas"]}}
    config = {"execution": {"config": {"multiprocess": {"max_concurrent": 4, "start_method": start}}}}
    with filled_at_once(tmp_path / "extracts", contents):
        run = dg.execute_job(dg.reconstructable(job), instance, run_config=config)

    assert run.success
    # Nobody had to run a step again: writers that meet plan anew by themselves.
    assert "STEP_UP_FOR_RETRY" not in {event.event_type_value for event in run.all_events}
    pids = {event.step_key: event.pid for event in run.all_events if event.event_type_value == "STEP_START"}
    assert pids.keys() == {*TABLES, "subjects"}
    assert len({os.getpid(), *pids.values()}) == 6

    reader = project.reader
    shas = {table: dc.hash_table(frame(table, rows)).data_sha for table, rows in TABLES.items()}
    shas["subjects"] = dc.hash_table(pd.DataFrame({"N": [1, 2, 3, 4]})).data_sha
    assert {t.name: [v.data_sha for v in reader.history(t.name)] for t in reader.list()} == {
        table: [sha] for table, sha in shas.items()
    }
    assert {p.table: p.version for p in reader.parents("subjects")} == {
        table: reader.history(table)[0].version for table in TABLES
    }
    assert commits(remote) == 1 + len(shas)
    assert project.status().level
    for table, sha in shas.items():
        tags = tags_of(instance, table)
        assert tags["dagster/data_version"] == sha
    for table in TABLES:
        assert tags_of(instance, "subjects")[f"dagster/input_data_version/{table}"] == shas[table]


def commits(remote: Path) -> int:
    command = ["git", "-C", str(remote), "rev-list", "--count", "HEAD"]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


def tags_of(instance: dg.DagsterInstance, asset: str) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    return dict(event.asset_materialization.tags or {})
