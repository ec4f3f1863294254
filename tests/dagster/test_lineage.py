"""What steps load and store is told to a lineage service, and a service that is away costs no run."""

# Dagster reads annotations at run time, so they must not be strings here.
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import (
    DatomIOManager,
    DatomResource,
    OpenLineageResource,
    datom_asset,
    datom_assets,
)
from tests.dagster.conftest import failure
from tests.dagster.lineage_server import Behaviour, checked, in_file, nowhere, service
from tests.long import long

Materialize = Callable[..., dg.ExecuteInProcessResult]
SCHEDULED = "2026-02-01T06:00:00+00:00"


@datom_asset(owners=["data@example.org", "team:dm"], description="Demographics")
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01-001", "01-002"], "AGE": [63, 71]})


@datom_asset
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(OLD=dm["AGE"] > 70)


@datom_asset
def broken(dm: pd.DataFrame) -> pd.DataFrame:
    raise ValueError(f"planted-value {dm['USUBJID'][0]}")


@pytest.fixture
def materialize(study: DatomResource, instance: dg.DagsterInstance) -> Materialize:
    def run(assets: list[Any], lineage: OpenLineageResource, **options: Any) -> dg.ExecuteInProcessResult:
        resources = {"io_manager": DatomIOManager(datom=study, lineage=lineage), "datom": study}
        return dg.materialize(assets, resources=resources, instance=instance, raise_on_error=False, **options)

    return run


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def to_file(events: Path) -> OpenLineageResource:
    return OpenLineageResource(transport={"type": "file", "log_file_path": str(events), "append": True})


def told(events: list[dict[str, Any]], step: str) -> dict[str, dict[str, Any]]:
    """The events of a step, by what happened."""
    return {e["eventType"]: e for e in events if e["job"]["name"].endswith(f".{step}")}


def test_a_run_tells_which_versions_came_of_which(
    materialize: Materialize, to_file: OpenLineageResource, events: Path, project: dc.Project
) -> None:
    result = materialize([dm, adsl], to_file, tags={".dagster/scheduled_execution_time": SCHEDULED})
    found = in_file(events)
    assert [(e["eventType"], e["job"]["name"].rpartition(".")[2]) for e in found] == [
        ("START", "dm"),
        ("COMPLETE", "dm"),
        ("START", "adsl"),
        ("COMPLETE", "adsl"),
    ]
    first, derived = project.reader.resolve("dm"), project.reader.resolve("adsl")
    (output,), (parent,) = told(found, "adsl")["COMPLETE"]["outputs"], told(found, "adsl")["COMPLETE"]["inputs"]
    root = project.store.location.root
    assert (parent["namespace"], parent["name"]) == ("file", f"{root}/datom/dm")
    assert parent["facets"]["version"]["datasetVersion"] == first.version
    assert parent["facets"]["datom_version"]["data_sha"] == first.data_sha
    version = {k: v for k, v in output["facets"]["datom_version"].items() if not k.startswith("_")}
    assert version == {
        "project": "STUDY_001",
        "table": "adsl",
        "version": derived.version,
        "data_sha": derived.data_sha,
        "payload_sha": derived.payload_sha,
        "commit": derived.commit_sha,
        "changed": True,
        "message": "Materialize adsl",
    }
    facets, stats = output["facets"], output["outputFacets"]["outputStatistics"]
    assert (stats["rowCount"], stats["size"]) == (2, project.reader.metadata("adsl").size_bytes)
    assert [(f["name"], f["type"]) for f in facets["schema"]["fields"]] == [
        ("USUBJID", "string"),
        ("AGE", "int64"),
        ("OLD", "bool"),
    ]
    assert facets["lifecycleStateChange"]["lifecycleStateChange"] == "CREATE"
    assert facets["symlinks"]["identifiers"] == [{"namespace": "datom", "name": "STUDY_001/adsl", "type": "TABLE"}]
    run = told(found, "dm")["START"]["run"]
    assert run["facets"]["parent"]["run"]["runId"] == result.run_id
    assert run["facets"]["nominalTime"]["nominalStartTime"] == SCHEDULED
    assert run["facets"]["processing_engine"]["version"] == dg.__version__
    assert told(found, "dm")["COMPLETE"]["run"]["runId"] == run["runId"] != told(found, "adsl")["START"]["run"]["runId"]
    job = told(found, "dm")["START"]["job"]["facets"]
    assert job["documentation"]["description"] == "Demographics"
    assert [o["name"] for o in job["ownership"]["owners"]] == ["user:data@example.org", "team:dm"]
    assert "sourceCodeLocation" not in job, "the URL of a git remote may hold a token"
    again = _again(materialize, to_file, events)
    assert again["datom_version"]["changed"] is False
    assert "lifecycleStateChange" not in again
    assert again["version"] == told(found, "dm")["COMPLETE"]["outputs"][0]["facets"]["version"]
    assert again["datom_version"]["commit"] == first.commit_sha


def _again(materialize: Materialize, lineage: OpenLineageResource, events: Path) -> dict[str, Any]:
    """The facets of what the same content becomes that is stored once more."""
    materialize([dm], lineage)
    (output,) = in_file(events)[-1]["outputs"]
    facets: dict[str, Any] = output["facets"]
    return facets


def test_a_step_that_fails_says_so_and_no_value(
    materialize: Materialize, to_file: OpenLineageResource, events: Path, project: dc.Project
) -> None:
    @datom_asset
    def empty() -> pd.DataFrame:
        return pd.DataFrame({"A": []})

    assert not materialize([dm, broken, empty], to_file).success
    found = in_file(events)
    body, write = told(found, "broken")["FAIL"], told(found, "empty")["FAIL"]
    assert body["inputs"][0]["facets"]["version"]["datasetVersion"] == project.reader.resolve("dm").version
    assert body["outputs"] == write["outputs"] == []
    assert "InvalidInputError" in write["run"]["facets"]["errorMessage"]["message"]
    assert "planted-value" not in events.read_text()


