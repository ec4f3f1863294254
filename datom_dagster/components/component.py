"""A study's tables as assets, from a `defs.yaml`."""

# Dagster reads annotations at run time, to know what the file may say: no `annotations` import.
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster.components.utils.defs_state import DefsStateConfig, DefsStateConfigArgs, ResolvedDefsStateConfig
from pydantic import BaseModel, Field

import datom_core as dc
from datom_dagster.assets import (
    KINDS,
    SET_KINDS,
    Extraction,
    TableSpec,
    columns_of,
    datom_assets,
    datom_change_report,
    datom_definitions,
    datom_jobs,
)
from datom_dagster.checks import datom_checks, datom_set_checks
from datom_dagster.components.scaffolder import StudyScaffolder
from datom_dagster.components.set_models import KnownSets, YamlSet, external_sets, known_members
from datom_dagster.components.yaml_models import (
    STRICT,
    YamlChangeReport,
    YamlChecks,
    YamlCuts,
    YamlExtracts,
    YamlGovernance,
    YamlLineage,
    YamlStorage,
    YamlTable,
    YamlTables,
    keeping_secrets,
)
from datom_dagster.events import COLUMN_SCHEMA, DEFAULT_TEMPLATE, TABLE, OnEmpty
from datom_dagster.io import DatomIOManager
from datom_dagster.resources import DatomResource, ExtractDrop
from datom_dagster.rules import Compare
from datom_dagster.sensors import extract_sensor, outside_write_sensor

# What the file and the resource call by the same names.
_OF_RESOURCE = {
    "remote", "branch", "author", "token_env", "token_keyring", "github_api_url", "require_author", "require_message",
    "pipeline_commit", "signing_key", "signing_key_env", "sign_as_git",
}  # fmt: skip


