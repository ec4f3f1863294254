"""A partition is a cut: recorded by materializing, loaded from the project whatever Dagster remembers."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomResource, datom_asset, datom_assets, datom_definitions
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import data_version, failure
from tests.long import long

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


@dg.asset(ins={"dm": dg.AssetIn(metadata={"allow_missing_partitions": True})})
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


def test_downstream_loads_the_cut_of_its_partition_from_the_project_not_from_dagsters_database(
    run: Run, resources: dict[str, Any], project: dc.Project
) -> None:
    """However many came later; one partition, and all of them as a mapping."""
    for cut in ROWS:
        run([dm], partition_key=cut)
    run([dm, adsl], selection=[adsl], partition_key="2026-01")
    assert len(project.reader.read("adsl", cut="2026-01")) == 2
    parents = project.reader.parents("adsl") or ()
    assert [p.version for p in parents] == [project.reader.cuts()["2026-01"]["dm"]]

    run([dm, summary], selection=[summary])
    found = project.reader.read("summary")
    assert dict(zip(found["cut"], found["rows"], strict=True)) == ROWS
    assert len(project.reader.parents("summary") or ()) == 3, "two cuts stand for one version"

    with dg.DagsterInstance.ephemeral() as forgetful:
        result = dg.materialize(
            [dm, adsl], selection=[adsl], partition_key="2026-02", resources=resources, instance=forgetful
        )
        assert result.success
    assert len(project.reader.read("adsl", cut="2026-02")) == 3


def test_a_cut_delivered_again_moves_its_name_and_keeps_the_old_version(run: Run, project: dc.Project) -> None:
    first = run([dm], partition_key="2026-01", tags={"datom/commit_message": "as delivered"})
    run([dm], partition_key="2026-02")
    ROWS["2026-01"] = 7
    result = run([dm], partition_key="2026-01", tags={"datom/commit_message": "corrected"})
    assert shown(result, "dm")["datom/changed"] is True
    recordings = project.reader.cuts()["2026-01"].recordings["dm"]
    assert [len(project.reader.read("dm", r.version)) for r in recordings] == [7, 2]
    assert [r["message"] for r in shown(first, "dm")["datom/cut_history"]] == ["as delivered"]
    history = shown(result, "dm")["datom/cut_history"]
    assert [(r["message"], r["version"]) for r in history] == [
        ("corrected", shown(result, "dm")["datom/version"][:12]),
        ("as delivered", shown(first, "dm")["datom/version"][:12]),
    ]
    # What the page names short can be asked for.
    assert [len(project.reader.read("dm", r["version"])) for r in history] == [7, 2]
    assert {r["author"] for r in history} == {"Test Author <test@example.org>"}
    assert history[0]["recorded_at"] == recordings[0].recorded_at


def test_materializing_an_old_partition_once_more_changes_nothing(run: Run, project: dc.Project) -> None:
    for cut in ("2026-01", "2026-02"):
        run([dm, adsl], partition_key=cut)
    before = project.status().commit
    result = run([dm, adsl], partition_key="2026-01")
    assert {shown(result, a)["datom/changed"] for a in ("dm", "adsl")} == {False}
    assert project.status().commit == before
    assert len(project.reader.read("dm")) == 3


def test_a_partition_that_was_never_recorded(run: Run) -> None:
    run([dm], partition_key="2026-01")
    result = run([dm, adsl], selection=[adsl], partition_key="2026-02", raise_on_error=False)
    assert "no cut '2026-02'; the latest are '2026-01'" in failure(result)


def test_one_run_over_several_partitions_is_refused(resources: dict[str, Any], project: dc.Project) -> None:
    @dg.asset(partitions_def=CUTS, backfill_policy=dg.BackfillPolicy.single_run())
    def ex() -> pd.DataFrame:
        return frame(1)

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [ex],
            resources=resources,
            instance=instance,
            tags={"dagster/asset_partition_range_start": "2026-01", "dagster/asset_partition_range_end": "2026-02"},
            raise_on_error=False,
        )
    assert "one run over 2 partitions" in failure(result)
    assert len(project.reader.list()) == 0


RANGE = {"dagster/asset_partition_range_start": "2026-01", "dagster/asset_partition_range_end": "2026-03"}


@dg.asset(partitions_def=CUTS, backfill_policy=dg.BackfillPolicy.single_run(), name="ex")
def at_once(context: dg.AssetExecutionContext) -> dict[str, pd.DataFrame]:
    return {cut: frame(ROWS[cut]) for cut in reversed(context.partition_keys)}


def events(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    return {str(e.partition): e.materialization for e in result.get_asset_materialization_events()}


def in_one_run(returned: Callable[[Sequence[str]], Any]) -> dg.AssetsDefinition:
    @dg.asset(partitions_def=CUTS, backfill_policy=dg.BackfillPolicy.single_run())
    def ex(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        return returned(context.partition_keys)

    return ex


class TestOneRunOverSeveralPartitions:
    def test_a_mapping_is_one_cut_each(self, run: Run, project: dc.Project) -> None:
        result = run([at_once], tags=RANGE)
        assert {c: len(project.reader.read("ex", cut=c)) for c in project.reader.cuts()} == {
            "2026-01": 2,
            "2026-02": 3,
            "2026-03": 4,
        }
        told = {
            cut: {k: v.value for k, v in e.metadata.items() if k != "datom/cut_history"}
            for cut, e in events(result).items()
        }
        assert {cut: m["dagster/row_count"] for cut, m in told.items()} == {"2026-01": 2, "2026-02": 3, "2026-03": 4}
        assert {cut: m["datom/cut"] for cut, m in told.items()} == {cut: cut for cut in told}
        assert len({m["datom/commit"] for m in told.values()}) == 3
        assert told["2026-03"]["datom/change"] == "1 row added by whole rows since the cut 2026-02"
        assert told["2026-02"]["datom/message"] == "Materialize ex 2026-02"

    def test_the_data_version_is_that_of_all_of_them(self, run: Run) -> None:
        def version(result: dg.ExecuteInProcessResult) -> str:
            (found,) = {e.tags["dagster/data_version"] for e in events(result).values()}
            return found

        first = run([at_once], tags=RANGE)
        assert version(run([at_once], tags=RANGE)) == version(first)
        ROWS["2026-03"] = 9
        assert version(run([at_once], tags=RANGE)) != version(first)

    def test_of_a_single_partition_it_is_its_own(self, run: Run) -> None:
        result = run([at_once], partition_key="2026-02")
        assert events(result)["2026-02"].tags["dagster/data_version"] == dc.hash_table(frame(3)).data_sha

    def test_what_is_refused_is_refused_before_the_first_cut(self, run: Run, project: dc.Project) -> None:
        bad = pd.DataFrame({"x": [[1]]})
        returns: tuple[tuple[Callable[[Sequence[str]], Any], str], ...] = (
            (lambda keys: {k: frame(1) for k in keys[:2]}, r"missing: ['2026-03'], not of this run: []"),
            (lambda keys: {k: frame(1) for k in [*keys, "lock"]}, r"missing: [], not of this run: ['lock']"),
            (lambda keys: {k: frame(1 if k == keys[0] else 0) for k in keys}, "ex has no rows"),
            (lambda keys: {k: frame(1) if k == keys[0] else bad for k in keys}, "ex, 2026-02"),
            (lambda keys: frame(1), "one run over 3 partitions"),
        )

        for returned, said in returns:
            assert said in failure(run([in_one_run(returned)], tags=RANGE, raise_on_error=False))
            assert not project.reader.cuts()

    def test_the_annotation_declares_it(self, resources: dict[str, Any]) -> None:
        datom_definitions(assets=[at_once], resources=resources)


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
        "2026-03": "2 rows added by USUBJID (a natural key) since the cut 2026-01",
        "lock": "no change since the cut 2026-03",
        "2026-02": "1 row added by USUBJID (a natural key) since the cut 2026-01",
    }
    assert said["2026-02"]["datom/previous_version"] == said["2026-01"]["datom/version"]
    ROWS["2026-02"] = 2
    again = shown(run([dm], partition_key="2026-02"), "dm")
    assert again["datom/change"] == "1 row removed by USUBJID (a natural key) since the cut as it was recorded before"
    assert shown(run([dm], partition_key="2026-02"), "dm")["datom/change"] == "no change"


def test_a_change_that_cannot_be_told_fails_nothing(run: Run, project: dc.Project) -> None:
    first = shown(run([dm], partition_key="2026-01"), "dm")
    project.store.delete(f"dm/.metadata/{first['datom/version']}.json")
    second = shown(run([dm], partition_key="2026-02"), "dm")
    assert "datom/change" not in second
    assert len(project.reader.read("dm", cut="2026-02")) == 3


def extract(context: dg.AssetExecutionContext) -> pd.DataFrame:
    return frame(ROWS[context.partition_key])


MONTHLY = dg.MonthlyPartitionsDefinition(start_date="2026-01", end_date="2026-04", fmt="%Y-%m")


@pytest.mark.parametrize(
    ("partitions", "cuts"),
    [
        pytest.param(MONTHLY, ["2026-01", "2026-02"], marks=long),
        (dg.DynamicPartitionsDefinition(name="cuts"), ["dry-run-2", "lock"]),
    ],
)
def test_dagsters_database_is_lost_and_partitions_still_load_their_cuts(
    resources: dict[str, Any], study: DatomResource, project: dc.Project, partitions: Any, cuts: list[str]
) -> None:
    rows = {cut: n for n, cut in enumerate(cuts, 2)}
    (lb,) = datom_assets(
        project=study, tables=["lb"], extract=lambda table, cut: frame(rows[cut]), partitions=partitions
    )

    @dg.asset(partitions_def=partitions)
    def adlb(lb: pd.DataFrame) -> pd.DataFrame:
        return lb.assign(FLAG=True)

    def known(instance: dg.DagsterInstance) -> dg.DagsterInstance:
        if isinstance(partitions, dg.DynamicPartitionsDefinition):
            instance.add_dynamic_partitions("cuts", cuts)
        return instance

    with dg.DagsterInstance.ephemeral() as instance:
        for cut in cuts:
            dg.materialize([lb], partition_key=cut, resources=resources, instance=known(instance))
    rows[cuts[0]] = 7
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([lb], partition_key=cuts[0], resources=resources, instance=known(instance))
    for cut in cuts:
        with dg.DagsterInstance.ephemeral() as forgetful:
            dg.materialize(
                [lb, adlb], selection=[adlb], partition_key=cut, resources=resources, instance=known(forgetful)
            )
    assert {cut: len(project.reader.read("adlb", cut=cut)) for cut in cuts} == {cuts[0]: 7, cuts[1]: 3}
    first = project.reader.cuts()[cuts[0]].recordings["lb"][-1]
    assert len(project.reader.read("lb", first.version)) == 2, "what was delivered first stays readable by its id"


def test_changed_and_change_say_the_same_of_a_partition(run: Run) -> None:
    """Also where the cut comes to stand for a version that is there already, or is the first to name it."""
    table = datom_asset(name="dm", partitions_def=CUTS)(extract)
    said = []
    for cut, rows in (("2026-01", 2), ("2026-02", 2), ("2026-02", 3), ("2026-02", 2), ("2026-02", 2)):
        ROWS[cut] = rows
        told = shown(run([table], partition_key=cut), "dm")
        said.append((told["datom/changed"], told["datom/change"]))
    assert said == [
        (True, "first version"),
        (False, "no change since the cut 2026-01"),
        (True, "1 row added by USUBJID (a natural key) since the cut as it was recorded before"),
        (True, "1 row removed by USUBJID (a natural key) since the cut as it was recorded before"),
        (False, "no change"),
    ]


ALL_KINDS = {
    "static": CUTS,
    "months": MONTHLY,
    "dynamic": dg.DynamicPartitionsDefinition(name="cuts"),
    "two dimensions": dg.MultiPartitionsDefinition({"month": MONTHLY, "site": dg.StaticPartitionsDefinition(["a"])}),
}


class TestARunWithoutAPartition:
    """A version outside of every cut would be the current one, and nobody asked for it."""

    @pytest.mark.parametrize("atomic", [False, True])
    def test_it_is_refused_before_anything_is_written(
        self, run: Run, study: DatomResource, project: dc.Project, atomic: bool
    ) -> None:
        before = project.status().commit
        for kind, partitions in ALL_KINDS.items():
            made = datom_assets(
                project=study, tables=["dm"], extract=lambda t, c: frame(1), partitions=partitions, atomic=atomic
            )
            said = failure(run(made, raise_on_error=False))
            assert "dm has partitions, and the run has none" in said, kind
            assert "the tag datom/no_cut: true" in said, kind
            assert project.status().commit == before, kind

    @pytest.mark.parametrize("by", ["tag", "metadata"])
    def test_it_may_be_meant(self, run: Run, project: dc.Project, by: str) -> None:
        run([dm], partition_key="2026-01")
        metadata: dict[str, Any] = {"datom/no_cut": True} if by == "metadata" else {}
        made = datom_asset(name="dm", partitions_def=CUTS, metadata=metadata)(lambda: frame(9))
        assert run([made], tags={"datom/no_cut": "true"} if by == "tag" else {}).success
        assert (len(project.reader.read("dm")), len(project.reader.read("dm", cut="2026-01"))) == (9, 2)

    def test_the_tag_goes_before_the_metadata(self, run: Run) -> None:
        made = datom_asset(name="dm", partitions_def=CUTS, metadata={"datom/no_cut": True})(lambda: frame(9))
        assert "the run has none" in failure(run([made], tags={"datom/no_cut": "false"}, raise_on_error=False))

    def test_what_it_cannot_be(self, run: Run) -> None:
        with pytest.raises(dc.InvalidInputError, match="datom/no_cut is true or false, not 'maybe'"):
            datom_asset(name="dm", metadata={"datom/no_cut": "maybe"})(lambda: frame(9))
        said = failure(run([dm], partition_key="2026-01", tags={"datom/no_cut": "yes"}, raise_on_error=False))
        assert "datom/no_cut is true or false, not 'yes'" in said

    def test_an_asset_without_partitions_has_none_to_run_for(self, run: Run, project: dc.Project) -> None:
        run([dm], partition_key="2026-01")
        assert run([dm, summary], selection=[summary]).success
        assert len(project.reader.read("summary")) == 1
