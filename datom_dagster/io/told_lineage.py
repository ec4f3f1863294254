"""What became of an output, told to a lineage service."""

from __future__ import annotations

import dagster as dg

import datom_core as dc
from datom_dagster.io.event_report import Stored
from datom_dagster.lineage import OutputFacts, StepLineage


def tell_stored(lineage: StepLineage | None, context: dg.OutputContext, project: dc.Project, stored: Stored) -> None:
    """Tell what an output became; nothing where no lineage is told.

    Raises:
        DatomError: it cannot be told, and lineage is required. The version is there: a retry finds it unchanged.
    """
    if lineage is None:
        return
    spec = context.asset_spec if context.has_asset_key else None
    shown = [(said.data_sha, said.shown) for said in stored.reports]
    try:
        facts = OutputFacts.of(project, stored.table, shown, spec)
    except dc.DatomError as error:
        if lineage.required:
            raise
        context.log.warning(f"{stored.table}: what is to be told to OpenLineage cannot be read: {error}")
        return
    lineage.stored(context.name, facts, context.log)
