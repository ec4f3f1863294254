"""What a step really loaded, kept until it writes."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import dagster as dg

import datom_core as dc
from datom_dagster.events.dagster_internals import step_of

# By step, not by IO manager: one step may load through several of them. Entries go away with their step.
_LOADED: WeakKeyDictionary[Any, dict[tuple[str, str, str], tuple[dc.Parent, dc.Location]]] = WeakKeyDictionary()


def remember(context: dg.InputContext, parent: dc.Parent, place: dc.Location) -> None:
    """Note that the step has loaded this version, which lies there."""
    step = step_of(context)
    if step is not None:
        _LOADED.setdefault(step, {})[parent.source, parent.table, parent.version] = parent, place


def loaded_from(
    context: dg.OutputContext | dg.InputContext | dg.OpExecutionContext,
) -> tuple[tuple[dc.Parent, dc.Location], ...]:
    """The versions that the step has loaded so far, and where each lies."""
    step = step_of(context)
    return () if step is None else tuple(_LOADED.get(step, {}).values())


def loaded(context: dg.OutputContext) -> tuple[dc.Parent, ...] | None:
    """The versions that the step has loaded; ``None`` if it loaded nothing from datom."""
    step = step_of(context)
    parents = tuple(parent for parent, _ in loaded_from(context))
    if not parents and step is not None and step.is_op_in_graph and context.has_asset_key and context.asset_spec.deps:
        context.log.warning(
            "What the ops before this one loaded is not known here, so that no parents are recorded. Load in the op "
            "that writes, or give the output the metadata 'datom/parents'."
        )
    return parents or None
