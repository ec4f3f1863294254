"""An asset that is a set: versions of tables, of this project and others, under one name."""

# Dagster reads annotations at run time: no `annotations` import.
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

import datom_core as dc
from datom_dagster.assets.options import checked_options
from datom_dagster.assets.set_members import DeclaredMember, MemberVersions, SetMember, declared_members
from datom_dagster.assets.set_writes import CUT_LABEL, SetRequest, write_set
from datom_dagster.events import TABLE, Required, set_message, set_provenance, set_trailers, telling, translated
from datom_dagster.io import partition_keys
from datom_dagster.resources import DatomResource, check_kind, optional

#: What the page shows a set to be.
SET_KINDS = frozenset({"datom", "set"})

MemberLike = dg.AssetsDefinition | dg.AssetSpec | dg.AssetKey | str | SetMember


class SetConfig(dg.Config):
    """What a run says of the set that it makes."""

    commit_message: str | None = Field(default=None, description="Why: message of the commit.")
    allow: str | None = Field(
        default=None,
        description="Why members that contradict one another are right; recorded with the set. Without it they are "
        "refused.",
    )


@dataclass(frozen=True)
class _Declared:
    """A set as it was declared, once checked."""

    name: str
    members: Sequence[DeclaredMember]
    labels: Mapping[str, Any]
    files: Mapping[str, Any]
    message: str | None
    allow: str | None
    resource: str


@dc.fitting
def datom_set(
    name: str,
    members: Iterable[MemberLike],
    *,
    set_name: str | None = None,
    labels: Mapping[str, Any] | None = None,
    partitions: dg.PartitionsDefinition[Any] | None = None,
    files: Mapping[str, str | os.PathLike[str]] | None = None,
    commit_message: str | None = None,
    allow: str | None = None,
    resource: str = "datom",
    **options: Any,
) -> dg.AssetsDefinition:
    """An asset that is a set: each materialization is a version of it, whose members are versions of these assets.

    Its data version is the set's content hash, so that it is stale exactly when the content of a member changed. A
    member is the version that the run itself made; with ``partitions``, which are cuts, else the one that the cut
    stands for; without, the one that Dagster recorded. A set that contradicts itself fails the step, with every
    mismatch named.

    Args:
        name: of the asset.
        members: assets of tables or sets, of this code location or another: definitions, specs, keys, or `SetMember`
            with labels and the project; by default the set's own.
        set_name: name of the set in its project, by default the asset's. A product has one set.
        labels: of the set itself.
        partitions: the cuts; ``reader.set(name, tags={"cut": "2026-02"})`` finds what was made for one.
        files: what lies beside it in the repository: path there -> path here, read when the step runs.
        commit_message: why, if neither the run's config nor its tag ``datom/commit_message`` says; edits are added.
        allow: why members that contradict one another are right; the run's config may say so once.
        resource: the key of the set's `DatomResource`.
        **options: all else that `dagster.asset` takes, but ``key`` and ``ins``; ``deps`` come on top of the members.

    Raises:
        InvalidInputError: names what is refused, at the time of definition.
    """
    if isinstance(members, str | dg.AssetKey | dg.AssetSpec | dg.AssetsDefinition | SetMember):
        raise dc.InvalidInputError("datom_set takes a list of members; put a single one into brackets.")
    called = set_name if set_name is not None else name
    declared = _Declared(
        name=called,
        members=declared_members(members),
        labels=_checked_labels(called, labels, partitions),
        files=dict(files or {}),
        message=commit_message,
        allow=allow,
        resource=resource,
    )
    metadata = {**(options.get("metadata") or {}), **({TABLE: called} if called != name else {})}
    return _asset(declared, partitions, {"name": name, **options, "metadata": metadata})


def _checked_labels(
    name: str, labels: Mapping[str, Any] | None, partitions: dg.PartitionsDefinition[Any] | None
) -> Mapping[str, Any]:
    checked = dc.VersionSet.new(name, "project", labels).tags
    if partitions is not None and CUT_LABEL in checked:
        raise dc.InvalidInputError(f"The label {CUT_LABEL!r} is that of the partition; call yours something else.")
    return checked


def _asset(
    declared: _Declared, partitions: dg.PartitionsDefinition[Any] | None, options: Mapping[str, Any]
) -> dg.AssetsDefinition:
    check_kind("partitions", partitions, dg.PartitionsDefinition, 'dagster.StaticPartitionsDefinition(["2026-01"])')
    given = checked_options(options, partitions, atomic=False)
    strays = sorted(given.keys() & {"dagster_type", "io_manager_key", "io_manager_def", "output_required"})
    if strays:
        raise dc.InvalidInputError(f"{', '.join(strays)}: a set hands nothing to an IO manager; its step writes it.")
    told = {"description": f"The set {declared.name}: {len(declared.members)} members.", "kinds": set(SET_KINDS)}
    given = {**told, **given}
    given["deps"] = [*(m.key for m in declared.members), *(given.get("deps") or ())]
    needed = {declared.resource, *(m.resource for m in declared.members if m.resource is not None)}
    decorate: Any = dg.asset(
        partitions_def=partitions,
        dagster_type=dg.Nothing,
        required_resource_keys=needed | set(given.pop("required_resource_keys", ())),
        **given,
    )
    made: dg.AssetsDefinition = decorate(_step(declared))
    return made


def _step(declared: _Declared) -> Any:
    def datom_set_step(context: dg.AssetExecutionContext, config: SetConfig) -> dg.MaterializeResult:  # type: ignore[type-arg]
        study = getattr(context.resources, declared.resource)
        if not isinstance(study, DatomResource):
            raise dc.InvalidInputError(
                f"The resource {declared.resource!r} is a {type(study).__name__}, not a DatomResource."
            )
        with translated(context.op_execution_context), telling(study.open_project(), context.log) as project:
            return _made(context, config, declared, study, project)

    return datom_set_step


def _made(
    context: dg.AssetExecutionContext,
    config: SetConfig,
    declared: _Declared,
    study: DatomResource,
    project: dc.Project,
) -> dg.MaterializeResult[Any]:
    cut = str(context.partition_key) if context.has_partition_key else None
    required = Required(study.require_author, study.require_message)
    required.check(context.run.tags, says_why=bool(config.commit_message))
    versions = MemberVersions(context, study, project.reader, cut)
    members = versions.find(declared.members)
    result, shown = write_set(
        project,
        SetRequest(
            name=declared.name,
            members=members,
            labels=declared.labels,
            message=set_message(context, config.commit_message, declared.message, cut),
            trailers=set_trailers(context, cut),
            provenance=set_provenance(context, cut, optional(study.pipeline_commit)),
            cut=cut,
            order=partition_keys(context.assets_def.partitions_def, context.instance) if cut is not None else (),
            allow=config.allow if config.allow is not None else declared.allow,
            files=declared.files,
            readers=versions.readers,
        ),
    )
    context.log.info(f"{declared.name}: {result.action}, version {result.version[:8]}, {result.members} members")
    return dg.MaterializeResult(metadata=shown, data_version=dg.DataVersion(result.data_sha))
