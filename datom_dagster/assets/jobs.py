"""The steps of a project's life, from creation to decommission, as jobs to launch once."""

# Dagster reads annotations at run time, to know how jobs are configured: no `annotations` import.
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.assets.job_configs import (
    Backend,
    DecommissionProject,
    FreezeCut,
    InitProject,
    MarkReviewed,
    MigrateProject,
    Place,
    ValidateProject,
)
from datom_dagster.assets.set_writes import SetRequest, write_set
from datom_dagster.events import (
    AUTHOR,
    COMMIT_MESSAGE,
    CUT,
    DATA_VERSION_TAG,
    Required,
    asked_by,
    commit_metadata,
    facts,
    run_provenance,
    run_trailers,
    translated,
)
from datom_dagster.resources import DatomResource, GovernanceResource, check_kind, listed, optional


@dataclass(frozen=True)
class _Notes:
    """What a step found out or did: shown at its run, and on the pages of the project's assets."""

    assets: Sequence[dg.AssetSpec]

    def tell(
        self, context: dg.OpExecutionContext, what: str, shown: Mapping[str, Any], *, on_assets: bool = False
    ) -> None:
        """Show the facts at the run and, if asked, at every asset.

        An observation of an asset that others make must repeat its data version; otherwise it would count as a change.
        """
        context.add_output_metadata(dict(shown))
        if not on_assets:
            return
        for spec in self.assets:
            version = _data_version(context, spec.key)
            tags = {} if version is None else {DATA_VERSION_TAG: version}
            context.log_event(dg.AssetObservation(spec.key, metadata={"datom/event": what, **shown}, tags=tags))


def _data_version(context: dg.OpExecutionContext, asset: dg.AssetKey) -> str | None:
    """The last observed data version of an asset; ``None`` if there is none."""
    found = context.instance.fetch_observations(asset, limit=1).records
    observation = found[0].asset_observation if found else None
    return None if observation is None else observation.tags.get(DATA_VERSION_TAG)


def _specs(assets: Iterable[Any]) -> list[dg.AssetSpec]:
    found: list[dg.AssetSpec] = []
    for asset in listed(assets, "datom_jobs"):
        if isinstance(asset, dg.SourceAsset):
            found.append(dg.AssetSpec(asset.key, metadata=asset.metadata))
        else:
            found += [asset] if isinstance(asset, dg.AssetSpec) else list(asset.specs)
    return found


@dc.fitting
def datom_jobs(
    assets: Iterable[Any] = (),
    *,
    governance: bool = True,
    resources: Mapping[str, Any] | None = None,
    study: str | None = None,
) -> list[dg.JobDefinition]:
    """Jobs for the steps of a project's life; each can be launched again if it was interrupted.

    ``init_project``, ``migrate_project``, ``validate_project``, ``mirror_project``, ``mark_reviewed``, ``freeze_cut``
    and ``decommission_project``; with a register also ``init_governance`` and ``attach_governance``. They use the
    resources ``datom``, a `DatomResource`, and ``governance``, a `GovernanceResource`. Jobs that change where a project
    lies, or find something out about it, leave an observation on its assets, which makes nothing downstream stale.

    Args:
        assets: the project's assets.
        governance: whether there is a register.
        resources: the resources, if the code location has others under these keys.
        study: appended to the jobs' names, for a code location with several projects.
    """
    check_kind("resources", resources, Mapping, '{"datom": study}')
    notes = _Notes(_specs(assets))
    steps = [_init_project, _migrate, _validate, _mirror, _mark_reviewed, _freeze_cut, _decommission]
    steps += [_init_governance, _attach] if governance else []
    return [_job(step(notes), resources, study) for step in steps]


def _job(op: dg.OpDefinition, resources: Mapping[str, Any] | None, study: str | None) -> dg.JobDefinition:
    name = op.name if study is None else f"{op.name}_{study}"
    # A code location refuses an op with the name of a job, or of another project's op. The alias keeps its plain name
    # in the run's configuration.
    step = op.with_replaced_properties(name=f"{name}_step").alias(op.name)

    @dg.graph(name=name, description=op.description)
    def life() -> None:
        step()

    return life.to_job(resource_defs=resources, executor_def=dg.in_process_executor)


