"""Why a version was written, from the places where a Dagster user can say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from datom_dagster.data_version import step_of
from datom_dagster.metadata import COMMIT_MESSAGE

#: Name of the run tag, and of the field in an output's run config.
RUN_TAG = COMMIT_MESSAGE
CONFIG_FIELD = "commit_message"

DEFAULT_TEMPLATE = "Materialize {asset}{partition}"


def commit_message(context: dg.OutputContext, template: str) -> str:
    """The first of: output metadata, run config, run tag, definition metadata, template."""
    candidates = (
        _text(context.output_metadata.get(COMMIT_MESSAGE)),
        (context.config or {}).get(CONFIG_FIELD) if isinstance(context.config, Mapping) else None,
        _run_tags(context).get(RUN_TAG),
        _text(context.definition_metadata.get(COMMIT_MESSAGE)),
    )
    given = next((c for c in candidates if c is not None), None)
    if given is not None:
        return str(given)
    asset = context.asset_key.to_user_string() if context.has_asset_key else context.name
    return template.format(
        asset=asset,
        partition=f" for {partition_of(context)}" if partition_of(context) else "",
        job=_job_name(context) or "",
        run_id=_run_id(context) or "",
    )


def trailers(context: dg.OutputContext) -> dict[str, str]:
    """What ties a commit to the run that made it; for the commit alone."""
    code_version = None
    if context.has_asset_key:
        step = step_of(context)
        code_version = context.asset_spec.code_version if step is not None else None
    found = {
        "Dagster-Run": _run_id(context),
        "Dagster-Job": _job_name(context),
        "Dagster-Asset": context.asset_key.to_user_string() if context.has_asset_key else None,
        "Dagster-Partition": partition_of(context),
        "Dagster-Code-Version": code_version,
    }
    return {key: value for key, value in found.items() if value}


def partition_of(context: dg.OutputContext) -> str | None:
    """The one partition of the asset that this step materializes."""
    if not context.has_asset_key or not context.has_asset_partitions:
        return None
    keys = list(context.asset_partition_keys)
    return str(keys[0]) if len(keys) == 1 else None


def _text(value: Any) -> Any:
    return value.value if isinstance(value, dg.MetadataValue) else value


def _run_tags(context: dg.OutputContext) -> Mapping[str, str]:
    step = step_of(context)
    return step.dagster_run.tags if step is not None else {}


def _run_id(context: dg.OutputContext) -> str | None:
    step = step_of(context)
    return step.run_id if step is not None else None


def _job_name(context: dg.OutputContext) -> str | None:
    step = step_of(context)
    return step.job_name if step is not None else None
