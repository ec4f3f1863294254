"""What assets wrote in a run, for a test to look at."""

from __future__ import annotations

from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import VERSION


def metadata_of(
    result: dg.ExecuteInProcessResult, asset: dg.CoercibleToAssetKey, *, partition: str | None = None
) -> dict[str, Any]:
    """The metadata of an asset's materialization in a run, as plain values; tables are lists of rows.

    Args:
        result: what `dagster.materialize` or ``execute_in_process`` returned.
        asset: its key.
        partition: which one, if the run made several.

    Raises:
        AssertionError: the asset was not materialized, or more than once; says which step failed, if one did.
    """
    key = dg.AssetKey.from_coercible(asset)
    every = [e.materialization for e in result.get_asset_materialization_events() if e.asset_key == key]
    found = [m for m in every if partition is None or m.partition == partition]
    if len(found) != 1:
        of = "" if partition is None else f", partition {partition},"
        failed = "; ".join(f"{e.step_key} failed: {_reason(e)}" for e in result.get_step_failure_events())
        raise AssertionError(
            f"{key.to_user_string()}{of} was materialized {len(found)} times, not once. {failed or 'No step failed.'}"
        )
    return {
        name: [r.data for r in value.records] if isinstance(value, dg.TableMetadataValue) else value.value
        for name, value in found[0].metadata.items()
    }


def assert_wrote_version(
    result: dg.ExecuteInProcessResult,
    asset: dg.CoercibleToAssetKey,
    *,
    action: dc.Action | None = None,
    rows: int | None = None,
    partition: str | None = None,
) -> dict[str, Any]:
    """Assert that an asset recorded a version in a run.

    Args:
        result, asset, partition: as for `metadata_of`.
        action: what the write must have done: ``"created"`` for new content, ``"unchanged"`` for the same again, ...
        rows: how many rows the version must have.

    Returns:
        The metadata of the materialization.

    Raises:
        AssertionError: it did not; says what happened instead.
    """
    found = metadata_of(result, asset, partition=partition)
    problems = []
    if VERSION not in found:
        problems.append(f"its materialization names no version, only {', '.join(found) or 'nothing'}")
    for what, key, wanted in (("action", "datom/action", action), ("rows", "dagster/row_count", rows)):
        if wanted is not None and found.get(key) != wanted:
            problems.append(f"{what}: {found.get(key)!r} instead of {wanted!r}")
    if problems:
        raise AssertionError(f"{dg.AssetKey.from_coercible(asset).to_user_string()}: {'; '.join(problems)}.")
    return found


def _reason(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return "" if error is None else error.message.strip()
