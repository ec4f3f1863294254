"""Downstream is stale exactly when content changed, and runs by itself exactly then."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

import datom_core as dc
from datom_dagster import datom_eager

Run = Callable[..., dg.ExecuteInProcessResult]
ROWS = {"n": 3}


@pytest.fixture(autouse=True)
def three_rows() -> None:
    ROWS["n"] = 3


@dg.asset
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(ROWS["n"])]})


@dg.asset(automation_condition=datom_eager())
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(FLAG=True)


@dg.asset(automation_condition=dg.AutomationCondition.eager())
def plain_eager(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(FLAG=False)


ASSETS = [dm, adsl, plain_eager]


def status(instance: dg.DagsterInstance, resources: dict[str, Any], asset: str) -> StaleStatus:
    graph = dg.Definitions(assets=ASSETS, resources=resources).resolve_asset_graph()
    return CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance)).get_status(dg.AssetKey(asset))


def test_stale_follows_content(run: Run, instance: dg.DagsterInstance, resources: dict[str, Any]) -> None:
    run(ASSETS)
    assert status(instance, resources, "adsl") is StaleStatus.FRESH
    run(ASSETS, selection=[dm])
    assert status(instance, resources, "adsl") is StaleStatus.FRESH, "nothing changed"
    ROWS["n"] = 4
    run(ASSETS, selection=[dm])
    assert status(instance, resources, "adsl") is StaleStatus.STALE
    ROWS["n"] = 3
    run(ASSETS, selection=[dm])
    assert status(instance, resources, "adsl") is StaleStatus.FRESH, "back to what adsl was made from"


def requested(instance: dg.DagsterInstance, resources: dict[str, Any], cursor: Any) -> tuple[set[str], Any]:
    defs = dg.Definitions(assets=ASSETS, resources=resources)
    result = dg.evaluate_automation_conditions(defs=defs, instance=instance, cursor=cursor)
    names = {a for a in ("adsl", "plain_eager") if result.get_num_requested(dg.AssetKey(a))}
    return names, result.cursor


def test_datom_eager_ignores_parents_whose_content_stayed(
    run: Run, instance: dg.DagsterInstance, resources: dict[str, Any]
) -> None:
    run(ASSETS)
    _, cursor = requested(instance, resources, None)
    names, cursor = requested(instance, resources, cursor)
    assert names == set()
    run(ASSETS, selection=[dm])
    names, cursor = requested(instance, resources, cursor)
    assert names == {"plain_eager"}, "Dagster's own condition fires although nothing changed"
    ROWS["n"] = 4
    run(ASSETS, selection=[dm])
    names, cursor = requested(instance, resources, cursor)
    assert "adsl" in names
    names, cursor = requested(instance, resources, cursor)
    assert names == set()


def test_datom_eager_waits_for_parents_that_run_by_themselves(
    run: Run, instance: dg.DagsterInstance, resources: dict[str, Any]
) -> None:
    hourly = dg.asset(name="dm", automation_condition=dg.AutomationCondition.on_cron("@hourly"))(dm_of_now)
    chain = [hourly, adsl, dg.asset(name="adae", automation_condition=datom_eager())(adae)]
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    cursor = None

    def tick(minutes: int) -> set[str]:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(
            defs=dg.Definitions(assets=chain, resources=resources),
            instance=instance,
            cursor=cursor,
            evaluation_time=noon + timedelta(minutes=minutes),
        )
        cursor = result.cursor
        asked = {name for name in ("dm", "adsl", "adae") if result.get_num_requested(dg.AssetKey(name))}
        for asset in chain:
            if asset.key.to_user_string() in asked:
                run(chain, selection=[asset])
        return asked

    run(chain)
    assert tick(1) == set()
    assert tick(61) == {"dm"}, "the hour has come for dm; what will come of it nobody knows yet"
    assert tick(62) == set(), "nothing changed"
    ROWS["n"] = 4
    assert [tick(m) for m in (121, 122, 123, 124)] == [{"dm"}, {"adsl"}, {"adae"}, set()]


def dm_of_now() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(ROWS["n"])]})


def adae(adsl: pd.DataFrame) -> pd.DataFrame:
    return adsl.assign(AE=True)


def test_the_step_still_lets_an_io_manager_set_the_data_version(run: Run, project: dc.Project) -> None:
    # A canary: this goes through a part of Dagster that is not public. When it breaks, so does staleness.
    result = run([dm])
    tags = result.get_asset_materialization_events()[0].materialization.tags
    assert tags["dagster/data_version"] == project.reader.resolve("dm").data_sha
