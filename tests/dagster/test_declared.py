"""A study's tables from a list: one asset each, or one step and one commit for all of them."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, TableSpec, datom_assets, datom_definitions
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import data_version, failure

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02", "lock"])
ROWS = {None: 2, "2026-01": 2, "2026-02": 3, "lock": 3}


def extract(table: str, cut: str | None) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"{table}-{n}" for n in range(ROWS[cut])]})


def commits(project: dc.Project) -> int:
    heads = {v.commit_sha for t in project.reader.list() for v in project.reader.history(t.name)}
    return len(heads)


def test_an_asset_per_table(run: Run, study: DatomResource, project: dc.Project) -> None:
    made = datom_assets(project=study, tables=["dm", "ex"], extract=extract, partitions=CUTS, group_name="sdtm")
    result = run(made, partition_key="2026-02")
    assert {a.key.to_user_string() for a in made} == {"dm", "ex"}
    assert len(project.reader.read("ex", cut="2026-02")) == 3
    assert project.reader.metadata("dm").table_type == "imported"
    assert shown(result, "dm")["datom/cut"] == "2026-02"
    assert {s.group_name for a in made for s in a.specs} == {"sdtm"}


def test_all_cuts_in_one_run(run: Run, study: DatomResource, project: dc.Project) -> None:
    once = dg.BackfillPolicy.single_run()
    made = datom_assets(project=study, tables=["dm"], extract=extract, partitions=CUTS, backfill_policy=once)
    tags = {"dagster/asset_partition_range_start": "2026-01", "dagster/asset_partition_range_end": "lock"}
    assert run(made, tags=tags).success
    assert {cut: len(project.reader.read("dm", cut=cut)) for cut in project.reader.cuts()} == {
        "2026-01": 2,
        "2026-02": 3,
        "lock": 3,
    }
    with pytest.raises(dc.InvalidInputError, match="multi_run"):
        datom_assets(project=study, tables=["dm"], extract=extract, partitions=CUTS, backfill_policy=once, atomic=True)


class TestAtomic:
    def test_one_step_and_one_commit(self, run: Run, study: DatomResource, project: dc.Project) -> None:
        made = datom_assets(project=study, tables=["dm", "ex", "lb"], extract=extract, partitions=CUTS, atomic=True)
        before = project.status().commit
        result = run(made, partition_key="2026-01", tags={"datom/commit_message": "January"})
        said = {table: shown(result, table) for table in ("dm", "ex", "lb")}
        assert len({s["datom/commit"] for s in said.values()} - {before}) == 1
        assert commits(project) == 1
        assert set(project.reader.cuts()["2026-01"]) == {"dm", "ex", "lb"}
        assert said["dm"]["datom/message"] == "January"
        assert said["ex"]["dagster/row_count"] == 2
        assert [r["message"] for r in said["lb"]["datom/cut_history"]] == ["January"]
        assert data_version(result, "lb") == project.reader.resolve("lb").data_sha

    def test_it_reports_what_the_io_manager_reports(self, run: Run, study: DatomResource) -> None:
        alone = datom_assets(project=study, tables=["dm"], extract=extract, partitions=CUTS)
        together = datom_assets(project=study, tables=["ex"], extract=extract, partitions=CUTS, atomic=True)
        one, other = (run(a, partition_key="lock") for a in (alone, together))
        assert set(shown(one, "dm")) == set(shown(other, "ex"))

    def test_again_it_changes_nothing_and_leaves_downstream_fresh(
        self, run: Run, study: DatomResource, project: dc.Project
    ) -> None:
        made = datom_assets(project=study, tables=["dm", "ex"], extract=extract, atomic=True)
        first = run(made)
        again = run(made)
        assert shown(again, "dm")["datom/changed"] is False
        assert data_version(first, "ex") == data_version(again, "ex")
        assert commits(project) == 1
        assert shown(first, "dm")["datom/message"] == "Materialize dm, ex"
        assert not project.reader.cuts()

    @pytest.mark.parametrize("bad", ["raises", "refused", "empty"])
    def test_all_tables_or_none(self, run: Run, study: DatomResource, project: dc.Project, bad: str) -> None:
        def faulty(table: str, cut: str | None) -> pd.DataFrame:
            if table == "dm":
                return extract(table, cut)
            if bad == "raises":
                raise RuntimeError("the extract is not there")
            return pd.DataFrame({"x": [[1]]}) if bad == "refused" else pd.DataFrame({"x": []})

        made = datom_assets(project=study, tables=["dm", "ex"], extract=faulty, partitions=CUTS, atomic=True)
        result = run(made, partition_key="lock", raise_on_error=False)
        assert not result.success
        assert result.get_asset_materialization_events() == []
        assert len(project.reader.list()) == 0
        assert not project.reader.cuts()
        said = {"raises": "not there", "refused": "ex", "empty": "ex has no rows"}[bad]
        assert said in failure(result)

    def test_an_empty_table_may_keep_what_stood(self, run: Run, study: DatomResource, project: dc.Project) -> None:
        empty = {"2026-02"}

        def some(table: str, cut: str | None) -> pd.DataFrame:
            frame = extract(table, cut)
            return frame.head(0) if table == "ex" and cut in empty else frame

        made = datom_assets(
            project=study, tables=["dm", "ex"], extract=some, partitions=CUTS, atomic=True, on_empty="keep"
        )
        run(made, partition_key="2026-01")
        result = run(made, partition_key="2026-02")
        assert shown(result, "ex")["datom/empty"] == "keep"
        assert shown(result, "ex")["datom/changed"] is False
        assert len(project.reader.read("ex", cut="2026-02")) == 2
        assert len(project.reader.read("dm", cut="2026-02")) == 3

    def test_downstream_loads_what_the_step_wrote(self, run: Run, study: DatomResource, project: dc.Project) -> None:
        @dg.asset(partitions_def=CUTS)
        def adsl(dm: pd.DataFrame) -> pd.DataFrame:
            return dm.assign(SAFFL="Y")

        made = datom_assets(project=study, tables=["dm", "ex"], extract=extract, partitions=CUTS, atomic=True)
        run([*made, adsl], partition_key="2026-02")
        assert [p.version for p in project.reader.parents("adsl") or ()] == [project.reader.resolve("dm").version]

    def test_a_reader_cannot_run_it(self, project: dc.Project) -> None:
        reading = DatomResource(project="STUDY_001", storage=LocalStorage(path=project.store.location.root))
        made = datom_assets(project=reading, tables=["dm"], extract=extract, atomic=True)
        defs = datom_definitions(assets=made, resources={"io_manager": DatomIOManager(datom=reading)})
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
        assert "dm cannot be written" in failure(result)
        assert not result.get_step_failure_events(), "refused before the step"

    def test_another_io_manager(self, study: DatomResource) -> None:
        made = datom_assets(project=study, tables=["dm"], extract=extract, atomic=True)
        result = dg.materialize(made, resources={"io_manager": dg.mem_io_manager}, raise_on_error=False)
        assert "not a DatomIOManager" in failure(result)


class TestDefinition:
    def test_what_the_page_shows_before_the_first_run(self, study: DatomResource, project: dc.Project) -> None:
        spec = TableSpec(
            "ae",
            columns={"USUBJID": "Unique Subject Identifier", "AETERM": "Reported Term"},
            key=["USUBJID", "AESEQ"],
            description="Adverse events",
            tags={"domain": "ae"},
        )
        for atomic in (False, True):
            (made,) = datom_assets(project=study, tables=[spec], extract=extract, atomic=atomic, tags={"t": "1"})
            (found,) = made.specs
            assert found.metadata["dagster/table_name"] == "STUDY_001.ae"
            assert found.metadata["dagster/uri"] == f"file://{project.store.location.root}/datom/ae"
            schema = found.metadata["dagster/column_schema"]
            assert [c.name for c in schema.columns] == ["USUBJID", "AETERM", "AESEQ"]
            assert [c.constraints.nullable for c in schema.columns] == [False, True, False]
            assert schema.constraints.other == ["key: USUBJID, AESEQ"]
            assert found.description == "Adverse events"
            assert {"t": "1", "domain": "ae"}.items() <= found.tags.items()
            assert {"datom", "parquet"} <= found.kinds

    def test_columns_are_looked_up_where_they_can_be(self, study: DatomResource, project: dc.Project) -> None:
        labelled = pa.schema([pa.field("AGE", pa.float64(), metadata={"label": "Age"})])
        project.write("dm", pa.table({"AGE": [1.5]}, schema=labelled))
        made = datom_assets(project=study, tables=["dm", "ex"], extract=extract, show_recorded=True)
        schemas = [s.metadata.get("dagster/column_schema") for a in made for s in a.specs]
        assert [(c.name, c.type, c.description) for c in schemas[0].columns] == [("AGE", "double", "Age")]
        assert schemas[1] is None
        away = DatomResource(project="S", storage=LocalStorage(path="/nowhere"))
        (made_away,) = datom_assets(project=away, tables=["dm"], extract=extract, show_recorded=True)
        assert "dagster/column_schema" not in next(iter(made_away.specs)).metadata

    def test_a_function_per_table_with_or_without_the_context(
        self, run: Run, study: DatomResource, project: dc.Project
    ) -> None:
        def with_context(context: dg.AssetExecutionContext, table: str, cut: str | None) -> pd.DataFrame:
            return pd.DataFrame({"run": [context.run.run_id], "table": [table], "cut": [cut]})

        def with_more(table: str, cut: str | None, rows: int = 4) -> pd.DataFrame:
            return pd.DataFrame({"x": range(rows)})

        functions = {"dm": with_context, "ex": with_more, "AE (v2)": extract}
        made = datom_assets(project=study, tables=list(functions), extract=functions)
        assert run(made).success
        assert project.reader.read("dm")["table"][0] == "dm"
        assert len(project.reader.read("ex")) == 4
        assert len(project.reader.read("AE (v2)")) == 2

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"tables": ["man"]}, "man"),
            ({"tables": []}, "there is no table"),
            ({"tables": ["dm", "DM"]}, "dm: given twice"),
            ({"extract": {"dm": extract}}, "ex: no extract function"),
            ({"extract": {"dm": extract, "ex": extract, "xx": extract}}, "xx: an extract function, and no such table"),
            ({"extract": lambda table: table}, "is no function"),
            ({"extract": "module.function"}, "is no function"),
            ({"extract": lambda table, cut, site: table}, "is no function"),
            ({"on_empty": "skip", "atomic": True}, "a cut has all tables"),
            ({"partitions": dg.StaticPartitionsDefinition([" lock"])}, "lock"),
            ({"metadata": {"datom/versoin": "a"}}, "datom/versoin cannot be set"),
            ({"metadata": {"datom/versoin": "a"}, "atomic": True}, "datom/versoin cannot be set"),
        ],
    )
    def test_what_is_refused_when_the_code_is_loaded(
        self, study: DatomResource, options: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(dc.InvalidInputError, match=said):
            datom_assets(**{"project": study, "tables": ["dm", "ex"], "extract": extract, **options})
