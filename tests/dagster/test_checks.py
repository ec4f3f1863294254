"""Asset checks over versions: which one is checked, what is found, and what a failure means."""

# Dagster reads annotations at run time, so they must not be strings here.
from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, TableRules, datom_asset, datom_checks
from datom_dagster import outside_write_sensor as sensor
from tests.dagster.conftest import failure

Run = Callable[..., dg.ExecuteInProcessResult]
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])
ALL = TableRules(
    key=("USUBJID",),
    required=("SEX",),
    allowed={"SEX": ("F", "M")},
    ranges={"AGE": (18, 90)},
    max_row_drop=0.5,
    stable_schema=True,
)
DATA: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_dagster.checks.asset_checks._SECONDS_BETWEEN", 0)
    monkeypatch.setattr("datom_dagster.events.errors._SECONDS_BETWEEN", 0)


def frame(n: int, **columns: Any) -> pd.DataFrame:
    made = {"USUBJID": [f"s{i}" for i in range(n)], "SEX": ["F"] * n, "AGE": range(40, 40 + n)}
    return pd.DataFrame({**made, **columns})


def extract() -> pd.DataFrame:
    made: pd.DataFrame = DATA["dm"]
    return made


dm = datom_asset(name="dm", rules=ALL)(extract)
dm_checks = datom_checks(dm)


