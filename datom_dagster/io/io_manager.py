"""Materializing an asset writes a version; loading it reads the version that the run recorded."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import dagster as dg
from pydantic import Field, field_validator

import datom_core as dc
from datom_dagster.events import (
    CONFIG_FIELD,
    DEFAULT_TEMPLATE,
    ReportPlace,
    Required,
    check_template,
    output_of,
    planned_assets,
    telling,
    translated,
)
from datom_dagster.io.event_report import Stored
from datom_dagster.io.locked_cuts import PARTITION_TAG, check_lock
from datom_dagster.io.multi_output import is_partitions, store_partitions, store_together
from datom_dagster.io.output_options import OutputOptions
from datom_dagster.io.pinned import Places
from datom_dagster.io.table_input import TableInput
from datom_dagster.io.table_output import TableOutput, store_table
from datom_dagster.io.told_lineage import tell_stored
from datom_dagster.io.version_choice import check_tags
from datom_dagster.lineage import OpenLineageResource, lineage_of
from datom_dagster.resources import DatomResource, DatomStorage, LocalStorage, Spelt, optional
from datom_dagster.rules import check_compare


class DatomIOManager(Spelt, dg.ConfigurableIOManager):
    """Stores what an asset returns as a version of a table, and loads versions for those downstream.

    * The table is the last part of the asset's key, unless its metadata has ``datom/table``.
    * The data version is the content hash: materializing the same content again leaves downstream fresh.
    * A partition is the cut of the same name; a mapping from partition to frame records one cut for each.
    * The commit message is the first of: output metadata ``datom/commit_message``, the output's run config
      ``commit_message``, the run tag ``datom/commit_message``, definition metadata, ``message_template``.
    * Parents are the versions that the step loaded.
    * An input loads what its metadata asks for (``datom/version``, ``datom/cut``, ``datom/as_of``, ``datom/set`` with
      ``datom/set_version`` and ``datom/set_project``, and ``datom/columns``), or the run's tags
      (``datom/version/<table>``, ``datom/cut``, ``datom/as_of``, ``datom/set``), or the metadata of the asset that
      loads it (the same keys); otherwise its partition's cut, or the version that the run's provenance recorded.
    """

    datom: DatomResource = Field(description="The project.")
    message_template: str = Field(
        default=DEFAULT_TEMPLATE,
        description="Default commit message; may use {asset}, {partition}, {job} and {run_id}.",
    )
    preview_rows: int = Field(
        default=5,
        ge=0,
        description="Rows shown on the asset's page; 0 keeps subjects' data out of Dagster's event log.",
    )

    compare: str = Field(
        default="all",
        description=(
            "Of which tables events say what changed: all, by a key that is found; keyed, those whose asset declares "
            "one; or none."
        ),
    )
    compare_rows: int = Field(
        default=5_000_000, ge=0, description="The most rows that either version may have to be compared."
    )
    reports: dg.ResourceDependency[DatomStorage | None] = Field(
        default=None,  # type: ignore[arg-type]
        description="Where the whole report of each change is written as a page; or the path of a folder.",
    )
    reports_url: str | None = Field(
        default=None, description="The address under which others serve that place, for links to the pages."
    )

    lineage: dg.ResourceDependency[OpenLineageResource | None] = Field(
        default=None,  # type: ignore[arg-type]
        description="Where OpenLineage events go that say what steps loaded and stored; by default nowhere.",
    )
    sets: dg.ResourceDependency[DatomResource | None] = Field(
        default=None,  # type: ignore[arg-type]
        description=(
            "The project whose sets list the versions that inputs load (datom/set); by default its own, or the one of "
            "the register that the input names."
        ),
    )

    verify: str | None = Field(
        default=None,
        description=(
            "What loading compares: bytes with the SHA-256 that storage records, or content too, with what the "
            "version's id stands for. By default content, with a warning for what R left open."
        ),
    )

    refuse_locked: bool = Field(
        default=False,
        description=(
            "Whether a run for a partition whose cut is locked fails before any code of its assets runs. Otherwise it "
            "may deliver again what the cut stands for, and a log line tells of the lock before that code runs."
        ),
    )

    if not TYPE_CHECKING:  # type checkers know the fields

        def __init__(self, **data: Any) -> None:
            if isinstance(data.get("reports"), str | os.PathLike):
                data["reports"] = LocalStorage(path=os.fspath(data["reports"]))
            super().__init__(**data)

    # The assets it would write, if it may refuse runs. A class attribute, so that configuration cannot set it.
    _writes: ClassVar[frozenset[str]] = frozenset()

    def knowing(self, assets: Iterable[str]) -> "DatomIOManager":
        """A copy that refuses runs over these assets before they begin, if the project can only be read, or if they
        do not say what it requires."""
        ours: Any = type(self)
        named = {"__module__": ours.__module__, "__qualname__": ours.__qualname__, "__doc__": ours.__doc__}
        knowing: Any = type(ours)(
            ours.__name__,
            (ours,),
            {**named, "_writes": frozenset(assets), "__annotations__": {"_writes": ClassVar[frozenset[str]]}},
        )
        made: DatomIOManager = knowing(**{name: getattr(self, name) for name in ours.model_fields})
        return made

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a run before any step begins if it would write to a read-only project, if its tags ask for versions
        that do not exist, if it would write without saying what the project requires, or, if that is wanted, for a
        partition whose cut is locked."""
        if context.run is not None and any(tag.startswith("datom/") for tag in context.run.tags):
            check_tags(context.run.tags, self.datom.open_reader)
        if context.run is None or context.instance is None:
            return
        partition = context.run.tags.get(PARTITION_TAG)
        if partition is not None and self.datom.remote is not None:
            check_lock(self.datom, partition, context.log, refuse=self.refuse_locked)
        if self.datom.remote is None and self._writes:
            refused = sorted(planned_assets(context.instance, context.run.run_id) & self._writes)
            if refused:
                raise self.datom.cannot_write(", ".join(refused))
        required = self.required
        if required.author or required.message:
            planned = planned_assets(context.instance, context.run.run_id)
            # Without its assets, it cannot tell runs that write from those that only read.
            if planned & self._writes if self._writes else planned:
                required.check_run(context.run)

    @property
    def required(self) -> Required:
        """What each run that writes has to say."""
        return Required(self.datom.require_author, self.datom.require_message)

    @field_validator("message_template")
    @classmethod
    def _fillable(cls, template: str) -> str:
        return template if isinstance(template, dg.EnvVar) else check_template(template)

    @field_validator("compare")
    @classmethod
    def _comparing(cls, compare: Any) -> Any:
        return compare if isinstance(compare, dg.EnvVar) else check_compare(compare)

    @field_validator("verify")
    @classmethod
    def _known(cls, verify: Any) -> Any:
        if not isinstance(verify, dg.EnvVar):
            dc.check_verification(verify)
        return verify

    @classmethod
    def output_config_schema(cls) -> dict[str, dg.Field]:
        return {
            CONFIG_FIELD: dg.Field(
                str, is_required=False, description="Why: message of the commit and of the version's history entry."
            )
        }

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        with translated(context), lineage_of(self.lineage, context) as lineage:
            store = store_partitions if is_partitions(context, obj) else store_table
            with telling(self.datom.open_project(), context.log) as project:
                stored = store(context, obj, project, self._options(project))
                tell_stored(lineage, context, project, stored)

    def store_together(self, context: dg.AssetExecutionContext, frames: Mapping[str, Any]) -> list[Any]:
        """Write all tables of a step in one commit, or none; in a partition, as one cut. Call it in the step's body.

        Args:
            context: the step's; its outputs go to this IO manager.
            frames: one per output, by output name.

        Returns:
            A `dagster.MaterializeResult` for each, for the step to yield.

        Raises:
            `dagster.Failure` or `dagster.RetryRequested`, as when the IO manager stores an output.
        """
        step = context.op_execution_context
        with translated(step), lineage_of(self.lineage, step) as lineage:
            contexts = {name: output_of(context, name) for name in frames}
            tables = ", ".join(c.asset_key.path[-1] for c in contexts.values())
            with telling(self.datom.open_project(), context.log) as project:
                options = self._options(project)
                options = replace(options, template=options.template.replace("{asset}", tables))
                outputs = {name: TableOutput(c, options) for name, c in contexts.items()}
                reports = store_together(outputs, frames, project)
                for name, said in reports.items():
                    tell_stored(lineage, contexts[name], project, Stored(outputs[name].table, (said,)))
        return [
            dg.MaterializeResult(
                asset_key=contexts[name].asset_key, metadata=said.shown, data_version=dg.DataVersion(said.data_sha)
            )
            for name, said in reports.items()
        ]

    def _options(self, project: dc.Project) -> OutputOptions:
        """What is done with every table beside storing it.

        Raises:
            InvalidInputError: the template, or the place of the reports.
        """
        reports = None
        if self.reports is not None:
            reports = ReportPlace(self.reports, optional(self.reports_url))
            reports.check_beside(project.name, project.store.location)
        template, compare = check_template(self.message_template), check_compare(self.compare)
        commit = optional(self.datom.pipeline_commit)
        return OutputOptions(template, self.preview_rows, compare, self.compare_rows, reports, self.required, commit)

    def load_input(self, context: dg.InputContext) -> Any:
        with translated(context), lineage_of(self.lineage, context):
            sets = self.sets.open_reader if self.sets is not None else None
            places = Places(self.datom.open_reader(), self.datom.reader_of, sets)
            return TableInput(context, places, cast(Any, self.verify)).load()
