"""Materializing an asset writes a version; loading it reads the version that the run recorded."""

from __future__ import annotations

from typing import Any, Literal, get_args

import dagster as dg
from pydantic import Field

import datom_core as dc
from datom_dagster.data_version import set_data_version
from datom_dagster.errors import translated
from datom_dagster.loading import (
    chosen_by_metadata,
    collected,
    columns_of,
    convert,
    element_type,
    is_empty,
    recorded_version,
    table_of,
)
from datom_dagster.messages import CONFIG_FIELD, DEFAULT_TEMPLATE, commit_message, partition_of, trailers
from datom_dagster.metadata import CUSTOM, LOADED, ON_EMPTY, PARENTS, parents_metadata, write_metadata
from datom_dagster.provenance import loaded, remember
from datom_dagster.resources import DatomResource

#: What to do with a frame without rows, which datom refuses.
OnEmpty = Literal["fail", "skip", "keep"]


class DatomIOManager(dg.ConfigurableIOManager):
    """Stores what an asset returns as a version of a table, and loads versions for those downstream.

    * The table is the last part of the asset's key, unless its metadata has ``datom/table``.
    * The data version is the content hash: what is materialized again unchanged leaves downstream fresh.
    * A partition is a cut of that name.
    * The commit message is the first of: output metadata ``datom/commit_message``, the output's run config
      ``commit_message``, the run tag ``datom/commit_message``, definition metadata, ``message_template``.
    * Parents are the versions that the step loaded.
    * An input loads the version that the run's provenance recorded, its partition's cut, or what its metadata
      asks for (``datom/version``, ``datom/cut`` or ``datom/as_of``, and ``datom/columns``).
    """

    datom: DatomResource = Field(description="The project.")
    message_template: str = Field(
        default=DEFAULT_TEMPLATE,
        description="Default commit message; may use {asset}, {partition}, {job} and {run_id}.",
    )
    preview_rows: int = Field(
        default=5, description="Rows shown on the asset's page; 0 keeps subjects' data out of Dagster's event log."
    )

    @classmethod
    def output_config_schema(cls) -> dict[str, dg.Field]:
        return {
            CONFIG_FIELD: dg.Field(
                str, is_required=False, description="Why: message of the commit and of the version's history entry."
            )
        }

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        with translated():
            key = context.asset_key if context.has_asset_key else None
            table = table_of({**context.definition_metadata, **context.output_metadata}, key)
            cut = self._cut(context)
            if is_empty(obj):
                self._handle_empty(context, table, cut)
            else:
                self._write(context, table, obj, cut)

    def load_input(self, context: dg.InputContext) -> Any:
        with translated():
            upstream = context.upstream_output
            key = context.asset_key if context.has_asset_key else None
            table = table_of(upstream.definition_metadata if upstream is not None else {}, key)
            reader = self.datom.open_reader()
            wanted = context.dagster_type.typing_type
            asked = chosen_by_metadata(context)
            if asked:
                return self._load(context, reader, table, reader.resolve(table, **asked), wanted)
            if key is not None and context.has_asset_partitions:
                keys = [str(k) for k in context.asset_partition_keys]
                frames = {
                    k: self._load(context, reader, table, reader.resolve(table, cut=k), element_type(wanted))
                    for k in keys
                }
                return frames if len(keys) != 1 else frames[keys[0]]
            return self._load(context, reader, table, recorded_version(context, reader, table), wanted)

    def _cut(self, context: dg.OutputContext) -> str | None:
        if not context.has_asset_key or not context.has_asset_partitions:
            return None
        keys = list(context.asset_partition_keys)
        if len(keys) != 1:
            raise dc.InvalidInputError(
                f"{context.asset_key.to_user_string()}: one run over {len(keys)} partitions cannot be told apart "
                "into cuts. Run one partition at a time (BackfillPolicy.multi_run())."
            )
        return partition_of(context)

    def _write(self, context: dg.OutputContext, table: str, obj: Any, cut: str | None) -> None:
        project = self.datom.open_project()
        message = commit_message(context, self.message_template)
        declared = _plain(context, PARENTS)
        parents = declared if declared is not None else loaded(context)
        data = dc.normalise(collected(obj), what=table)
        result = project.write(
            table,
            data,
            message=message,
            parents=parents,
            custom=_plain(context, CUSTOM),
            cut=cut,
            trailers=trailers(context),
        )
        set_data_version(context, result.data_sha)
        shown = write_metadata(project, result, data, message, self.preview_rows)
        if parents:
            shown[LOADED] = parents_metadata(project.reader.parents(table, result.version) or ())
        _report(context, shown)
        commit = f"commit {result.commit_sha[:8]}" if result.commit_sha else "no commit needed"
        context.log.info(f"{table}: {result.action}, version {result.version[:8]}, {result.rows} rows, {commit}")

    def _handle_empty(self, context: dg.OutputContext, table: str, cut: str | None) -> None:
        policy = _plain(context, ON_EMPTY) or "fail"
        if policy not in get_args(OnEmpty):
            raise dc.InvalidInputError(f"{ON_EMPTY} is one of {', '.join(get_args(OnEmpty))}, not {policy!r}.")
        if policy == "fail":
            raise dc.InvalidInputError(
                f"{table} has no rows, which datom refuses. If that can happen, say so with the metadata "
                f"{ON_EMPTY!r}: 'skip' records nothing, 'keep' lets the current version stand.",
                table=table,
            )
        shown: dict[str, Any] = {"dagster/row_count": 0, "datom/changed": False, "datom/empty": policy}
        project = self.datom.open_project()
        current = next(iter(project.reader.list(table)), None)
        if policy == "keep":
            if current is None:
                raise dc.NotFoundError(f"{table} has no rows and no version yet that could be kept.", table=table)
            version = project.reader.resolve(table)
            shown |= {"datom/version": version.version, "datom/data_sha": version.data_sha}
            if cut is not None:
                message = commit_message(context, self.message_template)
                project.record_cut(cut, {table: version.version}, message=message, trailers=trailers(context))
                shown["datom/cut"] = cut
        if current is not None and current.data_sha is not None:
            set_data_version(context, current.data_sha)
        _report(context, shown)
        context.log.warning(f"{table}: no rows; {'the current version stands' if policy == 'keep' else 'skipped'}")

    def _load(
        self, context: dg.InputContext, reader: dc.ProjectReader, table: str, version: dc.Version, wanted: Any
    ) -> Any:
        frame = convert(reader.read_arrow(table, version.version, columns=columns_of(context)), wanted)
        remember(context, reader.parent(table, version.version))
        context.log.info(f"{table}: loaded version {version.version[:8]} of {version.timestamp}")
        return frame


def _plain(context: dg.OutputContext, key: str) -> Any:
    """A setting from the output's own metadata, else from the asset's definition."""
    value = {**context.definition_metadata, **context.output_metadata}.get(key)
    return value.value if isinstance(value, dg.MetadataValue) else value


def _report(context: dg.OutputContext, shown: dict[str, Any]) -> None:
    """Add metadata to the event; what the asset itself says under the same key wins."""
    context.add_output_metadata({k: v for k, v in shown.items() if k not in context.output_metadata})
