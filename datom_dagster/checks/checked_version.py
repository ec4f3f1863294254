"""Which version of a table a check looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import CUT, VERSION, plain
from datom_dagster.io import before_in, partition_keys
from datom_dagster.rules import Looked

_LOOKED_BACK = 20  # observations that are searched for one that names a version


@dataclass(frozen=True)
class CheckedVersion:
    """The version that is checked.

    Attributes:
        version: its entry in the history.
        cut: the cut that it is checked for.
        current: the version that is current now, or that the cut stands for now.
        before: the version that stood before it; ``before_cut`` says what to call that if it is a cut's.
    """

    version: dc.Version
    cut: str | None
    current: str
    before: str | None
    before_cut: str | None

    @property
    def is_current(self) -> bool:
        return self.version.version == self.current

    def __str__(self) -> str:
        of = f" of the cut {self.cut}" if self.cut is not None else ""
        now = "which is current" if self.is_current else f"which is not current: {self.current[:8]} is"
        return f"version {self.version.version[:8]}{of}, {now}"

    def looked(self, cuts: dc.Cuts, table: str) -> Looked:
        """The version, as it is compared with states that rules name."""
        own = cuts[self.cut].recordings.get(table, ()) if self.cut is not None and self.cut in cuts else ()
        recorded = next((r.recorded_at for r in own if r.version == self.version.version), None)
        at = recorded if recorded is not None else self.version.latest.recorded_at
        return Looked(self.version.data_sha, self.cut, self.version.version, at)

    def shown(self) -> dict[str, Any]:
        """The version as metadata of a check result."""
        cut = {} if self.cut is None else {CUT: self.cut}
        return {"datom/checked": str(self), VERSION: self.version.version, "datom/current": self.is_current, **cut}


def find_checked(
    context: dg.AssetCheckExecutionContext,
    reader: dc.ProjectReader,
    spec: dg.AssetSpec,
    table: str,
    *,
    external: bool,
) -> CheckedVersion:
    """The version that the newest event (of the run's partition, if it has one) recorded; else the current one.

    Raises:
        NotFoundError: the table, the cut, or the recorded version does not exist.
    """
    partitioned = spec.partitions_def is not None
    cut = context.partition_key if partitioned and context.has_partition_key else None
    event = newest_event(context.instance, spec.key, cut, external=external)
    recorded = plain(event.metadata[VERSION]) if event is not None and VERSION in event.metadata else None
    if cut is None and partitioned and event is not None:
        cut = event.partition
    current = reader.resolve(table, cut=cut) if cut is not None else reader.resolve(table)
    version = current if recorded is None else reader.resolve(table, str(recorded))
    if cut is None:
        before, before_cut = _replaced(reader, table, version), None
    else:
        keys = partition_keys(spec.partitions_def, context.instance)
        before, before_cut = _before_cut(reader.cuts(), keys, cut, table, version)
    return CheckedVersion(version, cut, current.version, before, before_cut)


def newest_event(
    instance: dg.DagsterInstance, key: dg.AssetKey, partition: str | None, *, external: bool
) -> dg.AssetMaterialization | dg.AssetObservation | None:
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=None if partition is None else [partition])
    made = instance.fetch_materializations(wanted, limit=1).records
    found = [(r.storage_id, r.asset_materialization) for r in made]
    if external:
        # Cuts that others record are observed; observations about other things name no version.
        seen = instance.fetch_observations(wanted, limit=_LOOKED_BACK).records
        found += [(r.storage_id, o) for r in seen if (o := r.asset_observation) is not None and VERSION in o.metadata]  # type: ignore[misc]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _replaced(reader: dc.ProjectReader, table: str, version: dc.Version) -> str | None:
    """The version that was current before this one last became current."""
    turns = [(at or "", v.version) for v in reversed(reader.history(table)) for at in (v.timestamp, *v.reinstated_at)]
    order = [v for _, v in sorted(turns, key=lambda turn: turn[0])]
    last = len(order) - 1 - order[::-1].index(version.version)
    return order[last - 1] if last else None


def _before_cut(
    cuts: dc.Cuts, keys: list[str], cut: str, table: str, version: dc.Version
) -> tuple[str | None, str | None]:
    """What the cut stood for before this version; else what the nearest cut before it stands for."""
    ids = [r.version for r in cuts[cut].recordings[table]]
    older = [v for v in ids[ids.index(version.version) + 1 :] if v != version.version] if version.version in ids else []
    if older:
        return older[0], f"the cut {cut} as it was recorded before"
    near = next((c for c in before_in(keys, cut) if c in cuts and table in cuts[c]), None)
    return (None, None) if near is None else (cuts[near][table], f"the cut {near}")
