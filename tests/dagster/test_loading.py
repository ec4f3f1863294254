"""An input is the version that the run recorded, whatever is current; or the one that is asked for."""

# Dagster reads annotations at run time, so they must not be strings here.
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, check_tables
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import failure
from tests.long import sampled

Run = Callable[..., dg.ExecuteInProcessResult]


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)], "AGE": range(n)})


@dg.asset
def dm() -> pd.DataFrame:
    return frame(3)


@dg.asset
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(AGEGR=dm["AGE"] > 1)


class TestLoading:
    def test_parents_are_what_the_step_loaded(self, run: Run, project: dc.Project) -> None:
        result = run([dm, adsl])
        parents = project.reader.parents("adsl")
        assert parents == (project.parent("dm"),)
        records = shown(result, "adsl")["datom/loaded"]
        assert [r["version"] for r in records] == [project.reader.resolve("dm").version[:12]]
        assert project.reader.parents("dm") is None

    def test_the_recorded_version_is_loaded_not_whatever_is_current(
        self, run: Run, project: dc.Project, instance: dg.DagsterInstance
    ) -> None:
        run([dm, adsl])
        project.write("dm", frame(9), message="somebody else, unknown to Dagster")
        run([dm, adsl], selection=[adsl])
        assert len(project.reader.read("adsl")) == 3
        assert len(project.reader.history("adsl")) == 1

    def test_the_recorded_version_among_versions_of_equal_data(self, run: Run, project: dc.Project) -> None:
        run([dm])
        recorded = project.reader.resolve("dm").version
        project.write("dm", frame(3), custom={"reviewed": True})
        run([dm, adsl], selection=[adsl])
        assert [p.version for p in project.reader.parents("adsl") or ()] == [recorded]

    def test_without_a_record_the_current_version_is_loaded(self, run: Run, project: dc.Project) -> None:
        project.write("dm", frame(4))
        run([dg.AssetSpec("dm").with_io_manager_key("io_manager"), adsl])
        assert len(project.reader.read("adsl")) == 4

    def test_a_write_reported_from_outside_is_loaded_by_its_data_version(
        self, run: Run, project: dc.Project, instance: dg.DagsterInstance
    ) -> None:
        written = project.write("dm", frame(4))
        instance.report_runless_asset_event(
            dg.AssetMaterialization("dm", tags={"dagster/data_version": written.data_sha})
        )
        project.write("dm", frame(6))
        run([dg.AssetSpec("dm").with_io_manager_key("io_manager"), adsl])
        assert len(project.reader.read("adsl")) == 4

    def test_time_travel_by_input_metadata(self, run: Run, project: dc.Project) -> None:
        first = project.write("dm", frame(3))
        project.write("dm", frame(4), cut="dry-run")
        project.write("dm", frame(5))
        asked: dict[str, tuple[dict[str, Any], int, str]] = {
            "version": ({"datom/version": first.version[:10]}, 3, "USUBJID,AGE"),
            "cut": ({"datom/cut": "dry-run"}, 4, "USUBJID,AGE"),
            "as_of": ({"datom/as_of": str(project.reader.history("dm")[2].timestamp)}, 3, "USUBJID,AGE"),
            "columns": ({"datom/columns": ["AGE"]}, 5, "AGE"),
        }

        def counts(dm: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame({"rows": [len(dm)], "columns": [",".join(dm.columns)]})

        run(
            [
                dg.AssetSpec("dm").with_io_manager_key("io_manager"),
                *(
                    dg.asset(name=by, ins={"dm": dg.AssetIn(metadata=metadata)})(counts)
                    for by, (metadata, _, _) in asked.items()
                ),
            ]
        )
        for by, (_, rows, columns) in asked.items():
            assert project.reader.read(by).iloc[0].to_dict() == {"rows": rows, "columns": columns}, by
            expected = project.reader.history("dm")[5 - rows].version
            assert [p.version for p in project.reader.parents(by) or ()] == [expected], by

    def test_a_version_that_is_not_there(self, run: Run, project: dc.Project) -> None:
        project.write("dm", frame(3))

        @dg.asset(ins={"dm": dg.AssetIn(metadata={"datom/version": "ffff"})})
        def counts(dm: pd.DataFrame) -> pd.DataFrame:
            return dm

        result = run([dg.AssetSpec("dm").with_io_manager_key("io_manager"), counts], raise_on_error=False)
        assert "no version ffff" in failure(result)

    def test_outside_of_a_run(
        self, resources: dict[str, Any], instance: dg.DagsterInstance, project: dc.Project
    ) -> None:
        project.write("dm", frame(3))
        project.write("dm", frame(4), cut="c")
        project.write("dm", frame(5))
        loader = dg.Definitions(assets=[dm], resources=resources).get_asset_value_loader(instance)
        assert len(loader.load_asset_value("dm", python_type=pd.DataFrame)) == 5
        older = loader.load_asset_value("dm", python_type=pa.Table, input_definition_metadata={"datom/cut": "c"})
        assert older.num_rows == 4

    def test_two_projects_in_one_run(self, tmp_path: Path, resources: dict[str, Any], project: dc.Project) -> None:
        other = dc.Project.init("STUDY_002", dc.LocalStore(tmp_path / "two"), remote=tmp_path / "two.git")
        two = DatomResource(project="STUDY_002", storage=LocalStorage(path=str(tmp_path / "two")), remote=other.remote)

        @dg.asset(io_manager_key="two")
        def pooled(dm: pd.DataFrame) -> pd.DataFrame:
            return dm

        dg.materialize([dm, pooled], resources={**resources, "two": DatomIOManager(datom=two)})
        assert other.reader.parents("pooled") == (project.parent("dm"),)

    def test_a_recorded_version_that_the_project_does_not_have(
        self, run: Run, instance: dg.DagsterInstance, project: dc.Project
    ) -> None:
        project.write("dm", frame(3))
        instance.report_runless_asset_event(dg.AssetMaterialization("dm", metadata={"datom/version": "ab" * 32}))
        result = run([dm, adsl], selection=[adsl], raise_on_error=False)
        assert "names the version abababab, which the project STUDY_001 does not have" in failure(result)

    def test_recorded_content_that_is_not_in_storage_yet_is_waited_for(
        self, run: Run, instance: dg.DagsterInstance, project: dc.Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("datom_dagster.events.errors._SECONDS_BETWEEN", 0.0)
        project.write("dm", frame(3))
        told = dg.AssetMaterialization("dm", tags={"dagster/data_version": "cd" * 32})
        instance.report_runless_asset_event(told)
        result = run([dm, adsl], selection=[adsl], raise_on_error=False)
        assert "has the data version cdcdcdcdcdcd, which no version in storage has, or not yet" in failure(result)
        assert [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]

    def test_a_data_version_of_another_kind_loads_the_current_version(
        self, run: Run, instance: dg.DagsterInstance, project: dc.Project
    ) -> None:
        instance.report_runless_asset_event(dg.AssetMaterialization("dm", tags={"dagster/data_version": "3"}))
        project.write("dm", frame(4))
        run([dm, adsl], selection=[adsl])
        assert len(project.reader.read("adsl")) == 4

    def test_what_the_body_loads_by_hand_is_a_parent_too(self, run: Run, project: dc.Project) -> None:
        @dg.asset(deps=[dm])
        def counts(context: dg.AssetExecutionContext) -> pd.DataFrame:
            return context.load_asset_value(dg.AssetKey("dm"), python_type=pd.DataFrame)

        run([dm, counts])
        assert [p.table for p in project.reader.parents("counts") or ()] == ["dm"]

    def test_ops_hand_on_the_version_that_they_wrote(self, resources: dict[str, Any], project: dc.Project) -> None:
        seen = []

        @dg.op(out=dg.Out(metadata={"datom/table": "ts"}))
        def write() -> pd.DataFrame:
            return frame(2)

        @dg.op(out=dg.Out(dg.Nothing))
        def read(table: pd.DataFrame) -> None:
            seen.append(len(table))

        @dg.op(ins={"start": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
        def interfere() -> None:
            project.write("ts", frame(7))

        @dg.op(ins={"after": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
        def read_late(table: pd.DataFrame) -> None:
            seen.append(len(table))

        @dg.job(resource_defs=resources)
        def handing_on() -> None:
            table = write()
            read_late(table, after=interfere(read(table)))

        assert handing_on.execute_in_process().success
        assert seen == [2, 2], "not what somebody wrote in between"
        assert handing_on.execute_in_process(tags={"datom/as_of": "2020-01-01"}).success
        assert seen == [2, 2, 2, 2], "nor what the run asks for of others"

    def test_each_branch_gets_its_own_version(self, resources: dict[str, Any]) -> None:
        seen = {}

        @dg.op(out=dg.DynamicOut(metadata={"datom/table": "site"}))
        def sites():  # type: ignore[no-untyped-def]
            for rows, key in ((1, "a"), (2, "b"), (3, "c")):
                yield dg.DynamicOutput(frame(rows), mapping_key=key)

        @dg.op(out=dg.Out(dg.Nothing))
        def use(context: dg.OpExecutionContext, table: pd.DataFrame) -> None:
            seen[context.get_mapping_key()] = len(table)

        @dg.job(resource_defs=resources)
        def branching() -> None:
            sites().map(use)

        assert branching.execute_in_process().success
        assert seen == {"a": 1, "b": 2, "c": 3}

    def test_a_fan_in_gets_a_list(self, resources: dict[str, Any]) -> None:
        seen: list[int] = []

        @dg.op(out=dg.Out(metadata={"datom/table": "one"}))
        def one() -> pd.DataFrame:
            return frame(1)

        @dg.op(out=dg.Out(metadata={"datom/table": "two"}))
        def two() -> pd.DataFrame:
            return frame(2)

        @dg.op(out=dg.Out(dg.Nothing))
        def collect(tables: list[pd.DataFrame]) -> None:
            seen.extend(len(t) for t in tables)

        @dg.job(resource_defs=resources)
        def fan_in() -> None:
            collect([one(), two()])

        assert fan_in.execute_in_process().success
        assert seen == [1, 2]

    @pytest.mark.parametrize("told", ["metadata", "data version"])
    def test_a_version_that_was_only_observed(
        self, run: Run, instance: dg.DagsterInstance, project: dc.Project, told: str
    ) -> None:
        first = project.write("dm", frame(3))
        project.write("dm", frame(3), custom={"reviewed": True})
        project.write("dm", frame(4))
        metadata = {"datom/version": first.version} if told == "metadata" else {}
        tags = {} if told == "metadata" else {"dagster/data_version": first.version}
        instance.report_runless_asset_event(dg.AssetObservation("dm", metadata=metadata, tags=tags))
        run([dg.AssetSpec("dm").with_io_manager_key("io_manager"), adsl])
        assert [p.version for p in project.reader.parents("adsl") or ()] == [first.version]

    def test_one_version_does_not_fit_a_mapping(self, run: Run, project: dc.Project) -> None:
        project.write("dm", frame(3), cut="c")

        @dg.asset(ins={"dm": dg.AssetIn(metadata={"datom/cut": "c"})})
        def counts(dm: dict[str, pd.DataFrame]) -> pd.DataFrame:
            return frame(1)

        result = run([dg.AssetSpec("dm").with_io_manager_key("io_manager"), counts], raise_on_error=False)
        assert "annotate it with a frame, not a mapping" in failure(result)

    def test_input_metadata_that_would_be_ignored_is_refused(self, run: Run) -> None:
        for key in ("datom/versoin", "datom/commit_message"):
            counts = dg.asset(name="counts", ins={"dm": dg.AssetIn(metadata={key: "x"})})(lambda dm: dm)
            assert f"input metadata {key} cannot be set here" in failure(run([dm, counts], raise_on_error=False))

    def test_outside_of_a_run_errors_stay_datoms_own(
        self, resources: dict[str, Any], instance: dg.DagsterInstance, project: dc.Project
    ) -> None:
        loader = dg.Definitions(assets=[dm], resources=resources).get_asset_value_loader(instance)
        with pytest.raises(dc.NotFoundError, match="no table 'dm'"):
            loader.load_asset_value("dm", python_type=pd.DataFrame)


@dg.asset
def count(dm: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"rows": [len(dm)]})


class TestTimeTravelOfARun:
    """Tags of the run, and metadata of the asset that loads."""

    DM = dg.AssetSpec("dm").with_io_manager_key("io_manager")

    @pytest.fixture(autouse=True)
    def three_versions(self, project: dc.Project) -> None:
        project.write("dm", frame(3))
        project.write("dm", frame(4), cut="dry-run")
        project.write("dm", frame(5))

    def value(self, key: str, project: dc.Project) -> str:
        first = project.reader.history("dm")[-1]
        return {"datom/version/dm": first.version[:10], "datom/cut": "dry-run"}.get(key, str(first.timestamp))

    @pytest.mark.parametrize(
        ("by", "key", "rows"),
        sampled(
            [
                (by, key, rows)
                for by in ("tags", "metadata")
                for key, rows in (("datom/version/dm", 3), ("datom/cut", 4), ("datom/as_of", 3))
            ],
            2,
        ),
    )
    def test_a_version_for_all_that_is_loaded(
        self, run: Run, project: dc.Project, key: str, rows: int, by: str
    ) -> None:
        asked = {key: self.value(key, project)}
        loading = count if by == "tags" else dg.asset(name="count", metadata=asked)(lambda dm: frame(len(dm)))
        result = run([self.DM, loading], tags=asked if by == "tags" else {})
        loaded = next(v.version for v in project.reader.history("dm") if len(project.reader.read("dm", v)) == rows)
        assert [p.version for p in project.reader.parents("count") or ()] == [loaded]
        assert [r["version"] for r in shown(result, "count")["datom/loaded"]] == [loaded[:12]]

    def test_who_is_heard_first(self, run: Run, project: dc.Project) -> None:
        old, middle, _ = (v.version for v in reversed(project.reader.history("dm")))

        def loaded(**options: Any) -> int:
            tags = options.pop("tags", {})
            made = dg.asset(name="count", **options)(lambda dm: pd.DataFrame({"rows": [len(dm)]}))
            run([self.DM, made], tags=tags)
            return int(project.reader.read("count")["rows"][0])

        ins = {"dm": dg.AssetIn(metadata={"datom/version": old})}
        of_asset, of_run = {"datom/cut": "dry-run"}, {"datom/as_of": "2100-01-01"}
        assert loaded(ins=ins, metadata=of_asset, tags=of_run) == 3
        assert loaded(metadata=of_asset, tags=of_run) == 5
        assert loaded(metadata=of_asset) == 4
        assert loaded(tags={**of_run, "datom/version/dm": middle}) == 4, "a table by name before all tables"

    def test_what_the_run_makes_is_loaded_as_it_made_it(self, run: Run, project: dc.Project) -> None:
        fresh = dg.asset(name="dm")(lambda: frame(8))
        run([fresh, count], tags={"datom/cut": "dry-run"})
        assert project.reader.read("count")["rows"][0] == 8
        result = run([fresh, count], tags={"datom/version/dm": "ab" * 32}, raise_on_error=False)
        assert "no version abab" in failure(result)
        known = project.reader.history("dm")[-1].version
        result = run([fresh, count], tags={"datom/version/dm": known}, raise_on_error=False)
        assert "asks for a version of a table that the same run makes" in failure(result)

    def test_a_tag_that_cannot_be_is_refused_before_any_step(self, run: Run, project: dc.Project) -> None:
        before = project.status().commit
        for tags, said in (
            ({"datom/as_of": "last year"}, "datom/as_of: as_of must be a date or a time"),
            ({"datom/cut": " lock"}, "datom/cut: "),
            ({"datom/version/dm": "XYZ"}, "datom/version/dm: A version is up to 64"),
            ({"datom/version/dm": "ffff"}, "no version ffff"),
            ({"datom/version/dmm": "ffff"}, "no table 'dmm'"),
            ({"datom/version": "ffff"}, "run tag datom/version means nothing; known are .* and datom/version/<table>"),
            ({"datom/asof": "2026-01-01"}, "run tag datom/asof means nothing"),
        ):
            result = run([dg.asset(name="ex")(lambda: frame(1)), self.DM, count], tags=tags, raise_on_error=False)
            assert re.search(said, failure(result)), tags
            assert not result.get_step_failure_events(), tags
            assert project.status().commit == before, tags

    def test_what_is_not_there_is_refused_before_the_step_works(self, run: Run) -> None:
        worked: list[int] = []
        made = dg.asset(name="count")(lambda dm: worked.append(1))
        for tags, said in (
            ({"datom/as_of": "2020-01-01"}, "no version as of 2020-01-01"),
            ({"datom/cut": "locked"}, "no cut 'locked'; the latest are 'dry-run'"),
        ):
            assert said in failure(run([self.DM, made], tags=tags, raise_on_error=False))
        assert not worked

    @pytest.mark.parametrize(
        ("metadata", "said"),
        [
            ({"datom/as_of": "soon"}, "datom/as_of"),
            ({"datom/version/dm": "XYZ"}, "datom/version/dm"),
            ({"datom/version/1": "ab"}, "1"),
        ],
    )
    def test_metadata_that_cannot_be_is_refused_when_the_code_is_loaded(
        self, metadata: dict[str, str], said: str
    ) -> None:
        with pytest.raises(dc.InvalidInputError, match=said):
            check_tables([dg.asset(name="count", metadata=metadata)(lambda dm: dm)])

    @pytest.mark.parametrize(
        ("metadata", "said"),
        [({"datom/as_of": "soon"}, "as_of must be"), ({"datom/version": "ab", "datom/cut": "c"}, "by itself")],
    )
    def test_so_is_metadata_of_an_input(self, metadata: dict[str, str], said: str) -> None:
        made = dg.asset(name="count", ins={"dm": dg.AssetIn(metadata=metadata)})(lambda dm: dm)
        with pytest.raises(dc.InvalidInputError, match=said):
            check_tables([made])

    def test_assets_of_one_step_that_disagree(self, run: Run) -> None:
        outs = {name: dg.AssetOut(metadata={"datom/cut": cut}) for name, cut in (("a", "dry-run"), ("b", "lock"))}

        @dg.multi_asset(outs=outs)
        def both(dm: pd.DataFrame):  # type: ignore[no-untyped-def]
            return dm, dm

        assert "a, b ask for different versions" in failure(run([self.DM, both], raise_on_error=False))

    def test_as_of_a_day_a_partition_is_what_its_cut_stood_for(self, run: Run, project: dc.Project) -> None:
        project.write("dm", frame(7), cut="dry-run")
        then = project.reader.cuts()["dry-run"].recordings["dm"][-1].recorded_at
        cuts = dg.StaticPartitionsDefinition(["dry-run"])
        source = dg.AssetSpec("dm", partitions_def=cuts).with_io_manager_key("io_manager")
        made = dg.asset(name="count", partitions_def=cuts)(lambda dm: pd.DataFrame({"rows": [len(dm)]}))
        run([source, made], partition_key="dry-run", tags={"datom/as_of": then})
        assert project.reader.read("count")["rows"][0] == 4
        run([source, made], partition_key="dry-run")
        assert project.reader.read("count")["rows"][0] == 7
        result = run([source, made], partition_key="dry-run", tags={"datom/as_of": "2020-01-01"}, raise_on_error=False)
        assert "held no dm as of 2020-01-01" in failure(result)


CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02", "2026-03"])


class TestPartitions:
    """What the annotation of an input over partitions decides."""

    @pytest.fixture(autouse=True)
    def two_of_three_cuts(self, project: dc.Project) -> None:
        project.write("dm", frame(1), cut="2026-01")
        project.write("dm", frame(2), cut="2026-02")

    def load(self, run: Run, annotation: Any, *, last: int, **metadata: Any) -> tuple[Any, str]:
        """What a step over the first ``last`` partitions gets, and what it said when it failed."""
        source = dg.AssetSpec("dm", partitions_def=CUTS).with_io_manager_key("io_manager")
        keys = CUTS.get_partition_keys()[:last]
        mapping = dg.SpecificPartitionsPartitionMapping(keys)
        seen: list[Any] = []

        def counts(dm):  # type: ignore[no-untyped-def]
            seen.append(dm)
            return frame(1)

        if annotation is not None:
            counts.__annotations__ = {"dm": annotation}
        ins = {"dm": dg.AssetIn(partition_mapping=mapping, metadata=metadata)}
        result = run([source, dg.asset(counts, ins=ins)], raise_on_error=False)
        return (seen[0], "") if result.success else (None, failure(result))

    def test_several_come_as_a_mapping(self, run: Run) -> None:
        annotations: tuple[Any, ...] = (dict[str, pd.DataFrame], Mapping[str, pd.DataFrame], dict, None)
        for annotation in annotations:
            found, _ = self.load(run, annotation, last=2)
            assert {k: len(v) for k, v in found.items()} == {"2026-01": 1, "2026-02": 2}, annotation

    def test_one_comes_as_a_mapping_when_that_is_asked_for(self, run: Run) -> None:
        found, _ = self.load(run, dict[str, pa.Table], last=1)
        assert {k: v.num_rows for k, v in found.items()} == {"2026-01": 1}

    def test_several_do_not_fit_one_frame(self, run: Run) -> None:
        _, said = self.load(run, pd.DataFrame, last=2)
        assert "2 partitions are loaded at once; annotate the input with a mapping" in said

    def test_missing_ones_are_an_error_unless_they_may_be_missing(self, run: Run) -> None:
        _, said = self.load(run, dict[str, pd.DataFrame], last=3)
        assert "no cut '2026-03'" in said
        found, _ = self.load(run, dict[str, pd.DataFrame], last=3, allow_missing_partitions=True)
        assert list(found) == ["2026-01", "2026-02"]

    def test_none_at_all(self, run: Run) -> None:
        assert self.load(run, dict[str, pd.DataFrame], last=0)[0] == {}
        assert self.load(run, pd.DataFrame | None, last=0) == (None, "")
        assert "there is no partition to load" in self.load(run, pd.DataFrame, last=0)[1]
