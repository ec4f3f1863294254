"""Extract files that arrived or changed: a run of just the tables that they are for."""

# Dagster reads annotations at run time, to know which resources a sensor takes: no `annotations` import.
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import COMMIT_MESSAGE, table_of, tagged
from datom_dagster.io import Partitions, check_choices
from datom_dagster.resources import DatomResource, ExtractDrop, check_kind, listed, table_of_file, taking
from datom_dagster.sensors.cursors import remembered

_DROPS_AT_ONCE = 25  # runs requested in one tick; the rest follow at the next ticks
_NAMED = 10  # files named in a message


@dataclass
class _File:
    """What is remembered about a file.

    Attributes:
        tag: the state in which it was last listed.
        sha: of the content that a run was requested for, or that the project had; ``""`` if there is none yet.
        settled: whether this state was looked into.
    """

    tag: str
    sha: str = ""
    settled: bool = False


@dataclass
class _Folder:
    """What is remembered about a drop: its files, and how many runs were requested."""

    files: dict[str, _File] = field(default_factory=dict)
    runs: int = 0


@dc.fitting
def extract_sensor(
    assets: Iterable[dg.AssetsDefinition],
    drop: ExtractDrop,
    *,
    name: str = "extracts",
    resource: str = "datom",
    downstream: bool = False,
    tags: Mapping[str, str] | None = None,
    minimum_interval_seconds: int = 60,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.STOPPED,
) -> dg.SensorDefinition:
    """A sensor that requests a run when an extract file is new, or its content has changed; one run per drop.

    A run has only the tables concerned, with their checks; what depends on them can follow by `datom_eager`, or in the
    same run. A run is requested once for each content of a file, so an unreadable file is not tried again until it
    changes.
    A file that already became a version in the project is ignored, whoever wrote it. Without ``manifest`` or ``quiet``,
    a drop is complete when none of its files changed between two ticks.

    Args:
        assets: those that read the drop, from `datom_assets`; with partitions if each cut has its own folder. A
            folder whose name is not yet a partition is added to a `dagster.DynamicPartitionsDefinition`.
        drop: where the files arrive.
        name: the sensor's name.
        resource: key of the `DatomResource`.
        downstream: include in the run the assets that depend on these and have the same partitions.
        tags: the tags of the runs; by default ``datom/commit_message`` names the files.
        minimum_interval_seconds, default_status: as for any sensor.

    Raises:
        InvalidInputError: no assets; partitions where there can be none, or none where there must be; two assets for
            one table; a tag for which a run would be refused.
    """
    check_kind("drop", drop, ExtractDrop, "ExtractDrop(place=LocalStorage(path=...))")
    wanted = _Wanted.of(assets, drop)
    own_tags = tagged(tags or {})
    check_choices(own_tags)
    selected = dg.AssetSelection.assets(*wanted.keys)

    def extracts(context: dg.SensorEvaluationContext, **resources: DatomResource) -> dg.SensorResult | dg.SkipReason:
        return _tick(context, _Poll(context, resources[resource], drop, wanted, own_tags), downstream=downstream)

    return dg.sensor(
        name=name,
        target=selected.downstream() if downstream else selected,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        description="Asks for a run of the tables whose extract files are new or changed.",
    )(taking(extracts, resource))


def _tick(context: dg.SensorEvaluationContext, poll: "_Poll", *, downstream: bool) -> dg.SensorResult | dg.SkipReason:
    try:
        result = poll.result()
    except (dc.ConflictError, dc.StorageError, dc.NotFoundError) as error:
        # The daemon carries on, and the cursor stays where it is.
        return dg.SkipReason(f"The extracts could not be looked at; the next tick tries again. {error}")
    if downstream and result.run_requests:
        return result._replace(run_requests=[_with_downstream(context, r) for r in result.run_requests])
    return result


@dataclass(frozen=True)
class _Wanted:
    """The assets that read a drop.

    Attributes:
        selections: table, in lower case -> what a run of it selects; if its step makes several assets, all of them.
        tables: table, in lower case -> its name.
        partitions: the partitions that all of them have.
    """

    selections: Mapping[str, Sequence[dg.AssetKey]]
    tables: Mapping[str, str]
    partitions: dg.PartitionsDefinition[Any] | None

    @classmethod
    def of(cls, assets: Iterable[dg.AssetsDefinition], drop: ExtractDrop) -> "_Wanted":
        selections: dict[str, Sequence[dg.AssetKey]] = {}
        tables: dict[str, str] = {}
        definitions = []
        for made in listed(assets, "extract_sensor"):
            for spec in made.specs:
                table = table_of(spec.metadata, spec.key)
                if table.lower() in tables:
                    raise dc.InvalidInputError(f"Two assets are for the table {table}: one file cannot tell which.")
                selections[table.lower()] = [spec.key] if made.can_subset else list(made.keys)
                tables[table.lower()] = table
                definitions.append(spec.partitions_def)
        if not definitions or any(d != definitions[0] for d in definitions):
            raise dc.InvalidInputError(
                "Give the assets that read the drop (one or more), all with the same partitions."
            )
        if (definitions[0] is not None) != drop.by_cut:
            raise dc.InvalidInputError(
                "Assets with partitions read folders that are named as these (by_cut=True), others a single folder."
            )
        return cls(selections, tables, definitions[0])

    @property
    def keys(self) -> list[dg.AssetKey]:
        return list(dict.fromkeys(key for keys in self.selections.values() for key in keys))


