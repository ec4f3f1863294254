"""Dagster's page in a real browser, over cuts of the example's study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.end_to_end.ui.conftest import CUT, MARKS, MESSAGE, goes, keep, sees
from tests.end_to_end.ui.server import CUTS
from tests.long import long

pytestmark = MARKS


def rows(page: Any) -> dict[str, str]:
    """The lines of an event's metadata, in their order."""
    told = (row.inner_text().split("\t") for row in page.locator("table tr").all())
    return {cells[0].strip(): cells[1].strip() for cells in told if len(cells) > 1}


@long  # what it launches is run without a page too, and the metadata that it shows is looked at in events
class TestLaunchedByClicking:
    def test_its_run_shows_what_was_recorded_and_why(self, tall_page: Any, launched: str) -> None:
        from playwright.sync_api import expect

        goes(tall_page, launched)
        tall_page.get_by_placeholder("Filter…").fill("type:ASSET_MATERIALIZATION")
        tall_page.keyboard.press("Escape")
        for table in ("dm", "ex", "lb", "ae", "lb_abnormal"):
            sees(tall_page, f"Materialized value {table}.")
        # Once for each, at the least.
        expect(tall_page.get_by_text(MESSAGE).nth(4)).to_be_visible()
        keep(tall_page, "job-run-cut")

    def test_the_asset_tells_what_changed_by_key(self, page: Any, launched: str) -> None:
        goes(page, f"/assets/lb?view=partitions&partition={CUT}")
        sees(page, MESSAGE, "datom/bytes")
        told = rows(page)
        assert list(told)[:4] == ["datom/changed", "datom/change", "datom/message", "datom/author"]
        assert told["datom/change"] == "9,127 rows added by USUBJID, LBTESTCD, VISITNUM since the cut 2013-03"
        assert (told["datom/rows_added"], told["datom/rows_removed"]) == ("9127", "0")
        assert "<data.management@example.org>" in told["datom/author"]
        keep(page, "asset-partition")

    def test_rows_that_changed_are_shown_with_their_values(self, page: Any, launched: str) -> None:
        goes(page, f"/assets/lb_abnormal?view=partitions&partition={CUT}")
        sees(page, "118 rows added, 72 changed by USUBJID, LBTESTCD since the cut 2013-03", "datom/loaded")
        page.get_by_text("datom/commit", exact=True).evaluate("line => line.scrollIntoView()")
        sees(page, "20 of 72 changed; 20 of 118 added", "2013-")
        order = list(rows(page))
        assert order.index("datom/loaded") < order.index("datom/preview") < order.index("datom/changed_rows")
        for key in ("datom/changed_rows", "datom/added_rows"):
            table = page.locator("tr", has=page.get_by_text(key, exact=True)).locator("table").first.bounding_box()
            assert table["x"] + table["width"] <= page.viewport_size["width"], f"{key} ends within the window"
        keep(page, "asset-changes")

    def test_overview_shows_the_newest_version_with_its_columns(self, page: Any, launched: str) -> None:
        goes(page, "/assets/lb?view=overview")
        sees(page, "Row count", "26,120", "STUDY_001.lb", "Laboratory", "data.management@example.org")
        sees(page, "Lab Test or Examination Short Name")
        keep(page, "asset-overview")

    def test_rows_and_bytes_are_plotted(self, page: Any, launched: str) -> None:
        from playwright.sync_api import expect

        goes(page, "/assets/lb?view=overview")
        page.get_by_text("Columns", exact=True).first.click()
        page.get_by_role("button", name="Plots").first.click()
        page.get_by_role("button", name="materialization Events").first.click()
        expect(page.locator("canvas")).to_have_count(8)
        sees(page, "dagster/row_count", "datom/bytes", "datom/rows_added", "datom/rows_changed")
        keep(page, "asset-plots")

    def test_checks_were_made_of_what_was_recorded(self, page: Any, launched: str) -> None:
        from playwright.sync_api import expect

        goes(page, "/assets/lb?view=checks&checkDetail=key")
        sees(page, "Checks (7)", "Passed", f"of the cut {CUT}, which is current")
        # The page shows the list after the check that it was opened at.
        expect(page.get_by_text("Succeeded", exact=True)).to_have_count(7)
        keep(page, "asset-checks")


def test_that_nothing_changed_is_seen_at_a_glance(page: Any) -> None:
    goes(page, f"/assets/dm?view=partitions&partition={CUTS[-1]}")
    sees(page, "datom/changed")
    assert list(rows(page).items())[:2] == [("datom/changed", "false"), ("datom/change", "no change")]
    keep(page, "asset-unchanged")


def test_lineage_shows_what_was_derived(page: Any) -> None:
    goes(page, "/assets/lb_abnormal?view=lineage&lineageScope=upstream&lineageDepth=5")
    for asset in ("dm", "lb", "lb_abnormal"):
        sees(page, asset, exact=True)
    keep(page, "lineage")


def test_the_run_of_a_job_shows_what_it_did(page: Any, folder: Path) -> None:
    goes(page, f"/runs/{(folder / 'dagster' / 'attached').read_text()}?logsFilterMode=logs")
    sees(page, "attach_governance", "STEP_OUTPUT", "datom/registered_by", "Data Management")
    keep(page, "job-run")


def test_the_asset_tells_that_its_study_was_registered(page: Any) -> None:
    goes(page, "/assets/lb?view=events")
    page.get_by_role("img", name="observation").first.click()
    sees(page, "Observed in run", "datom/event", "registered")
    keep(page, "asset-events")


class TestAcrossTwoProjects:
    def test_lineage_goes_from_the_study_to_the_set_of_the_product(self, wide_page: Any) -> None:
        goes(wide_page, "/assets/adam?view=lineage&lineageScope=upstream")
        sees(wide_page, "adsl", "adlb", "dm", "ex", "lb", exact=True)
        keep(wide_page, "sets-lineage", clip=(680, 200, 1080, 1080))

    def test_the_set_shows_its_members_and_its_citation(self, page: Any) -> None:
        goes(page, f"/assets/adam?view=partitions&partition={CUTS[-1]}")
        sees(page, "first version: 5 members", "datom/members", "STUDY_001_ADAM", "type: input")
        told = rows(page)
        assert told["datom/citation"].startswith("datom:STUDY_001_ADAM/adam@")
        keep(page, "sets-members")
