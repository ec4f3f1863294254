"""What each materialization says of what changed, where the whole report lies, and what no event may show."""

# Dagster reads annotations at run time, so they must not be strings here.
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, TableRules, TableSpec, datom_asset
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import failure

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])
DATA: dict[str, Any] = {}
SECRET = "ARM-GRYPHON"


def vs(n: int, *, values: int = 0, start: int = 0, **columns: Any) -> pd.DataFrame:
    """Vital signs: each subject once, the first with other values if asked."""
    made = {
        "USUBJID": [f"s{i:04}" for i in range(start, n)],
        "VSTESTCD": ["SYSBP"] * (n - start),
        "VSSEQ": range(start + 1, n + 1),
        "VSDTC": ["2026-01-01"] * (n - start),
        "VSORRES": [f"{120 + i + (1000 if i < values else 0)}" for i in range(start, n)],
    }
    return pd.DataFrame({**made, **columns})


def extract() -> pd.DataFrame:
    made: pd.DataFrame = DATA["vs"]
    return made


def asset(**options: Any) -> dg.AssetsDefinition:
    return datom_asset(name="vs", **options)(extract)


def last(run: Run, first: pd.DataFrame, second: pd.DataFrame, **options: Any) -> dict[str, Any]:
    """What the second materialization shows."""
    for frame in (first, second):
        DATA["vs"] = frame
        result = run([asset(**options)])
    return shown(result, "vs")


def everything_said(instance: dg.DagsterInstance, *results: dg.ExecuteInProcessResult) -> str:
    return "".join(str(e) for result in results for e in instance.all_logs(result.run_id))


class TestSummary:
    def test_it_tells_counts_columns_subjects_and_the_key(self, run: Run) -> None:
        told = last(run, vs(400), vs(402, start=1, values=314))
        assert told["datom/change"] == "2 rows added, 1 removed, 313 changed by USUBJID, VSTESTCD (a natural key)"
        assert "VSTESTCD" in told["datom/key_used"]
        assert "natural for VS" in told["datom/key_used"]
        names = ("added", "removed", "changed", "renumbered", "rekeyed", "duplicates")
        counts = [told[f"datom/rows_{name}"] for name in names]
        assert counts == [2, 1, 313, 0, 0, 0]
        assert all(type(count) is int for count in counts), "what is plotted"
        summary = told["datom/changes"]
        for text in ("`VSORRES` 313", "20 of 313 values", "**Subjects, by `USUBJID`:** 20 of 316", "a natural key"):
            assert text in summary
        assert len(summary.encode()) <= 16_000

    def test_renumbering_is_no_change_of_rows(self, run: Run) -> None:
        told = last(run, vs(3), vs(3, VSSEQ=[7, 8, 9]))
        assert told["datom/change"].startswith("3 rows renumbered by ")
        assert (told["datom/rows_renumbered"], told["datom/rows_changed"]) == (3, 0)

    def test_the_declared_key_goes_first(self, run: Run) -> None:
        told = last(run, vs(3), vs(3, values=1), rules=TableRules(key=("USUBJID",)))
        assert told["datom/change"] == "1 row changed by USUBJID"
        assert "rules declare" in told["datom/key_used"]

    def test_columns_are_told(self, run: Run) -> None:
        told = last(run, vs(2), vs(2).assign(VSBLFL="Y").drop(columns="VSSEQ"))
        assert told["datom/change"] == "columns added: VSBLFL; columns removed: VSSEQ"

    def test_wide_rows_with_long_values_stay_bounded(self, run: Run) -> None:
        wide = {f"C{n:03}": ["x" * 900] * 30 for n in range(80)}
        told = last(run, vs(30, **wide), vs(30, **{name: ["y" * 900] * 30 for name in wide}))
        assert len(told["datom/changes"].encode()) <= 16_000
        assert told["datom/rows_changed"] == 30

    def test_settings_of_the_asset(self, run: Run) -> None:
        ignoring = {"ignore": ["VSORRES"], "fold_case": ["VSTESTCD"]}
        told = last(run, vs(3), vs(3, values=2, VSTESTCD="sysbp"), comparison=ignoring)
        assert told["datom/rows_changed"] == 0
        assert told["datom/change"].startswith("the same rows by ")

    def test_a_setting_that_fits_no_column_fails_nothing(self, run: Run, project: dc.Project) -> None:
        told = last(run, vs(3), vs(4), comparison=dc.ComparisonSettings(ignore=("VSORES",)))
        assert told["datom/change"] == "+1 row"
        assert "datom/changes" not in told
        assert len(project.reader.history("vs")) == 2


