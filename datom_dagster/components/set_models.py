"""What a project's `defs.yaml` may say of sets, and the assets that come of it."""

# Dagster reads annotations at run time, to know what the file may say: no `annotations` import.
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import dagster as dg
from pydantic import Field

import datom_core as dc
from datom_dagster.assets import SET_KINDS, SetMember, datom_set
from datom_dagster.components.yaml_models import STRICT

#: Set -> the names of those of its members that its own project has, as the component's state knows them.
KnownSets = Mapping[str, Sequence[str]]


class YamlMember(dg.Resolvable, dg.Model):
    """A member of a set: an asset, and what the set says of it."""

    model_config = STRICT

    asset: str = Field(description="Key of the asset, with slashes between its parts.")
    labels: Mapping[str, Sequence[str]] = Field(default={}, description="Label -> values.")
    table: str | None = Field(default=None, description="Its name in its project, if its key does not end with it.")
    project: str | None = Field(default=None, description="The project that has it, found by the register.")

    def member(self, own: Mapping[str, dg.AssetSpec]) -> SetMember:
        """The member, as `datom_set` takes it; one of the component's own assets with what is known of it."""
        asset: Any = own.get(self.asset, dg.AssetKey(self.asset.split("/")))
        return SetMember(asset, self.labels, self.table, self.project)


def _members(context: dg.ResolutionContext, given: Sequence[Any] | None) -> list["str | YamlMember"] | None:
    if given is None:
        return None
    return [m if isinstance(m, str) else YamlMember.resolve_from_model(context, m) for m in given]


#: Members by the keys of their assets, or with more about each.
YamlMembers = Annotated[
    Sequence[str | YamlMember] | None,
    dg.Resolver(_members, model_field_type=Sequence[str | YamlMember.model()] | None),  # type: ignore[misc]
]


class YamlSet(dg.Resolvable, dg.Model):
    """A set that the project has, as an asset."""

    model_config = STRICT

    name: str = Field(description="Name of the set, and of its asset.")
    members: YamlMembers = Field(default=None, description="Its members; by default all tables of the component.")
    labels: Mapping[str, Sequence[str]] = Field(default={}, description="Labels of the set itself.")
    by_cut: bool = Field(default=True, description="A version for each cut, where there are partitions.")
    allow: str | None = Field(default=None, description="Why members that contradict one another are right.")
    commit_message: str | None = Field(default=None, description="Message of each version if nobody gives another.")
    checks: bool = Field(default=False, description="Checks that no member is lost, and whether one is behind.")

    def asset(
        self, tables: Iterable[Any], partitions: dg.PartitionsDefinition[Any] | None, **options: Any
    ) -> dg.AssetsDefinition:
        """The set as an asset.

        Raises:
            InvalidInputError: as `datom_set`.
        """
        specs = [spec for t in tables for spec in ([t] if isinstance(t, dg.AssetSpec) else t.specs)]
        own = {spec.key.to_user_string(): spec for spec in specs}
        listed = [YamlMember(asset=m) if isinstance(m, str) else m for m in self.members or ()]
        return datom_set(
            self.name,
            [m.member(own) for m in listed] if self.members is not None else specs,
            labels=self.labels,
            partitions=partitions if self.by_cut else None,
            allow=self.allow,
            commit_message=self.commit_message,
            **options,
        )


def known_members(reader: dc.ProjectReader) -> dict[str, list[str]]:
    """Every set of a project, with the names of its members that are of the same project."""
    return {s.name: [m.name for m in reader.set(s.name) if m.project == reader.project] for s in reader.sets()}


def external_sets(known: KnownSets, tables: Iterable[Any], prefix: Sequence[str], **shared: Any) -> list[dg.AssetSpec]:
    """Sets that others write, after those of the component's tables that they hold."""
    keys = {t.key for t in tables if isinstance(t, dg.AssetSpec)}
    made = []
    for name, members in known.items():
        dc.check_name(name)
        held = [key for m in members if (key := dg.AssetKey([*prefix, m])) in keys]
        told = f"The set {name}: {len(members)} members of this project."
        made.append(
            dg.AssetSpec(
                dg.AssetKey([*prefix, name]), deps=held, description=told, **{**shared, "kinds": set(SET_KINDS)}
            )
        )
    return made
