"""A partition is a cut: recorded by materializing, loaded from the project whatever Dagster remembers."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomResource, datom_asset
from tests.dagster.conftest import data_version, failure, shown

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02", "2026-03", "lock"])
ROWS = {"2026-01": 2, "2026-02": 3, "2026-03": 4, "lock": 4}


@pytest.fixture(autouse=True)
def deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    for cut, n in {"2026-01": 2, "2026-02": 3, "2026-03": 4, "lock": 4}.items():
        monkeypatch.setitem(ROWS, cut, n)


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


@dg.asset(partitions_def=CUTS)
def dm(context: dg.AssetExecutionContext) -> pd.DataFrame:
    return frame(ROWS[context.partition_key])


@dg.asset(partitions_def=CUTS)
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(FLAG=True)


@dg.asset
def summary(dm: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.DataFrame({"cut": list(dm), "rows": [len(f) for f in dm.values()]})


def test_each_partition_is_a_cut_of_one_table(run: Run, project: dc.Project) -> None:
    results = {cut: run([dm], partition_key=cut) for cut in ROWS}
    assert [t.name for t in project.reader.list()] == ["dm"]
    assert {c: len(project.reader.read("dm", cut=c)) for c in project.reader.cuts()} == ROWS
    assert len(project.reader.history("dm")) == 3, "the lock is the state of March"
    assert data_version(results["lock"], "dm") == data_version(results["2026-03"], "dm")
    assert shown(results["2026-01"], "dm")["datom/cut"] == "2026-01"
    assert shown(results["lock"], "dm")["datom/changed"] is False


def test_downstream_loads_the_cut_of_its_partition_however_many_came_later(run: Run, project: dc.Project) -> None:
    for cut in ROWS:
        run([dm], partition_key=cut)
    run([dm, adsl], selection=[adsl], partition_key="2026-01")
    assert len(project.reader.read("adsl", cut="2026-01")) == 2
    parents = project.reader.parents("adsl") or ()
    assert [p.version for p in parents] == [project.reader.cuts()["2026-01"]["dm"]]


def test_the_mapping_comes_from_the_project_not_from_dagsters_database(
    run: Run, resources: dict[str, Any], project: dc.Project
) -> None:
    for cut in ROWS:
        run([dm], partition_key=cut)
    with dg.instance_for_test() as forgetful:
        result = dg.materialize(
            [dm, adsl], selection=[adsl], partition_key="2026-02", resources=resources, instance=forgetful
        )
        assert result.success
    assert len(project.reader.read("adsl", cut="2026-02")) == 3


def test_a_cut_delivered_again_moves_its_name_and_keeps_the_old_version(run: Run, project: dc.Project) -> None:
    run([dm], partition_key="2026-01")
    run([dm], partition_key="2026-02")
    ROWS["2026-01"] = 7
    result = run([dm], partition_key="2026-01")
    assert shown(result, "dm")["datom/changed"] is True
    recordings = project.reader.cuts()["2026-01"].recordings["dm"]
    assert [len(project.reader.read("dm", r.version)) for r in recordings] == [7, 2]


def test_materializing_an_old_partition_once_more_changes_nothing(run: Run, project: dc.Project) -> None:
    for cut in ("2026-01", "2026-02"):
        run([dm, adsl], partition_key=cut)
    before = project.status().commit
    result = run([dm, adsl], partition_key="2026-01")
    assert {shown(result, a)["datom/changed"] for a in ("dm", "adsl")} == {False}
    assert project.status().commit == before
    assert len(project.reader.read("dm")) == 3


def test_several_partitions_of_an_input_come_as_a_mapping(run: Run, project: dc.Project) -> None:
    for cut in ROWS:
        run([dm], partition_key=cut)
    run([dm, summary], selection=[summary])
    found = project.reader.read("summary")
    assert dict(zip(found["cut"], found["rows"], strict=True)) == ROWS
    assert len(project.reader.parents("summary") or ()) == 3, "two cuts stand for one version"


def test_a_partition_that_was_never_recorded(run: Run) -> None:
    run([dm], partition_key="2026-01")
    result = run([dm, adsl], selection=[adsl], partition_key="2026-02", raise_on_error=False)
    assert "no cut '2026-02'; the latest are '2026-01'" in failure(result)


def test_one_run_over_several_partitions_is_refused(resources: dict[str, Any], project: dc.Project) -> None:
    @dg.asset(partitions_def=CUTS, backfill_policy=dg.BackfillPolicy.single_run())
    def ex() -> pd.DataFrame:
        return frame(1)

    with dg.instance_for_test() as instance:
        result = dg.materialize(
            [ex],
            resources=resources,
            instance=instance,
            tags={"dagster/asset_partition_range_start": "2026-01", "dagster/asset_partition_range_end": "2026-02"},
            raise_on_error=False,
        )
    assert "one run over 2 partitions" in failure(result)
    assert len(project.reader.list()) == 0


def test_keep_lets_the_cut_stand_for_the_current_version(run: Run, project: dc.Project) -> None:
    kept = datom_asset(name="dm", partitions_def=CUTS, on_empty="keep")(extract)
    run([kept], partition_key="2026-01")
    ROWS["2026-02"] = 0
    result = run([kept], partition_key="2026-02")
    assert shown(result, "dm")["datom/cut"] == "2026-02"
    assert len(project.reader.read("dm", cut="2026-02")) == 2
    assert len(project.reader.history("dm")) == 1


def test_keep_in_an_older_partition_keeps_what_stood_there_not_what_is_current(run: Run, project: dc.Project) -> None:
    kept = datom_asset(name="dm", partitions_def=CUTS, on_empty="keep")(extract)
    for cut in ("2026-01", "2026-03"):
        run([kept], partition_key=cut)
    ROWS["2026-02"] = 0
    run([kept], partition_key="2026-02")
    assert len(project.reader.read("dm", cut="2026-02")) == 2
    ROWS["2026-01"] = 0
    result = run([kept], partition_key="2026-01")
    assert len(project.reader.read("dm", cut="2026-01")) == 2
    assert data_version(result, "dm") == dc.hash_table(frame(2)).data_sha


def test_keep_in_the_first_partition_has_nothing_to_keep(run: Run) -> None:
    kept = datom_asset(name="dm", partitions_def=CUTS, on_empty="keep")(extract)
    run([kept], partition_key="2026-02")
    ROWS["2026-01"] = 0
    assert "no version yet" in failure(run([kept], partition_key="2026-01", raise_on_error=False))


def test_a_partition_says_what_changed_since_the_cut_before_it(run: Run) -> None:
    said = {cut: shown(run([dm], partition_key=cut), "dm") for cut in ("2026-01", "2026-03", "lock", "2026-02")}
    assert {cut: metadata["datom/change"] for cut, metadata in said.items()} == {
        "2026-01": "first version",
        "2026-03": "+2 rows since the cut 2026-01",
        "lock": "no change since the cut 2026-03",
        "2026-02": "+1 rows since the cut 2026-01",
    }
    assert said["2026-02"]["datom/previous_version"] == said["2026-01"]["datom/version"]
    ROWS["2026-02"] = 2
    again = shown(run([dm], partition_key="2026-02"), "dm")
    assert again["datom/change"] == "-1 rows since the cut as it was recorded before"
    assert shown(run([dm], partition_key="2026-02"), "dm")["datom/change"] == "no change"


def test_a_change_that_cannot_be_told_fails_nothing(run: Run, project: dc.Project) -> None:
    first = shown(run([dm], partition_key="2026-01"), "dm")
    project.store.delete(f"dm/.metadata/{first['datom/version']}.json")
    second = shown(run([dm], partition_key="2026-02"), "dm")
    assert "datom/change" not in second
    assert len(project.reader.read("dm", cut="2026-02")) == 3


def extract(context: dg.AssetExecutionContext) -> pd.DataFrame:
    return frame(ROWS[context.partition_key])


def test_dynamic_partitions(resources: dict[str, Any], study: DatomResource, project: dc.Project) -> None:
    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="cuts"))
    def lb(context: dg.AssetExecutionContext) -> pd.DataFrame:
        return frame(len(context.partition_key))

    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions("cuts", ["dry-run-2"])
        dg.materialize([lb], partition_key="dry-run-2", resources=resources, instance=instance)
    assert len(study.open_reader().read("lb", cut="dry-run-2")) == 9
