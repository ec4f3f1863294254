"""Writes from outside are reported once, truly, and when they can be read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, datom_asset, outside_write_sensor

Frame = Callable[[int], pd.DataFrame]
CUTS = dg.StaticPartitionsDefinition(["jan", "feb"])


@datom_asset
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["s1"]})


# Tables that Dagster never produced.
EX = dg.AssetSpec("ex").with_io_manager_key("io_manager")
LB = dg.AssetSpec("lb", partitions_def=CUTS).with_io_manager_key("io_manager")


@datom_asset
def adsl(dm: pd.DataFrame, ex: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(N=len(ex))


ASSETS = [dm, EX, LB, adsl]


class Watch:
    """A sensor that is evaluated tick by tick, as the daemon does it."""

    def __init__(self, instance: dg.DagsterInstance, study: DatomResource, **options: Any) -> None:
        self.instance = instance
        self.study = study
        self.sensor = outside_write_sensor(ASSETS, **options)
        self.cursor: str | None = None
        self.asked: list[dg.RunRequest] = []

    @property
    def resources(self) -> dict[str, Any]:
        return {"datom": self.study, "io_manager": DatomIOManager(datom=self.study)}

    def tick(self) -> list[dg.AssetMaterialization | dg.AssetObservation]:
        with dg.build_sensor_context(
            self.instance, self.cursor, resources={"datom": self.study}, sensor_name="outside_writes"
        ) as context:
            result = self.sensor(context)
        self.said = result.skip_message if isinstance(result, dg.SkipReason) else str(result.skip_reason)
        if isinstance(result, dg.SkipReason):
            return []
        self.cursor = result.cursor
        self.asked += result.run_requests or []
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return list(result.asset_events)

    def run(self, *selection: Any) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            ASSETS, selection=list(selection) or [dm, adsl], instance=self.instance, resources=self.resources
        )

    def stale(self, asset: str) -> StaleStatus:
        graph = dg.Definitions(assets=ASSETS, resources=self.resources).resolve_asset_graph()
        resolver = CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance))
        return resolver.get_status(dg.AssetKey(asset))


@pytest.fixture(params=["writer", "reader"])
def watch(request: pytest.FixtureRequest, instance: dg.DagsterInstance, study: DatomResource) -> Watch:
    if request.param == "reader":
        study = DatomResource(project=study.project, storage=study.storage)
    return Watch(instance, study)


@pytest.fixture
def both(instance: dg.DagsterInstance, study: DatomResource) -> Watch:
    return Watch(instance, study, target=dg.AssetSelection.assets("adsl"))


def facts(event: dg.AssetMaterialization | dg.AssetObservation) -> tuple[str, str, str]:
    version = str(event.metadata["datom/version"].value)
    return event.asset_key.to_user_string(), version, event.tags["dagster/data_version"]


def test_a_write_from_outside(watch: Watch, project: dc.Project, dm: Frame) -> None:
    assert watch.tick() == []
    first = project.write("ex", dm(2), message="from R", author="R User <r@example.org>")
    (event,) = watch.tick()
    assert facts(event) == ("ex", first.version, first.data_sha)
    shown = {key: value.value for key, value in event.metadata.items()}
    assert (shown["datom/message"], shown["datom/author"]) == ("from R", "R User <r@example.org>")
    assert (shown["dagster/row_count"], shown["datom/commit"]) == (2, first.commit_sha)
    assert watch.tick() == []
    second = project.write("ex", dm(3))
    third = project.write("ex", dm(4))
    assert [facts(e)[1] for e in watch.tick()] == [second.version, third.version]
    assert watch.tick() == []


def test_a_revert_is_news(watch: Watch, project: dc.Project, dm: Frame) -> None:
    first = project.write("ex", dm(2))
    project.write("ex", dm(3))
    assert len(watch.tick()) == 1  # at first, only what stands
    project.write("ex", dm(2), message="back")
    (event,) = watch.tick()
    assert facts(event)[1] == first.version
    assert event.metadata["datom/message"].value == "back"
    assert watch.tick() == []


def test_after_a_lost_cursor_nothing_is_told_twice(watch: Watch, project: dc.Project, dm: Frame) -> None:
    project.write("ex", dm(2))
    assert len(watch.tick()) == 1
    for cursor in (None, "", "{}", "not a cursor", '{"head": 1}'):
        watch.cursor = cursor
        assert watch.tick() == []


def test_what_dagster_itself_wrote_is_no_news(both: Watch, project: dc.Project, dm: Frame) -> None:
    project.write("ex", dm(2))
    both.tick()
    assert both.run().success
    assert both.tick() == []
    assert both.stale("adsl") is StaleStatus.FRESH


def test_the_asset_downstream_is_stale_and_asked_for(both: Watch, project: dc.Project, dm: Frame) -> None:
    project.write("ex", dm(2))
    both.tick()
    assert both.run().success
    assert both.stale("adsl") is StaleStatus.FRESH
    project.write("ex", dm(5))
    both.tick()
    assert both.stale("adsl") is StaleStatus.STALE
    assert len(both.asked) == 2
    assert both.asked[0].run_key != both.asked[1].run_key
    assert both.run().success
    assert project.reader.read("adsl")["N"].tolist() == [5]
    assert {p.table: p.version for p in project.reader.parents("adsl") or ()}["ex"] == (
        project.reader.resolve("ex").version
    )


def test_an_asset_that_somebody_else_overwrote(both: Watch, project: dc.Project, dm: Frame) -> None:
    project.write("ex", dm(2))
    both.tick()
    assert both.run().success
    theirs = project.write("dm", dm(7), message="a correction from R")
    (event,) = both.tick()
    assert facts(event) == ("dm", theirs.version, theirs.data_sha)
    assert both.stale("adsl") is StaleStatus.STALE


def test_a_run_of_ours_is_not_mistaken(both: Watch, project: dc.Project, dm: Frame) -> None:
    """Between the commit of a step and its event, a tick must not take the commit for somebody else's."""
    told: list[Any] = []
    real = dc.Project.write

    def write(self: dc.Project, *args: Any, **kwargs: Any) -> Any:
        result = real(self, *args, **kwargs)
        told.extend(both.tick())
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dc.Project, "write", write)
        assert both.run(globals()["dm"]).success
    assert told == []
    assert both.tick() == []


