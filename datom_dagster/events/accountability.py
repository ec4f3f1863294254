"""Who asked for a write, in which run, with which code, from which system and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events.commit_messages import CONFIG_FIELD, said_by_run
from datom_dagster.events.dagster_internals import step_of
from datom_dagster.events.metadata_keys import (
    AUTHOR,
    COMMIT_MESSAGE,
    EXTRACTED_AT,
    REASON,
    SOURCE_SYSTEM,
    author_of,
    plain,
)
from datom_dagster.events.pipeline_commit import pipeline_commit

#: Where Dagster names who launched a run: Dagster+ does, and a run coordinator may.
_USERS = ("user", "dagster/user")
_TOOL = f"datom_dagster {dc.__version__}, dagster {dg.__version__}"


@dataclass(frozen=True)
class Required:
    """What each run that writes has to say.

    Attributes:
        author: the person who asks for it.
        message: why.
    """

    author: bool = False
    message: bool = False

    def check(self, tags: Mapping[str, str], *, says_why: bool) -> None:
        """Refuse a run that does not say it.

        Args:
            tags: of the run.
            says_why: whether its configuration does.

        Raises:
            InvalidInputError: names all that is missing, and where to say it.
        """
        missing = []
        if self.author and asked_by(tags) is None:
            missing.append(f'who asks for it: give the run the tag {AUTHOR}, as in "Ada Lovelace <ada@example.org>"')
        if self.message and not says_why and not tags.get(COMMIT_MESSAGE, "").strip():
            missing.append(f"why: give the run the tag {COMMIT_MESSAGE}, or the output's configuration {CONFIG_FIELD}")
        if missing:
            raise dc.InvalidInputError(
                "The project is configured to be written to by nobody unnamed, or without a reason. This run has to "
                f"say {'; and '.join(missing)}. Nothing was written."
            )

    def check_run(self, run: dg.DagsterRun) -> None:
        """As `check`, for a run of which nothing has begun."""
        self.check(run.tags, says_why=_says_why(run.run_config))

    def check_output(self, context: dg.OutputContext) -> None:
        """As `check`, for an output that is about to be written."""
        step = step_of(context)
        self.check({} if step is None else step.dagster_run.tags, says_why=said_by_run(context) is not None)


def _says_why(config: Any) -> bool:
    """Whether a run's configuration has a message for any output."""
    if not isinstance(config, Mapping):
        return False
    outputs = config.get("outputs")
    of_each = outputs.values() if isinstance(outputs, Mapping) else ()
    if any(isinstance(one, Mapping) and one.get(CONFIG_FIELD) for one in of_each):
        return True
    ops = config.get("ops")
    return isinstance(ops, Mapping) and any(_says_why(one) for one in ops.values())


def asked_by(tags: Mapping[str, str]) -> dc.Author | None:
    """The person that a run's tags name: `datom/author`, else the user whom Dagster names.

    Raises:
        InvalidInputError: the tag `datom/author` names nobody.
    """
    if AUTHOR in tags:
        return author_of(tags[AUTHOR])
    for key in _USERS:
        told = tags.get(key, "").strip()
        try:
            if told:
                return dc.check_author(told if "<" in told else dc.Author(told, told if "@" in told else ""))
        except dc.InvalidInputError:
            continue  # not a tag of ours: it may mean something else
    return None


def provenance_of(
    context: dg.OutputContext, settings: Mapping[str, Any], cut: str | None, commit: str | None
) -> dc.Provenance:
    """What a step knows of the version that it is about to write.

    Args:
        context: of the output.
        settings: of the asset and the output, checked.
        cut: the partition that is written.
        commit: of the pipeline's code, where it is configured.

    Raises:
        InvalidInputError: the tag `datom/author` names nobody.
    """
    step = step_of(context)
    system, at = settings.get(SOURCE_SYSTEM), plain(context.output_metadata.get(EXTRACTED_AT))
    source = None if system is None and at is None else dc.SourceSystem(system, at)
    if step is None:
        return dc.Provenance(tool=_TOOL, source=source)
    tags, is_asset = step.dagster_run.tags, context.has_asset_key
    run = dc.Run(
        id=step.run_id,
        job=step.job_name,
        asset=context.asset_key.to_user_string() if is_asset else None,
        partition=cut,
        code_version=context.asset_spec.code_version if is_asset else None,
        pipeline_commit=commit or pipeline_commit(step),
    )
    return dc.Provenance(asked_by(tags), tool=_TOOL, run=run, source=source, reason=_reason(context, tags))


def _reason(context: dg.OutputContext, tags: Mapping[str, str]) -> str | None:
    told = plain(context.output_metadata.get(REASON))
    return tags.get(REASON) if told is None else str(told)


def set_provenance(context: dg.AssetExecutionContext, cut: str | None, commit: str | None) -> dc.Provenance:
    """As `provenance_of`, for a set, which the body of its step writes."""
    told, spec = (
        run_provenance(context.op_execution_context, commit),
        context.assets_def.specs_by_key[context.asset_key],
    )
    asset, code = spec.key.to_user_string(), spec.code_version
    run = None if told.run is None else replace(told.run, asset=asset, partition=cut, code_version=code)
    return replace(told, asked_by=asked_by(context.run.tags), run=run)


def run_provenance(context: dg.OpExecutionContext, commit: str | None) -> dc.Provenance:
    """As `provenance_of`, for what no output records; whoever asked is left to the caller."""
    step = context.get_step_execution_context()
    run = dc.Run(id=context.run_id, job=context.job_name, pipeline_commit=commit or pipeline_commit(step))
    return dc.Provenance(tool=_TOOL, run=run, reason=context.run.tags.get(REASON))
