"""Several tables, or several cuts of one, from a single step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.events import TABLE_TYPE, add_partition_metadata, set_data_version
from datom_dagster.io.event_report import EventReport, Stored
from datom_dagster.io.output_options import OutputOptions
from datom_dagster.io.partitions import ordered
from datom_dagster.io.table_output import Draft, TableOutput, superseded_metadata


def is_partitions(context: dg.OutputContext, value: Any) -> bool:
    """Whether a step returned a frame for each of its partitions."""
    return isinstance(value, Mapping) and context.has_asset_key and context.has_asset_partitions


def store_partitions(
    context: dg.OutputContext, value: Mapping[str, Any], project: dc.Project, options: OutputOptions
) -> Stored:
    """Write a mapping from partition to frame as one cut each, in the partitions' order, with a commit per cut.

    Everything is checked before the first commit. Dagster keeps one data version per asset and step, so it covers all
    these partitions together, and a change in one shows at each of them.

    Raises:
        InvalidInputError: a partition of the run has no frame, or a frame belongs to a partition outside the run; or
            as for one frame.
    """
    keys = ordered(context, [str(key) for key in context.asset_partition_keys])
    name = context.asset_key.to_user_string()
    missing, stray = [k for k in keys if k not in value], [str(k) for k in value if k not in keys]
    if missing or stray:
        raise dc.InvalidInputError(
            f"{name}: the mapping must have a frame for each partition of the run; missing: {missing}, not of this "
            f"run: {stray}."
        )
    outputs = {key: TableOutput(context, options, cut=dc.check_cut_name(key)) for key in keys}
    drafts: dict[str, Draft | None] = {}
    earlier: tuple[str, pa.Table] | None = None
    for key, output in outputs.items():
        draft = drafts[key] = output.draft(value[key], project, earlier=earlier)
        earlier = earlier if draft is None else (key, draft.data)
    reports = {key: output.write(drafts[key], project) for key, output in outputs.items()}
    for key, said in reports.items():
        add_partition_metadata(context, key, said.shown)
    set_data_version(context, _together(reports))
    return Stored(next(iter(outputs.values())).table, tuple(reports.values()))


def _together(reports: Mapping[str, EventReport]) -> str:
    """One data version for several partitions; for a single one, its own."""
    if len(reports) == 1:
        return next(iter(reports.values())).data_sha
    return hashlib.sha256(json.dumps({key: said.data_sha for key, said in reports.items()}).encode()).hexdigest()


def store_together(
    outputs: Mapping[str, TableOutput], frames: Mapping[str, Any], project: dc.Project
) -> dict[str, EventReport]:
    """Write several tables in one commit, all or none; in a partition, as one cut.

    Args:
        outputs: by any key; all from one step.
        frames: by the same keys.
        project: the project to write to.

    Returns:
        What to report about each.

    Raises:
        InvalidInputError: one of them is refused, and so all are, before anything is written.
        The errors of `datom_core.Project.cut`.
    """
    drafts: dict[str, Draft] = {}
    kept: dict[str, dict[str, Any]] = {}
    for key, output in outputs.items():
        draft = output.draft(frames[key], project)
        if draft is None:
            kept[key] = {"datom/empty": "keep"}
        elif output.superseded(draft, project):
            kept[key] = superseded_metadata(draft)
        if draft is None or key in kept:
            draft = output.standing_draft(project)
        drafts[key] = draft
    before = {key: output.standing(project) for key, output in outputs.items()}
    first = next(iter(outputs.values()))
    settings: dict[str, Any] = {
        "message": first.message,
        "trailers": {k: v for k, v in first.trailers.items() if k != "Dagster-Asset"},
        "provenance": _provenance([o.provenance for o in outputs.values()]),
        "table_type": first.settings[TABLE_TYPE],
        "parents": {o.table: drafts[key].parents for key, o in outputs.items() if drafts[key].parents is not None},
        "custom": {o.table: drafts[key].custom for key, o in outputs.items() if drafts[key].custom is not None},
    }
    tables = {output.table: drafts[key].frame for key, output in outputs.items()}
    results: Mapping[str, dc.WriteResult] = (
        project.write_all(tables, **settings) if first.cut is None else project.cut(first.cut, tables, **settings)
    )
    said = {key: o.report(drafts[key], results[o.table], before[key], project) for key, o in outputs.items()}
    return {key: EventReport(t.data_sha, {**t.shown, **kept.get(key, {})}) for key, t in said.items()}


def _provenance(outputs: Sequence[dc.Provenance]) -> dc.Provenance:
    """That of a whole step: what its outputs have in common."""
    first = outputs[0]
    runs = [other.run for other in outputs if other.run is not None]
    run = first.run
    if run is not None:
        same = all(other.code_version == run.code_version for other in runs)
        run = replace(run, asset=None, code_version=run.code_version if same else None)
    source = first.source if all(other.source == first.source for other in outputs) else None
    reason = first.reason if all(other.reason == first.reason for other in outputs) else None
    return replace(first, run=run, source=source, reason=reason)