class TestWhetherItCompares:
    @pytest.mark.parametrize(
        ("options", "compared"),
        [
            ({}, True),
            ({"compare": "keyed"}, False),
            ({"compare": "keyed", "rules": TableRules(key=("USUBJID",))}, True),
            ({"compare": "none", "rules": TableRules(key=("USUBJID",))}, False),
        ],
    )
    def test_of_which_tables(self, run: Run, options: dict[str, Any], compared: bool) -> None:
        told = last(run, vs(2), vs(3), **options)
        assert ("datom/changes" in told) == ("datom/rows_added" in told) == compared
        assert told["datom/change"].startswith("1 row added by" if compared else "+1 row")

    def test_the_io_manager_decides_where_the_asset_does_not(self, study: DatomResource) -> None:
        for frame in (vs(2), vs(3)):
            DATA["vs"] = frame
            io = {"io_manager": DatomIOManager(datom=study, compare="none")}
            told = shown(dg.materialize([asset()], resources=io), "vs")
        assert told["datom/change"] == "+1 row"

    def test_not_what_has_too_many_rows(self, study: DatomResource, monkeypatch: pytest.MonkeyPatch) -> None:
        io = {"io_manager": DatomIOManager(datom=study, compare_rows=3)}
        for frame in (vs(4), vs(2)):
            DATA["vs"] = frame
            told = shown(dg.materialize([asset()], resources=io), "vs")
            monkeypatch.setattr(dc.ProjectReader, "read_arrow", None)
        assert told["datom/not_compared"] == "4 rows are more than compare_rows=3"
        assert told["datom/change"] == "-2 rows"

    @pytest.mark.parametrize(
        ("made", "said"),
        [
            (lambda: asset(compare="never"), "compare is one of all, keyed, none"),
            (lambda: asset(comparison={"ignored": ["A"], "absolute": {"A": -1}}), "Did you mean 'ignore'"),
            (lambda: asset(comparison={"absolute": {"A": -1}, "masked": 3}), "masked is a list of column names"),
            (lambda: asset(metadata={"datom/comparison": "{"}), "datom/comparison: .* no JSON"),
            (lambda: TableSpec("vs", comparison={"masks": ["A"]}), "there is no 'masks'"),
            (lambda: DatomIOManager(datom=None, compare="never"), "compare is one of"),  # type: ignore[arg-type]
        ],
    )
    def test_what_cannot_be_is_refused_when_the_code_is_loaded(self, made: Callable[[], Any], said: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=said):
            made()

    def test_a_list_of_tables_declares_the_same(self) -> None:
        settings = dc.ComparisonSettings(absolute={"VSSTRESN": 0.5}, masked=("TRT01A",))
        spec = TableSpec("vs", compare="all", comparison=settings)
        assert spec.settings == {
            "datom/compare": "all",
            "datom/comparison": {"absolute": {"VSSTRESN": 0.5}, "masked": ["TRT01A"]},
        }


class TestHidden:
    @pytest.mark.parametrize("column", ["TRT01A", "VSORRES", "USUBJID"])
    def test_a_masked_value_is_in_no_event(self, run: Run, instance: dg.DagsterInstance, column: str) -> None:
        results = []
        changed = vs(5, start=1, values=3, **{column: [f"{SECRET}{i}" for i in range(4)]})
        renamed = changed.rename(columns={column: f"{column}X"})
        for frame in (vs(4, **{column: [f"{SECRET}-{i}" for i in range(4)]}), changed, renamed):
            DATA["vs"] = frame
            results.append(run([asset(comparison={"masked": [column]})]))
        told = shown(results[1], "vs")
        assert column in told["datom/changes"]
        assert "(masked)" in told["datom/preview"]
        assert "datom/preview" not in shown(results[2], "vs"), "a column that is not there may be misspelt"
        assert SECRET not in everything_said(instance, *results)

    def test_no_value_without_a_preview(
        self, study: DatomResource, instance: dg.DagsterInstance, tmp_path: Path
    ) -> None:
        io = {"io_manager": DatomIOManager(datom=study, preview_rows=0, reports=tmp_path / "reports")}
        results = []
        for frame in (vs(3, VSORRES=SECRET), vs(4, start=1, VSORRES=SECRET + "-2")):
            DATA["vs"] = frame
            results.append(dg.materialize([asset()], resources=io, instance=instance))
        told = shown(results[1], "vs")
        assert (told["datom/rows_added"], told["datom/rows_changed"]) == (1, 2)
        said = everything_said(instance, *results) + Path(told["datom/report"]).read_text()
        assert SECRET not in said
        assert "s0003" not in said


