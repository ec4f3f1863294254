"""Column types declared by a caller, and how to convert a table to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions

from datom_core.errors import InvalidInputError
from datom_core.extracts.formats.problems import bad_file, brief_list
from datom_core.extracts.formats.times_of_day import clock_time
from datom_core.tables import check_hashable

#: Types by column: a pyarrow Schema, or a mapping from column to an Arrow type or its name.
SchemaLike = pa.Schema | Mapping[str, Any]

_NAMES = {
    "text": pa.string(), "str": pa.string(), "int": pa.int64(), "float": pa.float64(), "boolean": pa.bool_(),
    "date": pa.date32(), "time": pa.time64("us"), "datetime": pa.timestamp("us"), "timestamp": pa.timestamp("us"),
    "timestamp[us, UTC]": pa.timestamp("us", "UTC"), "category": pa.dictionary(pa.int32(), pa.string()),
}  # fmt: skip

_MISSING = ConvertOptions().null_values


@dataclass(frozen=True)
class Types:
    """Declared types by column, with metadata for the columns; columns that are not named are inferred."""

    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    metadata: Mapping[str, Mapping[bytes, bytes]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.types)

    def check(self, columns: Sequence[str], name: str) -> None:
        """Refuse, all at once, columns that the file does not have."""
        unknown = [c for c in self.types if c not in columns]
        if unknown:
            raise bad_file(
                name,
                f"the schema names columns that are not there: {brief_list(map(repr, unknown))}. "
                f"The file has {brief_list(map(repr, columns))}.",
            )


def check_schema(schema: object) -> Types:
    """The declared types.

    Raises:
        InvalidInputError: names every entry that is not a type, and every type that cannot be stored.
    """
    if schema is None:
        return Types()
    if isinstance(schema, pa.Schema):
        given: dict[str, Any] = {f.name: f.type for f in schema}
        if len(given) < len(schema.names):
            raise InvalidInputError("The schema names a column twice.")
        metadata = {f.name: f.metadata for f in schema if f.metadata}
    elif isinstance(schema, Mapping):
        given, metadata = dict(schema), {}
    else:
        raise InvalidInputError(
            f"A schema is a pyarrow Schema, or a mapping from column to Arrow type, not {type(schema).__name__}."
        )
    found = {column: _type_of(kind) for column, kind in given.items()}
    bad = [f"{c!r}: {given[c]!r} is no type" for c, kind in found.items() if kind is None or not isinstance(c, str)]
    columns = {c: pa.array([], kind) for c, kind in found.items() if kind is not None and isinstance(c, str)}
    bad += [f"{r.column!r} ({r.type}): {r.recourse}" for r in check_hashable(pa.table(columns)) if not r.ok]
    if bad:
        raise InvalidInputError(
            "The schema cannot be used:\n  - " + "\n  - ".join(bad) + "\nTypes are Arrow's, or names such as "
            "'string', 'int64', 'float64', 'bool', 'date', 'time', 'timestamp', 'category'."
        )
    return Types({c: kind for c, kind in found.items() if kind is not None}, metadata)


def _type_of(kind: object) -> pa.DataType | None:
    if isinstance(kind, pa.DataType):
        return kind
    if not isinstance(kind, str):
        return None
    try:
        return _NAMES.get(kind) or pa.type_for_alias(kind)
    except ValueError:
        return None


def conform(table: pa.Table, types: Types, name: str) -> pa.Table:
    """The table, with the declared columns cast to their types and given their metadata.

    Blank text, and what Arrow's csv reader treats as missing (``NA``, ``NaN``, ``null``, ...), is a missing value for
    every type except text.

    Raises:
        InvalidInputError: names every column whose values do not fit, with Arrow's reason.
    """
    problems = []
    for column, kind in types.types.items():
        position = table.column_names.index(column)
        field = table.schema.field(position)
        try:
            data = _cast(table.column(position), kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            problems.append(f"{column!r} is not {kind}: {str(error).splitlines()[0][:160]}")
            continue
        metadata = {**(field.metadata or {}), **types.metadata.get(column, {})}
        table = table.set_column(position, pa.field(column, kind, metadata=metadata or None), data)
    if problems:
        raise bad_file(name, "values do not fit the schema:\n  - " + "\n  - ".join(problems))
    return table


def typed_as_before(table: pa.Table, before: Mapping[str, pa.DataType]) -> pa.Table:
    """The table, with the types of the version before for columns that have neither values nor a type."""
    for position, column in enumerate(table.schema):
        kind = before.get(column.name)
        if kind is not None and pa.types.is_null(column.type):
            table = table.set_column(position, column.with_type(kind), table.column(position).cast(kind))
    return table


def _cast(data: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if data.null_count == len(data):
        return pa.chunked_array([pa.nulls(len(data), kind)])  # of whatever type the file made it
    if pa.types.is_dictionary(kind):
        return data.cast(kind.value_type).dictionary_encode().cast(kind)
    if is_text_type(data.type) and not is_text_type(kind):
        trimmed = pc.utf8_trim_whitespace(data)
        data = pc.if_else(pc.is_in(trimmed, pa.array(_MISSING)), pa.scalar(None, data.type), trimmed)
        if pa.types.is_time(kind) or pa.types.is_duration(kind):
            data = clock_time(data)  # Arrow has no cast for these
            if pa.types.is_duration(kind) and pa.types.is_time(data.type):
                data = data.cast(pa.int64()).cast(pa.duration("us"))
    return data.cast(kind)


def is_text_type(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
