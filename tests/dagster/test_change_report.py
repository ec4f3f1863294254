"""The report of changes as an asset: from cut to cut, or since what a data manager has marked as reviewed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import DatomResource, TableRules, datom_asset, datom_change_report, datom_jobs
from tests.dagster.conftest import failure

CUTS = dg.StaticPartitionsDefinition(["2026-01", "2026-02", "2026-03"])
Run = Callable[..., dg.ExecuteInProcessResult]


@datom_asset(partitions_def=CUTS, rules=TableRules(key=("USUBJID",)))
def dm() -> pd.DataFrame:
    raise NotImplementedError


VS = dg.AssetSpec("vitals", partitions_def=CUTS, metadata={"datom/table": "vs"})


def frame(*ages: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{n}" for n in range(len(ages))], "AGE": ages})


@pytest.fixture
def cuts(project: dc.Project) -> dc.Project:
    """dm in two cuts, of which a third partition is not recorded; vs comes with the second."""
    project.cut("2026-01", {"dm": frame(40, 41)})
    project.cut("2026-02", {"dm": frame(40, 42, 43), "vs": frame(1), "outside": frame(1)})
    return project


@pytest.fixture
def shown(run: Run, cuts: dc.Project) -> Callable[..., Mapping[str, Any]]:
    """Materialize a report, and give its metadata as plain values."""

    def materialize(report: dg.AssetsDefinition, cut: str | None = None) -> Mapping[str, Any]:
        result = run([report, VS], selection=[report], partition_key=cut)
        (event,) = result.get_asset_materialization_events()
        version = event.materialization.tags["dagster/data_version"]
        return {"version": version} | {k: v.value for k, v in event.materialization.metadata.items()}

    return materialize


def test_from_the_cut_before_in_every_form(shown: Callable[..., Mapping[str, Any]], tmp_path: Path) -> None:
    report = datom_change_report(
        [dm, VS], partitions=CUTS, reports=tmp_path / "r", forms=["html", "xlsx", "json", "md"]
    )
    assert {d.to_user_string() for d in report.asset_deps[report.key]} == {"dm", "vitals"}
    told = shown(report, "2026-02")
    assert told["datom/change"] == "2 of 2 tables: dm, vs since 2026-01"
    assert (told["datom/before"], told["datom/after"], told["datom/changed"]) == ("2026-01", "2026-02", True)
    page = told["datom/changes"]
    assert "key of the table's rules" in page or "USUBJID" in page
    assert "outside" not in page, "no asset of the report is of that table"
    files = {"html": Path(told["datom/report"])} | {f: Path(told[f"datom/report_{f}"]) for f in ("xlsx", "json", "md")}
    assert all(path.parent == tmp_path / "r/STUDY_001/2026-02" for path in files.values())
    counted = json.loads(files["json"].read_text())
    assert (counted["before"], counted["after"]) == ("2026-01", "2026-02")
    before = {path: path.stat().st_mtime_ns for path in files.values()}
    again = shown(report, "2026-02")
    assert (again["version"], again["datom/report"]) == (told["version"], told["datom/report"])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "r").rglob("*.*")} == before


def test_the_first_cut_has_nothing_before_it(shown: Callable[..., Mapping[str, Any]], tmp_path: Path) -> None:
    told = shown(datom_change_report([dm], partitions=CUTS, reports=str(tmp_path / "r")), "2026-01")
    assert told["datom/change"] == "nothing to compare with: '2026-01' is the first cut: nothing came before it."
    assert not (tmp_path / "r").exists()


def test_since_a_review_that_a_job_sets(
    shown: Callable[..., Mapping[str, Any]],
    study: DatomResource,
    cuts: dc.Project,
    instance: dg.DagsterInstance,
) -> None:
    report = datom_change_report([dm, VS], since="reviewed")
    assert shown(report)["datom/change"].startswith(
        "nothing to compare with: Nobody has set the review mark 'reviewed'"
    )
    (job,) = (j for j in datom_jobs([VS], governance=False, resources={"datom": study}) if j.name == "mark_reviewed")
    config = {"cut": "2026-01", "author": "Grace Hopper <grace@example.org>"}
    done = job.execute_in_process(
        instance=instance,
        run_config={"ops": {"mark_reviewed": {"config": config}}},
        tags={"datom/commit_message": "No open queries"},
    )
    move = cuts.reader.reviews()["reviewed"].latest
    assert (move.cut, str(move.author), move.message) == ("2026-01", config["author"], "No open queries")
    assert f"Dagster-Run: {done.run_id}" in _last_message(cuts)
    seen = instance.fetch_observations(VS.key, limit=1).records[0].asset_observation
    assert seen is not None
    assert seen.metadata["datom/event"].value == "reviewed"
    told = shown(report)
    assert told["datom/change"] == "2 of 2 tables: dm, vs since reviewed"
    assert told["datom/reviewed"].startswith("up to the cut 2026-01 by Grace Hopper <grace@example.org>, 2026-")
    assert told["datom/reviewed"].endswith(": No open queries")
    assert (told["datom/before"], told["datom/after"]) == ("reviewed", "now")
    refused = job.execute_in_process(
        instance=instance,
        run_config={"ops": {"mark_reviewed": {"config": {"cut": "2026-09"}}}},
        raise_on_error=False,
    )
    assert "There is no cut '2026-09'" in failure(refused)


def _last_message(project: dc.Project) -> str:
    import subprocess

    return subprocess.run(
        ["git", "-C", project.remote, "log", "-1", "--format=%B"], check=True, capture_output=True, text=True
    ).stdout


def test_nothing_is_shown_that_is_blinded(shown: Callable[..., Mapping[str, Any]], tmp_path: Path) -> None:
    masked = datom_change_report([dm], masked="AGE", reports=tmp_path, forms=["html", "json"])
    told = shown(masked)
    assert (told["datom/before"], told["datom/after"]) == ("2026-01", "2026-02")
    texts = [told["datom/changes"], *(Path(told[n]).read_text() for n in ("datom/report", "datom/report_json"))]
    assert not any(f">{age}<" in t or f'"{age}"' in t or f"| {age} |" in t for t in texts for age in (41, 42, 43))
    none = shown(datom_change_report([dm], preview_rows=0))
    assert "s2" not in none["datom/changes"]


def test_a_cut_that_nobody_recorded_and_a_place_of_data(run: Run, cuts: dc.Project) -> None:
    late = run([datom_change_report([dm], partitions=CUTS)], partition_key="2026-03", raise_on_error=False)
    assert "There is no cut '2026-03'" in failure(late)
    inside = Path(cuts.store.location.root, cuts.store.location.prefix, "datom")
    wrong = run([datom_change_report([dm], reports=inside)], raise_on_error=False)
    assert "reports may not lie among it" in failure(wrong)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"forms": ["html", "pdf"]}, r"'pdf' is none of html, xlsx, json, md"),
        ({"forms": ["html"]}, "need a place"),
        ({"reports": 5}, "reports is the path"),
        ({"keys": {"dn": ["X"]}}, "no table 'dn' among the assets"),
        ({"since": " "}, "name of a review mark"),
        ({"preview_rows": -1}, "preview_rows"),
        ({"settings": {"ignore": ["X"]}}, "ComparisonSettings"),
        ({"partitions": ["a"]}, "partitions must be"),
        ({"deps": [dm]}, "deps: the report comes after assets"),
        ({"ownres": ["x"]}, "ownres"),
    ],
)
def test_what_is_refused_when_the_code_is_loaded(options: dict[str, Any], said: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=said):
        datom_change_report([dm], **options)
    with pytest.raises(dc.InvalidInputError, match="takes a list of assets"):
        datom_change_report(dm)
