"""Declare assets over datom tables, so that mistakes show when the code is loaded."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

import dagster as dg

import datom_core as dc
from datom_dagster.assets.bodies import skipping_empty, watched
from datom_dagster.assets.comparisons import ComparisonLike, comparing
from datom_dagster.assets.destinations import IO_MANAGER_KEY, check_io_managers, is_ours, marked, written
from datom_dagster.events import (
    COLUMN_SCHEMA,
    COMMIT_MESSAGE,
    GATE,
    ON_EMPTY,
    OTHER_IO_MANAGER,
    RULES,
    TABLE,
    TABLE_TYPE,
    OnEmpty,
    TableType,
    check_keys,
    settings_of,
    table_of,
    uri,
)
from datom_dagster.io import DatomIOManager, check_choices, is_mapping
from datom_dagster.resources import DatomResource, check_kind, check_options, listed, resolved
from datom_dagster.rules import Compare, TableRules

#: What the page shows an asset to be.
KINDS = frozenset({"datom", "parquet"})

Compute = Callable[..., Any]


@overload
def datom_asset(compute_fn: Compute, /) -> dg.AssetsDefinition: ...


@overload
def datom_asset(
    *,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    on_empty: OnEmpty = "fail",
    table_type: TableType = "derived",
    commit_message: str | None = None,
    rules: TableRules | None = None,
    gate: bool = False,
    compare: Compare | None = None,
    comparison: ComparisonLike | None = None,
    other_io_manager: bool = False,
    **options: Any,
) -> Callable[[Compute], dg.AssetsDefinition]: ...


@dc.fitting
def datom_asset(
    compute_fn: Compute | None = None,
    /,
    *,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    on_empty: OnEmpty = "fail",
    table_type: TableType = "derived",
    commit_message: str | None = None,
    rules: TableRules | None = None,
    gate: bool = False,
    compare: Compare | None = None,
    comparison: ComparisonLike | None = None,
    other_io_manager: bool = False,
    **options: Any,
) -> dg.AssetsDefinition | Callable[[Compute], dg.AssetsDefinition]:
    """`dagster.asset` for a table of a datom project.

    Args:
        table: name of the table; by default the asset's name.
        columns: what the columns mean, name -> description; shown on the page before the first run.
        on_empty: what to do with a frame without rows: ``"fail"``, ``"skip"`` (nothing is recorded and steps
            downstream are skipped) or ``"keep"`` (the previous version stands).
        table_type: ``"imported"`` for an extract, where lineage begins, else ``"derived"``.
        commit_message: the message of each version if nobody gives another one.
        rules: what must hold for the table. `datom_checks` checks it; its key tells which rows changed.
        gate: refuse data that breaks a rule before anything is written.
        compare: whether each materialization says what changed: ``"all"``, ``"keyed"`` (only with a declared key) or
            ``"none"``; by default what the IO manager does.
        comparison: how values are compared, and which columns no event may show: ``{"masked": ["TRT01A"]}``.
        other_io_manager: let an IO manager that is not a `DatomIOManager` store the asset, without versions.
            Without this flag, a run refuses to do so, wherever the asset was defined.
        **options: everything else that `dagster.asset` takes.

    Raises:
        InvalidInputError: a name or setting that datom refuses, at the time of definition.
    """
    _check_declared(compute_fn, columns, rules)
    metadata: dict[str, Any] = {ON_EMPTY: on_empty, TABLE_TYPE: table_type}
    given = {OTHER_IO_MANAGER: other_io_manager or None, TABLE: table, COMMIT_MESSAGE: commit_message}
    metadata |= {key: value for key, value in given.items() if value is not None}
    metadata |= {**_ruled(rules, gate=gate), **comparing(compare, comparison)}
    if columns is not None:
        described = [dg.TableColumn(name=name, description=text) for name, text in columns.items()]
        metadata[COLUMN_SCHEMA] = dg.TableSchema(columns=described)
    settings = {"kinds": set(KINDS), **options, "metadata": {**metadata, **(options.get("metadata") or {})}}
    return functools.partial(_build, settings) if compute_fn is None else _build(settings, compute_fn)


def _ruled(rules: TableRules | None, *, gate: bool) -> dict[str, Any]:
    if gate and (rules is None or not rules.declared):
        raise dc.InvalidInputError("gate=True needs rules: nothing could be refused.")
    return {} if rules is None else {GATE if gate else RULES: rules.to_json()}


def _check_declared(compute_fn: object, columns: object, rules: object) -> None:
    if compute_fn is not None and (not callable(compute_fn) or isinstance(compute_fn, dg.AssetsDefinition)):
        given, named = type(compute_fn).__name__, f"={compute_fn!r}" if isinstance(compute_fn, str) else "=..."
        raise dc.InvalidInputError(
            f"datom_asset stands above a function, and was given a {given}. Options have names: write "
            f"@datom_asset(name{named}) for the asset's name, @datom_asset(table{named}) for the table's."
        )
    check_kind("columns", columns, Mapping, '{"AGE": "Age in years"}')
    check_kind("rules", rules, TableRules, "TableRules(key=...)")


def _build(settings: Mapping[str, Any], compute_fn: Compute) -> dg.AssetsDefinition:
    if settings["metadata"][ON_EMPTY] == "skip":
        if settings.get("check_specs"):
            raise dc.InvalidInputError(
                "on_empty='skip' and check_specs exclude each other: a skipped asset checks nothing."
            )
        settings, compute_fn = {**settings, "output_required": False}, skipping_empty(compute_fn)
    try:
        decorate = dg.asset(**settings)
    except TypeError:
        check_options("datom_asset", settings, datom_asset, dg.asset)
        raise  # of something else
    made: dg.AssetsDefinition = decorate(watched(compute_fn))
    if not list(written(made)):
        raise dc.InvalidInputError(
            f"{made.key.to_user_string()}: by its annotation the function returns nothing, and there would never be a "
            "version. Annotate it with the frame that it returns, as in MaterializeResult[pandas.DataFrame]; or make "
            "the asset with dagster.asset."
        )
    check_tables([made])
    return made


@dc.fitting
def check_tables(assets: Iterable[Any], io_managers: Mapping[str, Any] | None = None) -> None:
    """Refuse assets whose table has a name or setting that datom refuses, or that share a table.

    Args:
        assets: asset definitions; anything else, and any that hands nothing to an IO manager, is left alone.
        io_managers: check only assets with these IO managers, by key.

    Raises:
        InvalidInputError: names every offender.
    """
    problems: list[str] = []
    owners: dict[tuple[str, str], dg.AssetKey] = {}
    for definition in listed(assets, "check_tables", anything=True):
        for key, manager_key in written(definition):
            if io_managers is not None and manager_key not in io_managers:
                continue
            try:
                table = _check_asset(definition, key)
            except dc.InvalidInputError as error:
                problems.append(f"{key.to_user_string()}: {error}")
                continue
            place = _place(io_managers[manager_key]) if io_managers is not None else manager_key
            # Two names that differ only in case would be one folder on some disks.
            owner = owners.setdefault((place, table.lower()), key)
            if owner != key:
                problems.append(f"{key.to_user_string()} and {owner.to_user_string()} both write the table {table}")
    if problems:
        raise dc.InvalidInputError("Some assets cannot be tables of a datom project:\n  - " + "\n  - ".join(problems))


def _check_asset(definition: dg.AssetsDefinition, key: dg.AssetKey) -> str:
    """The table of an asset, once everything that is known about it so far has been checked."""
    spec = definition.specs_by_key[key]
    check_keys(spec.metadata, "definition")
    check_choices(spec.metadata)
    for input_name in definition.keys_by_input_name:
        asked = definition.node_def.input_def_named(input_name).metadata or {}
        check_keys(asked, "input")
        check_choices(asked)
    settings = settings_of(spec.metadata)
    output = definition.node_def.output_def_named(definition.get_output_name_for_asset_key(key))
    if settings[ON_EMPTY] == "skip" and output.is_required:
        raise dc.InvalidInputError(
            f"an IO manager cannot skip what an asset has yielded; use datom_asset(on_empty='skip') instead of the "
            f"metadata {ON_EMPTY!r}."
        )
    policy, returned = definition.backfill_policy, output.dagster_type.typing_type
    several = definition.partitions_def is not None and policy is not None and policy.max_partitions_per_run != 1
    if several and not is_mapping(returned):
        raise dc.InvalidInputError(
            "one run over several partitions cannot be told apart into cuts; use BackfillPolicy.multi_run(), or return "
            "a mapping from partition to frame, annotated as dict[str, pandas.DataFrame]."
        )
    if isinstance(definition.partitions_def, dg.StaticPartitionsDefinition):
        for cut in definition.partitions_def.get_partition_keys():
            dc.check_cut_name(cut)
    return dc.check_new_name(table_of(spec.metadata, key))


def _place(manager: Any) -> str:
    """Text that tells the projects of two IO managers apart; environment variables count by name."""
    project = manager.datom if isinstance(manager, DatomIOManager) else (manager.data or {}).get("datom")
    if not isinstance(project, DatomResource):
        return repr(project)
    return f"{project.project!r} in {project.storage or project.governance!r}"


@dc.fitting
def datom_definitions(
    *,
    assets: Iterable[Any] = (),
    resources: Mapping[str, Any] | None = None,
    other_io_managers: Iterable[str] = (),
    **others: Any,
) -> dg.Definitions:
    """`dagster.Definitions` that checks table names and IO managers, and shows where each table is stored.

    Looks at the assets whose IO manager is a `DatomIOManager` among ``resources``. Takes everything that
    `dagster.Definitions` takes.

    Args:
        assets, resources: as for `dagster.Definitions`.
        other_io_managers: keys of IO managers that may store assets made for datom although they are not a
            `DatomIOManager` here: either another one is intended, which keeps no versions, or definitions that are
            merged with these provide it.
        **others: everything else that `dagster.Definitions` takes.

    Raises:
        InvalidInputError: names every asset whose table has a name that datom refuses; or every asset that was made for
            datom (by `datom_asset`, `datom_assets`, or with metadata such as ``datom/table``) but would be stored by
            another IO manager, unversioned.
    """
    found = listed(assets, "datom_definitions")
    check_kind("resources", resources, Mapping, '{"io_manager": DatomIOManager(datom=study), "datom": study}')
    check_options("datom_definitions", others, datom_definitions, dg.Definitions)
    managers = {key: r for key, r in (resources or {}).items() if is_ours(r)}
    meant = {other_io_managers} if isinstance(other_io_managers, str) else {*other_io_managers}
    check_io_managers(found, resources or {}, meant)
    check_tables(found, managers)
    known = {key: r for key, r in managers.items() if isinstance(r, DatomIOManager)}
    choosy = {key: _knowing_its_assets(r, key, found) for key, r in known.items() if _may_refuse(r)}
    return dg.Definitions(
        assets=[_with_storage(marked(a, meant - managers.keys()), known) for a in found],
        resources={**(resources or {}), **choosy},
        **others,
    )


def _may_refuse(manager: DatomIOManager) -> bool:
    study: Any = manager.datom  # or a resource that is configured at launch
    if not isinstance(study, DatomResource):
        return False
    return study.remote is None or study.require_author or study.require_message


def _knowing_its_assets(manager: DatomIOManager, key: str, assets: Iterable[Any]) -> DatomIOManager:
    """The IO manager as one that can refuse runs over these assets before they begin."""
    names = sorted(asset.to_user_string() for a in assets for asset, used in written(a) if used == key)
    return manager.knowing(names)


def _with_storage(definition: Any, managers: Mapping[str, DatomIOManager]) -> Any:
    if isinstance(definition, dg.AssetSpec):
        manager = managers.get(str(definition.metadata.get(IO_MANAGER_KEY)))
        return definition if manager is None else _described(definition, manager)
    stored = dict(written(definition))

    def describe(spec: dg.AssetSpec) -> dg.AssetSpec:
        manager = managers.get(stored.get(spec.key, ""))
        return spec if manager is None else _described(spec, manager)

    return definition.map_asset_specs(describe) if stored else definition


def _described(spec: dg.AssetSpec, manager: DatomIOManager) -> dg.AssetSpec:
    facts: dict[str, Any] = {}
    with contextlib.suppress(dc.DatomError):
        facts = storage_facts(manager.datom, table_of(spec.metadata, spec.key))
    return spec.merge_attributes(metadata=facts)


def storage_facts(study: DatomResource, table: str) -> dict[str, Any]:
    """What the page shows about where a table is stored, as far as is known where the code is loaded."""
    facts: dict[str, Any] = {"dagster/storage_kind": "datom"}
    # An environment variable may be set where the code runs, but not where it is loaded.
    with contextlib.suppress(dc.DatomError, AttributeError):
        facts["dagster/table_name"] = f"{resolved(study.project)}.{table}"
        if study.storage is not None:
            facts["dagster/uri"] = uri(study.storage.store().location, table)
    return facts