class _Poll:
    """One tick of the sensor."""

    def __init__(
        self,
        context: dg.SensorEvaluationContext,
        study: DatomResource,
        drop: ExtractDrop,
        wanted: _Wanted,
        tags: Mapping[str, str],
    ) -> None:
        self.context, self.drop, self.wanted, self.tags = context, drop, wanted, tags
        self.known = _Known(study, wanted.tables)
        self.told: list[str] = []
        self.added: list[str] = []

    def result(self) -> dg.SensorResult:
        """What to tell Dagster, and what to remember."""
        cuts, remembered = list(self._cuts()), _read(self.context.cursor)
        folders = {"" if cut is None else cut: remembered.get(cut or "", _Folder()) for cut in cuts}
        requests: list[dg.RunRequest] = []
        for cut in cuts:
            if len(requests) == _DROPS_AT_ONCE:
                self.told.append("more drops follow at the next tick")
                break
            try:
                asked = self._folder(cut, folders[cut or ""])
            except (dc.NotFoundError, dc.AccessDeniedError, dc.InvalidInputError) as error:
                if cut is None:
                    raise
                self.told.append(f"{cut}: {error}")  # one folder does not hold up the others
                continue
            requests += [asked] if asked is not None else []
        cursor, text = _text(folders), "; ".join(self.told)
        if not requests:
            return dg.SensorResult(skip_reason=text or "No extract file is new or changed.", cursor=cursor)
        if text:
            self.context.log.info(text)
        new = [key for key in self.added if any(r.partition_key == key for r in requests)]
        dynamic = self.wanted.partitions
        adds = [dynamic.build_add_request(new)] if new and isinstance(dynamic, dg.DynamicPartitionsDefinition) else []
        return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=adds, cursor=cursor)

    def _cuts(self) -> Iterator[str | None]:
        """The cuts whose folders to look at; ``None`` stands for the only folder."""
        definition = self.wanted.partitions
        if definition is None:
            yield None
            return
        partitions = Partitions(definition, self.context.instance)
        folders, refused = self.drop.folders()
        self.told += _named_with_reason("", refused)
        for folder in folders:
            found = partitions.find(folder)
            if found is None:
                said = "cannot be the name of a partition" if partitions.growing else "is no partition"
                self.told.append(f"{folder} {said}")
                continue
            self.added += [folder] if found.new else []
            yield found.key

    def _folder(self, cut: str | None, before: _Folder) -> dg.RunRequest | None:
        """The run to request for a drop, if any; brings ``before`` up to date."""
        reader = self.drop.reader(cut)
        found = reader.inspect()
        where = f"{cut}: " if cut is not None else ""
        if found.waiting:
            self.told.append(f"{where}not complete: {'; '.join(found.waiting)}")
            return None
        self.told += _named_with_reason(where, found.refused) + _named_with_reason(
            where, reader.unreadable(found.files)
        )
        files = {f.name: f for f in found.files if reader.supports(f)}
        strays = [n for n, f in files.items() if table_of_file(f) not in self.wanted.tables]
        if strays:
            self.told.append(f"{where}no asset for {', '.join(strays[:_NAMED])}")
        files = {n: f for n, f in files.items() if n not in strays}
        moving = self._remember(files, before)
        if moving:
            self.told.append(f"{where}still changing: {', '.join(moving[:_NAMED])}")
            return None
        changed = self._changed(cut, reader, files, before)
        return self._request(cut, reader.source.location, changed, before) if changed else None

    def _remember(self, files: Mapping[str, dc.ExtractFile], before: _Folder) -> list[str]:
        """Remember new states of files; return the files that may still be being written."""
        moving = []
        for name, file in files.items():
            tag = hashlib.sha256(file.tag.encode()).hexdigest()[:16]
            old = before.files.get(name)
            if old is None or old.tag != tag:
                before.files[name] = _File(tag, old.sha if old is not None else "")
                moving.append(name)
        for name in set(before.files) - set(files):
            del before.files[name]
        # A manifest, or a quiet period, is a better sign.
        return moving if self.drop.manifest is None and self.drop.quiet is None else []

    def _changed(
        self, cut: str | None, reader: dc.DropReader, files: Mapping[str, dc.ExtractFile], before: _Folder
    ) -> dict[dc.ExtractFile, str]:
        """The files whose content is new, with its SHA-256."""
        changed = {}
        for name, file in files.items():
            state = before.files[name]
            if state.settled:
                continue
            try:
                sha = reader.sha(file)
            except (dc.ConflictError, dc.NotFoundError, dc.AccessDeniedError) as error:
                self.told.append(f"{name}: {error}")  # tried again at the next tick; does not hold up the others
                continue
            state.settled = True
            if sha[:16] != state.sha and not self.known.has(table_of_file(file), cut, sha):
                changed[file] = sha
            state.sha = sha[:16]
        return changed

    def _request(
        self, cut: str | None, location: str, changed: Mapping[dc.ExtractFile, str], folder: _Folder
    ) -> dg.RunRequest:
        folder.runs += 1
        names = sorted(f.name for f in changed)
        said = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        digest = hashlib.sha256(json.dumps(sorted((f.name, sha) for f, sha in changed.items())).encode()).hexdigest()[
            :16
        ]
        keys = [key for file in changed for key in self.wanted.selections[table_of_file(file)]]
        return dg.RunRequest(
            # The number distinguishes content that came back from a tick that Dagster evaluates twice.
            run_key=f"{cut or ''}:{folder.runs}:{digest}",
            asset_selection=list(dict.fromkeys(keys)),
            partition_key=cut,
            tags=tagged({COMMIT_MESSAGE: f"Load {said} from {location}", **self.tags}),
        )


