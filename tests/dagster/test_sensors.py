"""What a sensor asks for is launched, and succeeds; and every path has the same rules for partitions."""

from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import (
    DatomResource,
    ExtractDrop,
    GovernanceResource,
    LocalStorage,
    datom_asset,
    datom_assets,
    datom_definitions,
    datom_eager,
    extract_sensor,
    outside_write_sensor,
    portfolio_sensor,
)
from tests.long import sampled

# Dagster's own, of a partition in several dimensions.
pytestmark = pytest.mark.filterwarnings("ignore:Non-compliant tag keys:DeprecationWarning")

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2026-01", end_date="2026-03", fmt="%Y-%m")
SITES = dg.StaticPartitionsDefinition(["de", "us"])
KINDS: dict[str, dg.PartitionsDefinition[Any]] = {
    "months": MONTHS,
    "static": dg.StaticPartitionsDefinition(["2026-01", "2026-02"]),
    "dynamic": dg.DynamicPartitionsDefinition(name="cuts"),
    "months and sites": dg.MultiPartitionsDefinition({"month": MONTHS, "country": SITES}),
    "sites and dynamic": dg.MultiPartitionsDefinition(
        {"site": SITES, "cut": dg.DynamicPartitionsDefinition(name="cuts")}
    ),
}
#: Of each kind: a cut that is a partition, and cuts that are none.
CUTS = {
    "months": ("2026-02", ["lock", "2026-2", "2026-07", "2025-12", "2026-02-01"]),
    "static": ("2026-02", ["lock", "2026-03"]),
    "dynamic": ("dry-run", ["a...b"]),
    "months and sites": ("de|2026-02", ["2026-02", "2026-02|de", "de|lock", "fr|2026-02", "de|2026-02|x"]),
    "sites and dynamic": ("known|de", ["new|de", "known", "known|fr"]),
}