@dg.scaffold_with(StudyScaffolder)
class DatomProjectComponent(dg.StateBackedComponent, dg.Model, dg.Resolvable):
    """The tables of a datom project as assets.

    Without ``extract`` they are external: others write them, and steps load them through the IO manager. The
    component's state (``dg utils refresh-defs-state``) lists the tables and their columns, so that loading the code
    needs no network. Secrets are given by the names of environment variables; there is no field for a secret.
    """

    model_config = STRICT

    project: str = Field(description="Name of the project.")
    storage: YamlStorage | None = Field(default=None, description="Where its data lies.")
    governance: YamlGovernance | None = Field(default=None, description="The register that says where its data lies.")
    remote: str | None = Field(default=None, description="URL of its git repository; none to only read.")
    branch: str | None = Field(default=None, description="Branch; by default the one that HEAD names.")
    author: str | None = Field(default=None, description='Author of commits, "Name <email>".')
    token_env: str | None = Field(default=None, description="Name of the variable that holds a token for the remote.")
    token_keyring: str | None = Field(default=None, description="Instead: the service of the keyring that holds it.")
    github_api_url: str | None = Field(default=None, description="Where the API of GitHub Enterprise is.")
    require_author: bool = Field(default=False, description="Refuse runs that do not say who asks for them.")
    require_message: bool = Field(default=False, description="Refuse runs that do not say why.")
    pipeline_commit: str | None = Field(default=None, description="The git commit of the pipeline's code.")
    signing_key: str | None = Field(default=None, description="Path of the SSH key that signs commits.")
    signing_key_env: str | None = Field(default=None, description="Instead: name of the variable that holds it.")
    sign_as_git: bool = Field(default=False, description="Instead: sign as git is configured to.")
    tables: YamlTables = Field(default=None, description="Its tables; by default all there are.")
    extract: str | None = Field(
        default=None, description="module.function: (table, cut) -> frame; makes the tables, which must be listed."
    )
    extracts: YamlExtracts | None = Field(
        default=None, description="Where files arrive that the tables are made from; these must be listed."
    )
    checks: YamlChecks | None = Field(default=None, description="Asset checks of each table, one per rule among them.")
    atomic: bool = Field(default=False, description="Extract all tables in one step, recorded in one commit.")
    on_empty: OnEmpty = Field(default="fail", description="fail, skip or keep: what becomes of a frame without rows.")
    partitions: YamlCuts | None = Field(default=None, description="The cuts, when partitions are cuts.")
    study: str | None = Field(
        default=None, description="Appended to the names of resources, jobs and sensor, when there are several studies."
    )
    key_prefix: Sequence[str] = Field(default=(), description="Begins the keys of the assets.")
    group_name: str | None = Field(default=None, description="Group of the assets.")
    owners: Sequence[str] = Field(default=(), description="Owners of the assets.")
    tags: Mapping[str, str] = Field(default={}, description="Tags of the assets.")
    message_template: str = Field(default=DEFAULT_TEMPLATE, description="Default commit message.")
    preview_rows: int = Field(default=5, ge=0, description="Rows shown on an asset's page.")
    change_reports: Sequence[YamlChangeReport] = Field(
        default=(), description="Assets that report what changed, from cut to cut or since a review."
    )
    compare: Compare = Field(default="all", description="all, keyed or none: which tables' events say what changed.")
    compare_rows: int = Field(default=5_000_000, ge=0, description="The most rows of a version that is compared.")
    reports: YamlStorage | None = Field(default=None, description="Where the whole report of each change is written.")
    reports_url: str | None = Field(default=None, description="The address under which that place is served.")
    lineage: YamlLineage | None = Field(default=None, description="Where OpenLineage events go; by default nowhere.")
    sets: Sequence[YamlSet] = Field(default=(), description="Sets that the project has.")
    product: str | None = Field(
        default=None, description="Of a product, its one set: all tables, unless sets says what it holds."
    )
    sensor: bool = Field(default=False, description="A sensor that reports what others write.")
    jobs: bool = Field(default=False, description="Jobs for the steps of the project's life.")
    defs_state: ResolvedDefsStateConfig = DefsStateConfigArgs.local_filesystem()

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        return keeping_secrets(cls.model())

    @property
    def defs_state_config(self) -> DefsStateConfig:
        return DefsStateConfig.from_args(self.defs_state, default_key=f"{type(self).__name__}[{self.project}]")

    def write_state_to_path(self, state_path: Path) -> None:
        """Save which tables the project has, and their columns.

        Raises:
            The errors of `datom_core.ProjectReader.open`.
        """
        reader = self._resource().open_reader()
        found = [
            {
                "name": entry.name,
                "columns": [
                    {"name": c.name, "type": c.type, "description": c.description}
                    for c in columns_of(reader, entry).columns
                ],
            }
            for entry in reader.list()
            if entry.kind == "table"
        ]
        told = {"project": reader.project, "tables": found, "sets": known_members(reader)}
        state_path.write_text(json.dumps(told))

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """The study's definitions, built without asking the project anything.

        Raises:
            InvalidInputError: a table or a setting is refused.
        """
        known, sets = _state(state_path)
        if state_path is None and self.tables is None:
            dg.get_dagster_logger().warning(
                f"Which tables {self.project} has is not known here yet; run `dg utils refresh-defs-state`."
            )
        resource = self._resource()
        specs = self._specs(known)
        drop = self.extracts.drop() if self.extracts is not None else None
        if drop is not None and self.extract is not None:
            raise dc.InvalidInputError("extract and extracts exclude each other: a function, or files.")
        extract = drop if self.extract is None else _function(self.extract)
        assets = self._external(specs) if extract is None else self._produced(specs, resource, extract)
        made = self._sets(assets, sets)
        resources: dict[str, Any] = {
            self._named("datom"): resource,
            self._named("io_manager"): DatomIOManager(
                datom=resource,
                reports=self.reports.resource() if self.reports is not None else None,
                lineage=self.lineage.resource() if self.lineage is not None else None,
                **self.model_dump(
                    include={"message_template", "preview_rows", "compare", "compare_rows", "reports_url"}
                ),
            ),
        }
        return datom_definitions(
            assets=[*assets, *self._reports(assets), *made],
            resources=resources,
            sensors=self._sensors(assets, drop),
            jobs=self._jobs(assets, resource),
            asset_checks=[*self._checks(assets), *self._set_checks(made)],
        )

    def _sensors(self, assets: Sequence[Any], drop: ExtractDrop | None) -> list[dg.SensorDefinition]:
        made, resource = [], self._named("datom")
        if self.sensor:
            made.append(outside_write_sensor(assets, name=self._named("outside_writes"), resource=resource))
        if drop is not None and self.extracts is not None and self.extracts.sensor:
            name, downstream = self._named("extracts"), self.extracts.downstream
            made.append(extract_sensor(assets, drop, name=name, resource=resource, downstream=downstream))
        return made

    def _reports(self, assets: Sequence[Any]) -> list[dg.AssetsDefinition]:
        made = []
        for report in self.change_reports:
            cuts = self.partitions.definition() if self.partitions is not None and report.by_cut else None
            about = {**self._shared(), "kinds": {"datom", "report"}, "key_prefix": list(self.key_prefix) or None}
            made.append(
                datom_change_report(
                    assets,
                    name=self._named(report.name),
                    partitions=cuts,
                    resource=self._named("datom"),
                    **report.options(),
                    **about,
                )
            )
        return made

    def _declared_sets(self) -> Sequence[YamlSet]:
        if self.product is None:
            return self.sets
        strays = [s.name for s in self.sets if s.name != self.product]
        if strays:
            raise dc.InvalidInputError(f"A product has one set, {self.product}, and not {', '.join(strays)}.")
        return self.sets or [YamlSet(name=self.product)]

    def _sets(self, assets: Sequence[Any], known: KnownSets) -> list[Any]:
        """The sets that are declared; of a project whose tables are not listed, those too that others write."""
        declared = self._declared_sets()
        cuts = self.partitions.definition() if self.partitions is not None else None
        shared = {**self._shared(), "kinds": set(SET_KINDS)}
        named = {"resource": self._named("datom"), "key_prefix": list(self.key_prefix) or None}
        made: list[Any] = [s.asset(assets, cuts, **named, **shared) for s in declared]
        names = {s.name for s in declared}
        others = {n: m for n, m in known.items() if n not in names} if self.tables is None else {}
        return [*made, *external_sets(others, assets, self.key_prefix, **shared)]

    def _set_checks(self, made: Sequence[Any]) -> list[dg.AssetChecksDefinition]:
        asked = {s.name for s in self._declared_sets() if s.checks}
        own = [a for a in made if isinstance(a, dg.AssetsDefinition) and a.key.path[-1] in asked]
        return [datom_set_checks(a, resource=self._named("datom")) for a in own]

    def _checks(self, assets: Sequence[Any]) -> list[dg.AssetChecksDefinition]:
        if self.checks is None:
            return []
        specs = [spec for a in assets for spec in ([a] if isinstance(a, dg.AssetSpec) else a.specs)]
        asked = self.checks.model_dump()
        return [datom_checks(spec, resource=self._named("datom"), **asked) for spec in specs]

    def _named(self, name: str) -> str:
        return name if self.study is None else f"{name}_{self.study}"

    def _resource(self) -> DatomResource:
        return DatomResource(
            project=self.project,
            storage=self.storage.resource() if self.storage is not None else None,
            governance=self.governance.resource() if self.governance is not None else None,
            **self.model_dump(include=_OF_RESOURCE),
        )

    def _specs(self, known: Mapping[str, dg.TableSchema]) -> list[TableSpec]:
        """The listed tables, else all known ones, with whatever is known about their columns."""
        listed = [YamlTable(name=t) if isinstance(t, str) else t for t in self.tables or ()]
        if self.tables is None:
            listed = [YamlTable(name=name) for name in known]
        return [table.spec(known.get(table.name)) for table in listed]

    def _shared(self) -> dict[str, Any]:
        shared = {"owners": list(self.owners), "tags": {**self.tags}, "group_name": self.group_name}
        return {**shared, "kinds": set(KINDS)}

    def _external(self, specs: Sequence[TableSpec]) -> list[Any]:
        cuts = self.partitions.definition() if self.partitions is not None else None
        if self.atomic:
            raise dc.InvalidInputError("atomic needs extract: what is only read is not made in a step.")
        made = []
        for spec in specs:
            schema = spec.schema()
            metadata: dict[str, Any] = {**spec.settings, **({} if schema is None else {COLUMN_SCHEMA: schema})}
            if spec.asset_name != spec.name:
                metadata[TABLE] = spec.name
            dc.check_name(spec.name)
            asset = dg.AssetSpec(
                dg.AssetKey([*self.key_prefix, spec.asset_name]),
                description=spec.description,
                partitions_def=cuts,
                metadata=metadata,
                **self._shared(),
            )
            made.append(asset.with_io_manager_key(self._named("io_manager")))
        return made

    def _produced(self, specs: Sequence[TableSpec], resource: DatomResource, extract: Extraction) -> list[Any]:
        if self.tables is None:
            raise dc.InvalidInputError("extract and extracts make tables, so that they must be listed: set tables.")
        return list(
            datom_assets(
                project=resource,
                tables=specs,
                extract=extract,
                partitions=self.partitions.definition() if self.partitions is not None else None,
                atomic=self.atomic,
                name=self._named("extract"),
                on_empty=self.on_empty,
                io_manager_key=self._named("io_manager"),
                key_prefix=list(self.key_prefix) or None,
                **self._shared(),
            )
        )

    def _jobs(self, assets: Sequence[Any], resource: DatomResource) -> list[dg.JobDefinition]:
        if not self.jobs:
            return []
        governance = self.governance.resource() if self.governance is not None else None
        resources = {"datom": resource} | ({} if governance is None else {"governance": governance})
        return datom_jobs(assets, governance=governance is not None, resources=resources, study=self.study)


def _state(state_path: Path | None) -> tuple[dict[str, dg.TableSchema], KnownSets]:
    """The tables that the state names, with their columns; and its sets, with their members."""
    if state_path is None:
        return {}, {}
    try:
        state = json.loads(state_path.read_text())
        tables = {t["name"]: dg.TableSchema([dg.TableColumn(**c) for c in t["columns"]]) for t in state["tables"]}
        return tables, {str(name): [str(m) for m in held] for name, held in state.get("sets", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise dc.InvalidInputError(
            f"The state of the component at {state_path} is not what was kept there ({type(error).__name__}: {error}). "
            "Refresh it: dg utils refresh-defs-state."
        ) from error


def _function(path: str) -> Callable[..., Any]:
    """The function that ``module.function`` names.

    Raises:
        InvalidInputError: there is none.
    """
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise dc.InvalidInputError(f"extract: there is no {path!r}, a function as module.function: {error}") from error
    if not callable(found):
        raise dc.InvalidInputError(f"extract: {path!r} is a {type(found).__name__}, not a function.")
    return found  # type: ignore[no-any-return]
