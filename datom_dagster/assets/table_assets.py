"""A study's tables as assets, from a list of their names."""

# Dagster reads annotations at run time: no `annotations` import.
import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.assets.definitions import KINDS, check_tables, datom_asset, storage_facts
from datom_dagster.assets.options import checked_options, checks_of, of_step
from datom_dagster.assets.table_spec import TableSpec
from datom_dagster.events import (
    COLUMN_SCHEMA,
    COMMIT_MESSAGE,
    ON_EMPTY,
    TABLE,
    TABLE_TYPE,
    OnEmpty,
    TableType,
    column_schema,
)
from datom_dagster.io import DatomIOManager
from datom_dagster.resources import WRITTEN, DatomResource, check_kind

#: ``(table, cut) -> frame``; an argument called ``context`` gets Dagster's context.
Extraction = Callable[..., Any]

_Call = Callable[[Any, str, str | None], Any]
_SMALL = 64 * 2**20  # bytes: a larger payload is not read for its columns' types and labels


@dc.fitting
def datom_assets(
    *,
    project: DatomResource,
    tables: Iterable[str | TableSpec],
    extract: Extraction | Mapping[str, Extraction],
    partitions: dg.PartitionsDefinition[Any] | None = None,
    atomic: bool = False,
    show_recorded: bool = False,
    name: str = "study",
    on_empty: OnEmpty = "fail",
    table_type: TableType = "imported",
    commit_message: str | None = None,
    io_manager_key: str = "io_manager",
    **options: Any,
) -> list[dg.AssetsDefinition]:
    """One asset per table; each materialization is a version.

    Args:
        project: tells the page where the tables are stored; the IO manager does the writing.
        tables: names, or more about each.
        extract: a function ``(table, cut) -> frame``, or one per table. ``cut`` is the partition, ``None`` without
            partitions; an argument called ``context`` gets the `dagster.AssetExecutionContext`.
        partitions: the cuts: one a month, named as they come (`dagster.DynamicPartitionsDefinition`), or none.
        atomic: extract all tables in one step, and record them in one commit: all tables of a cut, or none.
        show_recorded: show undeclared columns as the project has them now, if it can be read when the code is loaded.
        name: the name of the step, if it is atomic.
        on_empty: as for `datom_asset`; an atomic step takes ``"fail"`` and ``"keep"``.
        table_type, commit_message: as for `datom_asset`.
        io_manager_key: the key of the `DatomIOManager`.
        **options: everything else that `dagster.asset` takes, for each asset, except ``key``, ``ins`` and
            ``is_virtual`` and, in an atomic step, ``check_specs``, ``dagster_type`` and ``output_required``. Each asset
            gets its own ``check_specs``; ``extract`` returns their results in a `dagster.MaterializeResult`. With a
            single-run ``backfill_policy``, ``extract`` is called for each of the run's cuts.

    Raises:
        InvalidInputError: names every table, function or setting that is refused, at the time of definition.
    """
    specs = _specs(tables)
    check_kind("project", project, DatomResource, WRITTEN["datom"])
    check_kind("partitions", partitions, dg.PartitionsDefinition, "dagster.StaticPartitionsDefinition([...])")
    functions = _functions(specs, extract)
    options = _options(options, partitions, on_empty, atomic=atomic)
    settings = {ON_EMPTY: on_empty, TABLE_TYPE: table_type, COMMIT_MESSAGE: commit_message}
    shared = {"kinds": set(KINDS), "io_manager_key": io_manager_key, "partitions_def": partitions, **options}
    described = _described(specs, project, settings, shared, show_recorded=show_recorded)
    return _made(name if atomic else None, specs, functions, shared, described)


def _specs(tables: Iterable[str | TableSpec]) -> list[TableSpec]:
    if isinstance(tables, (str, TableSpec)):
        raise dc.InvalidInputError(f"tables is a list; write tables=[{tables!r}].")
    if not isinstance(tables, Iterable):
        raise dc.InvalidInputError(f"tables is a list of names and TableSpecs, not {type(tables).__name__}.")
    return [table if isinstance(table, TableSpec) else TableSpec(table) for table in tables]


