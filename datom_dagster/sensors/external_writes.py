"""Writes that this Dagster did not make: from R, from a script, from another Dagster."""

# Dagster reads annotations at run time, to know which resources a sensor takes: no `annotations` import.
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import (
    CUT,
    DATA_VERSION_TAG,
    OUTSIDE,
    VERSION,
    change_metadata,
    commit_metadata,
    plain,
    planned_assets,
    recorded_metadata,
    table_of,
    tagged,
)
from datom_dagster.io import Partition, Partitions
from datom_dagster.resources import DatomResource, listed, optional, remote_of, taking
from datom_dagster.sensors.cursors import remembered

_CODE_VERSION_TAG = "dagster/code_version"
_REPORTED_AT_ONCE = 50  # versions per tick; the rest follow at the next ticks
_LOOKED_BACK = 100  # materializations that are searched for a version of Dagster's own


@dataclass(frozen=True)
class _Table:
    """An asset over a table."""

    spec: dg.AssetSpec
    table: str
    external: bool


@dataclass(frozen=True)
class _Seen:
    """What the sensor has already reported; its cursor.

    Attributes:
        head: the newest commit.
        versions: table -> version that was current.
        cuts: table -> cut -> version, for cuts that are partitions.
        aside: table -> cuts that were not partitions. A month becomes one when it ends, without any commit.
    """

    head: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    cuts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aside: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> "_Seen | None":
        """What the cursor holds; ``None`` if there is no cursor yet, or one of another kind."""
        try:
            raw = remembered(cursor)
            aside = {table: list(names) for table, names in raw.get("aside", {}).items()}
            return cls(raw["head"], dict(raw["versions"]), {t: dict(c) for t, c in raw["cuts"].items()}, aside)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