class TestReports:
    def test_the_whole_is_a_page_in_a_folder(self, study: DatomResource, tmp_path: Path) -> None:
        io = {"io_manager": DatomIOManager(datom=study, reports=str(tmp_path / "reports"))}
        first = asset(partitions_def=CUTS)
        told = {}
        for cut, frame in (("2026-01", vs(30)), ("2026-02", vs(30, values=25))):
            DATA["vs"] = frame
            told[cut] = shown(dg.materialize([first], partition_key=cut, resources=io), "vs")
        assert "datom/report" not in told["2026-01"], "there is nothing before the first"
        page = Path(told["2026-02"]["datom/report"])
        assert page.parent == tmp_path / "reports" / "STUDY_001" / "vs"
        versions = [told[cut]["datom/version"][:12] for cut in ("2026-01", "2026-02")]
        assert page.name.split("-")[:2] == versions
        assert page.read_text().count("1144") == 1
        assert [f.name for f in page.parent.iterdir()] == [page.name]
        assert "From `2026-01` to `2026-02`" in told["2026-02"]["datom/changes"]
        DATA["vs"] = vs(29)
        again = shown(dg.materialize([first], partition_key="2026-02", resources=io), "vs")
        assert f"From `{versions[1][:8]}` to `2026-02`" in again["datom/changes"]

    def test_the_same_page_again_is_no_error(self, tmp_path: Path) -> None:
        place = LocalStorage(path=str(tmp_path), prefix="of/studies")
        first, second = (place.publish("S/vs/a-b.html", b"<html>") for _ in range(2))
        assert first == second == str(tmp_path / "of" / "studies" / "S" / "vs" / "a-b.html")
        assert Path(first).read_bytes() == b"<html>"

    @pytest.mark.parametrize("inside", ["datom", "datom/reports"])
    def test_not_among_the_objects_of_the_project(self, study: DatomResource, project: dc.Project, inside: str) -> None:
        location = project.store.location
        place = LocalStorage(path=str(Path(location.root, location.prefix, inside)))
        before = project.status().commit
        DATA["vs"] = vs(2)
        io = {"io_manager": DatomIOManager(datom=study, reports=place)}
        said = failure(dg.materialize([asset()], resources=io, raise_on_error=False))
        assert "among the objects of STUDY_001" in said
        assert project.status().commit == before

    def test_a_page_that_cannot_be_written_is_a_warning(
        self, study: DatomResource, instance: dg.DagsterInstance, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("no folder")
        io = {"io_manager": DatomIOManager(datom=study, reports=tmp_path / "file")}
        for frame in (vs(2), vs(3)):
            DATA["vs"] = frame
            result = dg.materialize([asset()], resources=io, instance=instance)
        assert "datom/report" not in shown(result, "vs")
        assert shown(result, "vs")["datom/rows_added"] == 1
        assert "The report of what changed cannot be written" in everything_said(instance, result)

    def test_a_link_to_where_others_serve_the_place(self, study: DatomResource, tmp_path: Path) -> None:
        place = LocalStorage(path=str(tmp_path))
        io = {"io_manager": DatomIOManager(datom=study, reports=place, reports_url="https://reports.example.org/dm/")}
        for frame in (vs(2), vs(3)):
            DATA["vs"] = frame
            result = dg.materialize([asset()], resources=io)
        link = shown(result, "vs")["datom/report"]
        assert link.startswith("https://reports.example.org/dm/STUDY_001/vs/")
        assert (tmp_path / link.removeprefix("https://reports.example.org/dm/")).exists()
