"""Frames of the types that an asset's annotations ask for."""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

import datom_core as dc


@dataclass(frozen=True)
class Wanted:
    """What an input's annotation asks for.

    Attributes:
        frame: the type of one table; for a list of tables, as in a fan-in, the type of each.
        mapping: whether several partitions come as a mapping from partition to table.
        optional: whether ``None`` is acceptable.
        declared: whether there is an annotation at all.
    """

    frame: Any
    mapping: bool = False
    optional: bool = False

    @property
    def declared(self) -> bool:
        return self.frame not in (None, Any, object)


def is_mapping(annotation: Any) -> bool:
    """Whether an annotation is a mapping, such as one from partition to frame."""
    origin = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Mapping)


def wanted_by(context: dg.InputContext) -> Wanted:
    """What the input's annotation asks for."""
    try:
        annotation = context.dagster_type.typing_type
    except dg.DagsterInvariantViolationError:
        annotation = None
    members = typing.get_args(annotation)
    optional = typing.get_origin(annotation) in (typing.Union, types.UnionType) and type(None) in members
    if optional:
        rest = [m for m in members if m is not type(None)]
        annotation = rest[0] if len(rest) == 1 else annotation
    if is_mapping(annotation):
        members = typing.get_args(annotation)
        return Wanted(members[1] if len(members) > 1 else None, mapping=True, optional=optional)
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, list):
        return Wanted(next(iter(typing.get_args(annotation)), None), optional=optional)
    return Wanted(annotation, optional=optional)


def convert(table: pa.Table, wanted: Any) -> Any:
    """The table as the annotated type; without an annotation, as a pandas frame.

    Raises:
        InvalidInputError: the annotated type cannot be loaded.
    """
    if wanted in (None, Any, object, pd.DataFrame):
        return dc.to_pandas(table)
    if wanted is pa.Table:
        return table
    name = f"{getattr(wanted, '__module__', '')}.{getattr(wanted, '__name__', wanted)}"
    if name.startswith("polars."):
        import polars as pl

        frame = typing.cast(pl.DataFrame, pl.from_arrow(table))
        if wanted is pl.DataFrame:
            return frame
        if wanted is pl.LazyFrame:
            return frame.lazy()
    raise dc.InvalidInputError(
        f"A datom table cannot be loaded as {name}; annotate the input with pandas.DataFrame, pyarrow.Table, "
        "polars.DataFrame or polars.LazyFrame."
    )


def collected(value: Any) -> Any:
    """The value, with a polars LazyFrame computed, and a stream read just far enough to tell whether it is empty."""
    if type(value).__module__.startswith("polars.") and hasattr(value, "collect"):
        return value.collect()
    if type(value).__module__ == "pyarrow._dataset":
        value = (value.scanner() if hasattr(value, "scanner") else value).to_reader()
    if not isinstance(value, pa.RecordBatchReader):
        return value
    first = next((batch for batch in value if batch.num_rows), None)
    if first is None:
        return value.schema.empty_table()
    return pa.RecordBatchReader.from_batches(value.schema, itertools.chain([first], value))


def is_empty(frame: Any) -> bool:
    """Whether this is a frame without rows. Call `collected` first on anything that can be read only once."""
    if isinstance(frame, pa.RecordBatch | pa.Table):
        return bool(frame.num_rows == 0)
    known = isinstance(frame, pd.DataFrame) or type(frame).__module__.startswith("polars.dataframe")
    return known and len(frame) == 0
