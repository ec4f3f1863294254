"""Declare assets over datom tables so that mistakes show when the code is loaded."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

import dagster as dg

import datom_core as dc
from datom_dagster.frames import collected, is_empty
from datom_dagster.io_manager import DatomIOManager
from datom_dagster.keys import (
    COLUMN_SCHEMA,
    COMMIT_MESSAGE,
    ON_EMPTY,
    TABLE,
    TABLE_TYPE,
    OnEmpty,
    TableType,
    check_keys,
    check_settings,
    table_of,
)
from datom_dagster.metadata import uri
from datom_dagster.resources import resolved

_KINDS = {"datom", "parquet"}
# Where `AssetSpec.with_io_manager_key` keeps what it is given.
_IO_MANAGER_KEY = "dagster/io_manager_key"

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
    **options: Any,
) -> Callable[[Compute], dg.AssetsDefinition]: ...


def datom_asset(
    compute_fn: Compute | None = None,
    /,
    *,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    on_empty: OnEmpty = "fail",
    table_type: TableType = "derived",
    commit_message: str | None = None,
    **options: Any,
) -> dg.AssetsDefinition | Callable[[Compute], dg.AssetsDefinition]:
    """`dagster.asset` for a table of a datom project.

    Args:
        table: name of the table; by default the asset's name.
        columns: what the columns mean, name -> description; shown on the page before the first run.
        on_empty: what to do with a frame without rows: ``"fail"``, ``"skip"`` (nothing is recorded and steps
            downstream are skipped) or ``"keep"`` (the version before stands).
        table_type: ``"imported"`` for an extract, from which lineage begins, else ``"derived"``.
        commit_message: message of each version that nobody gives another one for.
        **options: everything else that `dagster.asset` takes.

    Raises:
        InvalidInputError: a name or setting that datom refuses, at the time of definition.
    """
    metadata: dict[str, Any] = {ON_EMPTY: on_empty, TABLE_TYPE: table_type}
    if table is not None:
        metadata[TABLE] = table
    if commit_message is not None:
        metadata[COMMIT_MESSAGE] = commit_message
    if columns is not None:
        described = [dg.TableColumn(name=name, description=text) for name, text in columns.items()]
        metadata[COLUMN_SCHEMA] = dg.TableSchema(columns=described)
    settings = {"kinds": set(_KINDS), **options, "metadata": {**metadata, **options.get("metadata", {})}}
    return functools.partial(_build, settings) if compute_fn is None else _build(settings, compute_fn)


def _build(settings: Mapping[str, Any], compute_fn: Compute) -> dg.AssetsDefinition:
    skipping = settings["metadata"][ON_EMPTY] == "skip"
    if skipping:
        settings, compute_fn = {**settings, "output_required": False}, _skipping_empty(compute_fn)
    made: dg.AssetsDefinition = dg.asset(**settings)(compute_fn)
    check_tables([made])
    return made


def _skipping_empty(compute_fn: Compute) -> Compute:
    """The function as a generator that yields nothing when the frame has no rows."""
    if inspect.isgeneratorfunction(compute_fn) or inspect.iscoroutinefunction(compute_fn):
        raise dc.InvalidInputError(
            f"{compute_fn.__name__}: on_empty='skip' needs a function that returns its frame; one that yields or is "
            "asynchronous decides itself what it yields."
        )

    @functools.wraps(compute_fn)
    def compute(*args: Any, **kwargs: Any) -> Iterable[Any]:
        result = compute_fn(*args, **kwargs)
        wrapped = isinstance(result, dg.Output | dg.MaterializeResult)
        if not is_empty(collected(result.value if wrapped else result)):
            yield result if wrapped else dg.Output(result)

    # Dagster reads inputs from the signature, and would take the annotated frame for what the generator is.
    signature = inspect.signature(compute_fn, eval_str=True)
    del compute.__dict__["__wrapped__"]
    compute.__signature__ = signature.replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
    compute.__annotations__ = {
        p.name: p.annotation for p in signature.parameters.values() if p.annotation is not inspect.Parameter.empty
    }
    return compute


def check_tables(assets: Iterable[Any], io_manager_keys: Iterable[str] | None = None) -> None:
    """Refuse assets whose table has a name or setting that datom refuses, or that share a table.

    Args:
        assets: asset definitions; anything else is left alone.
        io_manager_keys: look at assets with these IO managers only.

    Raises:
        InvalidInputError: names every offender.
    """
    keys = None if io_manager_keys is None else set(io_manager_keys)
    problems: list[str] = []
    owners: dict[tuple[str, str], dg.AssetKey] = {}
    for definition in assets:
        if not isinstance(definition, dg.AssetsDefinition):
            continue
        for key, spec in definition.specs_by_key.items():
            io_manager = definition.get_io_manager_key_for_asset_key(key)
            if keys is not None and io_manager not in keys:
                continue
            try:
                table = _written_table(spec)
            except dc.InvalidInputError as error:
                problems.append(f"{key.to_user_string()}: {error}")
                continue
            # Two names that differ only in case would be one folder on some disks.
            owner = owners.setdefault((io_manager, table.lower()), key)
            if owner != key:
                problems.append(f"{key.to_user_string()} and {owner.to_user_string()} both write the table {table}")
    if problems:
        raise dc.InvalidInputError("Some assets cannot be tables of a datom project:\n  - " + "\n  - ".join(problems))


def _written_table(spec: dg.AssetSpec) -> str:
    check_keys(spec.metadata, "definition")
    check_settings(spec.metadata)
    return dc.check_new_name(table_of(spec.metadata, spec.key))


def datom_definitions(
    *, assets: Iterable[Any] = (), resources: Mapping[str, Any] | None = None, **others: Any
) -> dg.Definitions:
    """`dagster.Definitions` that checks table names and shows where each table is stored.

    Looks at the assets whose IO manager is a `DatomIOManager` among ``resources``. Takes everything that
    `dagster.Definitions` takes.

    Raises:
        InvalidInputError: names every asset whose table has a name that datom refuses.
    """
    managers = {k: r for k, r in (resources or {}).items() if isinstance(r, DatomIOManager)}
    listed = list(assets)
    check_tables(listed, managers)
    return dg.Definitions(assets=[_with_storage(a, managers) for a in listed], resources=resources, **others)


def _with_storage(definition: Any, managers: Mapping[str, DatomIOManager]) -> Any:
    if isinstance(definition, dg.AssetSpec):
        manager = managers.get(str(definition.metadata.get(_IO_MANAGER_KEY)))
        return definition if manager is None else _described(definition, manager)
    if not isinstance(definition, dg.AssetsDefinition):
        return definition

    def describe(spec: dg.AssetSpec) -> dg.AssetSpec:
        manager = managers.get(definition.get_io_manager_key_for_asset_key(spec.key))
        return spec if manager is None else _described(spec, manager)

    return definition.map_asset_specs(describe)


def _described(spec: dg.AssetSpec, manager: DatomIOManager) -> dg.AssetSpec:
    table = table_of(spec.metadata, spec.key)
    facts: dict[str, Any] = {
        "dagster/table_name": f"{resolved(manager.datom.project)}.{table}",
        "dagster/storage_kind": "datom",
    }
    # An environment variable may be set where the code runs and not where it is loaded.
    with contextlib.suppress(dc.DatomError):
        facts["dagster/uri"] = uri(manager.datom.storage.store().location, table)
    return spec.merge_attributes(metadata=facts)
