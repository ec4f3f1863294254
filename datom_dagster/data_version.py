"""The one place where an asset's data version is made the content hash of what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from dagster._core.execution.context.system import StepExecutionContext


def step_of(context: dg.OutputContext | dg.InputContext) -> StepExecutionContext | None:
    """The step behind a context; contexts that a test or a script built have none."""
    try:
        return context.step_context
    except dg.DagsterInvariantViolationError:
        return None


def set_data_version(context: dg.OutputContext, data_sha: str) -> None:
    """Make ``data_sha`` the data version of the asset that the step is about to materialize.

    Dagster offers this to the body of an asset alone; an IO manager has to go through the step. A data
    version that the body gave itself wins, which Dagster sees to.
    """
    step = step_of(context)
    if step is not None and context.has_asset_key:
        step.set_data_version(context.asset_key, dg.DataVersion(data_sha))


def recorded_data_version(context: dg.InputContext) -> tuple[str | None, int | None]:
    """What this step's provenance says of its input: data version, and the id of the event that said so.

    Fixed when the step started: what another writer does meanwhile does not change it.
    """
    step = step_of(context)
    if step is None or not context.has_asset_key:
        return None, None
    info = step.maybe_fetch_and_get_input_asset_version_info(context.asset_key)
    if info is None:
        return None, None
    return (info.data_version.value if info.data_version else None), info.storage_id
