"""Rules about changes as checks and as gates: compared with which version, and what is refused."""

# Dagster reads annotations at run time, so they must not be strings here.
from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import TableRules, datom_asset, datom_checks
from tests.dagster.conftest import failure

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02", "lock", "after"])
DATA: dict[str, Any] = {}
SECRET = "ARM-GRYPHON"


def ae(n: int, **columns: Any) -> pd.DataFrame:
    made = {"USUBJID": [f"s{i}" for i in range(n)], "AETERM": ["RASH"] * n, "AESEV": ["MILD"] * n}
    return pd.DataFrame({**made, **columns})


def extract() -> pd.DataFrame:
    made: pd.DataFrame = DATA["ae"]
    return made


def asset(rules: TableRules, **options: Any) -> dg.AssetsDefinition:
    return datom_asset(name="ae", rules=rules, **options)(extract)


def found(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {e.check_name: e for e in result.get_asset_check_evaluations()}


def checked(run: Run, made: dg.AssetsDefinition, frame: pd.DataFrame, **options: Any) -> dict[str, Any]:
    """What the checks of the rules say of a new version."""
    DATA["ae"] = frame
    checks = datom_checks(made, integrity=False, reproducible=False, level=False)
    return found(run([made, checks], **options))


class TestChecks:
    def test_since_the_version_before(self, run: Run) -> None:
        rules = TableRules(key=("USUBJID",), max_rows_removed=0.1, stable_subjects=True, stable_key=True)
        made = asset(rules)
        assert all(e.passed for e in checked(run, made, ae(4)).values()), "there is nothing before the first"
        told = checked(run, made, ae(5).iloc[2:])
        assert {n: e.passed for n, e in told.items()} == {
            "key": True, "max_rows_removed": False, "stable_subjects": False, "stable_key": True,
        }  # fmt: skip
        assert "2 of 4 rows of version" in (told["max_rows_removed"].description or "")
        shown = [r.data for r in told["stable_subjects"].metadata["datom/offending_rows"].records]
        assert shown == [{"USUBJID": "s0"}, {"USUBJID": "s1"}]
        assert told["stable_subjects"].metadata["datom/examples"].value == "all 2 subjects that are gone"
        retyped = checked(run, made, ae(3, USUBJID=[0, 1, 2]))
        assert not retyped["stable_key"].passed

    def test_after_the_lock(self, run: Run, project: dc.Project) -> None:
        made = asset(TableRules(key=("USUBJID",), locked={"lock": ("AESEV",)}), partitions_def=CUTS)
        said = {}
        for cut, frame in (
            ("2026-01", ae(2)),
            ("lock", ae(3)),
            ("after", ae(3, AESEV="SEVERE")),
            ("2026-02", ae(3, AETERM=["RASH", "ITCH", "RASH"])),
            ("lock", ae(4)),
        ):
            check = checked(run, made, frame, partition_key=cut)["locked"]
            said[f"{cut}, {len(frame)} rows"] = (check.passed, check.description)
        assert said == {
            "2026-01, 2 rows": (True, "the cut lock does not hold ae yet"),
            "lock, 3 rows": (True, "is what the cut lock was recorded with"),
            "after, 3 rows": (True, "is as in the cut lock, but for AESEV"),
            "2026-02, 3 rows": (False, "since the cut lock: 1 row changed (by USUBJID)"),
            "lock, 4 rows": (False, "since the cut lock: 1 row added (by USUBJID)"),
        }

    def test_what_was_recorded_before_the_lock_is_no_matter(self, run: Run, project: dc.Project) -> None:
        project.cut("2026-01", {"ae": ae(2)})
        project.cut("lock", {"ae": ae(3)})
        made = asset(TableRules(locked="lock"), partitions_def=CUTS)
        checks = datom_checks(made, integrity=False, reproducible=False, level=False)
        DATA["ae"] = ae(2)
        (check,) = found(run([made, checks], partition_key="2026-01")).values()
        assert (check.passed, check.description) == (True, "was recorded before the cut lock")

    def test_since_a_cut_or_a_review(self, run: Run, project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
        made = asset(TableRules(key=("USUBJID",), changes_since="reviewed"))
        (none,) = (e for n, e in checked(run, made, ae(2)).items() if n == "changes_since")
        assert not none.passed
        assert "there is no cut or review mark reviewed" in (none.description or "")
        version = project.reader.resolve("ae").version
        real = dc.ProjectReader.cuts

        def with_a_mark(reader: dc.ProjectReader) -> dc.Cuts:
            cuts = real(reader)
            object.__setattr__(cuts, "reviews", {"reviewed": {"ae": version}})
            return cuts

        monkeypatch.setattr(dc.ProjectReader, "cuts", with_a_mark)
        assert checked(run, made, ae(2))["changes_since"].passed
        told = checked(run, made, ae(3, AESEV=["MILD", "SEVERE", "MILD"]))["changes_since"]
        assert told.description == "since the review mark reviewed: 1 row added, 1 row changed (by USUBJID)"
        assert [r.data["what"] for r in told.metadata["datom/offending_rows"].records] == ["added", "changed"]

    def test_a_state_that_cannot_be_read_fails_what_compares_with_it(self, run: Run, project: dc.Project) -> None:
        project.cut("lock", {"ae": ae(3)})
        project.store.delete(f"ae/{project.reader.resolve('ae').data_sha}.parquet")
        told = checked(run, asset(TableRules(key=("USUBJID",), locked="lock", changes_since="lock")), ae(4))
        assert {n: e.passed for n, e in told.items()} == {"key": True, "locked": False, "changes_since": False}
        assert "cannot be read" in (told["locked"].description or "")

    @pytest.mark.parametrize("masked", ["AETERM", "USUBJID"])
    def test_a_masked_value_is_in_no_event(self, run: Run, instance: dg.DagsterInstance, masked: str) -> None:
        rules = TableRules(
            key=("USUBJID",), allowed={"AETERM": ("RASH",)}, stable_subjects=True, max_rows_removed=0, locked="lock"
        )
        gated, ungated = (asset(rules, comparison={"masked": [masked]}, gate=gate) for gate in (True, False))
        for rows, made in ((4, ungated), (3, ungated), (2, gated)):
            DATA["ae"] = ae(rows, **{masked: [f"{SECRET}{i}" for i in range(rows)]})
            result = run([made, datom_checks(made)], raise_on_error=False)
            assert result.success == (made is ungated)
            assert SECRET not in "".join(str(e) for e in instance.all_logs(result.run_id))


class TestGates:
    def test_nothing_is_written_once_the_cut_holds_the_table(self, run: Run, project: dc.Project) -> None:
        made = asset(TableRules(key=("USUBJID",), locked="lock"), gate=True, partitions_def=CUTS)
        for cut, rows in (("2026-01", 2), ("lock", 3), ("2026-01", 2), ("lock", 3), ("after", 3)):
            DATA["ae"] = ae(rows)
            assert run([made], partition_key=cut).success, f"{cut} records nothing that differs"
        before = project.status().commit
        for cut in ("lock", "after", "2026-01"):
            DATA["ae"] = ae(3, AETERM=["RASH", "ITCH", "RASH"])
            result = run([made], partition_key=cut, raise_on_error=False)
            assert "locked: since the cut lock: 1 row changed (by USUBJID)" in failure(result)
            shown = result.get_step_failure_events()[0].step_failure_data.user_failure_data.metadata
            assert shown["datom/rows_locked"].records[0].data == {
                "what": "changed", "USUBJID": "s1", "column": "AETERM", "before": "RASH", "after": "ITCH",
            }  # fmt: skip
        assert project.status().commit == before

    def test_what_is_gone_by_key_is_refused_though_as_many_came(self, run: Run, project: dc.Project) -> None:
        rules = TableRules(key=("USUBJID",), max_rows_removed=0.2, stable_subjects=True, max_row_drop=0)
        made = asset(rules, gate=True)
        DATA["ae"] = ae(4)
        run([made])
        DATA["ae"] = ae(6).iloc[2:]
        said = failure(run([made], raise_on_error=False))
        assert "ae breaks 2 of its 4 rules" in said
        assert "max_rows_removed: 2 of 4 rows" in said
        assert len(project.reader.history("ae")) == 1

    def test_the_key_of_the_asset_counts_where_the_rules_have_none(self, run: Run) -> None:
        for gate in (True, False):
            made = asset(TableRules(max_rows_removed=0), gate=gate, metadata={"datom/key": ["AETERM"]})
            DATA["ae"] = ae(2, AETERM=["RASH", "ITCH"])
            run([made])
            frame = ae(1)
            if gate:
                DATA["ae"] = frame
                said = failure(run([made], raise_on_error=False))
            else:
                said = str(checked(run, made, frame)["max_rows_removed"].description)
            assert "are gone by AETERM" in said

    def test_a_partition_of_the_same_run_is_the_version_before(self, run: Run, project: dc.Project) -> None:
        def several(context: dg.AssetExecutionContext) -> dict[str, pd.DataFrame]:
            return {cut: ae(4 - place) for place, cut in enumerate(context.partition_keys)}

        made = datom_asset(
            name="ae",
            rules=TableRules(stable_subjects=True),
            gate=True,
            partitions_def=CUTS,
            backfill_policy=dg.BackfillPolicy.single_run(),
        )(several)
        result = run([made], tags={
            "dagster/asset_partition_range_start": "2026-01", "dagster/asset_partition_range_end": "2026-02",
        }, raise_on_error=False)  # fmt: skip
        assert "1 of 4 subjects of the cut 2026-01 are gone" in failure(result)
        assert len(project.reader.list()) == 0

    def test_since_what_was_reviewed(self, run: Run, project: dc.Project) -> None:
        made = asset(TableRules(key=("USUBJID",), changes_since="review-1"), gate=True)
        DATA["ae"] = ae(2)
        assert run([made]).success, "nobody can have reviewed what was never recorded"
        project.record_cut("review-1", {"ae": None}, message="Looked at")
        assert run([made]).success
        DATA["ae"] = ae(3)
        assert "since the cut review-1: 1 row added (by USUBJID)" in failure(run([made], raise_on_error=False))
