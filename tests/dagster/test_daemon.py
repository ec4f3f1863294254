"""The sensors under Dagster's own daemon: files arrive, a colleague writes, and the daemon goes on after a bad file."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from tests.long import long
from tests.patience import wait_until

CODE = """
import os
import dagster as dg
from datom_dagster import *

at = os.environ["DAEMON_TEST"]
data, repo = dg.EnvVar("STUDY_DATA"), dg.EnvVar("STUDY_REPO")
study = DatomResource(project="STUDY_001", storage=LocalStorage(path=data), remote=repo)
cuts = dg.DynamicPartitionsDefinition(name="cuts")
drop = ExtractDrop(place=LocalStorage(path=at + "/drop"), by_cut=True)
tables = datom_assets(project=study, tables=["dm", "ae"], extract=drop, partitions=cuts)

@datom_asset(partitions_def=cuts)
def adsl(dm):
    return dm

sites = dg.AssetSpec("sites").with_io_manager_key("io_manager")
on = {"minimum_interval_seconds": 5, "default_status": dg.DefaultSensorStatus.RUNNING}
defs = datom_definitions(
    assets=[*tables, adsl, sites],
    asset_checks=[datom_checks(tables[0])],
    resources={"datom": study, "io_manager": DatomIOManager(datom=study)},
    sensors=[extract_sensor(tables, drop, downstream=True, **on), outside_write_sensor([sites], **on)],
)
"""

pytestmark = long


@pytest.fixture
def instance(tmp_path: Path, project: dc.Project) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance, with a daemon over the code above."""
    (tmp_path / "code.py").write_text(CODE)
    (tmp_path / "drop").mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    told = os.environ | {"DAGSTER_HOME": str(home), "DAEMON_TEST": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    told |= {"STUDY_DATA": project.store.location.root, "STUDY_REPO": project.remote}
    command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-f", str(tmp_path / "code.py")]
    with (tmp_path / "log").open("w") as log:
        daemon = subprocess.Popen(command, env=told, stdout=log, stderr=log, start_new_session=True)
        try:
            with dg.DagsterInstance.from_config(str(home)) as instance:
                yield instance
        finally:
            os.killpg(daemon.pid, signal.SIGINT)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)


def wait_for(what: Callable[[], object], log: Path) -> None:
    wait_until(what, lambda: log.read_text()[-5000:], every=1)


def test_the_daemon_runs_what_the_sensors_ask_for(
    instance: dg.DagsterInstance, project: dc.Project, tmp_path: Path
) -> None:
    def deliver(**files: str) -> None:
        (tmp_path / "drop" / "lock").mkdir(exist_ok=True)
        for table, text in files.items():
            (tmp_path / "drop" / "lock" / f"{table}.csv").write_text(text)

    def ended(count: int) -> bool:
        runs = instance.get_runs()
        return len(runs) == count and all(run.is_finished for run in runs)

    deliver(dm="USUBJID,AGE\n01-1,41\n", ae="USUBJID,AETERM\n01-1\n")  # the second one is ragged
    project.write("sites", pd.DataFrame({"SITEID": ["701"]}), author="Grace <grace@example.org>")
    wait_for(lambda: ended(1), tmp_path / "log")
    (failed,) = instance.get_runs()
    assert failed.status is dg.DagsterRunStatus.FAILURE
    assert {s.step_key for s in instance.get_run_step_stats(failed.run_id) if s.status.value == "FAILURE"} == {"ae"}
    assert set(project.reader.cuts()["lock"]) == {"dm", "adsl"}, "the bad file held up no other"
    wait_for(lambda: instance.get_latest_materialization_event(dg.AssetKey("sites")), tmp_path / "log")

    deliver(ae="USUBJID,AETERM\n01-1,HEADACHE\n")
    wait_for(lambda: ended(2), tmp_path / "log")
    assert instance.get_runs()[0].status is dg.DagsterRunStatus.SUCCESS
    assert set(project.reader.cuts()["lock"]) == {"dm", "ae", "adsl"}
    assert instance.get_dynamic_partitions("cuts") == ["lock"]
