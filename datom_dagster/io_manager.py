"""Materializing an asset writes a version; loading it reads the version that the run recorded."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from datom_dagster.errors import translated
from datom_dagster.loading import TableInput
from datom_dagster.messages import CONFIG_FIELD, DEFAULT_TEMPLATE, check_template
from datom_dagster.resources import DatomResource
from datom_dagster.step import planned_assets
from datom_dagster.storing import TableOutput


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
        default=5,
        ge=0,
        description="Rows shown on the asset's page; 0 keeps subjects' data out of Dagster's event log.",
    )

    written: list[str] = Field(
        default=[],
        description="Assets that it would write; `datom_definitions` fills it in for a project without remote.",
    )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a run that writes to a project which can only be read, before any of its steps begins."""
        if self.datom.remote is None and self.written and context.run is not None and context.instance is not None:
            planned = planned_assets(context.instance, context.run.run_id)
            refused = sorted(planned & set(self.written))
            if refused:
                raise self.datom.cannot_write(", ".join(refused))

    @field_validator("message_template")
    @classmethod
    def _fillable(cls, template: str) -> str:
        return template if isinstance(template, dg.EnvVar) else check_template(template)

    @classmethod
    def output_config_schema(cls) -> dict[str, dg.Field]:
        return {
            CONFIG_FIELD: dg.Field(
                str, is_required=False, description="Why: message of the commit and of the version's history entry."
            )
        }

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        with translated(context):
            output = TableOutput(context, check_template(self.message_template), self.preview_rows)
            output.store(obj, self.datom.open_project())

    def load_input(self, context: dg.InputContext) -> Any:
        with translated(context):
            return TableInput(context, self.datom.open_reader()).load()
