"""A study that is registered becomes a partition, or is reported."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import datom_core as dc
from datom_dagster import GovernanceResource, LocalStorage, portfolio_sensor

STUDIES = dg.DynamicPartitionsDefinition(name="studies")


@dg.asset(partitions_def=STUDIES)
def overview() -> None:
    """Something to be made for each study."""


class Watch:
    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.cursor: str | None = None
        # A reader of the register: no repository.
        self.resource = GovernanceResource(storage=LocalStorage(path=str(folder / "gov")))
        self.register = dc.Governance.init(dc.LocalStore(folder / "gov"), remote=folder / "gov.git")

    def attach(self, name: str) -> dc.Project:
        store = dc.LocalStore(self.folder / name)
        return self.register.attach(dc.Project.init(name, store, remote=self.folder / f"{name}.git"))

    def tick(self, sensor: dg.SensorDefinition) -> Any:
        resources = {"governance": self.resource}
        with dg.build_sensor_context(self.instance, self.cursor, resources=resources) as context:
            result = sensor(context)
        if isinstance(result, dg.SensorResult):
            self.cursor = result.cursor
            for request in result.dynamic_partitions_requests or []:
                self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        return result


@pytest.fixture
def watch(tmp_path: Path, instance: dg.DagsterInstance) -> Watch:
    return Watch(tmp_path, instance)


def test_partitions(watch: Watch) -> None:
    sensor = portfolio_sensor(STUDIES, target=[overview])
    assert "No new study among 0" in watch.tick(sensor).skip_reason.skip_message
    watch.attach("S1")
    watch.attach("S2")
    result = watch.tick(sensor)
    assert [(r.partition_key, r.run_key) for r in result.run_requests] == [
        ("S1", "registered:S1"),
        ("S2", "registered:S2"),
    ]
    assert set(watch.instance.get_dynamic_partitions("studies")) == {"S1", "S2"}
    assert not watch.tick(sensor).run_requests
    watch.cursor = None  # as after the sensor was reset
    assert not watch.tick(sensor).run_requests


def test_a_study_that_ends_stays_a_partition(watch: Watch) -> None:
    sensor = portfolio_sensor(STUDIES)
    study = watch.attach("S1")
    watch.tick(sensor)
    study.decommission(confirm="S1")
    watch.tick(sensor)
    assert watch.instance.get_dynamic_partitions("studies") == ["S1"]


def test_reported(watch: Watch) -> None:
    sensor = portfolio_sensor(target=dg.AssetSelection.assets("overview"))
    watch.attach("S1")
    assert not watch.tick(sensor).run_requests  # was there before the first look
    watch.attach("S2")
    assert [r.tags["datom/study"] for r in watch.tick(sensor).run_requests] == ["S2"]
    watch.attach("S3")
    assert "Registered: S3" in watch.tick(portfolio_sensor()).skip_reason.skip_message


def test_a_register_that_is_away(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.attach("S1")

    def away(*_: Any) -> None:
        raise dc.StorageError("The network is down.")

    monkeypatch.setattr(dc.LocalStore, "list", away)
    assert "The network is down" in watch.tick(portfolio_sensor(STUDIES)).skip_message
