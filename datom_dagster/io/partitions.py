"""A partition is a cut of the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import NO_CUT, is_set, run_tags, step_of

# Dagster refuses these in a partition's name, and with it everything else that the sensor reports.
_NO_PARTITION = ("...", *map(chr, range(32)))


@dataclass(frozen=True)
class Partition:
    """A cut as a partition of an asset.

    Attributes:
        key: as Dagster takes it; with several dimensions, a `dagster.MultiPartitionKey`.
        new: whether it has yet to be added to the `dagster.DynamicPartitionsDefinition`.
        tags: its dimensions, which its events must carry for Dagster to know which partition they are about.
    """

    key: str
    new: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


class Partitions:
    """The partitions of an asset at one moment, and which cuts are among them.

    One rule for everything that records a cut: a Dagster run, files that arrive, writers outside Dagster.

    Args:
        definition: the asset's.
        instance: knows the dynamic partitions.
    """

    def __init__(self, definition: dg.PartitionsDefinition[Any], instance: dg.DagsterInstance | None) -> None:
        self.definition = definition
        self._dimensions: dict[str, Partitions] = {}
        self._keys: frozenset[str] = frozenset()
        if isinstance(definition, dg.MultiPartitionsDefinition):
            named = {d.name: d.partitions_def for d in definition.partitions_defs}
            # The parts of a key are ordered by the names of their dimensions.
            self._dimensions = {name: Partitions(named[name], instance) for name in sorted(named)}
        else:
            # List the keys rather than let the definition parse the name: Dagster takes "2026-1" for January 2026.
            self._keys = frozenset(definition.get_partition_keys(dynamic_partitions_store=instance))

    @property
    def growing(self) -> bool:
        """Whether using a name that is not yet a partition makes it one."""
        return isinstance(self.definition, dg.DynamicPartitionsDefinition) and self.definition.name is not None

    def find(self, cut: str) -> Partition | None:
        """The partition of that name; ``None`` if there is none and it cannot be added yet."""
        if self._dimensions:
            return self._of_dimensions(cut.split("|"))
        if cut in self._keys:
            return Partition(cut)
        return Partition(cut, new=True) if self.growing and nameable(cut) else None

    def _of_dimensions(self, parts: Sequence[str]) -> Partition | None:
        if len(parts) != len(self._dimensions):
            return None
        named = dict(zip(self._dimensions, parts, strict=True))
        found = [of.find(named[name]) for name, of in self._dimensions.items()]
        if any(part is None or part.new for part in found):
            return None
        return Partition(dg.MultiPartitionKey(named), tags={f"dagster/partition/{n}": k for n, k in named.items()})


def nameable(name: str) -> bool:
    """Whether a dynamic partition can have this name; a hidden folder cannot be one."""
    return bool(name) and not name.startswith(".") and not any(text in name for text in _NO_PARTITION)


def cut_of(context: dg.OutputContext) -> str | None:
    """The partition that this output belongs to, or ``None`` for an asset without partitions.

    Raises:
        InvalidInputError: the run covers several partitions, or none without saying that this is intended.
    """
    if not context.has_asset_key:
        return None
    if not context.has_asset_partitions:
        _check_no_cut(context)
        return None
    keys = list(context.asset_partition_keys)
    if len(keys) != 1:
        raise dc.InvalidInputError(
            f"{context.asset_key.to_user_string()}: one run over {len(keys)} partitions cannot be told apart "
            "into cuts. Run one partition at a time (BackfillPolicy.multi_run()), or return a mapping from partition "
            "to frame, annotated as dict[str, pandas.DataFrame]."
        )
    return str(keys[0])


def _check_no_cut(context: dg.OutputContext) -> None:
    """Refuse to write a partitioned asset in a run without a partition, unless a flag says that this is intended."""
    try:
        partitioned = context.asset_partitions_def is not None
    except dg.DagsterInvariantViolationError:
        return
    if partitioned and not is_set(run_tags(context).get(NO_CUT, context.definition_metadata.get(NO_CUT))):
        raise dc.InvalidInputError(
            f"{context.asset_key.to_user_string()} has partitions, and the run has none: the version would belong to "
            "no cut, and be the current one. Run it for a partition (partition_key=..., or choose one where the run is "
            f"launched). If a version outside of every cut is meant, give the run the tag {NO_CUT}: true, or the asset "
            f'the metadata {{"{NO_CUT}": True}}.'
        )


def ordered(context: dg.InputContext | dg.OutputContext, keys: Sequence[str]) -> list[str]:
    """Partitions in the order of their definition, which Dagster does not keep; unknown ones last, by name."""
    known = {key: place for place, key in enumerate(_all_partitions(context))}
    return sorted(keys, key=lambda key: (known.get(key, len(known)), key))


def cuts_before(context: dg.OutputContext, cut: str) -> Iterator[str]:
    """The partitions that come before ``cut``, the nearest first; none if partitions have no order."""
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
        return []  # a context built by a test, without partitions
    step = step_of(context)
    return partition_keys(definition, step.instance if step is not None else None)


def partition_keys(definition: Any, instance: dg.DagsterInstance | None) -> list[str]:
    """All partitions in their order; none if there are several dimensions, which have no order."""
    if isinstance(definition, dg.MultiPartitionsDefinition):
        return []
    return list(definition.get_partition_keys(dynamic_partitions_store=instance))


def standing_before(context: dg.OutputContext, cuts: dc.Cuts, cut: str, table: str) -> tuple[str, str] | None:
    """The version that a partition starts from, as (cut, version).

    It is the version that the cut already stands for, else that of the nearest cut before it.
    """
    for name in (cut, *cuts_before(context, cut)):
        if name in cuts and table in cuts[name]:
            return name, cuts[name][table]
    return None
