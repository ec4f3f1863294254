"""Turn what a step hands over into a version, or say why it is not one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.events import (
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    COMPARISON,
    CUSTOM,
    CUT,
    GATE,
    LOADED,
    MAPPING_KEY,
    ON_EMPTY,
    PARENTS,
    PREVIEW,
    TABLE_TYPE,
    VERSION,
    approvals_metadata,
    check_keys,
    column_schema,
    commit_message,
    commit_metadata,
    cut_history,
    in_reading_order,
    key_of,
    loaded,
    parents_metadata,
    preview,
    provenance_of,
    set_data_version,
    settings_of,
    source_metadata,
    table_of,
    trailers,
    write_metadata,
)
from datom_dagster.io.change_summary import Changes
from datom_dagster.io.event_report import EventReport, Stored
from datom_dagster.io.frame_types import collected, is_empty
from datom_dagster.io.gate import Gate, current_version
from datom_dagster.io.output_options import OutputOptions
from datom_dagster.io.partitions import cut_of, standing_before
from datom_dagster.rules import EXAMPLES, unknown_masks


@dataclass(frozen=True)
class Draft:
    """A table that is ready to be written, and what will be shown of it.

    All of this is made before the commit, because nothing may fail after it.
    """

    data: pa.Table
    parents: tuple[dc.Parent, ...] | None
    shown: Mapping[str, Any]
    custom: Mapping[str, Any] | None
    extract: dc.Extract | None = None

    @property
    def frame(self) -> pa.Table | dc.Extract:
        """What to write: the table, with the file it was read from if there is one."""
        return self.data if self.extract is None else replace(self.extract, data=self.data)


class TableOutput:
    """One output of a step, as a table to be written.

    Args:
        context: Dagster's.
        options: the IO manager's.
        cut: the partition to write, if the run covers several.

    Raises:
        InvalidInputError: the metadata is not valid for an output, the table name is bad, the run covers several
            partitions, or it does not say what it has to.
    """

    def __init__(self, context: dg.OutputContext, options: OutputOptions, *, cut: str | None = None) -> None:
        definition, output = context.definition_metadata, context.output_metadata
        check_keys(definition, "definition")
        check_keys(output, "output")
        self.context = context
        self.options = options
        self.settings = settings_of({**definition, **output})
        self.comparison: dc.ComparisonSettings = self.settings.get(COMPARISON, dc.ComparisonSettings())
        self.table = table_of(definition, context.asset_key if context.has_asset_key else None)
        self.cut = cut if cut is not None else cut_of(context)
        self.message = commit_message(context, options.template, self.cut)
        options.required.check_output(context)
        self.trailers = trailers(context, self.cut)
        self.provenance = provenance_of(context, self.settings, self.cut, options.pipeline_commit)

    def store(self, value: Any, project: dc.Project) -> Stored:
        """Write the value, or treat an empty one as the asset wants.

        Raises:
            InvalidInputError: not a table, an unexpectedly empty one, or one that breaks a rule of its gate.
            The errors of `datom_core.Project.write`.
        """
        report = self.write(self.draft(value, project), project)
        set_data_version(self.context, report.data_sha)
        self.context.add_output_metadata({**report.shown})
        return Stored(self.table, (report,))

    def draft(self, value: Any, project: dc.Project, *, earlier: tuple[str, pa.Table] | None = None) -> Draft | None:
        """What a step returned, ready to be written; ``None`` for an empty frame that should leave all as it is.

        Args:
            value: what the step returned.
            project: where it will be written.
            earlier: the partition before it in the same run, and its table.

        Raises:
            As `store`, before anything is written.
        """
        check_returned(self.table, value)
        extract = value if isinstance(value, dc.Extract) else None
        frame = collected(value if extract is None else extract.data)
        if is_empty(frame):
            self._check_empty()
            return None
        data = dc.normalise(frame, what=self.table if self.cut is None else f"{self.table}, {self.cut}")
        unknown = unknown_masks(self.comparison, data.column_names)
        if unknown:
            self.context.log.warning(f"{self.table}: no column {', '.join(unknown)} to be masked; no value is shown")
        rules = self.settings.get(GATE)
        if rules is not None:
            examples = EXAMPLES if self._shows_values(data) else 0
            gate = Gate(self.context, self.table, self.cut, rules, key_of(self.settings), project)
            gate.check(data, earlier, self.comparison, examples)
        return self.make_draft(data, extract)

    def write(self, draft: Draft | None, project: dc.Project) -> EventReport:
        """Do what `store` does, for a draft; return the report for the event."""
        if draft is None:
            self.context.log.warning(f"{self.table}: no rows")
            report = self._keep(project)
            return EventReport(report.data_sha, {**report.shown, "datom/empty": "keep"})
        if self.superseded(draft, project):
            return self._pass_over(draft, project)
        before = self.standing(project)
        result = project.write(
            self.table,
            draft.frame,
            message=self.message,
            parents=draft.parents,
            custom=draft.custom,
            cut=self.cut,
            trailers=self.trailers,
            provenance=self.provenance,
            table_type=self.settings[TABLE_TYPE],
        )
        return self.report(draft, result, before, project)

    def make_draft(self, data: pa.Table, extract: dc.Extract | None = None) -> Draft:
        """The table with everything that can be said about it before it is written.

        Raises:
            InvalidInputError: the parents are invalid.
        """
        parents = dc.check_parents(self.settings.get(PARENTS))
        shown = {**self._contents(data), **(source_metadata(extract) if extract is not None else {})}
        parents = loaded(self.context) if parents is None else parents
        return Draft(data, parents, shown, self.settings.get(CUSTOM), extract)

    def standing_draft(self, project: dc.Project) -> Draft:
        """The standing version as a draft: written again, it joins a cut of several tables without a new version."""
        standing = self.version_kept(project)
        data = project.reader.read_arrow(self.table, standing)
        said = project.reader.metadata(self.table, standing.version)
        sha = standing.original_file_sha
        extract = (
            None if sha is None else dc.Extract(data, dc.Origin(sha, str(said.raw.get("original_format", ""))), "")
        )
        return Draft(data, said.parents, self._contents(data), said.custom, extract)

    def superseded(self, draft: Draft, project: dc.Project) -> bool:
        """Whether the draft is a file that an earlier version came from, while another version is current now.

        An old file that is still there, or comes back, must not take the table back. A cut is whatever was
        delivered for it, however old.
        """
        if draft.extract is None or self.cut is not None:
            return False
        current = current_version(project, self.table)
        sha = draft.extract.origin.sha
        if current is None or current.original_file_sha == sha:
            return False
        return any(v.original_file_sha == sha for v in project.reader.history(self.table))

    def _pass_over(self, draft: Draft, project: dc.Project) -> EventReport:
        report, said = self._keep(project), superseded_metadata(draft)
        self.context.log.warning(f"{self.table}: {said['datom/change']}")
        return EventReport(report.data_sha, {**report.shown, **said})

    def report(
        self, draft: Draft, result: dc.WriteResult, before: tuple[str, str] | None, project: dc.Project
    ) -> EventReport:
        """What to report about a written draft; ``before`` is what its cut, or the one before it, stood for."""
        values = self._shows_values(draft.data)
        changes = Changes(self.context, self.table, self.settings, self.options, values=values)
        if self.cut is None:
            change = changes.of_write(result, draft.data, project.reader)
        else:
            change = changes.of_cut(result, draft.data, before, project.reader)
        # An earlier commit recorded a version that is not new.
        recorded = result.commit_sha or project.reader.resolve(self.table, result.version).commit_sha
        commit = commit_metadata(recorded, project.remote)
        derived_from = {LOADED: parents_metadata(draft.parents)} if draft.parents else {}
        made = f"commit {result.commit_sha[:8]}" if result.commit_sha else "no commit needed"
        self.context.log.info(
            f"{self.table}: {result.action}, version {result.version[:8]}, {result.rows} rows, {made}"
        )
        told = {**change, **write_metadata(result), **self._cut_history(project), **commit, **derived_from}
        if self.cut is not None:
            # A partition's changes, and whether there are any, are relative to the cut that it follows.
            told["datom/changed"] = before is None or before[1] != result.version
        return EventReport(result.data_sha, self._shown({**told, **draft.shown}))

    def _cut_history(self, project: dc.Project) -> dict[str, Any]:
        """Every version that the cut ever stood for, and who approved it."""
        if self.cut is None:
            return {}
        try:
            cuts = project.reader.cuts()
            return {**cut_history(cuts, self.cut, self.table), **approvals_metadata(cuts, self.cut)}
        except dc.DatomError as error:
            self.context.log.warning(f"What the cut {self.cut} stood for cannot be told: {error}")
            return {}

    def _contents(self, data: pa.Table) -> dict[str, Any]:
        """What the page shows about the table itself."""
        declared = self.context.definition_metadata.get(COLUMN_SCHEMA)
        schema = declared.schema if isinstance(declared, dg.TableSchemaMetadataValue) else declared
        shown: dict[str, Any] = {"dagster/row_count": data.num_rows}
        shown[COLUMN_SCHEMA] = column_schema(data.schema, schema if isinstance(schema, dg.TableSchema) else None)
        # Dagster reads lineage from the newest event, not from the definition.
        if COLUMN_LINEAGE in self.context.definition_metadata:
            shown[COLUMN_LINEAGE] = self.context.definition_metadata[COLUMN_LINEAGE]
        if self._shows_values(data):
            shown[PREVIEW] = preview(data, self.options.preview_rows, self.comparison.masked)
        return shown

    def _shows_values(self, data: pa.Table) -> bool:
        """Whether any value may be shown: none if a column that should be masked may be misspelt."""
        return self.options.preview_rows > 0 and set(self.comparison.masked) <= set(data.column_names)

    def _check_empty(self) -> None:
        """Refuse a frame without rows, unless the standing version should be kept."""
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

    def _keep(self, project: dc.Project) -> EventReport:
        standing = self.version_kept(project)
        if self.cut is not None:
            why: dict[str, Any] = {"message": self.message, "trailers": self.trailers, "provenance": self.provenance}
            project.record_cut(self.cut, {self.table: standing.version}, **why)
        cut = {CUT: self.cut, **self._cut_history(project)} if self.cut is not None else {}
        shown = {"datom/changed": False, VERSION: standing.version, "datom/data_sha": standing.data_sha}
        self.context.log.info(f"{self.table}: version {standing.version[:8]} stands")
        contents = self._contents(project.reader.read_arrow(self.table, standing))
        # There is nothing new for downstream to see.
        return EventReport(standing.data_sha, self._shown({**shown, **cut, **contents}))

    def version_kept(self, project: dc.Project) -> dc.Version:
        """The version that stands if nothing is written: that of the cut, or of the one before it; else the current.

        Raises:
            NotFoundError: there is none yet.
        """
        if self.cut is None:
            found = current_version(project, self.table)
        else:
            before = self.standing(project)
            found = None if before is None else project.reader.resolve(self.table, before[1])
        if found is None:
            raise dc.NotFoundError(f"{self.table} has no rows, and no version yet that could be kept.")
        return found

    def standing(self, project: dc.Project) -> tuple[str, str] | None:
        """The cut itself, or the one it follows, and its version; ``None`` if there is none, or without partitions."""
        if self.cut is None:
            return None
        return standing_before(self.context, project.reader.cuts(), self.cut, self.table)

    def _shown(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """What to show about the table; what the asset itself says under the same key wins."""
        branch = {} if self.context.mapping_key is None else {MAPPING_KEY: self.context.mapping_key}
        mine = {k: v for k, v in {**shown, **branch}.items() if k not in self.context.output_metadata}
        return in_reading_order(mine)


def check_returned(table: str, value: Any) -> None:
    """Refuse ``None``: either somebody forgot the `return`, or meant that there is nothing to record.

    Raises:
        InvalidInputError: says what to do.
    """
    if value is None:
        raise dc.InvalidInputError(
            f"{table}: the asset returned None, which is no table; return a frame. If there may be nothing to record, "
            "return a frame without rows and say what becomes of it: datom_asset(on_empty='skip') records nothing, "
            "'keep' lets the version before stand. Or set output_required=False, and yield the frame if there is one.",
            table=table,
        )


def superseded_metadata(draft: Draft) -> dict[str, Any]:
    """What to report about a file that was taken before."""
    assert draft.extract is not None
    return {"datom/change": f"no change: {draft.extract.file} was taken before, and a later version is current"}


def store_table(context: dg.OutputContext, value: Any, project: dc.Project, options: OutputOptions) -> Stored:
    """Store what a step returned as a version of one table."""
    return TableOutput(context, options).store(value, project)