def test_partitions_follow_cuts(watch: Watch, project: dc.Project, dm: Frame) -> None:
    watch.tick()
    jan = project.write("lb", dm(2), cut="jan")
    (event,) = watch.tick()
    assert (event.partition, facts(event)[1]) == ("jan", jan.version)
    assert isinstance(event, dg.AssetObservation)  # of external partitions, Dagster's staleness looks at these
    feb = project.write("lb", dm(3), cut="feb")
    again = project.write("lb", dm(4), cut="jan", message="delivered again")
    assert {(e.partition, facts(e)[1]) for e in watch.tick()} == {("feb", feb.version), ("jan", again.version)}
    assert watch.tick() == []


class TestRPushesBeforeItUploads:
    @pytest.fixture
    def late(self, project: dc.Project, dm: Frame) -> Callable[[], None]:
        """A commit whose payload is not up yet; calling it uploads."""
        project.write("ex", dm(2))
        held: dict[str, bytes] = {}
        kept = {o.key: bytes(project.store.get(o.key).data) for o in project.store.list()}
        project.write("ex", dm(3), message="late")
        for o in list(project.store.list()):
            if o.key not in kept:
                held[o.key] = bytes(project.store.get(o.key).data)
                project.store.delete(o.key)
        for key, data in kept.items():
            project.store.replace(key, data, project.store.get(key).etag)

        def upload() -> None:
            for key, data in held.items():
                project.store.create(key, data)

        return upload

    def test_it_is_waited_for(self, both: Watch, project: dc.Project, late: Callable[[], None]) -> None:
        (event,) = both.tick()
        assert event.metadata["datom/message"].value == "Update ex"
        assert both.tick() == []
        assert "Not uploaded yet: ex" in both.said
        late()
        (event,) = both.tick()
        assert event.metadata["datom/message"].value == "late"
        assert len(project.reader.read("ex")) == 3
        assert both.tick() == []


def test_a_look_at_nothing_new_costs_one_question(both: Watch, project: dc.Project, dm: Frame) -> None:
    project.write("ex", dm(2))
    both.tick()
    with pytest.MonkeyPatch.context() as patched:

        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("the store was asked")

        for method in ("get", "head", "list"):
            patched.setattr(dc.LocalStore, method, refuse)
        assert both.tick() == []
    assert "No commit since" in both.said


def test_a_store_that_is_away(watch: Watch, project: dc.Project, dm: Frame, tmp_path: Path) -> None:
    project.write("ex", dm(2))
    watch.tick()
    project.write("ex", dm(3))
    with pytest.MonkeyPatch.context() as patched:

        def away(*_: Any, **__: Any) -> None:
            raise dc.StorageError("The network is down.")

        patched.setattr(dc.LocalStore, "get", away)
        assert watch.tick() == []
        assert "The network is down" in watch.said
    assert len(watch.tick()) == 1


def test_tables_with_names_that_no_project_has(study: DatomResource) -> None:
    with pytest.raises(dc.InvalidInputError, match="reserved"):
        outside_write_sensor([dg.AssetSpec("x", metadata={"datom/table": "datom"})])
    assert LocalStorage(path="/x").store().location.root == "/x"