def test_each_attempt_is_a_run_of_its_own(materialize: Materialize, to_file: OpenLineageResource, events: Path) -> None:
    tries: list[int] = []

    @datom_asset(retry_policy=dg.RetryPolicy(max_retries=1))
    def flaky(dm: pd.DataFrame) -> pd.DataFrame:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")
        return dm

    assert materialize([dm, flaky], to_file).success
    of_step = [e for e in in_file(events) if e["job"]["name"].endswith(".flaky")]
    runs = {e["run"]["runId"]: [] for e in of_step}
    for event in of_step:
        runs[event["run"]["runId"]].append(event["eventType"])
    assert list(runs.values()) == [["START", "FAIL"], ["START", "COMPLETE"]]


def test_several_partitions_of_one_step_are_one_event(
    materialize: Materialize, to_file: OpenLineageResource, events: Path
) -> None:
    cuts = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])

    @datom_asset(partitions_def=cuts, backfill_policy=dg.BackfillPolicy.single_run())
    def lb(context: dg.AssetExecutionContext) -> dict[str, pd.DataFrame]:
        return {key: pd.DataFrame({"A": [n]}) for n, key in enumerate(context.partition_keys)}

    tags = {"dagster/asset_partition_range_start": "2026-01", "dagster/asset_partition_range_end": "2026-02"}
    assert materialize([lb], to_file, tags=tags).success
    (facets,) = (e["outputs"][0]["facets"] for e in in_file(events) if e["eventType"] == "COMPLETE")
    version = facets["datom_version"]
    assert [(p["cut"], p["changed"]) for p in version["partitions"]] == [("2026-01", True), ("2026-02", True)]
    assert (version["cut"], version["version"]) == ("2026-02", version["partitions"][1]["version"])


def test_tables_of_one_commit_are_outputs_of_one_event(
    study: DatomResource, materialize: Materialize, to_file: OpenLineageResource, events: Path
) -> None:
    def extract(table: str, cut: str | None) -> pd.DataFrame:
        return pd.DataFrame({"TABLE": [table]})

    tables = datom_assets(project=study, tables=["ae", "ex"], extract=extract, atomic=True)
    assert materialize(tables, to_file).success
    start, complete = in_file(events)
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    made = {o["facets"]["datom_version"]["table"]: o["facets"]["datom_version"]["commit"] for o in complete["outputs"]}
    assert made.keys() == {"ae", "ex"}
    assert len(set(made.values())) == 1


@contextlib.contextmanager
def at(behaviour: Behaviour | None) -> Iterator[Any]:
    if behaviour is None:
        yield nowhere()
        return
    with service(behaviour) as found:
        yield found


def warnings_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [e.user_message for e in instance.all_logs(run_id) if e.level == 30 and "OpenLineage" in e.user_message]


class TestServices:
    @pytest.mark.parametrize("behaviour", ["silent", "500", *(pytest.param(b, marks=long) for b in ("garbage", None))])
    def test_one_that_takes_nothing_costs_a_warning(
        self, materialize: Materialize, instance: dg.DagsterInstance, project: dc.Project, behaviour: Behaviour | None
    ) -> None:
        with at(behaviour) as found:
            url = found if behaviour is None else found.url
            slow = {"timeout": 0.3} if behaviour == "silent" else {}
            transport = {"type": "http", "url": url, "retry": {"total": 0}}
            result = materialize([dm], OpenLineageResource(transport=transport, **slow))
        assert result.success
        (said,) = warnings_of(instance, result.run_id)
        assert "The run goes on without them" in said
        assert "planted-answer" not in said
        assert [t.name for t in project.reader.list()] == ["dm"]
        if behaviour == "silent":
            assert len(found.bodies) == 1, "one that did not answer is not asked again"
        elif behaviour is not None:
            assert len(found.bodies) == 2, "one that answers is asked each time"

    def test_one_that_takes_them_gets_the_key_and_shows_it_nowhere(
        self, materialize: Materialize, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LINEAGE_KEY", "planted-key")
        with service("takes") as found:
            lineage = OpenLineageResource(transport={"type": "http", "url": found.url}, api_key_env="LINEAGE_KEY")
            result = materialize([dm], lineage)
        assert [h["Authorization"] for h in found.headers] == ["Bearer planted-key"] * 2
        assert [checked(json.loads(b))["eventType"] for b in found.bodies] == ["START", "COMPLETE"]
        shown = [repr(lineage), *found.bodies, *(str(e) for e in instance.all_logs(result.run_id))]
        assert warnings_of(instance, result.run_id) == []
        assert "planted-key" not in "\n".join(shown)

    def test_required_lineage_that_is_not_taken_fails_a_step_before_it_writes(
        self, materialize: Materialize, project: dc.Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("datom_dagster.events.errors._RETRIES", 0)
        transport = {"type": "http", "url": nowhere(), "retry": {"total": 0}}
        result = materialize([dm], OpenLineageResource(transport=transport, required=True))
        assert not result.success
        assert "Lineage is required here" in failure(result)
        assert project.reader.list() == ()

    def test_what_can_never_work_fails_the_run_before_any_step(self, materialize: Materialize) -> None:
        result = materialize([dm], OpenLineageResource(transport={"type": "http"}))
        assert not result.success
        assert "OpenLineage has no transport (RuntimeError)" in failure(result)
        assert not [e for e in result.all_events if e.is_step_start]
