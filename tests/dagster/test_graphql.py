"""What Dagster's web server answers: data versions, staleness, and no secret anywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

import datom_core as dc

pytest.importorskip("dagster_aws", reason="dagster_aws has no release for this core yet")

# What follows can be imported only now.
from tests.dagster.served import SECRETS, keeps

pytestmark = [
    # What Dagster says of itself when it looks at a schedule.
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    # To import it takes a second, which those who run none of these tests need not spend.
    pytest.mark.skipif(not find_spec("dagster_graphql"), reason="dagster_graphql has no release for this core yet"),
]

ENTRY = """
fragment Entry on MetadataEntry {
  __typename label description
  ... on TextMetadataEntry { text }
  ... on UrlMetadataEntry { url }
  ... on JsonMetadataEntry { jsonString }
  ... on MarkdownMetadataEntry { mdStr }
  ... on BoolMetadataEntry { boolValue }
  ... on TableMetadataEntry { table { records } }
}
"""
STATE = """
query ($partition: String, $keys: [AssetKeyInput!]) {
  assetNodes(assetKeys: $keys) {
    assetKey { path } staleStatus(partition: $partition) dataVersion(partition: $partition)
  }
}
"""
RUN_CONFIG = """
query ($selector: PipelineSelector!) { runConfigSchemaOrError(selector: $selector) {
  ... on RunConfigSchema { rootDefaultYaml allConfigTypes {
    key description
    ... on CompositeConfigType { fields { name description defaultValueAsJson } }
    ... on EnumConfigType { values { value } }
} } } }
"""
RESOURCES = """
query ($selector: RepositorySelector!) { allTopLevelResourceDetailsOrError(repositorySelector: $selector) {
  ... on ResourceDetailsList { results {
    name resourceType description
    configFields { name description defaultValueAsJson }
    configuredValues { key value type }
    nestedResources { name type resource { name configuredValues { key value type } } }
} } } }
"""
REPOSITORY = (
    """
query ($selector: RepositorySelector!) { repositoryOrError(repositorySelector: $selector) { ... on Repository {
  displayMetadata { key value }
  jobs { name description tags { key value } modes { resources { name description configField {
    name description defaultValueAsJson } } } }
  sensors { name description }
  assetNodes { description metadataEntries { ...Entry } tags { key value } }
} } }
"""
    + ENTRY
)
RUNS = (
    """
query { runsOrError { ... on Runs { results {
  status runConfigYaml tags { key value }
  eventConnection(limit: 1000) { events {
    __typename
    ... on MessageEvent { message }
    ... on MaterializationEvent { metadataEntries { ...Entry } }
    ... on ExecutionStepFailureEvent { error { message stack causes { message stack } } }
    ... on ExecutionStepUpForRetryEvent { error { message stack causes { message stack } } }
  } }
} } } }
"""
    + ENTRY
)


@pytest.fixture
def instance(kept_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    return kept_instance


@contextmanager
def served(instance: dg.DagsterInstance, module: str, attribute: str) -> Iterator[WorkspaceRequestContext]:
    """The web server's view of a code location, in this process."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=module, attribute=attribute)
    origin = InProcessCodeLocationOrigin(target, location_name="served")
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as process:
        yield process.create_request_context()


def ask(context: WorkspaceRequestContext, query: str, **variables: Any) -> Any:
    from dagster_graphql.test.utils import execute_dagster_graphql

    result = execute_dagster_graphql(context, query, variables=variables)
    assert not result.errors, result.errors
    return result.data


def answers(context: WorkspaceRequestContext) -> dict[str, str]:
    """All that the page could ask for, and what its server keeps in memory."""
    (location,) = context.code_locations
    (repository,) = location.get_repositories().values()
    selector = {"repositoryName": repository.name, "repositoryLocationName": location.name}
    jobs = {job.name: job for job in repository.get_all_jobs()}
    asked = {
        f"run config of {name}": ask(context, RUN_CONFIG, selector={**selector, "pipelineName": name}) for name in jobs
    }
    asked |= {
        "resources": ask(context, RESOURCES, selector=selector),
        "repository": ask(context, REPOSITORY, selector=selector),
        "runs": ask(context, RUNS),
    }
    kept = {f"snapshot of {name}": dg.serialize_value(job.job_snapshot) for name, job in jobs.items()}
    kept["snapshot of the repository"] = dg.serialize_value(repository.repository_snap)
    return {place: json.dumps(told) for place, told in asked.items()} | kept


def shows(answered: dict[str, str]) -> set[tuple[str, str]]:
    """Which secret shows where."""
    return {(name, place) for place, text in answered.items() for name, secret in SECRETS.items() if secret in text}


