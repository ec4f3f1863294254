"""The steps of a project's life, from creation to decommission, as jobs to launch once."""

# Dagster reads annotations at run time, to know how jobs are configured: no `annotations` import.
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import dagster as dg
from pydantic import Field

import datom_core as dc
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


class Verify(Enum):
    """How copies are verified: by the SHA-256 of every object, or by sizes alone."""

    hash = "hash"
    size = "size"


class Depth(Enum):
    """How deep validation looks: what exists, whether documents and sizes agree, or every byte."""

    quick = "quick"
    deep = "deep"
    full = "full"


class Backend(Enum):
    """What kind of place it is."""

    local = "local"
    s3 = "s3"


class Place(dg.Config):
    """A folder, or a bucket. Its keys are given as the *names* of environment variables."""

    backend: Backend = Field(description="local or s3.")
    root: str = Field(description="Path of the folder, or name of the bucket.")
    prefix: str = Field(default="", description="Path below it.")
    region: str | None = Field(default=None, description="Where the bucket is.")
    endpoint_url: str | None = Field(default=None, description="URL of a server other than AWS.")
    access_key_env: str | None = Field(default=None, description="Name of the variable that holds the access key.")
    secret_key_env: str | None = Field(default=None, description="Name of the variable that holds the secret key.")
    session_token_env: str | None = Field(default=None, description="Name of the variable of a session token.")
    profile: str | None = Field(default=None, description="A profile of the AWS configuration files, or of SSO.")

    def store(self, near: dc.ObjectStore) -> dc.ObjectStore:
        """The store. A bucket without credentials of its own uses the server and the credentials of ``near``.

        Raises:
            InvalidInputError: no credentials for a bucket.
        """
        if self.backend is Backend.local:
            return dc.LocalStore(self.root, self.prefix)
        # Never show one server's keys to another.
        own = self.access_key_env or self.secret_key_env or self.session_token_env or self.profile or self.endpoint_url
        if not own and near.location.backend == self.backend.value:
            return dc.open_store(dc.Location(self.backend.value, self.root, self.prefix, self.region), near=(near,))
        from datom_dagster.resources import S3Storage

        return S3Storage(
            bucket=self.root,
            prefix=self.prefix,
            region=self.region,
            endpoint_url=self.endpoint_url,
            access_key_env=self.access_key_env,
            secret_key_env=self.secret_key_env,
            session_token_env=self.session_token_env,
            profile=self.profile,
        ).store()


class InitProject(dg.Config):
    """A new project."""

    schema_number: int = Field(default=2, description="2, or 1 for teams with R datom up to 0.1.2.")


class MigrateProject(dg.Config):
    """A move of a project's data."""

    to: Place = Field(description="The new place: empty, or begun by an earlier run.")
    source: Place | None = Field(
        default=None,
        description="The old place, to complete a move that broke off after the project had recorded the new one. Of a "
        "registered project the register knows it.",
    )
    message: str | None = Field(default=None, description="Why; for the commit, and for the register.")
    verify: Verify = Field(default=Verify.hash, description="By hash every object is read back.")
    sunset_at: str | None = Field(default=None, description="Until when the old place is kept, YYYY-MM-DD.")
    delete_source: bool = Field(default=False, description="Remove the data from the old place in the end.")
    dry_run: bool = Field(default=False, description="Only say what would be done.")


class ValidateProject(dg.Config):
    """A check that everything is there, and as it should be."""

    depth: Depth = Field(default=Depth.quick, description="quick, deep or full.")
    fix: bool = Field(default=False, description="Put back everything that git can give.")


class MarkReviewed(dg.Config):
    """What was reviewed, and by whom."""

    cut: str = Field(description="Everything up to this cut was reviewed.")
    name: str = Field(default="reviewed", description="Name of the mark; each kind of review may have one.")
    message: str | None = Field(
        default=None, description="Why, or what came of it; by default the run's tag datom/commit_message."
    )
    author: str | None = Field(
        default=None,
        description="Who, \"Name <email>\"; by default the run's tag datom/author, else the project's author.",
    )
    backwards: bool = Field(default=False, description="Set the mark to an earlier cut than that at which it stands.")


class DecommissionProject(dg.Config):
    """The end of a project."""

    confirm: str = Field(description="The project's name, typed out.")
    dry_run: bool = Field(default=True, description="Only say what would go. Set it to false to take it away.")


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

    ``init_project``, ``migrate_project``, ``validate_project``, ``mirror_project``, ``mark_reviewed`` and
    ``decommission_project``; with a register also ``init_governance`` and ``attach_governance``. They use the resources
    ``datom``, a `DatomResource`, and ``governance``, a `GovernanceResource`. Jobs that change where a project lies, or
    find something out about it, leave an observation on its assets, which makes nothing downstream stale.

    Args:
        assets: the project's assets.
        governance: whether there is a register.
        resources: the resources, if the code location has others under these keys.
        study: appended to the jobs' names, for a code location with several projects.
    """
    check_kind("resources", resources, Mapping, '{"datom": study}')
    notes = _Notes(_specs(assets))
    steps = [_init_project, _migrate, _validate, _mirror, _mark_reviewed, _decommission]
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
            notes.tell(context, "created", facts(datom.init_project(schema=config.schema_number).status()))

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


def _decommission(notes: _Notes) -> dg.OpDefinition:
    @dg.op(description="Take the project away for good. A dry run unless told otherwise.")
    def decommission_project(context: dg.OpExecutionContext, config: DecommissionProject, datom: DatomResource) -> None:
        with translated(context):
            report = datom.decommission(config.confirm, dry_run=config.dry_run)
            notes.tell(context, "decommissioned", facts(report))

    return decommission_project
