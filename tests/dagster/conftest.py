"""A project, and the resources over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage
from tests.dagster.quick import connected_once, described_once, keep_connections, stamped_once


@pytest.fixture
def study(project: dc.Project) -> DatomResource:
    location = project.store.location
    return DatomResource(
        project="STUDY_001", storage=LocalStorage(path=location.root, prefix=location.prefix), remote=project.remote
    )


@pytest.fixture
def resources(study: DatomResource) -> dict[str, Any]:
    return {"io_manager": DatomIOManager(datom=study), "datom": study}


@pytest.fixture(scope="session", autouse=True)
def dagster_quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        stamped_once(patch)
        described_once(patch)
        connected_once(patch)
        yield


@pytest.fixture(scope="session")
def memory_instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's instance in memory, made once: to make one takes longer than a run."""
    with dg.DagsterInstance.ephemeral() as instance:
        keep_connections(instance)
        yield instance


@pytest.fixture
def instance(memory_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """An empty instance in memory, which takes a tenth of the time of one on disk."""
    memory_instance.wipe()
    return memory_instance


@pytest.fixture
def kept_instance() -> Iterator[dg.DagsterInstance]:
    """One on disk, for several processes and for those who look at its files."""
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def run(resources: dict[str, Any], instance: dg.DagsterInstance) -> Callable[..., dg.ExecuteInProcessResult]:
    """Materialize assets on the test's instance."""

    def materialize(assets: list[Any], **options: Any) -> dg.ExecuteInProcessResult:
        return dg.materialize(assets, resources=resources, instance=instance, **options)

    return materialize


def data_version(result: dg.ExecuteInProcessResult, asset: str) -> str:
    events = [e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(asset)]
    return str(events[0].materialization.tags["dagster/data_version"])


def failure(result: dg.ExecuteInProcessResult) -> str:
    """What the failed step, or the run that never got to one, said, with its causes."""
    steps = result.get_step_failure_events()
    ended = [e for e in result.all_events if e.event_type is dg.DagsterEventType.RUN_FAILURE]
    error = steps[0].step_failure_data.error if steps else ended[0].job_failure_data.error
    texts = []
    while error is not None:
        texts.append(error.message)
        error = error.cause
    return "\n".join(texts)
