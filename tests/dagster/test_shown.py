"""In which order an event tells what it tells, and the column lineage that an asset declares."""

# Dagster reads annotations at run time, so they must not be strings here.
from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from datom_dagster import datom_asset
from datom_dagster.testing import metadata_of as shown

Run = Callable[..., dg.ExecuteInProcessResult]
KEY = "dagster/column_lineage"
LINEAGE = dg.TableColumnLineage({"AGEGR": [dg.TableColumnDep(dg.AssetKey("dm"), "AGE")]})
OTHER = dg.TableColumnLineage({"AGEGR": [dg.TableColumnDep(dg.AssetKey("vs"), "AGE")]})
CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])


def adsl() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01-001"], "AGEGR": ["<65"]})


class TestColumnLineage:
    def test_as_the_asset_declares_it(self, run: Run) -> None:
        """The event has it, too: what shows lineage reads it there."""
        declared = datom_asset(metadata={KEY: LINEAGE})(adsl)
        assert shown(run([declared]), "adsl")[KEY] == LINEAGE
        assert shown(run([declared]), "adsl")[KEY] == LINEAGE, "of what did not change, too"

    def test_it_is_in_what_dagster_keeps(self, run: Run, instance: dg.DagsterInstance) -> None:
        run([datom_asset(metadata={KEY: LINEAGE})(adsl)])
        event = instance.get_latest_materialization_event(dg.AssetKey("adsl"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata[KEY].value == LINEAGE

    @pytest.mark.parametrize("declared", [{}, {KEY: LINEAGE}])
    def test_what_the_output_says_goes_first(self, run: Run, declared: dict[str, Any]) -> None:
        @datom_asset(name="adsl", metadata=declared)
        def said() -> dg.MaterializeResult[pd.DataFrame]:
            return dg.MaterializeResult(value=adsl(), metadata={KEY: OTHER})

        assert shown(run([said]), "adsl")[KEY] == OTHER

    def test_of_each_partition_of_one_run(self, run: Run) -> None:
        @datom_asset(partitions_def=CUTS, backfill_policy=dg.BackfillPolicy.single_run(), metadata={KEY: LINEAGE})
        def cuts(context: dg.AssetExecutionContext) -> dict[str, pd.DataFrame]:
            return {cut: adsl() for cut in context.partition_keys}

        options = {"dagster/asset_partition_range_start": "2026-01", "dagster/asset_partition_range_end": "2026-02"}
        events = run([cuts], tags=options).get_asset_materialization_events()
        assert [e.materialization.metadata[KEY].value for e in events] == [LINEAGE, LINEAGE]

    def test_without_any(self, run: Run) -> None:
        assert KEY not in shown(run([datom_asset(adsl)]), "adsl")


def test_whether_and_what_changed_comes_first_and_tables_last(run: Run) -> None:
    """The page keeps the order; twenty examples would push who and why off the screen."""
    frames = [pd.DataFrame({"USUBJID": ["01-001"], "AGE": [age]}) for age in (63, 64)]
    dm = datom_asset(name="dm", partitions_def=CUTS, metadata={"datom/key": ["USUBJID"]})(lambda: frames.pop(0))
    run([dm], partition_key="2026-01", tags={"datom/commit_message": "January"})
    told = list(shown(run([dm], partition_key="2026-02", tags={"datom/commit_message": "February"}), "dm"))
    first = ["datom/changed", "datom/change", "datom/message", "datom/author", "dagster/row_count", "datom/changes"]
    assert told[: len(first)] == first
    assert told[-5:] == [
        "datom/preview",
        "dagster/column_schema",
        "datom/cut_history",
        "datom/examples",
        "datom/changed_rows",
    ]


def test_examples_say_of_how_many_rows_they_are_and_fit_the_window(run: Run) -> None:
    """Dagster draws a table whole: what is wider than the window is cut at its edge."""
    wide = {f"C{n:02}": ["x" * 200] * 30 for n in range(40)}
    before = pd.DataFrame({"USUBJID": [f"{n:02}-" + "k" * 90 for n in range(30)], **wide})
    after = before.assign(**{name: ["y" * 200] * 30 for name in wide})
    after = pd.concat([after, before.assign(USUBJID=[f"9{n:02}" for n in range(30)])], ignore_index=True)
    frames = [before, after]
    vs = datom_asset(name="vs", metadata={"datom/key": ["USUBJID"]})(lambda: frames.pop(0))
    run([vs])
    told = shown(run([vs]), "vs")
    columns = len(told["datom/added_rows"][0])
    assert told["datom/examples"] == f"20 of 30 changed; 20 of 30 added, {columns} of 41 columns"
    assert told["datom/preview"].endswith("of 60 rows.")
    assert len(told["datom/changed_rows"]) == 20 * 11
    assert told["datom/changed_rows"][10]["change"] == "and 30 more columns"
    assert 1 < columns < 41
    for key in ("datom/changed_rows", "datom/added_rows"):
        for record in told[key]:
            # A cell breaks at its blanks.
            longest = [max(len(word) for word in text.split()) for text in record.values()]
            assert sum(longest) <= 72
