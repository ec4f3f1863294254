"""Who asked for a run, with which code and why: recorded with what it writes, and required where a project says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import datom_core as dc
from datom_dagster import (
    DatomIOManager,
    DatomResource,
    ExtractDrop,
    LocalStorage,
    datom_asset,
    datom_assets,
    datom_definitions,
    datom_jobs,
)
from tests.dagster.conftest import failure

ADA = "Ada Lovelace <ada@example.org>"
SECRET = "hunter2-do-not-show"
Run = Callable[..., dg.ExecuteInProcessResult]


def frame() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01", "02"]})


@datom_asset(code_version="7", metadata={"datom/source_system": "Rave"})
def dm() -> dg.Output[pd.DataFrame]:
    return dg.Output(frame(), metadata={"datom/extracted_at": datetime(2026, 1, 1, 6, tzinfo=UTC).isoformat()})


@dg.asset
def ae() -> pd.DataFrame:
    return frame()


def told(project: dc.Project, table: str = "dm") -> dc.Provenance:
    found = project.reader.history(table)[0].provenance
    assert found is not None
    return found


def test_a_run_says_all_of_it(run: Run, project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_CLOUD_GIT_SHA", "c" * 40)
    monkeypatch.setenv("PLANTED", SECRET)
    tags = {"datom/author": ADA, "datom/reason": f"see https://u:{SECRET}@jira/1", "mine": SECRET}
    result = run([dm], tags=tags)
    found = told(project)
    assert (str(found.asked_by), found.reason) == (ADA, "see https://jira/1")
    assert found.run == dc.Run(result.run_id, "__ephemeral_asset_job__", "dm", None, "7", "c" * 40)
    assert found.source == dc.SourceSystem("Rave", "2026-01-01T06:00:00Z")
    assert found.tool == f"py-{dc.__version__} (datom_dagster {dc.__version__}, dagster {dg.__version__})"
    assert str(project.reader.history("dm")[0].author) == ADA
    assert all(SECRET.encode() not in bytes(project.store.get(o.key).data) for o in project.store.list())
    shown = result.asset_materializations_for_node("dm")[0].metadata
    assert shown["datom/reason"].value == "see https://jira/1"
    assert shown["datom/source_system"].value == "Rave, 2026-01-01T06:00:00Z"


def test_the_resources_author_is_asked_last(
    project: dc.Project, study: DatomResource, instance: dg.DagsterInstance
) -> None:
    ours = DatomResource(
        project="STUDY_001", storage=study.storage, remote=study.remote, author="Grace <g@example.org>"
    )
    dg.materialize([ae], resources={"io_manager": DatomIOManager(datom=ours)}, instance=instance)
    assert str(told(project, "ae").asked_by) == "Grace <g@example.org>"


def test_a_run_with_a_malformed_author_writes_nothing(run: Run, project: dc.Project) -> None:
    result = run([ae], tags={"datom/author": "Ada"}, raise_on_error=False)
    assert 'The run tag datom/author: The author must look like "Ada Lovelace <ada@example.org>"' in failure(result)
    assert project.reader.list() == ()


@pytest.mark.parametrize(("at", "said"), [("2026-01-01T00:00:00", "no time zone")])
def test_a_bad_time_of_extraction_writes_nothing(run: Run, project: dc.Project, at: str, said: str) -> None:
    @dg.asset
    def vs() -> dg.Output[pd.DataFrame]:
        return dg.Output(frame(), metadata={"datom/extracted_at": at})

    result = run([vs], raise_on_error=False)
    assert said in failure(result)
    assert project.reader.list() == ()


def test_partitions_and_tables_together(
    run: Run, project: dc.Project, resources: dict[str, Any], study: DatomResource, tmp_path: Path
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    for table in ("cm", "lb"):
        (drop / f"{table}.csv").write_text("A\n1\n")
    tables = datom_assets(
        project=study,
        tables=["cm", "lb"],
        extract=ExtractDrop(place=LocalStorage(path=str(drop)), source_system="Inform"),
        partitions=dg.StaticPartitionsDefinition(["2026-01"]),
        atomic=True,
    )
    run(tables, partition_key="2026-01", tags={"datom/author": ADA})
    for table in ("cm", "lb"):
        found = told(project, table)
        assert found.run is not None
        assert (found.run.partition, found.run.asset) == ("2026-01", None)
        assert found.file is not None
        assert (found.file.name, found.file.size_bytes) == (f"{table}.csv", 4)
        assert found.source == dc.SourceSystem("Inform")


class TestThePipelinesCommit:
    def test_is_what_the_resource_says(
        self, project: dc.Project, study: DatomResource, instance: dg.DagsterInstance
    ) -> None:
        ours = DatomResource(project="STUDY_001", storage=study.storage, remote=study.remote, pipeline_commit="v1.2")
        dg.materialize([ae], resources={"io_manager": DatomIOManager(datom=ours)}, instance=instance)
        found = told(project, "ae").run
        assert found is not None
        assert found.pipeline_commit == "v1.2"


class TestRequired:
    @pytest.fixture
    def strict(self, study: DatomResource) -> DatomResource:
        return DatomResource(
            project="STUDY_001", storage=study.storage, remote=study.remote, author="Machine <m@example.org>",
            require_author=True, require_message=True,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("declare", "tags", "missing"),
        [
            (dg.asset, {}, ["tag datom/author", "tag datom/commit_message"]),
            (datom_asset, {"datom/author": ADA}, ["tag datom/commit_message"]),
            (dg.asset, {"datom/commit_message": "why"}, ["tag datom/author"]),
        ],
    )
    def test_a_run_without_it_runs_no_code(
        self,
        strict: DatomResource,
        project: dc.Project,
        instance: dg.DagsterInstance,
        declare: Any,
        tags: dict[str, str],
        missing: list[str],
    ) -> None:
        began: list[str] = []

        def vs() -> pd.DataFrame:
            began.append("vs")
            return frame()

        result = dg.materialize(
            [declare(vs)],
            resources={"io_manager": DatomIOManager(datom=strict)},
            instance=instance,
            tags=tags,
            raise_on_error=False,
        )
        assert not result.success
        said = failure(result)
        assert [m for m in ("tag datom/author", "tag datom/commit_message") if m in said] == missing
        assert began == []
        assert project.reader.list() == ()

    @pytest.mark.parametrize("how", ["tag", "config"])
    def test_a_run_that_says_it_is_written(
        self, strict: DatomResource, project: dc.Project, instance: dg.DagsterInstance, how: str
    ) -> None:
        tags = {"user": "ada@example.org"} | ({"datom/commit_message": "why"} if how == "tag" else {})
        config = {"ops": {"ae": {"outputs": {"result": {"commit_message": "why"}}}}} if how == "config" else None
        manager = {"io_manager": DatomIOManager(datom=strict)}
        assert dg.materialize([ae], resources=manager, instance=instance, tags=tags, run_config=config).success
        entry = project.reader.history("ae")[0]
        assert (entry.message, entry.author.name) == ("why", "ada@example.org")

    def test_with_definitions_a_run_that_only_reads_may_go(
        self, strict: DatomResource, project: dc.Project, instance: dg.DagsterInstance
    ) -> None:
        @dg.asset(io_manager_key="elsewhere")
        def count(vs: pd.DataFrame) -> int:
            return len(vs)

        project.write("vs", frame())
        vs = dg.AssetSpec("vs", metadata={"dagster/io_manager_key": "io_manager"})
        defs = datom_definitions(
            assets=[vs, ae, count],
            resources={"io_manager": DatomIOManager(datom=strict), "elsewhere": dg.mem_io_manager},
        )
        job = defs.resolve_implicit_global_asset_job_def()
        reading = job.execute_in_process(
            asset_selection=[dg.AssetKey("count")], instance=instance, raise_on_error=False
        )
        assert reading.success
        assert not job.execute_in_process(
            asset_selection=[dg.AssetKey("ae")], instance=instance, raise_on_error=False
        ).success

    def test_an_asset_that_the_io_manager_does_not_know_is_refused_before_it_begins(
        self, strict: DatomResource, instance: dg.DagsterInstance
    ) -> None:
        began: list[str] = []

        @datom_asset
        def vs() -> pd.DataFrame:
            began.append("vs")
            return frame()

        manager = DatomIOManager(datom=strict).knowing(["others"])
        result = dg.materialize([vs], resources={"io_manager": manager}, instance=instance, raise_on_error=False)
        assert "tag datom/author" in failure(result)
        assert began == []

    def test_an_op_that_is_no_asset_is_refused_before_it_writes(
        self, strict: DatomResource, project: dc.Project, instance: dg.DagsterInstance
    ) -> None:
        @dg.op(out=dg.Out(metadata={"datom/table": "vs"}))
        def make() -> pd.DataFrame:
            return frame()

        @dg.job(resource_defs={"io_manager": DatomIOManager(datom=strict)})
        def loose() -> None:
            make()

        result = loose.execute_in_process(instance=instance, raise_on_error=False)
        assert "tag datom/author" in failure(result)
        assert project.reader.list() == ()

    def test_a_review_counts_its_own_config(
        self, strict: DatomResource, project: dc.Project, instance: dg.DagsterInstance
    ) -> None:
        project.write("vs", frame(), cut="lock")
        job = next(j for j in datom_jobs(governance=False, resources={"datom": strict}) if j.name == "mark_reviewed")

        def launch(config: dict[str, str], tags: dict[str, str]) -> dg.ExecuteInProcessResult:
            ops = {"ops": {"mark_reviewed": {"config": {"cut": "lock", **config}}}}
            return job.execute_in_process(run_config=ops, tags=tags, instance=instance, raise_on_error=False)

        refused = launch({}, {})
        assert "tag datom/author" in failure(refused)
        assert "tag datom/commit_message" in failure(refused)
        assert launch({"author": ADA, "message": "no queries"}, {"datom/reason": "monthly"}).success
        latest = project.reader.reviews()["reviewed"].latest
        assert latest.provenance is not None
        assert (str(latest.author), latest.provenance.reason) == (ADA, "monthly")
        assert latest.provenance.run is not None
        assert latest.provenance.run.job == "mark_reviewed"
