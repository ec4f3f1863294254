"""What a step hands over becomes a version, or is said not to."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.cuts import cut_of, standing_before
from datom_dagster.findings import EXAMPLES, Before
from datom_dagster.frames import collected, is_empty
from datom_dagster.gate import check_gate, version_before
from datom_dagster.keys import (
    COLUMN_SCHEMA,
    CUSTOM,
    GATE,
    MAPPING_KEY,
    ON_EMPTY,
    PARENTS,
    TABLE_TYPE,
    VERSION,
    check_keys,
    key_of,
    settings_of,
    table_of,
)
from datom_dagster.messages import commit_message, trailers
from datom_dagster.metadata import (
    LOADED,
    change_metadata,
    column_schema,
    commit_metadata,
    parents_metadata,
    preview,
    row_change_metadata,
    row_counts,
    write_metadata,
)
from datom_dagster.provenance import loaded
from datom_dagster.rules import TableRules
from datom_dagster.step import set_data_version


class TableOutput:
    """One output of a step, as a table to be written.

    Args:
        context: Dagster's.
        template: message of a commit that nobody gives another one for.
        preview_rows: how many rows the event shows.

    Raises:
        InvalidInputError: metadata that no output can have, a bad table name, or a run over several partitions.
    """

    def __init__(self, context: dg.OutputContext, template: str, preview_rows: int) -> None:
        definition, output = context.definition_metadata, context.output_metadata
        check_keys(definition, "definition")
        check_keys(output, "output")
        self.context = context
        self.preview_rows = preview_rows
        # Examples are subjects' data, too.
        self.examples = EXAMPLES if preview_rows else 0
        self.settings = settings_of({**definition, **output})
        self.table = table_of(definition, context.asset_key if context.has_asset_key else None)
        self.cut = cut_of(context)
        self.message = commit_message(context, template, self.cut)
        self.trailers = trailers(context, self.cut)

    def store(self, value: Any, project: dc.Project) -> None:
        """Write the value, or do with an empty one what the asset wants.

        Raises:
            InvalidInputError: not a table, an empty one that nobody expects, or one that breaks a rule of its gate.
            The errors of `datom_core.Project.write`.
        """
        frame = collected(value)
        if is_empty(frame):
            self._handle_empty(project)
        else:
            data = dc.normalise(frame, what=self.table)
            rules = self.settings.get(GATE)
            if rules is not None:
                check_gate(self.table, data, rules, self._before(rules, project), self.examples)
            self._write(data, project)

    def _before(self, rules: TableRules, project: dc.Project) -> Before | None:
        if not rules.compares:
            return None
        if self.cut is not None:
            cut, version = self._standing(project) or (None, None)
            return version_before(project.reader, self.table, version, rules, f"the cut {cut}")
        standing = self._kept(project)
        return version_before(project.reader, self.table, standing.version if standing else None, rules)

    def _write(self, data: pa.Table, project: dc.Project) -> None:
        parents = dc.check_parents(self.settings.get(PARENTS))
        if parents is None:
            parents = loaded(self.context)
        # What is shown is made before the write: once there is a commit, nothing may fail any more.
        shown = self._contents(data)
        before = self._standing(project) if self.cut is not None else None
        result = project.write(
            self.table,
            data,
            message=self.message,
            parents=parents,
            custom=self.settings.get(CUSTOM),
            cut=self.cut,
            trailers=self.trailers,
            table_type=self.settings[TABLE_TYPE],
        )
        set_data_version(self.context, result.data_sha)
        change = self._change(result, data, before, project)
        # A version that is not new was recorded by an earlier commit.
        recorded = result.commit_sha or project.reader.resolve(self.table, result.version).commit_sha
        commit = commit_metadata(recorded, project.remote)
        derived_from = {LOADED: parents_metadata(parents)} if parents else {}
        self._report({**change, **write_metadata(result), **commit, **derived_from, **shown})
        made = f"commit {result.commit_sha[:8]}" if result.commit_sha else "no commit needed"
        self.context.log.info(
            f"{self.table}: {result.action}, version {result.version[:8]}, {result.rows} rows, {made}"
        )

    def _contents(self, data: pa.Table) -> dict[str, Any]:
        """What the page shows of the table itself."""
        declared = self.context.definition_metadata.get(COLUMN_SCHEMA)
        schema = declared.schema if isinstance(declared, dg.TableSchemaMetadataValue) else declared
        shown: dict[str, Any] = {"dagster/row_count": data.num_rows}
        shown[COLUMN_SCHEMA] = column_schema(data.schema, schema if isinstance(schema, dg.TableSchema) else None)
        if self.preview_rows > 0:
            shown["datom/preview"] = preview(data, self.preview_rows)
        return shown

    def _change(
        self, result: dc.WriteResult, data: pa.Table, before: tuple[str, str] | None, project: dc.Project
    ) -> dict[str, Any]:
        """What changed since the version before; of a partition, since the cut that it follows."""
        if self.cut is None:
            if not result.changed:
                return self._unchanged()
            by_key = self._rows(result.change.previous, data, result.data_sha, None, project)
            return {**change_metadata(result.change, None), **by_key}
        if before is None:
            return change_metadata(dc.Change(None, result.rows), None)
        cut, version = before
        if version == result.version:
            return self._unchanged("no change" if cut == self.cut else f"no change since the cut {cut}")
        since = "as it was recorded before" if cut == self.cut else cut
        try:
            change = project.reader.compare(self.table, version, result.version)
        except dc.DatomError as error:
            self.context.log.warning(f"What changed since the cut {cut} cannot be told: {error}")
            return {}
        return {**change_metadata(change, since), **self._rows(version, data, result.data_sha, since, project)}

    def _unchanged(self, text: str = "no change") -> dict[str, Any]:
        return {"datom/change": text, **(row_counts(None) if key_of(self.settings) else {})}

    def _rows(
        self, previous: str | None, data: pa.Table, data_sha: str, since: str | None, project: dc.Project
    ) -> dict[str, Any]:
        """Which rows changed, when the asset has a key; the version before is only read when its content differs."""
        key = key_of(self.settings)
        if key is None or previous is None:
            return {}
        try:
            old = project.reader.resolve(self.table, previous)
            if old.data_sha == data_sha:
                return row_counts(None)
            change = dc.diff(project.reader.read_arrow(self.table, old), data, key, examples=self.examples)
        except Exception as error:  # noqa: BLE001 - the version is recorded, and nothing may fail any more
            self.context.log.warning(f"Which rows changed cannot be told: {error if self.examples else type(error)}")
            return {}
        return row_change_metadata(change, since)

    def _handle_empty(self, project: dc.Project) -> None:
        policy = self.settings[ON_EMPTY]
        if policy == "fail":
            raise dc.InvalidInputError(
                f"{self.table} has no rows, which datom refuses. If that can happen, say so: "
                "datom_asset(on_empty='skip') records nothing, 'keep' lets the version before stand.",
                table=self.table,
            )
        if policy == "skip":
            raise dc.InvalidInputError(
                f"{self.table} has no rows, and an IO manager cannot skip what the asset has yielded already. Make the "
                "asset with datom_asset(on_empty='skip'), or yield nothing and set output_required=False.",
                table=self.table,
            )
        standing = self._kept(project)
        if standing is None:
            raise dc.NotFoundError(f"{self.table} has no rows, and no version yet that could be kept.")
        if self.cut is not None:
            project.record_cut(self.cut, {self.table: standing.version}, message=self.message, trailers=self.trailers)
        # Downstream has nothing new to see.
        set_data_version(self.context, standing.data_sha)
        cut = {"datom/cut": self.cut} if self.cut is not None else {}
        shown = {"datom/empty": policy, "datom/changed": False, VERSION: standing.version}
        shown |= {"datom/data_sha": standing.data_sha}
        self._report({**shown, **cut, **self._contents(project.reader.read_arrow(self.table, standing))})
        self.context.log.warning(f"{self.table}: no rows; version {standing.version[:8]} stands")

    def _kept(self, project: dc.Project) -> dc.Version | None:
        """What stands when nothing is written: what the cut, or the one before it, stands for; else the current one."""
        if self.cut is not None:
            before = self._standing(project)
            return None if before is None else project.reader.resolve(self.table, before[1])
        known = any(entry.name == self.table for entry in project.reader.list())
        return project.reader.resolve(self.table) if known else None

    def _standing(self, project: dc.Project) -> tuple[str, str] | None:
        assert self.cut is not None
        return standing_before(self.context, project.reader.cuts(), self.cut, self.table)

    def _report(self, shown: dict[str, Any]) -> None:
        """Add metadata to the event; what the asset itself says under the same key wins."""
        if self.context.mapping_key is not None:
            shown[MAPPING_KEY] = self.context.mapping_key
        self.context.add_output_metadata({k: v for k, v in shown.items() if k not in self.context.output_metadata})
