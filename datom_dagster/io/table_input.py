"""Which version a step loads, and as which type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.events import (
    ALLOW_MISSING,
    COLUMNS,
    VERSION_OF,
    check_keys,
    loading_assets,
    made_by_run,
    plain,
    recorded_input,
    remember,
    run_tags,
    table_of,
    version_of_output,
)
from datom_dagster.io.frame_types import convert, wanted_by
from datom_dagster.io.partitions import ordered
from datom_dagster.io.pinned import Places, pinned
from datom_dagster.io.recorded import recorded_version
from datom_dagster.io.version_choice import VersionChoice, choice_for


class TableInput:
    """One input of a step, as a table to be read.

    Args:
        context: Dagster's.
        places: the project that holds the table, and how others are found.
        verify: as for `datom_core.ProjectReader.read`.

    Raises:
        InvalidInputError: the metadata is not valid for an input.
    """

    def __init__(self, context: dg.InputContext, places: Places, verify: dc.Verification | None = None) -> None:
        upstream = context.upstream_output
        self.context = context
        self.places = places
        self.reader = places.own
        self.verify = verify
        self.settings: Mapping[str, Any] = {k: plain(v) for k, v in (context.definition_metadata or {}).items()}
        check_keys(self.settings, "input")
        key = context.asset_key if context.has_asset_key else None
        self.table = table_of(upstream.definition_metadata if upstream is not None else {}, key)
        self.wanted = wanted_by(context)

    def load(self) -> Any:
        """Load the version that was asked for, else its partition's cut, or what the run recorded."""
        asked = self._asked()
        if asked is not None:
            self.context.log.info(f"{self.table}: {asked}")
        if asked is not None and asked.set is not None:
            return self._pinned(asked)
        partitioned = self.context.has_asset_key and self.context.has_asset_partitions
        if partitioned and (asked is None or not asked.names_one):
            keys = ordered(self.context, [str(k) for k in self.context.asset_partition_keys])
            return self._partitions(keys, None if asked is None else asked.as_of)
        if asked is None:
            return self._converted(self._recorded())
        if self.wanted.mapping:
            raise dc.InvalidInputError(
                f"{self.table}: one version is asked for ({asked}); annotate it with a frame, not a mapping."
            )
        return self._converted(self.reader.resolve(self.table, version=asked.version, cut=asked.cut, as_of=asked.as_of))

    def _pinned(self, asked: VersionChoice) -> Any:
        """The version that a set lists, and no other."""
        partitioned = self.context.has_asset_key and self.context.has_asset_partitions
        keys = [str(key) for key in self.context.asset_partition_keys] if partitioned else []
        if self.wanted.mapping or len(keys) > 1:
            raise dc.InvalidInputError(
                f"{self.table}: a set lists one version of it ({asked}); load one partition, annotated with a frame."
            )
        found = pinned(self.places, self.table, asked, keys[0] if keys else None)
        self.context.log.info(f"{self.table}: listed by {found.of!r}")
        return convert(self._read(found.version, found.reader, found.table), self.wanted.frame)

    def _asked(self) -> VersionChoice | None:
        """What was asked for: by the input's metadata, else by the run's tags, else by the asset that loads it.

        The run's tags do not apply to what the run itself makes; neither they nor the asset apply to what one op hands
        to the next.
        """
        asked = choice_for(self.table, self.settings, "the input's metadata")
        if asked is not None or not self.context.has_asset_key:
            return asked
        asked = choice_for(self.table, run_tags(self.context), "the run's tags")
        if asked is not None and not made_by_run(self.context):
            return asked
        if asked is not None and asked.version is not None:
            raise dc.InvalidInputError(
                f"The run tag {VERSION_OF}{self.table} asks for a version of a table that the same run makes. Leave "
                f"{self.table} out of the run, or leave out the tag."
            )
        found = [(s, choice_for(self.table, s.metadata, "the asset's metadata")) for s in loading_assets(self.context)]
        choices = {choice: spec.key.to_user_string() for spec, choice in found if choice is not None}
        if len(choices) > 1:
            raise dc.InvalidInputError(
                f"{self.table} is loaded once for all assets of the step, and {', '.join(choices.values())} ask for "
                "different versions. Let one of them ask, or the input's metadata."
            )
        return next(iter(choices), None)

    def _converted(self, version: dc.Version) -> Any:
        return convert(self._read(version), self.wanted.frame)

    def _read(self, version: dc.Version, reader: dc.ProjectReader | None = None, table: str | None = None) -> pa.Table:
        reader, name = reader or self.reader, table or self.table
        columns = self.settings.get(COLUMNS)
        only = [columns] if isinstance(columns, str) else columns
        data = reader.read_arrow(name, version, columns=only, verify=self.verify)
        remember(self.context, reader.parent(name, version), reader.location)
        self.context.log.info(f"{name}: loaded version {version.version[:8]} of {version.timestamp}")
        return data

    def _partitions(self, keys: list[str], as_of: dc.Moment | None) -> Any:
        """One table per partition, as its cut stands, or stood then: the project says so, not Dagster's database."""
        wanted = self.wanted
        if len(keys) > 1 and wanted.declared and not wanted.mapping:
            raise dc.InvalidInputError(
                f"{self.table}: {len(keys)} partitions are loaded at once; annotate the input with a mapping from "
                "partition to frame, as in dict[str, pandas.DataFrame]."
            )
        versions = self._versions_of(keys, as_of)
        # Several cuts may stand for one version, which is read once; each partition gets a frame of its own.
        tables = {v.version: self._read(v) for v in {v.version: v for v in versions.values()}.values()}
        frames = {key: convert(tables[v.version], wanted.frame) for key, v in versions.items()}
        if wanted.mapping or len(keys) > 1:
            return frames
        return self._single(frames)

    def _single(self, frames: Mapping[str, Any]) -> Any:
        if not frames and self.wanted.declared and not self.wanted.optional:
            raise dc.NotFoundError(
                f"{self.table}: there is no partition to load. If that can be, annotate the input as optional, as "
                "in pandas.DataFrame | None, or with a mapping."
            )
        return next(iter(frames.values()), None)

    def _versions_of(self, keys: list[str], as_of: dc.Moment | None) -> dict[str, dc.Version]:
        if not keys:
            return {}
        cuts, moment = self.reader.cuts(), None if as_of is None else dc.moment_of(as_of)
        found, missing = {}, []
        for key in keys:
            try:
                found[key] = cuts.find(dc.check_cut_name(key)).version_of(self.table, moment)
            except dc.NotFoundError:
                if not self.settings.get(ALLOW_MISSING):
                    raise
                missing.append(key)
        if missing:
            self.context.log.warning(f"{self.table}: not recorded, and left out: {', '.join(missing)}")
        history = {v.version: v for v in self.reader.history(self.table)} if found else {}
        return {k: history.get(v) or self.reader.resolve(self.table, v) for k, v in found.items()}

    def _recorded(self) -> dc.Version:
        """The version that the run recorded; if it recorded none, the current version."""
        if not self.context.has_asset_key:
            return self.reader.resolve(self.table, version_of_output(self.context))
        return recorded_version(self.reader, self.table, recorded_input(self.context), self.context.log)