@dc.fitting
def outside_write_sensor(
    assets: Iterable[Any],
    *,
    name: str = "outside_writes",
    resource: str = "datom",
    target: Any = None,
    minimum_interval_seconds: int = 60,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.STOPPED,
) -> dg.SensorDefinition:
    """A sensor that reports what others wrote to a project's tables, each version once, with its true data version.

    With a remote, a tick costs one ``git ls-remote`` as long as nothing has happened, and storage that fell behind git
    is brought level; without one, the sensor looks at the project's list of tables. A version is reported once its data
    can be read, because R commits before it uploads.

    Args:
        assets: assets over tables of the project, including external ones (`AssetSpec`). Those without partitions
            follow the current version; those with partitions follow the cuts of the same names. A cut that is not yet
            a partition is added to a `dagster.DynamicPartitionsDefinition`; other definitions ignore it.
        name: the sensor's name.
        resource: key of the `DatomResource`.
        target: a job, or a selection of assets, to run once after each tick that found something; if it has
            partitions, once for each partition that something was found for.
        minimum_interval_seconds, default_status: as for any sensor.
    """
    watched = _watched(assets)
    options: dict[str, Any] = {} if target is None else {"target": target}

    def outside_writes(
        context: dg.SensorEvaluationContext, **resources: DatomResource
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            return _Poll(context, resources[resource], watched).result(ask=target is not None)
        except (dc.ConflictError, dc.StorageError) as error:
            # The daemon carries on, and the cursor stays where it is.
            return dg.SkipReason(f"The project could not be looked at; the next tick tries again. {error}")

    return dg.sensor(
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        description="Reports versions that others wrote: from R, from a script, from another Dagster.",
        **options,
    )(taking(outside_writes, resource))


def _watched(assets: Iterable[Any]) -> list[_Table]:
    found = []
    for asset in listed(assets, "outside_write_sensor"):
        if isinstance(asset, dg.AssetSpec):
            found.append(_Table(asset, table_of(asset.metadata, asset.key), external=True))
        else:
            found += [_Table(s, table_of(s.metadata, s.key), not asset.is_executable) for s in asset.specs]
    return found


class _Poll:
    """One tick of the sensor."""

    def __init__(self, context: dg.SensorEvaluationContext, study: DatomResource, watched: list[_Table]) -> None:
        self.context = context
        self.study = study
        self.watched = watched
        self.seen = _Seen.read(context.cursor)
        self.busy = _busy(context.instance)
        self.partitions = {
            t.table: Partitions(t.spec.partitions_def, context.instance)
            for t in watched
            if t.spec.partitions_def is not None
        }
        self.added: dict[str, list[str]] = {}  # name of a partitions definition -> partitions to add to it
        self.strays: list[str] = []

    def result(self, *, ask: bool) -> dg.SensorResult | dg.SkipReason:
        """What to tell Dagster, and what to remember."""
        head = self._head()
        if head is not None and self.seen is not None and head == self.seen.head and not self._due():
            return dg.SkipReason(f"No commit since {head[:8]}.")
        waiting = self._level() if head is not None else ()
        reader = self.study.open_reader()
        before = self.seen or _Seen()
        versions, cuts = dict(before.versions), {t: dict(c) for t, c in before.cuts.items()}
        aside = dict(before.aside)
        events: list[dg.AssetMaterialization | dg.AssetObservation] = []
        current = {e.name: e.version for e in reader.list() if e.kind == "table" and e.version is not None}
        recorded = reader.cuts() if any(t.spec.partitions_def is not None for t in self.watched) else dc.Cuts()
        complete = not waiting
        for watched in self.watched:
            if watched.table not in current:
                continue
            if watched.spec.key.to_user_string() in self.busy or len(events) >= _REPORTED_AT_ONCE:
                complete = False  # a run of ours may be the writer; its own event follows shortly
                continue
            if watched.spec.partitions_def is None:
                events += self._versions(watched, reader, versions.get(watched.table))
                versions[watched.table] = current[watched.table]
            else:
                stands, aside[watched.table] = self._stands(watched, recorded, before)
                events += self._cuts(watched, reader, stands, cuts.get(watched.table, {}))
                cuts[watched.table] = {part.key: version for part, version in stands}
        told = _Seen(head if complete else before.head, versions, cuts, aside)
        return self._told(events, told, waiting, ask)

    def _told(
        self, events: list[Any], told: _Seen, waiting: tuple[str, ...], ask: bool
    ) -> dg.SensorResult | dg.SkipReason:
        keys = sorted({e.asset_key.to_user_string() for e in events})
        wait = f" Not uploaded yet: {', '.join(waiting)}." if waiting else ""
        wait += f" No partition: {', '.join(self.strays)}." if self.strays else ""
        if not events:
            return dg.SensorResult(skip_reason=f"Nothing new from outside.{wait}", cursor=told.text())
        key = hashlib.sha256(told.text().encode()).hexdigest()
        requests = self._requests(key, tagged({OUTSIDE: ", ".join(keys)}), events) if ask else None
        self.context.log.info(f"Written from outside: {', '.join(keys)}.{wait}")
        adds = [dg.DynamicPartitionsDefinition(name=name).build_add_request(new) for name, new in self.added.items()]
        return dg.SensorResult(
            run_requests=requests, asset_events=events, dynamic_partitions_requests=adds, cursor=told.text()
        )

    def _requests(self, key: str, tags: Mapping[str, str], events: list[Any]) -> list[dg.RunRequest]:
        """One run; if the target has partitions, one for each that was reported."""
        repository, name = self.context.repository_def, self.context.sensor_name
        job = repository.get_sensor_def(name).job_name if repository is not None else None
        target = repository.get_job(job) if repository is not None and job is not None else None
        if target is None or target.partitions_def is None:
            return [dg.RunRequest(run_key=key, tags=tags)]
        partitions = Partitions(target.partitions_def, self.context.instance)
        reported = {str(e.partition): partitions.find(e.partition) for e in events if e.partition is not None}
        return [
            dg.RunRequest(run_key=f"{key}:{cut}", partition_key=found.key, tags=tags)
            for cut, found in reported.items()
            if found is not None
        ]

    def _due(self) -> bool:
        """Whether a cut that was set aside has become a partition."""
        aside = self.seen.aside if self.seen is not None else {}
        found = (part.find(cut) for table, part in self.partitions.items() for cut in aside.get(table, ()))
        return any(partition is not None for partition in found)

    def _stands(
        self, watched: _Table, recorded: dc.Cuts, before: _Seen
    ) -> tuple[list[tuple[Partition, str]], list[str]]:
        """The asset's partitions with the versions that they stand for, and the names of cuts that are none."""
        stands, aside = [], []
        for name, cut in recorded.items():
            if watched.table not in cut:
                continue
            partition = self.partitions[watched.table].find(name)
            if partition is None:
                aside.append(name)
            else:
                stands.append((partition, cut[watched.table]))
        strays = [name for name in aside if name not in before.aside.get(watched.table, ())]
        self.strays += [f"{name} of {watched.spec.key.to_user_string()}" for name in strays]
        return stands, sorted(aside)

    def _head(self) -> str | None:
        remote = remote_of(self.study)
        return None if remote is None else dc.remote_head(remote, optional(self.study.branch))

    def _level(self) -> tuple[str, ...]:
        """Bring storage level with git if a writer was interrupted; return the tables whose data is still to come."""
        project = self.study.open_project()
        status = project.status()
        if not status.level:
            return project.mirror().waiting
        return status.waiting

    def _versions(
        self, watched: _Table, reader: dc.ProjectReader, since: str | None
    ) -> Iterator[dg.AssetMaterialization]:
        """Events for the versions that became current since then, oldest first, leaving out Dagster's own."""
        history = reader.history(watched.table)
        current = reader.resolve(watched.table)
        ours = self._ours(watched.spec.key)
        if since is None:
            fresh = [current]  # the first tick: only the current version
        else:
            ids = [v.version for v in history]
            fresh = list(reversed(history[: ids.index(since)])) if since in ids else []
            if current.version != since and current not in fresh[-1:]:
                fresh = [v for v in fresh if v != current] + [current]
        fresh = [v for v in fresh if v.version not in ours or (v == current and ours[0] != v.version)]
        for version in fresh[-_REPORTED_AT_ONCE:]:
            yield dg.AssetMaterialization(
                watched.spec.key, metadata=self._shown(watched, reader, version), tags=self._tags(watched, version)
            )

    def _cuts(
        self,
        watched: _Table,
        reader: dc.ProjectReader,
        stands: Iterable[tuple[Partition, str]],
        before: Mapping[str, str],
    ) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
        """Events for the partitions that stand for a different version than at the last tick."""
        moved = [(partition, version) for partition, version in stands if before.get(partition.key) != version]
        if not moved:
            return
        history = {v.version: v for v in reader.history(watched.table)}
        for partition, sha in moved:
            if sha not in history or self._ours(watched.spec.key, partition.key)[:1] == [sha]:
                continue
            version = history[sha]
            shown = {**self._shown(watched, reader, version), CUT: str(partition.key)}
            tags = {**self._tags(watched, version), **partition.tags}
            if partition.new:
                self._add(watched, partition.key)
            # For the staleness of partitioned external assets Dagster looks at observations, for others at
            # materializations.
            event = dg.AssetObservation if watched.external else dg.AssetMaterialization
            yield event(watched.spec.key, partition=partition.key, metadata=shown, tags=tags)

    def _add(self, watched: _Table, key: str) -> None:
        definition = watched.spec.partitions_def
        assert isinstance(definition, dg.DynamicPartitionsDefinition)
        added = self.added.setdefault(str(definition.name), [])
        if key not in added:
            added.append(key)

    def _shown(self, watched: _Table, reader: dc.ProjectReader, version: dc.Version) -> dict[str, Any]:
        metadata = reader.metadata(watched.table, version.version)
        shown = recorded_metadata(version, metadata)
        ids = [v.version for v in reader.history(watched.table)]
        older = ids[ids.index(version.version) + 1 :]
        if older:
            shown |= change_metadata(reader.compare(watched.table, older[0], version), None)
        return {**shown, **commit_metadata(version.commit_sha, optional(self.study.remote) or "")}

    def _tags(self, watched: _Table, version: dc.Version) -> dict[str, str]:
        code = watched.spec.code_version
        tags = {DATA_VERSION_TAG: version.data_sha}
        return tags if code is None or watched.external else {**tags, _CODE_VERSION_TAG: code}

    def _ours(self, key: dg.AssetKey, partition: str | None = None) -> list[str]:
        """Versions that Dagster's own events name, newest first."""
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=None if partition is None else [partition])
        records = self.context.instance.fetch_materializations(wanted, limit=_LOOKED_BACK).records
        events = [r.asset_materialization for r in records if r.asset_materialization is not None]
        return [str(plain(e.metadata[VERSION])) for e in events if VERSION in e.metadata]


def _busy(instance: dg.DagsterInstance) -> set[str]:
    """Assets that a run is materializing now."""
    under_way = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    runs = instance.get_runs(dg.RunsFilter(statuses=under_way))
    return {asset for run in runs for asset in planned_assets(instance, run.run_id)}
