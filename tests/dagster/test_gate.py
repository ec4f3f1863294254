"""What breaks a rule is refused before anything is written; and what the event says of rows, by key."""

# Dagster reads annotations at run time, so they must not be strings here.
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, TableRules, datom_asset
from datom_dagster.testing import metadata_of as shown
from tests.dagster.conftest import failure

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])
RULES = TableRules(key=("USUBJID",), allowed={"SEX": ("F", "M")}, max_row_drop=0.5, stable_schema=True)
DATA: dict[str, Any] = {}


def frame(n: int, **columns: Any) -> pd.DataFrame:
    made = {"USUBJID": [f"s{i}" for i in range(n)], "SEX": ["F"] * n, "AGE": range(40, 40 + n)}
    return pd.DataFrame({**made, **columns})


def extract() -> pd.DataFrame:
    made: pd.DataFrame = DATA["dm"]
    return made


gated = datom_asset(name="dm", rules=RULES, gate=True)(extract)
keyed = dg.asset(name="dm", metadata={"datom/key": "USUBJID"})(extract)


def everything(project: dc.Project) -> tuple[Any, ...]:
    """What a write could touch: the commit, and every object in storage and file of the repository."""
    files = sorted(str(p) for p in Path(str(project.remote)).rglob("*") if p.is_file())
    return project.status().commit, sorted(i.key for i in project.store.list("")), files


