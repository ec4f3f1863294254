"""Why a version was written, from the places where a Dagster user can say so."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

import datom_core as dc
from datom_dagster.events.dagster_internals import step_of
from datom_dagster.events.metadata_keys import COMMIT_MESSAGE, plain

#: Name of the field in an output's run config.
CONFIG_FIELD = "commit_message"

DEFAULT_TEMPLATE = "Materialize {asset} {partition}"
_FIELDS = ("asset", "partition", "job", "run_id")


def check_template(template: str) -> str:
    """The template, if it can be filled in.

    Raises:
        InvalidInputError: it uses a field that does not exist.
    """
    try:
        template.format(**dict.fromkeys(_FIELDS, ""))
    except (KeyError, IndexError, AttributeError, ValueError) as error:
        raise dc.InvalidInputError(
            f"message_template may use {', '.join('{' + f + '}' for f in _FIELDS)} and doubled braces; "
            f"{template!r} cannot be filled in ({error})"
        ) from error
    return template


def said_by_run(context: dg.OutputContext) -> str | None:
    """The message that the run was launched with: the output's run config, else the tag."""
    step = step_of(context)
    candidates = (
        (context.config or {}).get(CONFIG_FIELD) if isinstance(context.config, Mapping) else None,
        step.dagster_run.tags.get(COMMIT_MESSAGE) if step is not None else None,
    )
    return next((str(c) for c in candidates if c is not None), None)


def commit_message(context: dg.OutputContext, template: str, cut: str | None) -> str | None:
    """The first of: output metadata, run config, run tag, definition metadata, template.

    ``None`` when the template comes out empty.
    """
    step = step_of(context)
    candidates = (
        plain(context.output_metadata.get(COMMIT_MESSAGE)),
        said_by_run(context),
        plain(context.definition_metadata.get(COMMIT_MESSAGE)),
    )
    given = next((c for c in candidates if c is not None), None)
    if given is not None:
        return str(given)
    return _filled(
        template,
        asset=context.asset_key.to_user_string() if context.has_asset_key else context.name,
        partition=cut,
        job=step.job_name if step is not None else None,
        run_id=step.run_id if step is not None else None,
    )


def set_message(context: dg.AssetExecutionContext, config: str | None, declared: str | None, cut: str | None) -> str:
    """As `commit_message`, for a set: the first of run config, run tag, what was declared, and the template."""
    given = next((c for c in (config, context.run.tags.get(COMMIT_MESSAGE), declared) if c is not None), None)
    if given is not None:
        return str(given)
    filled = _filled(
        DEFAULT_TEMPLATE,
        asset=context.asset_key.to_user_string(),
        partition=cut,
        job=context.run.job_name,
        run_id=context.run.run_id,
    )
    return str(filled)


def _filled(template: str, **facts: str | None) -> str | None:
    return template.format(**{k: v or "" for k, v in facts.items()}).strip() or None


def trailers(context: dg.OutputContext, cut: str | None) -> dict[str, str]:
    """Trailers that tie a commit to the run that made it, one line each; they go into the commit alone."""
    step = step_of(context)
    is_asset = context.has_asset_key
    return _lines(
        step.run_id if step is not None else None,
        step.job_name if step is not None else None,
        context.asset_key.to_user_string() if is_asset else None,
        cut,
        context.asset_spec.code_version if is_asset and step is not None else None,
    )


def set_trailers(context: dg.AssetExecutionContext, cut: str | None) -> dict[str, str]:
    """As `trailers`, for a set, which the body of its step writes."""
    spec = context.assets_def.specs_by_key[context.asset_key]
    return _lines(context.run.run_id, context.run.job_name, spec.key.to_user_string(), cut, spec.code_version)


def _lines(run: str | None, job: str | None, asset: str | None, cut: str | None, code: str | None) -> dict[str, str]:
    names = ("Dagster-Run", "Dagster-Job", "Dagster-Asset", "Dagster-Partition", "Dagster-Code-Version")
    found = dict(zip(names, (run, job, asset, cut, code), strict=True))
    return {key: " ".join(value.split()) for key, value in found.items() if value}


def run_trailers(context: dg.OpExecutionContext) -> dict[str, str]:
    """As `trailers`, for a commit that no output makes."""
    return {"Dagster-Run": context.run_id, "Dagster-Job": " ".join(context.job_name.split())}