def _init_project(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Create the project: its repository's first commit, and its place in storage.")
    def init_project(context: dg.OpExecutionContext, config: InitProject, datom: DatomResource) -> None:
        with translated(context):
            made = datom.init_project(schema=config.schema_number, product=config.product)
            notes.tell(context, "created", facts(made.status()))

    return init_project


def _init_governance(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Begin the organization's register of projects. Once; again it changes nothing.")
    def init_governance(context: dg.OpExecutionContext, governance: GovernanceResource) -> None:
        with translated(context):
            notes.tell(context, "register begun", governance.init_governance())

    return init_governance


def _attach(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Register the project: from now on it is found by its name.")
    def attach_governance(context: dg.OpExecutionContext, datom: DatomResource, governance: GovernanceResource) -> None:
        with translated(context):
            register = governance.open_governance()
            project = register.attach(datom.open_project())
            notes.tell(context, "registered", facts(register.project(project.name)), on_assets=True)

    return attach_governance


def _migrate(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Move the project's data to another place, with every version.")
    def migrate_project(context: dg.OpExecutionContext, config: MigrateProject, datom: DatomResource) -> None:
        with translated(context):
            project = datom.open_project()
            target = config.to.store(project.store)
            report = dc.migrate(
                project,
                target,
                source=_source(config, project, target),
                dry_run=config.dry_run,
                verify=config.verify.value,
                delete_source=config.delete_source,
                sunset_at=config.sunset_at,
                message=config.message,
            )
            notes.tell(context, "moved", facts(report), on_assets=not config.dry_run)

    return migrate_project


def _source(config: MigrateProject, project: dc.Project, target: dc.ObjectStore) -> dc.ObjectStore | None:
    """The old place of a move that has to be completed; ``None`` for a move that begins where the project is."""
    if config.source is not None:
        return config.source.store(project.store)
    if project.governance is None or project.store.location != target.location:
        return None
    former = project.governance.project(project.name).previous
    if not former:
        return None
    at = former[0].location
    place = Place(backend=Backend(at.backend), root=at.root, prefix=at.prefix, region=at.region)
    return place.store(project.store)


def _validate(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Look whether everything is there and as it should be, and put back what can be.")
    def validate_project(context: dg.OpExecutionContext, config: ValidateProject, datom: DatomResource) -> None:
        with translated(context):
            project = datom.open_project()
            report = project.validate(config.depth.value, fix=config.fix)
            notes.tell(context, "validated", facts(report), on_assets=True)

    return validate_project


def _mirror(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Bring storage level with git.")
    def mirror_project(context: dg.OpExecutionContext, datom: DatomResource) -> None:
        with translated(context):
            project = datom.open_project()
            report = project.mirror()
            notes.tell(context, "mirrored", facts(report), on_assets=bool(report.written))

    return mirror_project


def _mark_reviewed(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Record that a study was reviewed up to a cut: a report can then tell what came since.")
    def mark_reviewed(context: dg.OpExecutionContext, config: MarkReviewed, datom: DatomResource) -> None:
        with translated(context):
            tags = context.run.tags
            who = config.author if config.author is not None else asked_by(tags)
            required = Required(datom.require_author and who is None, datom.require_message)
            required.check(tags, says_why=bool(config.message))
            project = datom.open_project()
            commit = project.mark_reviewed(
                config.cut,
                name=config.name,
                message=config.message if config.message is not None else tags.get(COMMIT_MESSAGE),
                author=who,
                trailers=run_trailers(context),
                provenance=run_provenance(context, optional(datom.pipeline_commit)),
                backwards=config.backwards,
            )
            latest = project.reader.reviews()[config.name].latest
            shown = {
                "datom/review_mark": config.name,
                CUT: config.cut,
                "datom/message": latest.message,
                AUTHOR: str(latest.author),
                "datom/recorded_at": latest.recorded_at,
                **commit_metadata(commit, project.remote),
            }
            notes.tell(context, "reviewed", shown, on_assets=commit is not None)

    return mark_reviewed


def _freeze_cut(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Release a cut as a set: versions of tables under one name, which can be cited.")
    def freeze_cut(context: dg.OpExecutionContext, config: FreezeCut, datom: DatomResource) -> None:
        with translated(context):
            tags, message = context.run.tags, config.message
            Required(datom.require_author, datom.require_message).check(tags, says_why=bool(message))
            project = datom.open_project()
            message = message if message is not None else tags.get(COMMIT_MESSAGE)
            told = replace(run_provenance(context, optional(datom.pipeline_commit)), asked_by=asked_by(tags))
            source = project.reader if config.source is None else datom.reader_of(config.source)
            asked = SetRequest(
                name=config.set_name,
                members=_members_of_cut(source, config),
                labels=config.labels,
                message=message if message is not None else f"Freeze the cut {config.cut} as {config.set_name}",
                trailers=run_trailers(context),
                provenance=told,
                cut=config.cut,
                allow=config.allow,
                readers=[] if source.project == project.name else [source],
                dry_run=config.dry_run,
            )
            _, shown = write_set(project, asked)
            notes.tell(context, "cut frozen", shown)

    return freeze_cut


def _members_of_cut(reader: dc.ProjectReader, config: FreezeCut) -> list[dc.Member]:
    """The versions that a cut stands for.

    Raises:
        NotFoundError: there is no such cut; or it lacks tables, each of which is named.
    """
    held = reader.cuts().find(config.cut)
    asked = list(held) if config.tables is None else list(dict.fromkeys(config.tables))
    strays = [name for name in asked if name not in held]
    if strays:
        raise dc.NotFoundError(
            f"The cut {config.cut} does not hold {', '.join(strays)}; it holds {', '.join(held)}.", cut=config.cut
        )
    return [reader.member(name, cut=config.cut) for name in asked]


def _decommission(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Take the project away for good. A dry run unless told otherwise.")
    def decommission_project(context: dg.OpExecutionContext, config: DecommissionProject, datom: DatomResource) -> None:
        with translated(context):
            report = datom.decommission(config.confirm, dry_run=config.dry_run)
            notes.tell(context, "decommissioned", facts(report))

    return decommission_project