class Daemon:
    """Evaluates a sensor and launches what it asks for, as Dagster's daemon does it."""

    def __init__(self, instance: dg.DagsterInstance, definitions: dg.Definitions, sensor: str) -> None:
        self.instance = instance
        self.cursor: str | None = None
        self.resources = dict(definitions.resources or {})
        self.repository = definitions.get_repository_def()
        self.sensor = self.repository.get_sensor_def(sensor)
        self.said = ""

    def tick(self) -> list[dg.RunRequest]:
        with dg.build_sensor_context(
            self.instance,
            self.cursor,
            repository_def=self.repository,
            sensor_name=self.sensor.name,
            resources={key: self.resources[key] for key in self.sensor.required_resource_keys},
        ) as context:
            told = self.sensor(context)
        if not isinstance(told, dg.SensorResult):
            assert isinstance(told, dg.SkipReason)
            told = dg.SensorResult(skip_reason=told, cursor=self.cursor)
        self.cursor, self.events = told.cursor, list(told.asset_events)
        self.said = str(told.skip_reason.skip_message if told.skip_reason is not None else "")
        for event in told.asset_events:
            self.instance.report_runless_asset_event(event)
        for asked in told.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(asked.partitions_def_name, list(asked.partition_keys))
        return list(told.run_requests or ())

    def launch(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        job = self.repository.get_job(request.job_name or self.sensor.job_name)
        return job.execute_in_process(
            instance=self.instance,
            tags=dict(request.tags),
            run_config=request.run_config,
            partition_key=request.partition_key,
            asset_selection=list(request.asset_selection) if request.asset_selection else None,
        )


def frame(n: int = 1) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


@pytest.fixture
def register(tmp_path: Path) -> dc.Governance:
    return dc.Governance.init(dc.LocalStore(tmp_path / "gov"), remote=tmp_path / "gov.git")


class TestWhatIsAskedForSucceeds:
    @pytest.mark.parametrize("partitioned", [False, True])
    def test_portfolio(
        self, tmp_path: Path, instance: dg.DagsterInstance, resources: dict[str, Any], register: dc.Governance,
        project: dc.Project, partitioned: bool,
    ) -> None:  # fmt: skip
        studies = dg.DynamicPartitionsDefinition(name="studies") if partitioned else None

        @datom_asset(partitions_def=studies)
        def overview(context: dg.AssetExecutionContext) -> pd.DataFrame:
            return pd.DataFrame({"study": [context.run.tags["datom/study"]]})

        defs = datom_definitions(
            assets=[overview],
            sensors=[portfolio_sensor(studies, target=[overview])],
            resources={**resources, "governance": GovernanceResource(storage=LocalStorage(path=str(tmp_path / "gov")))},
        )
        daemon = Daemon(instance, defs, "portfolio")
        daemon.tick()
        register.attach(dc.Project.init("S1", dc.LocalStore(tmp_path / "S1"), remote=tmp_path / "S1.git"))
        (request,) = daemon.tick()
        assert daemon.launch(request).success
        assert project.reader.read("overview")["study"].tolist() == ["S1"]
        assert list(project.reader.cuts()) == (["S1"] if partitioned else [])

    @pytest.mark.parametrize("kind", sampled(["none", *KINDS], 2))
    def test_outside(
        self, instance: dg.DagsterInstance, resources: dict[str, Any], project: dc.Project, kind: str
    ) -> None:
        partitions = KINDS.get(kind)
        instance.add_dynamic_partitions("cuts", ["known"])
        dm = dg.AssetSpec("dm", partitions_def=partitions).with_io_manager_key("io_manager")

        @datom_asset(partitions_def=partitions)
        def adsl(dm: pd.DataFrame) -> pd.DataFrame:
            return dm

        defs = datom_definitions(
            assets=[dm, adsl], sensors=[outside_write_sensor([dm], target=[adsl])], resources=resources
        )
        daemon = Daemon(instance, defs, "outside_writes")
        assert daemon.tick() == []
        cut = CUTS[kind][0] if partitions else None
        project.write("dm", frame(3), cut=cut)
        (request,) = daemon.tick()
        assert request.tags["datom/outside"] == "dm"
        assert daemon.launch(request).success
        assert len(project.reader.read("adsl", cut=cut)) == 3

    @pytest.mark.parametrize("kind", sampled([*KINDS, "none"], 2))
    def test_arrivals(
        self, tmp_path: Path, instance: dg.DagsterInstance, resources: dict[str, Any], study: DatomResource,
        project: dc.Project, kind: str,
    ) -> None:  # fmt: skip
        partitions = KINDS.get(kind)
        instance.add_dynamic_partitions("cuts", ["known"])
        drop = ExtractDrop(place=LocalStorage(path=str(tmp_path / "drop")), by_cut=partitions is not None)
        made = datom_assets(project=study, tables=["dm"], extract=drop, partitions=partitions)
        defs = datom_definitions(assets=made, sensors=[extract_sensor(made, drop)], resources=resources)
        cut, strays = CUTS[kind] if partitions else (None, [])
        for name in [cut, *strays]:
            folder = tmp_path / "drop" / (name or "")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "dm.csv").write_text("USUBJID\ns0\ns1\n")
        daemon = Daemon(instance, defs, "extracts")
        assert daemon.tick() == []
        for name in strays:
            assert f"{name} is no partition" in daemon.said or f"{name} cannot be the name" in daemon.said
        (request,) = daemon.tick()
        result = daemon.launch(request)
        assert result.success
        assert list(project.reader.cuts()) == ([] if cut is None else [cut])
        assert len(project.reader.read("dm", cut=cut)) == 2

    def test_automation(self, instance: dg.DagsterInstance, resources: dict[str, Any], project: dc.Project) -> None:
        cuts = KINDS["static"]
        dm = datom_asset(name="dm", partitions_def=cuts)(lambda: frame())

        @datom_asset(partitions_def=cuts, automation_condition=datom_eager())
        def adsl(dm: pd.DataFrame) -> pd.DataFrame:
            return dm

        defs = datom_definitions(assets=[dm, adsl], resources=resources)
        cursor = dg.evaluate_automation_conditions(defs, instance).cursor
        dg.materialize([dm], partition_key="2026-02", instance=instance, resources=resources)
        asked = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
        assert asked.get_requested_partitions(adsl.key) == {"2026-02"}
        result = dg.materialize(
            [dm, adsl], selection=[adsl], partition_key="2026-02", instance=instance, resources=resources,
            tags={"dagster/auto_materialize": "true"},
        )  # fmt: skip
        assert result.success
        assert len(project.reader.read("adsl", cut="2026-02")) == 1

    def test_tags_that_a_run_would_be_refused_for(self, tmp_path: Path, study: DatomResource) -> None:
        drop = ExtractDrop(place=LocalStorage(path=str(tmp_path)))
        made = datom_assets(project=study, tables=["dm"], extract=drop)
        for tags in ({"datom/studdy": "x"}, {"datom/as_of": "yesterday"}, {"datom/no_cut": "perhaps"}):
            with pytest.raises(dc.InvalidInputError, match=next(iter(tags))):
                extract_sensor(made, drop, tags=tags)


