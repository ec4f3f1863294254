"""Declare assets over datom tables so that mistakes show when the code is loaded."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

import dagster as dg

import datom_core as dc
from datom_dagster.io_manager import DatomIOManager, OnEmpty
from datom_dagster.loading import is_empty, table_of
from datom_dagster.metadata import COMMIT_MESSAGE, ON_EMPTY, TABLE, uri
from datom_dagster.resources import resolved

_KINDS = {"datom", "parquet"}

Compute = Callable[..., Any]


@overload
def datom_asset(compute_fn: Compute, /) -> dg.AssetsDefinition: ...


@overload
def datom_asset(
    *,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    on_empty: OnEmpty = "fail",
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
    commit_message: str | None = None,
    **options: Any,
) -> dg.AssetsDefinition | Callable[[Compute], dg.AssetsDefinition]:
    """`dagster.asset` for a table of a datom project.

    Args:
        table: name of the table; by default the asset's name.
        columns: what the columns mean, name -> description; shown on the page before the first run.
        on_empty: what to do with a frame without rows: ``"fail"``, ``"skip"`` (nothing is recorded and steps
            downstream are skipped) or ``"keep"`` (the current version stands).
        commit_message: message of each version that nobody gives another one for.
        **options: everything else that `dagster.asset` takes.

    Raises:
        InvalidInputError: a name that datom refuses, at the time of definition.
    """
    if compute_fn is None:
        return functools.partial(
            _build, table=table, columns=columns, on_empty=on_empty, commit_message=commit_message, options=options
        )
    return _build(compute_fn, table=None, columns=None, on_empty="fail", commit_message=None, options={})


def _build(
    compute_fn: Compute,
    *,
    table: str | None,
    columns: Mapping[str, str] | None,
    on_empty: OnEmpty,
    commit_message: str | None,
    options: Mapping[str, Any],
) -> dg.AssetsDefinition:
    settings = dict(options)
    metadata: dict[str, Any] = {ON_EMPTY: on_empty}
    if table is not None:
        metadata[TABLE] = dc.check_new_name(table)
    if commit_message is not None:
        metadata[COMMIT_MESSAGE] = commit_message
    if columns is not None:
        described = [dg.TableColumn(name=name, description=text) for name, text in columns.items()]
        metadata["dagster/column_schema"] = dg.TableSchema(columns=described)
    settings["metadata"] = {**metadata, **settings.get("metadata", {})}
    settings.setdefault("kinds", set(_KINDS))
    if on_empty == "skip":
        settings.update(output_required=False)
        compute_fn = _skipping_empty(compute_fn)
    made: dg.AssetsDefinition = dg.asset(**settings)(compute_fn)
    check_tables([made])
    return made


def _skipping_empty(compute_fn: Compute) -> Compute:
    """The function as a generator that yields nothing when the frame has no rows."""

    @functools.wraps(compute_fn)
    def compute(*args: Any, **kwargs: Any) -> Iterable[dg.Output[Any]]:
        result = compute_fn(*args, **kwargs)
        if not is_empty(result.value if isinstance(result, dg.Output) else result):
            yield result if isinstance(result, dg.Output) else dg.Output(result)

    # Dagster reads inputs from the signature, and would take the annotated frame for what the generator is.
    signature = inspect.signature(compute_fn, eval_str=True)
    del compute.__dict__["__wrapped__"]
    compute.__signature__ = signature.replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
    compute.__annotations__ = {
        p.name: p.annotation for p in signature.parameters.values() if p.annotation is not inspect.Parameter.empty
    }
    return compute


def check_tables(assets: Iterable[Any], io_manager_keys: Iterable[str] | None = None) -> None:
    """Refuse assets whose table has a name that datom refuses, or that share a table.

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
                table = table_of(spec.metadata, key)
            except dc.InvalidInputError as error:
                problems.append(f"{key.to_user_string()}: {error}")
                continue
            owner = owners.setdefault((io_manager, table), key)
            if owner != key:
                problems.append(f"{key.to_user_string()} and {owner.to_user_string()} both write the table {table}")
    if problems:
        raise dc.InvalidInputError("Some assets cannot be tables of a datom project:\n  - " + "\n  - ".join(problems))


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
    shown = [_with_storage(a, managers) if isinstance(a, dg.AssetsDefinition) else a for a in listed]
    return dg.Definitions(assets=shown, resources=resources, **others)


def _with_storage(definition: dg.AssetsDefinition, managers: Mapping[str, DatomIOManager]) -> dg.AssetsDefinition:
    def describe(spec: dg.AssetSpec) -> dg.AssetSpec:
        manager = managers.get(definition.get_io_manager_key_for_asset_key(spec.key))
        return spec if manager is None else spec.merge_attributes(metadata=_storage_metadata(manager, spec))

    return definition.map_asset_specs(describe)


def _storage_metadata(manager: DatomIOManager, spec: dg.AssetSpec) -> dict[str, Any]:
    table = table_of(spec.metadata, spec.key)
    facts: dict[str, Any] = {
        "dagster/table_name": f"{resolved(manager.datom.project)}.{table}",
        "dagster/storage_kind": "datom",
    }
    try:
        facts["dagster/uri"] = uri(manager.datom.storage.store().location, table)
    except dc.DatomError:
        # An environment variable may be set where the code runs and not where it is loaded.
        return facts
    return facts