def _named_with_reason(where: str, names: Mapping[str, str]) -> list[str]:
    """What is not read, and why, cut to the length of a message."""
    told = [f"{where}{name} is not read: {why}" for name, why in sorted(names.items())[:_NAMED]]
    return told + ([f"{where}and {len(names) - _NAMED} more are not read"] if len(names) > _NAMED else [])


def _with_downstream(context: dg.SensorEvaluationContext, request: dg.RunRequest) -> dg.RunRequest:
    """The same run, plus whatever depends on its assets and has the same partitions."""
    assert context.repository_def is not None
    graph, keys = context.repository_def.asset_graph, list(request.asset_selection or ())
    partitions = graph.get(keys[0]).partitions_def
    found = dg.AssetSelection.assets(*keys).downstream().resolve(graph)
    more = [graph.get(key) for key in sorted(found - set(keys))]
    follow = [asset.key for asset in more if asset.is_executable and asset.partitions_def == partitions]
    return request._replace(asset_selection=[*keys, *follow])


class _Known:
    """What the project already has."""

    def __init__(self, study: DatomResource, tables: Mapping[str, str]) -> None:
        self._study, self._tables = study, tables
        self._reader: dc.ProjectReader | None = None
        self._histories: dict[str, list[dc.Version]] = {}
        self._cuts: dc.Cuts | None = None

    def has(self, table: str, cut: str | None, sha: str) -> bool:
        """Whether any version came from a file with these bytes; for a cut, whether the version it stands for did."""
        versions = self._history(table)
        if cut is None:
            return any(v.original_file_sha == sha for v in versions)
        if self._cuts is None and versions:
            assert self._reader is not None
            self._cuts = self._reader.cuts()
        stands = self._cuts[cut].get(self._tables[table]) if self._cuts and cut in self._cuts else None
        return any(v.original_file_sha == sha for v in versions if v.version == stands)

    def _history(self, table: str) -> list[dc.Version]:
        if table not in self._histories:
            try:
                self._reader = self._reader or self._study.open_reader()
                self._histories[table] = list(self._reader.history(self._tables[table]))
            except dc.NotFoundError:  # no project yet, or no such table
                self._histories[table] = []
        return self._histories[table]


def _text(folders: Mapping[str, _Folder]) -> str:
    states = {k: {n: [s.tag, s.sha, s.settled] for n, s in f.files.items()} for k, f in folders.items()}
    return json.dumps({k: [folders[k].runs, files] for k, files in states.items()})


def _read(cursor: str | None) -> dict[str, _Folder]:
    """What the cursor remembers; nothing if there is none yet, or one of another kind."""
    try:
        raw = remembered(cursor)
        return {k: _Folder({n: _File(*state) for n, state in files.items()}, runs) for k, (runs, files) in raw.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
