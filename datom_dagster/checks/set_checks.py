"""Asset checks over the versions of a set: are its members what they were, and is any behind?"""

# Dagster reads annotations at run time, to know what a check's function takes: no `annotations` import.
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.checks.checked_version import newest_event
from datom_dagster.events import CUT, VERSION, plain, table_of, translated
from datom_dagster.resources import DatomResource

_DESCRIPTIONS = {
    "members": "Every member is still the version that the set lists.",
    "current": "No member is behind what its cut stands for, or what is current, now.",
}
# Errors that say that a member is not what it was; any other says nothing about it.
_LOST = (dc.IntegrityError, dc.FormatError, dc.NotFoundError, dc.InvalidInputError)


@dc.fitting
def datom_set_checks(
    asset: dg.AssetsDefinition | dg.AssetSpec,
    *,
    data: bool = False,
    blocking: bool = False,
    others: Collection[str] = (),
    resource: str = "datom",
    name: str | None = None,
) -> dg.AssetChecksDefinition:
    """Two checks of a set: ``members``, that each is still what it was; and ``current``, a warning if one is behind.

    They look at the version that the newest materialization (of the run's partition) made, else at the current one.

    Args:
        asset: the asset that `datom_set` made, or the `dagster.AssetSpec` of a set that others write.
        data: read the members' data too, and compare its content with the version's hash.
        blocking: whether what follows waits while ``members`` fails.
        others: keys of the `DatomResource` of other projects that members are of; those of no such resource are found
            by the register.
        resource: the key of the set's own `DatomResource`.
        name: the name of the op.

    Raises:
        InvalidInputError: not a single asset.
    """
    specs = [asset] if isinstance(asset, dg.AssetSpec) else list(getattr(asset, "specs", ()))
    if len(specs) != 1:
        raise dc.InvalidInputError(f"datom_set_checks takes one asset, not {asset!r}.")
    keys = [others] if isinstance(others, str) else list(others)
    plan = _SetChecks(specs[0], table_of(specs[0].metadata, specs[0].key), data, resource, keys)
    key = specs[0].key

    @dg.multi_asset_check(
        name=name or f"{key.to_python_identifier()}_datom_set_checks",
        specs=[
            dg.AssetCheckSpec(n, asset=key, blocking=blocking and n == "members", description=text)
            for n, text in _DESCRIPTIONS.items()
        ],
        can_subset=True,
        required_resource_keys={resource, *keys},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with translated(context.op_execution_context):
            yield from plan.results(context)

    return checks


@dataclass(frozen=True)
class _SetChecks:
    """What to check of one set."""

    spec: dg.AssetSpec
    name: str
    data: bool
    resource: str
    others: Collection[str]

    def results(self, context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        study: DatomResource = getattr(context.resources, self.resource)
        own = study.open_reader()
        opened: list[dc.ProjectReader] = [own, *(getattr(context.resources, key).open_reader() for key in self.others)]
        readers: dict[str, dc.ProjectReader] = {reader.project: reader for reader in opened}

        def reader(project: str) -> dc.ProjectReader:
            if project not in readers:
                readers[project] = study.reader_of(project)
            return readers[project]

        held, cut = self._checked(context, own)
        found = {"members": lambda: self._members(held, reader), "current": lambda: _behind(held, cut, reader)}
        for spec in context.check_specs:
            if spec.key in context.selected_asset_check_keys:
                yield self._result(spec.name, held, cut, found[spec.name]())

    def _checked(
        self, context: dg.AssetCheckExecutionContext, reader: dc.ProjectReader
    ) -> tuple[dc.VersionSet, str | None]:
        """The set as the newest event made it, or as it is current; and the cut that it was made for."""
        partitioned = self.spec.partitions_def is not None
        cut = context.partition_key if partitioned and context.has_partition_key else None
        event = newest_event(context.instance, self.spec.key, cut, external=False)
        version = plain(event.metadata[VERSION]) if event is not None and VERSION in event.metadata else None
        held = reader.set(self.name, None if version is None else str(version))
        made_for = held.tags.get("cut", ())
        return held, cut if cut is not None else made_for[0] if len(made_for) == 1 else None

    def _members(self, held: dc.VersionSet, reader: Callable[[str], dc.ProjectReader]) -> list[str]:
        """The members that are not what the set lists, and why."""
        problems = []
        for member in held:
            try:
                of = reader(member.project)
                if of.member(member.name, member.version, tags=member.tags) != member:
                    problems.append(f"{member} is no {member.kind}")
                elif self.data:
                    dc.fetch_member(held, member, reader=of)
            except _LOST as error:
                problems.append(f"{member}: {str(error).splitlines()[0]}")
        return problems

    def _result(self, name: str, held: dc.VersionSet, cut: str | None, problems: list[str]) -> dg.AssetCheckResult:
        good = {"members": "all {} members are what they were", "current": "none of {} members is behind"}[name]
        text = "; ".join(problems) if problems else good.format(len(held))
        shown: dict[str, Any] = {"datom/found": text, VERSION: str(held.version)}
        if cut is not None:
            shown[CUT] = cut
        return dg.AssetCheckResult(
            passed=not problems,
            asset_key=self.spec.key,
            check_name=name,
            description=text,
            severity=dg.AssetCheckSeverity.WARN if name == "current" else dg.AssetCheckSeverity.ERROR,
            metadata=shown,
        )


def _behind(held: dc.VersionSet, cut: str | None, reader: Callable[[str], dc.ProjectReader]) -> list[str]:
    """The members whose cut, or else whose table, stands for another version now."""
    problems = []
    for member in held:
        try:
            now = _now(reader(member.project), member, cut)
        except _LOST as error:
            problems.append(f"{member}: {str(error).splitlines()[0]}")
            continue
        if now != member.version:
            problems.append(f"{member} is behind {now[:8]}")
    return problems


def _now(reader: dc.ProjectReader, member: dc.Member, cut: str | None) -> str:
    cuts = reader.cuts() if cut is not None else {}
    if cut is not None and cut in cuts and member.name in cuts[cut]:
        return str(cuts[cut][member.name])
    if member.kind == "set" and cut is not None:
        return str(reader.set(member.name, tags={"cut": cut}).version)
    return reader.member(member.name).version