class TestCutsFromOutside:
    @pytest.fixture
    def daemon(self, request: pytest.FixtureRequest, instance: dg.DagsterInstance, resources: dict[str, Any]) -> Daemon:
        instance.add_dynamic_partitions("cuts", ["known"])
        spec = dg.AssetSpec("dm", partitions_def=KINDS[request.param]).with_io_manager_key("io_manager")
        own = datom_asset(name="ex", partitions_def=KINDS[request.param])(lambda: frame())
        defs = datom_definitions(assets=[spec, own], sensors=[outside_write_sensor([spec, own])], resources=resources)
        return Daemon(instance, defs, "outside_writes")

    @pytest.mark.parametrize(("daemon", "kind"), [(k, k) for k in KINDS], indirect=["daemon"], ids=list(KINDS))
    def test_only_those_that_are_partitions(self, daemon: Daemon, project: dc.Project, kind: str) -> None:
        daemon.tick()
        cut, strays = CUTS[kind]
        for name in [*strays, cut]:
            project.cut(name, {"dm": frame(2), "ex": frame(2)})
        daemon.tick()
        assert [(e.asset_key.to_user_string(), e.partition) for e in daemon.events] == [("dm", cut), ("ex", cut)]
        before = daemon.cursor
        daemon.tick()
        assert (daemon.events, daemon.cursor) == ([], before)
        known = set(daemon.instance.get_dynamic_partitions("cuts"))
        assert known == ({"known", cut} if kind == "dynamic" else {"known"})

    @pytest.mark.parametrize("daemon", ["months and sites"], indirect=True)
    def test_an_event_has_the_tags_of_our_own(
        self, daemon: Daemon, project: dc.Project, resources: dict[str, Any]
    ) -> None:
        daemon.tick()
        project.write("dm", frame(2), cut="de|2026-02")
        daemon.tick()
        (event,) = daemon.events
        key = dg.MultiPartitionKey({"month": "2026-02", "country": "de"})
        own = datom_asset(name="ex", partitions_def=KINDS["months and sites"])(lambda: frame())
        (made,) = dg.materialize([own], partition_key=key, resources=resources).get_asset_materialization_events()
        assert event.partition == made.partition == key
        dimensions = {k: v for k, v in made.materialization.tags.items() if k.startswith("dagster/partition/")}
        assert dimensions.items() <= event.tags.items()
        assert len(dimensions) == 2

    def test_a_month_that_is_over_is_told_without_a_commit(
        self, instance: dg.DagsterInstance, study: DatomResource, project: dc.Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        months = dg.MonthlyPartitionsDefinition(start_date="2026-01", fmt="%Y-%m")
        spec = dg.AssetSpec("dm", partitions_def=months)
        sensor = outside_write_sensor([spec])
        now = datetime.now().astimezone()
        this_month = now.strftime("%Y-%m")
        project.write("dm", frame(2), cut=this_month)

        def tick(cursor: str | None) -> Any:
            with dg.build_sensor_context(instance, cursor, resources={"datom": study}) as context:
                return sensor(context)

        first = tick(None)
        assert not first.asset_events
        assert f"No partition: {this_month} of dm" in first.skip_reason.skip_message
        assert isinstance(tick(first.cursor), dg.SkipReason)
        real = dg.MonthlyPartitionsDefinition.get_partition_keys
        monkeypatch.setattr(
            dg.MonthlyPartitionsDefinition,
            "get_partition_keys",
            lambda self, **options: [*real(self, **options), this_month],
        )
        assert [e.partition for e in tick(first.cursor).asset_events] == [this_month]
