"""Which version a step loads, and as what."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

import datom_core as dc
from datom_dagster.data_version import recorded_data_version, step_of
from datom_dagster.metadata import AS_OF, COLUMNS, CUT, TABLE, VERSION

_CHOICES = {VERSION: "version", CUT: "cut", AS_OF: "as_of"}


def table_of(metadata: Mapping[str, Any], key: dg.AssetKey | None) -> str:
    """The table behind an asset: what its metadata says, else the last part of its key.

    Raises:
        InvalidInputError: neither gives a name that datom accepts.
    """
    named = metadata.get(TABLE)
    if isinstance(named, dg.MetadataValue):
        named = named.value
    if named is None and key is None:
        raise dc.InvalidInputError(f"An output that is no asset needs the metadata {TABLE!r} to name its table.")
    return dc.check_new_name(named if named is not None else key.path[-1] if key else None)


def chosen_by_metadata(context: dg.InputContext) -> dict[str, Any]:
    """The version that the input's metadata asks for, as arguments of `datom_core.ProjectReader.resolve`."""
    asked = {argument: _plain(context, key) for key, argument in _CHOICES.items()}
    return {argument: value for argument, value in asked.items() if value is not None}


def columns_of(context: dg.InputContext) -> list[str] | None:
    """The columns that the input's metadata asks for."""
    asked = _plain(context, COLUMNS)
    return [asked] if isinstance(asked, str) else None if asked is None else list(asked)


def _plain(context: dg.InputContext, key: str) -> Any:
    value = (context.definition_metadata or {}).get(key)
    return value.value if isinstance(value, dg.MetadataValue) else value


def recorded_version(context: dg.InputContext, reader: dc.ProjectReader, table: str) -> dc.Version:
    """The version that the step's provenance names; without a record of one, the current version."""
    data_version, event = recorded_data_version(context)
    version = _version_in_event(context, event)
    history = reader.history(table)
    if version is not None:
        return reader.resolve(table, version)
    current = reader.resolve(table)
    if data_version is None or current.data_sha == data_version:
        return current
    # No datom event, as for a write from outside that was only reported: its data version is the content.
    found = next((v for v in history if v.data_sha == data_version), None)
    if found is None:
        context.log.warning(
            f"Dagster's record of {table} has the data version {data_version[:12]}, which no version of the table "
            f"has; loading the current version {current.version[:8]}."
        )
    return found or current


def _version_in_event(context: dg.InputContext, event_id: int | None) -> str | None:
    step = step_of(context)
    if step is None or event_id is None:
        return None
    records = step.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=context.asset_key, storage_ids=[event_id]), limit=1
    ).records
    materialization = records[0].asset_materialization if records else None
    value = materialization.metadata.get(VERSION) if materialization else None
    return str(value.value) if value is not None else None


def element_type(wanted: Any) -> Any:
    """The type of one partition's frame, when the annotation is a mapping of several."""
    if typing.get_origin(wanted) in (dict, Mapping):
        return typing.get_args(wanted)[1]
    return wanted


def convert(table: pa.Table, wanted: Any) -> Any:
    """The table as the annotated type; without one as a pandas frame.

    Raises:
        InvalidInputError: the annotation is none of the types that can be loaded.
    """
    name = f"{getattr(wanted, '__module__', '')}.{getattr(wanted, '__name__', wanted)}"
    if wanted in (None, Any, typing.Any, pd.DataFrame) or name.startswith("builtins.object"):
        return dc.to_pandas(table)
    if wanted is pa.Table:
        return table
    if name.startswith("polars."):
        import polars as pl

        frame = pl.from_arrow(table)
        if wanted is pl.DataFrame:
            return frame
        if wanted is pl.LazyFrame:
            return typing.cast(pl.DataFrame, frame).lazy()
    raise dc.InvalidInputError(
        f"A datom table cannot be loaded as {name}; annotate the input with pandas.DataFrame, pyarrow.Table, "
        "polars.DataFrame or polars.LazyFrame."
    )


def collected(frame: Any) -> Any:
    """The frame, with a polars LazyFrame computed."""
    return frame.collect() if type(frame).__module__.startswith("polars.") and hasattr(frame, "collect") else frame


def is_empty(frame: Any) -> bool:
    """Whether a frame has columns but no rows."""
    if isinstance(frame, (pd.DataFrame, pa.Table)) or type(frame).__module__.startswith("polars.dataframe"):
        rows, columns = frame.shape
        return bool(rows == 0 and columns > 0)
    return False