def found(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {e.check_name: e for e in result.get_asset_check_evaluations()}


def passed(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {name: e.passed for name, e in found(result).items()}


def value(evaluation: dg.AssetCheckEvaluation, key: str) -> Any:
    return evaluation.metadata[key].value


def check_only(run: Run, asset: Any, checks: Any, **options: Any) -> dg.ExecuteInProcessResult:
    return run([asset, checks], selection=dg.AssetSelection.checks(checks), **options)


class TestResults:
    def test_everything_holds(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(3)
        result = run([dm, dm_checks])
        assert passed(result) == dict.fromkeys(["integrity", "reproducible", "level", *ALL.declared], True)
        integrity = found(result)["integrity"]
        version = project.reader.history("dm")[0].version
        assert value(integrity, "datom/version") == version
        assert value(integrity, "datom/checked") == f"version {version[:8]}, which is current"
        assert value(integrity, "datom/current") is True

    def test_each_broken_rule_shows_its_rows(self, run: Run) -> None:
        DATA["dm"] = frame(40)
        run([dm])
        DATA["dm"] = frame(15, SEX="X", USUBJID="s", AGE=[100] * 15).astype({"SEX": "category"})
        result = run([dm, dm_checks])
        assert passed(result) == {
            **dict.fromkeys(["integrity", "reproducible", "level", "required", "stable_schema"], True),
            **dict.fromkeys(["key", "allowed", "ranges", "max_row_drop"], False),
        }
        allowed = found(result)["allowed"]
        assert value(allowed, "datom/offending") == 15
        records = [r.data for r in allowed.metadata["datom/offending_rows"].records]
        assert (len(records), records[0]) == (15, {"row": 1, "USUBJID": "s", "column": "SEX", "value": "X"})
        assert "62.5% are gone" in (found(result)["max_row_drop"].description or "")
        assert allowed.severity is dg.AssetCheckSeverity.ERROR

    def test_examples_are_bounded(self, run: Run) -> None:
        DATA["dm"] = frame(5, SEX="X")
        result = run([dm, datom_checks(dm, examples=2)])
        assert len(found(result)["allowed"].metadata["datom/offending_rows"].records) == 2
        assert value(found(result)["allowed"], "datom/examples") == "2 of 5 offending values"
        none = run([dm, datom_checks(dm, examples=0)])
        assert "datom/examples" not in found(none)["allowed"].metadata
        assert "datom/offending_rows" not in found(none)["allowed"].metadata
        assert value(found(none)["allowed"], "datom/offending") == 5

    def test_a_subset(self, run: Run) -> None:
        DATA["dm"] = frame(2, SEX="X", USUBJID="s")
        selection = dg.AssetSelection.assets(dm).without_checks() | dg.AssetSelection.checks(
            dg.AssetCheckKey(dm.key, "allowed"), dg.AssetCheckKey(dm.key, "level")
        )
        assert passed(run([dm, dm_checks], selection=selection)) == {"allowed": False, "level": True}

    def test_the_key_names_rows_also_where_only_another_rule_is_checked(self, run: Run) -> None:
        DATA["dm"] = frame(2, SEX="X")
        only = datom_checks(dm, TableRules(key=("USUBJID",), allowed={"SEX": ("F",)}), level=False)
        selection = dg.AssetSelection.assets(dm).without_checks() | dg.AssetSelection.checks(
            dg.AssetCheckKey(dm.key, "allowed")
        )
        (check,) = found(run([dm, only], selection=selection)).values()
        assert check.metadata["datom/offending_rows"].records[0].data["USUBJID"] == "s0"


class TestDamage:
    def test_altered_bytes(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(2)
        run([dm])
        key = f"dm/{project.reader.history('dm')[0].data_sha}.parquet"
        data = bytes(project.store.get(key).data)
        project.store.delete(key)
        project.store.create(key, data[:-20] + bytes(20))
        result = check_only(run, dm, dm_checks)
        assert passed(result) == {"level": True, **dict.fromkeys(["integrity", "reproducible", *ALL.declared], False)}
        assert "is not what was recorded" in (found(result)["integrity"].description or "")
        assert "see the check integrity" in (found(result)["key"].description or "")

    def test_a_payload_that_is_gone(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(2)
        run([dm])
        project.store.delete(f"dm/{project.reader.history('dm')[0].data_sha}.parquet")
        result = check_only(run, dm, datom_checks(dm, TableRules()))
        assert passed(result) == {"integrity": False, "reproducible": False, "level": False}
        assert "not in storage" in (found(result)["level"].description or "")

    def test_a_version_before_that_is_gone_fails_what_compares_with_it(self, run: Run, project: dc.Project) -> None:
        for n in (2, 3):
            DATA["dm"] = frame(n)
            run([dm])
        project.store.delete(f"dm/{project.reader.history('dm')[1].data_sha}.parquet")
        result = check_only(run, dm, datom_checks(dm, level=False))
        assert [n for n, ok in passed(result).items() if not ok] == ["max_row_drop", "stable_schema"]
        assert "the version before cannot be read" in (found(result)["max_row_drop"].description or "")

    def test_other_content_than_was_hashed(self, run: Run, project: dc.Project, monkeypatch: Any) -> None:
        DATA["dm"] = frame(2)
        run([dm])
        other = dc.normalise(frame(3))
        monkeypatch.setattr(dc.ProjectReader, "read_arrow", lambda *_args, **_options: other)
        result = check_only(run, dm, datom_checks(dm, TableRules()))
        assert passed(result) == {"integrity": True, "reproducible": False, "level": True}

    def test_storage_that_is_behind_git(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(2)
        run([dm])
        keys = ["dm/.metadata/metadata.json", "dm/.metadata/version_history.json"]
        old = {key: bytes(project.store.get(key).data) for key in keys}
        DATA["dm"] = frame(3)
        run([dm])
        for key, data in old.items():
            project.store.delete(key)
            project.store.create(key, data)
        result = check_only(run, dm, datom_checks(dm, TableRules()), raise_on_error=False)
        assert passed(result) == {"level": False}, "told before the others look for a version that is not there"
        assert "dm has no version" in failure(result)


class TestWhichVersion:
    def test_the_one_that_was_materialized_though_another_is_current(self, run: Run, project: dc.Project) -> None:
        DATA["dm"] = frame(2)
        run([dm])
        first = project.reader.history("dm")[0]
        outside = project.write("dm", frame(1, SEX="X"), message="from outside")
        result = check_only(run, dm, dm_checks)
        assert passed(result)["allowed"]
        check = found(result)["allowed"]
        said = f"version {first.version[:8]}, which is not current: {outside.version[:8]} is"
        assert (value(check, "datom/checked"), value(check, "datom/current")) == (said, False)

    def test_without_a_materialization_the_current_one(self, run: Run, project: dc.Project) -> None:
        project.write("dm", frame(4), message="from outside")
        project.write("dm", frame(1, SEX="X"), message="from outside")
        result = check_only(run, dm, dm_checks)
        assert [n for n, ok in passed(result).items() if not ok] == ["allowed", "max_row_drop"]

    def test_the_version_before_is_what_stood_before_also_after_a_revert(self, run: Run, project: dc.Project) -> None:
        for n in (9, 20, 9):
            project.write("dm", frame(n))
        check = found(check_only(run, dm, dm_checks))["max_row_drop"]
        assert (check.passed, "9 rows after 20" in (check.description or "")) == (False, True)

    def test_of_a_partition_its_cut(self, run: Run, project: dc.Project) -> None:
        part = datom_asset(name="dm", partitions_def=CUTS, rules=TableRules(max_row_drop=0.1))(extract)
        checks = datom_checks(part)
        DATA["dm"] = frame(4)
        run([part], partition_key="2026-01")
        DATA["dm"] = frame(2)
        result = run([part, checks], partition_key="2026-02")
        check = found(result)["max_row_drop"]
        assert (check.passed, value(check, "datom/cut")) == (False, "2026-02")
        assert "2 rows after 4 of the cut 2026-01" in (check.description or "")
        newest = found(check_only(run, part, checks))["max_row_drop"]
        assert value(newest, "datom/cut") == "2026-02"
        DATA["dm"] = frame(1)
        late = found(run([part, checks], partition_key="2026-01"))["max_row_drop"]
        assert "1 rows after 4 of the cut 2026-01 as it was recorded before" in (late.description or "")

    @pytest.mark.parametrize("partitions", [None, CUTS])
    def test_an_external_asset_and_a_resource_that_only_reads(
        self, study: DatomResource, project: dc.Project, partitions: Any
    ) -> None:
        project.cut("2026-01", {"dm": frame(2)})
        spec = dg.AssetSpec("dm", partitions_def=partitions)
        reading = DatomResource(project=study.project, storage=study.storage)
        checks = datom_checks(spec, ALL)
        with dg.DagsterInstance.ephemeral() as instance:
            with dg.build_sensor_context(instance=instance, resources={"datom": reading}) as context:
                for event in sensor([spec])(context).asset_events:
                    instance.report_runless_asset_event(event)
            project.cut("2026-01", {"dm": frame(2, SEX="X")}, message="from outside")
            result = dg.materialize(
                [spec, checks],
                selection=dg.AssetSelection.checks(checks),
                resources={"datom": reading},
                instance=instance,
            )
        assert passed(result) == dict.fromkeys(["integrity", "reproducible", *ALL.declared], True), "no level"
        assert value(found(result)["key"], "datom/current") is False


class TestFailures:
    def test_a_blocking_check_keeps_downstream_from_running(self, run: Run) -> None:
        @dg.asset
        def adsl(dm: pd.DataFrame) -> pd.DataFrame:
            return dm

        for blocking, runs in (({"key"}, True), ({"allowed"}, False), (True, False)):
            DATA["dm"] = frame(2, SEX="X")
            result = run([dm, datom_checks(dm, blocking=blocking), adsl], raise_on_error=False)
            made = [e.asset_key.path[-1] for e in result.get_asset_materialization_events() if e.asset_key]
            assert ("adsl" in made) is runs

    def test_a_check_that_only_warns(self, run: Run) -> None:
        DATA["dm"] = frame(2, SEX="X", USUBJID="s")
        result = run([dm, datom_checks(dm, warn={"allowed"}, blocking=True)], raise_on_error=False)
        severities = {n: e.severity.value for n, e in found(result).items() if not e.passed}
        assert severities == {"key": "ERROR", "allowed": "WARN"}

    def test_a_store_that_fails_is_tried_again_and_says_nothing_of_the_data(self, run: Run, monkeypatch: Any) -> None:
        DATA["dm"] = frame(2)
        run([dm])
        tries = []

        def fail(*_args: Any, **_options: Any) -> Any:
            tries.append(1)
            raise dc.StorageError("the store is away")

        monkeypatch.setattr(dc.ProjectReader, "read_arrow", fail)
        result = check_only(run, dm, datom_checks(dm, level=False), raise_on_error=False)
        assert (found(result), len(tries)) == ({}, 4)
        assert "the store is away" in failure(result)


class TestDefinitions:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"blocking": {"keys"}}, "blocking: no check keys; there are integrity"),
            ({"warn": "range"}, "warn: no check range"),
            ({"warn": {"key"}, "blocking": {"key"}}, "a check that only warns does not block"),
        ],
    )
    def test_names_that_there_are_not(self, options: Any, said: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=said):
            datom_checks(dm, **options)

    def test_nothing_to_check(self) -> None:
        with pytest.raises(dc.InvalidInputError, match="no rule and no other check"):
            datom_checks(dg.AssetSpec("dm"), integrity=False, reproducible=False, level=False)

    def test_not_one_asset(self) -> None:
        with pytest.raises(dc.InvalidInputError, match="takes one asset"):
            datom_checks("dm")  # type: ignore[arg-type]

    def test_the_rules_at_the_gate_are_those_that_are_checked(self) -> None:
        gated = datom_asset(name="dm", rules=TableRules(required=("SEX",)), gate=True)(extract)
        assert {k.name for k in datom_checks(gated).check_keys} == {"integrity", "reproducible", "level", "required"}

    def test_definitions_load(self, study: DatomResource) -> None:
        dg.Definitions.validate_loadable(
            dg.Definitions(
                assets=[dm],
                asset_checks=[dm_checks],
                resources={"io_manager": DatomIOManager(datom=study), "datom": study},
            )
        )
        assert isinstance(study.storage, LocalStorage)
