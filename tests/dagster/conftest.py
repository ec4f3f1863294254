"""A project, and the resources over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage import sql

import datom_core as dc
from datom_dagster import DatomIOManager, DatomResource, LocalStorage


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
def databases_made_fast() -> Iterator[None]:
    """Dagster stamps each of its databases with the newest revision, for which alembic reads all ninety each time."""
    real, newest = sql.stamp, dict[str, str]()

    def stamp(config: Any, revision: str) -> None:
        connection, place = config.attributes["connection"], config.get_main_option("script_location")
        if revision != "head" or place not in newest:
            real(config, revision)
            newest[place] = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return
        begun = connection.in_transaction()
        connection.exec_driver_sql(
            "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        )
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (newest[place],))
        if not begun:
            connection.commit()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "stamp", stamp)
        yield


@pytest.fixture(scope="session")
def memory_instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's instance in memory, made once: to make one takes longer than a run."""
    with dg.DagsterInstance.ephemeral() as instance:
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