class TestGate:
    def test_a_table_that_breaks_rules_is_refused_before_any_effect(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(4)
        run([gated])
        before = everything(project)
        DATA["dm"] = frame(1, SEX=["X"], USUBJID=[None], AGE=["x"])
        result = run([gated], raise_on_error=False)
        assert everything(project) == before
        said = failure(result)
        for text in (
            "dm breaks 4 of its 4 rules, and was not written",
            "key: 1 row without USUBJID",
            "allowed: SEX: 1 row with a value that is not allowed",
            "max_row_drop: 1 rows after 4",
            "AGE (int64 → string)",
        ):
            assert text in said
        metadata = result.get_step_failure_events()[0].step_failure_data.user_failure_data.metadata
        assert [r.data["passed"] for r in metadata["datom/findings"].records] == [False] * 4
        assert metadata["datom/rows_allowed"].records[0].data == {
            "row": 1, "USUBJID": None, "column": "SEX", "value": "X",
        }  # fmt: skip
        assert [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY] == []
        DATA["dm"] = frame(3)
        assert shown(run([gated]), "dm")["datom/change"] == "1 row removed by USUBJID"

    def test_a_first_version_is_refused_too(self, run: Run, project: dc.Project) -> None:
        before = everything(project)
        DATA["dm"] = frame(2, SEX="X")
        assert not run([gated], raise_on_error=False).success
        assert everything(project) == before

    def test_a_cut_is_compared_with_the_cut_before_it(self, run: Run, project: dc.Project) -> None:
        part = datom_asset(name="dm", rules=TableRules(max_row_drop=0.1), gate=True, partitions_def=CUTS)(extract)
        DATA["dm"] = frame(4)
        run([part], partition_key="2026-01")
        project.write("dm", frame(1), message="from outside")
        DATA["dm"] = frame(3)
        result = run([part], partition_key="2026-02", raise_on_error=False)
        assert "3 rows after 4 of the cut 2026-01" in failure(result)
        assert list(project.reader.cuts()) == ["2026-01"]

    def test_rules_as_json_on_a_plain_asset(self, run: Run, project: dc.Project) -> None:
        for gate in (TableRules(required=("RACE",)).to_json(), '{"required": ["RACE"]}'):
            DATA["dm"] = frame(2)
            plain = dg.asset(name="dm", metadata={"datom/gate": gate})(extract)
            assert "required: no column RACE" in failure(run([plain], raise_on_error=False))
        assert len(project.reader.list()) == 0

    def test_rules_without_a_gate_refuse_nothing(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(2, SEX="X")
        assert run([datom_asset(name="dm", rules=RULES)(extract)]).success

    def test_subjects_stay_out_of_the_log_when_there_is_no_preview(self, study: DatomResource) -> None:
        DATA["dm"] = frame(2, SEX="secret")
        with dg.DagsterInstance.ephemeral() as instance:
            io = DatomIOManager(datom=study, preview_rows=0)
            result = dg.materialize([gated], resources={"io_manager": io}, instance=instance, raise_on_error=False)
            assert not result.success
            assert "secret" not in "".join(str(e) for e in instance.all_logs(result.run_id))

    @pytest.mark.parametrize("rules", [None, TableRules()])
    def test_a_gate_without_rules_is_refused(self, rules: Any) -> None:
        with pytest.raises(dc.InvalidInputError, match="gate=True needs rules"):
            datom_asset(name="dm", rules=rules, gate=True)(extract)

    @pytest.mark.parametrize(
        "metadata", [{"datom/gate": {"keys": ["a"]}}, {"datom/key": ["a", "a"]}, {"datom/rules": "{"}]
    )
    def test_what_cannot_be_is_refused_when_the_code_is_loaded(self, metadata: Any) -> None:
        with pytest.raises(dc.InvalidInputError, match=next(iter(metadata))):
            datom_asset(name="dm", metadata=metadata)(extract)

    def test_a_type_whose_check_fails_stops_the_write_before_any_effect(self, run: Run, project: dc.Project) -> None:
        # As dagster-pandera's pandera_schema_to_dagster_type makes them.
        def adults(_context: Any, value: pd.DataFrame) -> dg.TypeCheck:
            return dg.TypeCheck(bool((value["AGE"] >= 18).all()), "minors", {"num_failures": 1})

        typed = datom_asset(
            name="dm", dagster_type=dg.DagsterType(adults, "Adults", typing_type=pd.DataFrame)
        )(extract)  # fmt: skip
        before = everything(project)
        DATA["dm"] = frame(2, AGE=[17, 40])
        assert not run([typed], raise_on_error=False).success
        assert everything(project) == before
        DATA["dm"] = frame(2)
        assert run([typed]).success
        assert len(project.reader.history("dm")) == 1


class TestChangesByKey:
    def test_rows_added_removed_and_changed(self, run: Run) -> None:
        DATA["dm"] = frame(4)
        first = shown(run([keyed]), "dm")
        assert "datom/rows_added" not in first
        DATA["dm"] = frame(6, AGE=[40, 99, 42, 43, 44, 45]).iloc[1:].reset_index(drop=True)
        metadata = shown(run([keyed]), "dm")
        assert metadata["datom/change"] == "2 rows added, 1 removed, 1 changed by USUBJID"
        assert [metadata[f"datom/rows_{w}"] for w in ("added", "removed", "changed")] == [2, 1, 1]
        assert metadata["datom/previous_version"] == first["datom/version"]
        assert metadata["datom/changed_rows"] == [{"key": "s1", "column": "AGE", "change": "41 → 99"}]
        sides = ("added", "removed")
        told = {what: [(r["USUBJID"], r["AGE"]) for r in metadata[f"datom/{what}_rows"]] for what in sides}
        assert told == {"added": [("s4", "44"), ("s5", "45")], "removed": [("s0", "40")]}
        assert metadata["datom/examples"] == "all 1 changed; all 2 added; all 1 removed"
        numbers = ("dagster/row_count", "datom/bytes", "datom/rows_added", "datom/rows_removed", "datom/rows_changed")
        assert all(type(metadata[name]) is int for name in numbers), "what is plotted"

    def test_no_change_is_plotted_and_reads_nothing(
        self, run: Run, project: dc.Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        DATA["dm"] = frame(4)
        run([keyed])
        other = dg.asset(name="dm", metadata={"datom/key": "USUBJID", "datom/custom": {"a": "b"}})(extract)
        monkeypatch.setattr(dc.ProjectReader, "read_arrow", None)
        for asset in (keyed, other):
            metadata = shown(run([asset]), "dm")
            assert [metadata[f"datom/rows_{w}"] for w in ("added", "removed", "changed")] == [0, 0, 0]
        assert metadata["datom/action"] == "metadata_only"

    def test_since_the_cut_before(self, run: Run) -> None:
        part = datom_asset(name="dm", rules=TableRules(key=("USUBJID",)), partitions_def=CUTS)(extract)
        said = {}
        for cut, n in (("2026-01", 2), ("2026-02", 3), ("2026-02", 4)):
            DATA["dm"] = frame(n)
            said[n] = shown(run([part], partition_key=cut), "dm")["datom/change"]
        assert said == {
            2: "first version",
            3: "1 row added by USUBJID since the cut 2026-01",
            4: "1 row added by USUBJID since the cut as it was recorded before",
        }

    def test_a_key_that_is_not_unique_fails_nothing(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(2)
        run([keyed])
        DATA["dm"] = frame(3, USUBJID="s0")
        told = shown(run([keyed]), "dm")
        assert told["datom/change"] == "1 row removed, 4 with duplicate keys by USUBJID"
        assert told["datom/rows_duplicates"] == 4
        assert len(project.reader.history("dm")) == 2

    def test_a_version_before_that_is_damaged_fails_nothing(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(2)
        sha = shown(run([keyed]), "dm")["datom/data_sha"]
        project.store.delete(f"dm/{sha}.parquet")
        DATA["dm"] = frame(3)
        assert shown(run([keyed]), "dm")["datom/change"] == "+1 row"

    def test_examples_stay_out_of_the_log_when_there_is_no_preview(self, study: DatomResource) -> None:
        io = {"io_manager": DatomIOManager(datom=study, preview_rows=0)}
        for n in (2, 3):
            DATA["dm"] = frame(n)
            metadata = shown(dg.materialize([keyed], resources=io), "dm")
        assert metadata["datom/rows_added"] == 1
        assert not {"datom/examples", "datom/changed_rows", "datom/added_rows", "datom/removed_rows"} & set(metadata)
