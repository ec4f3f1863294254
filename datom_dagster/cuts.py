"""A partition is a cut of the same name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.step import step_of


def cut_of(context: dg.OutputContext) -> str | None:
    """The partition that this output belongs to, or ``None`` for an asset without partitions.

    Raises:
        InvalidInputError: one run over several partitions.
    """
    if not context.has_asset_key or not context.has_asset_partitions:
        return None
    keys = list(context.asset_partition_keys)
    if len(keys) != 1:
        raise dc.InvalidInputError(
            f"{context.asset_key.to_user_string()}: one run over {len(keys)} partitions cannot be told apart "
            "into cuts. Run one partition at a time (BackfillPolicy.multi_run()), or return a mapping from partition "
            "to frame, annotated as dict[str, pandas.DataFrame]."
        )
    return str(keys[0])


def ordered(context: dg.InputContext | dg.OutputContext, keys: Sequence[str]) -> list[str]:
    """Partitions in the order of their definition, which Dagster does not keep; else by name."""
    known = {key: place for place, key in enumerate(_all_partitions(context))}
    return sorted(keys, key=lambda key: (known.get(key, len(known)), key))


def cuts_before(context: dg.OutputContext, cut: str) -> Iterator[str]:
    """The partitions that come before ``cut``, the nearest first; none where partitions have no order."""
    keys = _all_partitions(context)
    yield from before_in(keys, cut)


def before_in(keys: Sequence[str], cut: str) -> Iterator[str]:
    """The keys before ``cut``, the nearest first."""
    if cut in keys:
        yield from reversed(keys[: keys.index(cut)])


def _all_partitions(context: dg.InputContext | dg.OutputContext) -> list[str]:
    try:
        definition = context.asset_partitions_def
    except dg.DagsterInvariantViolationError:
        return []  # a context that a test built, without one
    step = step_of(context)
    return partition_keys(definition, step.instance if step is not None else None)


def partition_keys(definition: Any, instance: dg.DagsterInstance | None) -> list[str]:
    """All partitions in their order; none of several dimensions, which have no order."""
    if isinstance(definition, dg.MultiPartitionsDefinition):
        return []
    return list(definition.get_partition_keys(dynamic_partitions_store=instance))


def standing_before(context: dg.OutputContext, cuts: dc.Cuts, cut: str, table: str) -> tuple[str, str] | None:
    """The version that a partition starts from, as (cut, version).

    It is what the cut stands for already, else what the nearest cut before it stands for.
    """
    for name in (cut, *cuts_before(context, cut)):
        if name in cuts and table in cuts[name]:
            return name, cuts[name][table]
    return None