class TestSecrets:
    @pytest.fixture(autouse=True)
    def planted(self, project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("datom_dagster.events.errors._SECONDS_BETWEEN", 0)
        for name, secret in SECRETS.items():
            monkeypatch.setenv(name, secret)
        monkeypatch.setenv("STUDY_KEY", "AKIASTUDY")
        monkeypatch.setenv("STUDY_DATA", project.store.location.root)
        monkeypatch.setenv("STUDY_REPO", project.remote)

    def test_none_shows(self, instance: dg.DagsterInstance) -> None:
        message = {"ops": {"dm": {"outputs": {"result": {"commit_message": "as delivered"}}}}}
        job = keeps.resolve_implicit_global_asset_job_def()
        well = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("dm"), dg.AssetKey("adsl")], run_config=message
        )
        ill = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("away")], raise_on_error=False)
        assert (well.success, ill.success) == (True, False)
        with served(instance, "tests.dagster.served", "keeps") as context:
            answered = answers(context)
        told = "\n".join(answered.values())
        for text in ("as delivered", "STUDY_TOKEN", "OTHER_SECRET_KEY", "Failed to connect to", "datom/preview"):
            assert text in told, "or this test looks in the wrong places"
        assert shows(answered) == set()
        files = (path for path in Path(instance.root_directory).rglob("*") if path.is_file())
        assert shows({str(path): path.read_bytes().decode("latin-1") for path in files}) == set()

    def test_one_that_is_written_down_is_found(self, instance: dg.DagsterInstance) -> None:
        """This test could not see a leak otherwise."""
        with served(instance, "tests.dagster.served", "leaks") as context:
            found = shows(answers(context))
        places = {place for name, place in found if name == "OTHER_SECRET_KEY"}
        assert {"resources", "run config of __ASSET_JOB", "snapshot of the repository"} <= places
        assert {name for name, _ in found} == {"OTHER_SECRET_KEY"}


class TestExample:
    """The example's own definitions, loaded afresh, since they look at the environment when they are."""

    @pytest.fixture(autouse=True)
    def own_places(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("STORE", "REMOTE", "GOVERNANCE_STORE", "GOVERNANCE_REMOTE", "DAGSTER_HOME"):
            monkeypatch.setenv(f"DATOM_EXAMPLE_{name}", str(tmp_path / name.lower()))
        monkeypatch.delitem(sys.modules, "example_project.definitions", raising=False)

    def test_data_versions_and_staleness(
        self, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from example_project.definitions import defs
        from example_project.settings import Settings, ensure_project

        ensure_project(Settings.from_environment())
        job, cut = defs.resolve_job_def("record_cut"), "2012-12"
        job.execute_in_process(partition_key=cut, instance=instance)
        reader = dc.ProjectReader.open(dc.LocalStore(tmp_path / "store"), "STUDY_001")
        with served(instance, "example_project.definitions", "defs") as context:
            recorded = self.state(context, cut)
            assert recorded == {table.name: (table.data_sha, "FRESH") for table in reader.list()}
            assert len(recorded) == 5
        from example_project import assets

        whole = assets.extract
        monkeypatch.setattr("example_project.assets.extract", lambda *asked: whole(*asked).iloc[:-1])
        job.execute_in_process(partition_key=cut, instance=instance, asset_selection=[dg.AssetKey("dm")])
        with served(instance, "example_project.definitions", "defs") as context:
            corrected = self.state(context, cut)
        assert corrected["dm"] == (reader.resolve("dm").data_sha, "FRESH")
        assert corrected["dm"] != recorded["dm"]
        assert {name for name, (_, status) in corrected.items() if status == "STALE"} == {"lb_abnormal"}

    def state(self, context: WorkspaceRequestContext, cut: str) -> dict[str, tuple[str, str]]:
        keys = [{"path": [table]} for table in ("dm", "ex", "lb", "ae", "lb_abnormal")]
        nodes = ask(context, STATE, partition=cut, keys=keys)["assetNodes"]
        return {node["assetKey"]["path"][-1]: (node["dataVersion"], node["staleStatus"]) for node in nodes}

    def test_the_keys_of_a_bucket_do_not_show(
        self, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATOM_EXAMPLE_STORE", "s3://study-001/sdtm")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASTUDY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["STUDY_SECRET_KEY"])
        with served(instance, "example_project.definitions", "defs") as context:
            answered = answers(context)
        assert "s3://study-001/sdtm/datom/lb" in answered["repository"]
        assert shows(answered) == set()