def _options(
    options: dict[str, Any], partitions: dg.PartitionsDefinition[Any] | None, on_empty: OnEmpty, *, atomic: bool
) -> dict[str, Any]:
    options = checked_options(options, partitions, atomic=atomic)
    if atomic and on_empty == "skip":
        raise dc.InvalidInputError(
            "on_empty='skip' and atomic exclude each other: a cut has all tables, or there is none. 'keep' lets the "
            "version before stand."
        )
    return options


def _described(
    specs: Sequence[TableSpec],
    project: DatomResource,
    settings: Mapping[str, str | None],
    shared: Mapping[str, Any],
    *,
    show_recorded: bool,
) -> dict[str, dict[str, Any]]:
    """What each asset has of its own, by asset name: the description, the metadata and the tags."""
    seen = _seen(project, specs) if show_recorded else {}
    given = {key: value for key, value in settings.items() if value is not None}
    return {
        spec.asset_name: {
            "description": spec.description if spec.description is not None else shared.get("description"),
            "metadata": {**_metadata(spec, project, seen.get(spec.name)), **given, **shared.get("metadata", {})},
            "tags": {**shared.get("tags", {}), **spec.tags},
        }
        for spec in specs
    }


def _made(
    step: str | None,
    specs: Sequence[TableSpec],
    functions: Mapping[str, _Call],
    shared: dict[str, Any],
    described: Mapping[str, Mapping[str, Any]],
) -> list[dg.AssetsDefinition]:
    """All tables in one step of that name, or a step for each."""
    if step is not None:
        made = [_together(step, {spec.asset_name: spec.name for spec in specs}, functions, {**shared}, described)]
    else:
        checks = checks_of(shared, {spec.asset_name: _key(spec, shared.get("key_prefix")) for spec in specs})
        if "io_manager_def" in shared:
            del shared["io_manager_key"]  # Dagster makes its own key
        made = [
            _alone(
                spec,
                functions[spec.name],
                {**shared, **described[spec.asset_name], "check_specs": checks[spec.asset_name] or None},
            )
            for spec in specs
        ]
    check_tables(made)
    return made


def _key(spec: TableSpec, prefix: Any) -> dg.AssetKey:
    key = dg.AssetKey(spec.asset_name)
    return key if prefix is None else key.with_prefix(prefix)


def _metadata(spec: TableSpec, project: DatomResource, seen: dg.TableSchema | None) -> dict[str, Any]:
    schema = spec.schema(seen)
    shown: dict[str, Any] = {**storage_facts(project, spec.name), **spec.settings, **spec.metadata}
    if spec.asset_name != spec.name:
        shown[TABLE] = spec.name
    return shown if schema is None else {**shown, COLUMN_SCHEMA: schema}


def _functions(specs: Sequence[TableSpec], extract: Any) -> dict[str, _Call]:
    """For each table, a function of the context, the table and the cut."""
    problems, names = [], [spec.name for spec in specs]
    folded = [spec.asset_name.lower() for spec in specs]
    problems += [f"{n}: given twice" for n, f in zip(names, folded, strict=True) if folded.count(f) > 1]
    given = extract if isinstance(extract, Mapping) else dict.fromkeys(names, extract)
    problems += [f"{table}: no extract function" for table in names if table not in given]
    problems += [f"{table}: an extract function, and no such table" for table in given if table not in names]
    found = {}
    for table, function in given.items():
        names_of = _arguments(function) if callable(function) else None
        if names_of is None:
            problems.append(f"{table}: {function!r} is no function (table, cut) -> frame, with or without context")
        else:
            found[table] = _caller(function, *names_of)
    if not names:
        problems.append("there is no table")
    if problems:
        raise dc.InvalidInputError("Some tables cannot be made:\n  - " + "\n  - ".join(problems))
    return found


