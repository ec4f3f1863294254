"""Bring columns of any origin into the one form in which a table is hashed and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import pyarrow as pa

from datom_core.errors import ColumnReport, InvalidInputError, UnsupportedColumnsError
from datom_core.tables.type_rules import Decimals, Nanoseconds, Options, RefusedColumnError, Tag, normalise_column

# Metadata that describes another reading of the same bytes; R and Arrow would act on it.
_DROPPED_FIELD_METADATA = (b"ARROW:extension:", b"PARQUET:")
_DROPPED_SCHEMA_METADATA = (b"pandas", b"r")


@dataclass(frozen=True)
class Column:
    """One incoming column: Arrow data, or the reason why there is none."""

    field: pa.Field
    data: pa.ChunkedArray | None
    type: str
    refusal: str | None = None


@dataclass(frozen=True)
class Normalised:
    """A table in the form in which it is hashed and stored, with each column's tag."""

    table: pa.Table
    tags: tuple[Tag, ...]


def check_options(decimals: Decimals, nanoseconds: Nanoseconds) -> Options:
    """The options, when they exist.

    Raises:
        InvalidInputError: names those that exist.
    """
    if decimals not in get_args(Decimals) or nanoseconds not in get_args(Nanoseconds):
        raise InvalidInputError(
            f"decimals is one of {get_args(Decimals)} and nanoseconds one of {get_args(Nanoseconds)}, "
            f"not {decimals!r} and {nanoseconds!r}."
        )
    return Options(decimals, nanoseconds)


def normalise_columns(
    columns: Sequence[Column], metadata: dict[bytes, bytes] | None, rules: Options, what: str, *, empty: bool = False
) -> Normalised:
    """Bring columns into the form in which they are hashed and stored; ``empty`` allows a table without rows.

    Raises:
        UnsupportedColumnsError: names every column that has no content hash.
        InvalidInputError: there is no row or no column.
    """
    outcomes = [outcome(column, rules) for column in columns]
    refused = [report for report, _ in outcomes if not report.ok]
    if refused:
        raise UnsupportedColumnsError(refused, what=what)
    done = [result for _, result in outcomes if result is not None]
    rows = len(done[0][0]) if done else 0
    if not rows and not empty:
        raise InvalidInputError(
            f"A table needs at least one row and one column; {what} has {rows} rows and {len(columns)} columns.",
            rows=rows,
            columns=len(columns),
        )
    fields = [_clean_field(column.field).with_type(data.type) for column, (data, _) in zip(columns, done, strict=True)]
    kept = {k: v for k, v in (metadata or {}).items() if k not in _DROPPED_SCHEMA_METADATA}
    table = pa.Table.from_arrays([data for data, _ in done], schema=pa.schema(fields, metadata=kept or None))
    return Normalised(table, tuple(tag for _, tag in done))


def report_columns(columns: Sequence[Column], rules: Options) -> list[ColumnReport]:
    """One report per column, in order."""
    return [outcome(column, rules)[0] for column in columns]


def outcome(column: Column, rules: Options) -> tuple[ColumnReport, tuple[pa.ChunkedArray, Tag] | None]:
    """The outcome for one column: a report, and unless it is refused, the column as hashed and stored, with its tag."""
    refusal = column.refusal
    if column.data is not None:
        try:
            _check_label(column.field.name)
            return ColumnReport(column.field.name, column.type), normalise_column(column.data, rules)
        except RefusedColumnError as error:
            refusal = str(error)
        except pa.ArrowException as error:
            refusal = f"pyarrow cannot convert it ({error}); cast it to a number, text, date, timestamp or duration"
    return ColumnReport(column.field.name, column.type, "unsupported", refusal), None


def _check_label(name: str) -> None:
    if "\0" in name:
        raise RefusedColumnError("its name holds a NUL character, which R cannot read; rename the column")


def _clean_field(field: pa.Field) -> pa.Field:
    kept = {k: v for k, v in (field.metadata or {}).items() if not k.startswith(_DROPPED_FIELD_METADATA)}
    return pa.field(field.name, field.type, metadata=kept or None)
