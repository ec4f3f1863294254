"""The members of a set: which assets they are, and which of their versions a run stands for."""

# Dagster reads annotations at run time: no `annotations` import.
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.assets.set_writes import CUT_LABEL
from datom_dagster.events import recorded_dependency, table_of, version_made_by_run
from datom_dagster.io import recorded_version
from datom_dagster.resources import DatomResource

_NO_TAGS: Mapping[str, Any] = {}


@dataclass(frozen=True)
class SetMember:
    """An asset whose versions a set holds, with what the set says of it.

    Attributes:
        asset: a table or another set: its definition, its `dagster.AssetSpec`, or its key.
        labels: what the set says of it: ``{"type": "input"}``.
        table: its name in its project; by default as its asset says.
        project: the project that has it, found through the register; by default the set's own.
        resource: instead, the key of that project's `DatomResource`.
    """

    asset: Any
    labels: Mapping[str, Any] = field(default_factory=lambda: _NO_TAGS)
    table: str | None = None
    project: str | None = None
    resource: str | None = None


@dataclass(frozen=True)
class DeclaredMember:
    """A member as it is known when the code is loaded.

    Attributes:
        key: of its asset.
        table: its name in its project.
        labels: what the set says of it.
        by_cut: whether its partitions are cuts; ``None`` if nothing is known but its key.
        project, resource: where it is, if not beside the set.
    """

    key: dg.AssetKey
    table: str
    labels: Mapping[str, Any]
    by_cut: bool | None
    project: str | None
    resource: str | None


def declared_members(given: Iterable[Any]) -> list[DeclaredMember]:
    """The members that were given as assets, keys or `SetMember`.

    Raises:
        InvalidInputError: names everything that can be no member.
    """
    found: list[DeclaredMember] = []
    problems: list[str] = []
    for member in given:
        try:
            asked = member if isinstance(member, SetMember) else SetMember(member)
            found += _declared(asked)
        except (dc.DatomError, dg.DagsterError) as error:
            problems.append(str(error))
    if not problems and not found:
        problems.append("there is none; give the assets that the set holds")
    twice = {m.key for m in found if [n.key for n in found].count(m.key) > 1}
    problems += [f"{key.to_user_string()} is given twice" for key in sorted(twice)]
    if problems:
        raise dc.InvalidInputError("Some members cannot be:\n  - " + "\n  - ".join(problems))
    return found


def _declared(asked: SetMember) -> list[DeclaredMember]:
    specs = _specs(asked.asset)
    if asked.project is not None and asked.resource is not None:
        raise dc.InvalidInputError(f"{specs[0][0].key.to_user_string()}: give project or resource, not both.")
    if asked.table is not None and len(specs) > 1:
        raise dc.InvalidInputError(f"table names one table, and {len(specs)} assets were given with it.")
    if asked.project is not None:
        dc.check_name(asked.project, "project")
    dc.Member("p", "m", "0" * 64, "table", asked.labels)  # refuses labels that cannot be kept
    return [
        DeclaredMember(
            spec.key,
            dc.check_name(asked.table if asked.table is not None else table_of(spec.metadata, spec.key)),
            asked.labels,
            None if bare else spec.partitions_def is not None,
            asked.project,
            asked.resource,
        )
        for spec, bare in specs
    ]


def _specs(asset: Any) -> list[tuple[dg.AssetSpec, bool]]:
    """The assets that were given, and whether no more than their key is known."""
    if isinstance(asset, dg.AssetSpec):
        return [(asset, False)]
    if isinstance(asset, dg.AssetsDefinition):
        return [(spec, False) for spec in asset.specs]
    if isinstance(asset, str | dg.AssetKey | list | tuple):
        return [(dg.AssetSpec(dg.AssetKey(asset) if not isinstance(asset, dg.AssetKey) else asset), True)]
    raise dc.InvalidInputError(f"a member is an asset, its key, or SetMember(asset, labels=...), not {asset!r}")


class MemberVersions:
    """Finds the versions of members that a run stands for.

    Args:
        context: of the step.
        study: the set's project.
        own: a reader of it.
        cut: the partition, if there is one.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, study: DatomResource, own: dc.ProjectReader, cut: str | None
    ) -> None:
        self._context = context
        self._study = study
        self._cut = cut
        self._opened: dict[str, dc.ProjectReader] = {}
        self._own = own

    def find(self, members: Iterable[DeclaredMember]) -> list[dc.Member]:
        """The members, each at the version that the run made; else that of the cut, or what Dagster recorded.

        Raises:
            NotFoundError: names every member that is not there, or whose project cannot be found.
        """
        found, problems = [], []
        for member in members:
            try:
                found.append(self._member(member))
            except (dc.NotFoundError, dc.InvalidInputError) as error:
                problems.append(f"{member.key.to_user_string()}: {error}")
        if problems:
            raise dc.NotFoundError("Some members of the set are not there:\n  - " + "\n  - ".join(problems))
        return found

    def _member(self, member: DeclaredMember) -> dc.Member:
        reader, context = self._reader(member), self._context.op_execution_context
        made = version_made_by_run(context, member.key, self._cut if member.by_cut is not False else None)
        if made is not None:
            return reader.member(member.table, made, tags=member.labels)
        if self._cut is not None and member.by_cut is not False:
            if reader.metadata(member.table).kind == "set":
                of_cut = reader.set(member.table, tags={CUT_LABEL: self._cut}).version
                return reader.member(member.table, of_cut, tags=member.labels)
            return reader.member(member.table, cut=self._cut, tags=member.labels)
        recorded = recorded_dependency(context, member.key)
        version = recorded_version(reader, member.table, recorded, context.log)
        return reader.member(member.table, version.version, tags=member.labels)

    @property
    def readers(self) -> list[dc.ProjectReader]:
        """Of the members' projects, but the set's own."""
        return list(self._opened.values())

    def _reader(self, member: DeclaredMember) -> dc.ProjectReader:
        if member.resource is None and member.project in (None, self._own.project):
            return self._own
        place = f"resource {member.resource}" if member.resource is not None else f"project {member.project}"
        if place not in self._opened:
            self._opened[place] = self._open(member)
        return self._opened[place]

    def _open(self, member: DeclaredMember) -> dc.ProjectReader:
        if member.resource is None:
            return self._study.reader_of(str(member.project))
        found = getattr(self._context.resources, member.resource)
        if not isinstance(found, DatomResource):
            raise dc.InvalidInputError(f"The resource {member.resource!r} is no DatomResource.")
        return found.open_reader()