def _arguments(function: Callable[..., Any]) -> tuple[str, str, bool] | None:
    """The names of an extract function's table and cut, and whether it takes the context; ``None`` if it is not one."""
    named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = inspect.signature(function).parameters
    free = [p for p in parameters.values() if p.name != "context" and p.kind in named]
    more = [p for p in parameters.values() if p not in free[:2] and p.name != "context" and p.default is p.empty]
    if len(free) < 2 or any(p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in more):
        return None
    return free[0].name, free[1].name, "context" in parameters


def _caller(function: Callable[..., Any], table_name: str, cut_name: str, wants_context: bool) -> _Call:
    def call(context: Any, table: str, cut: str | None) -> Any:
        arguments = {table_name: table, cut_name: cut}
        return function(**arguments, **({"context": context} if wants_context else {}))

    return call


def _cut(context: dg.AssetExecutionContext) -> str | None:
    return context.partition_key if context.has_partition_key else None


def _alone(spec: TableSpec, extract: _Call, options: Mapping[str, Any]) -> dg.AssetsDefinition:
    policy = options.get("backfill_policy")
    if options.get("partitions_def") is not None and policy is not None and policy.max_partitions_per_run != 1:

        @datom_asset(name=spec.asset_name, **options)
        def cuts(context: dg.AssetExecutionContext) -> dict[str, Any]:
            return {cut: extract(context, spec.name, cut) for cut in context.partition_keys}

        return cuts

    # No return annotation: Dagster would apply it to the results of checks, too.
    @datom_asset(name=spec.asset_name, **options)
    def table(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        return extract(context, spec.name, _cut(context))

    return table


def _together(
    name: str,
    tables: Mapping[str, str],
    functions: Mapping[str, _Call],
    shared: dict[str, Any],
    described: Mapping[str, Mapping[str, Any]],
) -> dg.AssetsDefinition:
    """One step for all tables, by their assets' names."""
    if "io_manager_def" in shared:
        shared["io_manager_key"] = f"{name}__io_manager"
        own = {shared["io_manager_key"]: shared.pop("io_manager_def")}
        shared["resource_defs"] = {**shared.get("resource_defs", {}), **own}
    key = shared["io_manager_key"]
    step, each = of_step(shared)
    resources = {key, *step.pop("required_resource_keys", ())}
    outs = {asset: dg.AssetOut(**{**each, **described[asset]}) for asset in tables}

    @dg.multi_asset(name=name, outs=outs, required_resource_keys=resources, **step)
    def study(context: dg.AssetExecutionContext) -> Iterator[Any]:
        manager = getattr(context.resources, key)
        if not isinstance(manager, DatomIOManager):
            raise dc.InvalidInputError(f"The resource {key!r} is a {type(manager).__name__}, not a DatomIOManager.")
        frames = {}
        for asset, table in tables.items():
            frames[asset] = functions[table](context, table, _cut(context))
            context.log.info(f"{table}: extracted")
        yield from manager.store_together(context, frames)

    return study


def _seen(project: DatomResource, specs: Iterable[TableSpec]) -> dict[str, dg.TableSchema]:
    """The columns of the tables that can be read now."""
    wanted = {spec.name for spec in specs if spec.columns is None}
    with contextlib.suppress(dc.DatomError):
        reader = project.open_reader()
        return {entry.name: columns_of(reader, entry) for entry in reader.list() if entry.name in wanted}
    return {}


def columns_of(reader: dc.ProjectReader, table: dc.TableInfo) -> dg.TableSchema:
    """The columns of a table's current version: their names and, unless it is large, types and labels."""
    if table.size_bytes is not None and table.size_bytes <= _SMALL:
        return column_schema(reader.read_arrow(table.name).schema, None)
    return dg.TableSchema([dg.TableColumn(name) for name in reader.metadata(table.name).column_names])
