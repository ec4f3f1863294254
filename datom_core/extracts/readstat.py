"""Files of SAS, SPSS and Stata, through pyreadstat."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from datom_core.extracts.instants import Clock, clock_of, in_time
from datom_core.extracts.problems import bad_file, check_columns, library
from datom_core.extracts.schemas import Types, conform
from datom_core.extracts.transport import check_end, check_rows, check_transport

_READERS = {
    "xpt": "read_xport", "sas7bdat": "read_sas7bdat", "sav": "read_sav", "zsav": "read_sav", "por": "read_por",
    "dta": "read_dta",
}  # fmt: skip
_KINDS = {"int8": pa.int32(), "int16": pa.int32(), "int32": pa.int32(), "float": pa.float64(), "double": pa.float64()}
_CHUNK = 100_000  # rows; a row of Python objects takes ten times what it takes in Arrow


def read_statistics(path: Path, name: str, file_format: str, types: Types, *, encoding: str | None) -> pa.Table:
    """The table, rows in chunks; numbers with a format of dates or times become such, unless ``types`` says a number.

    Every missing value, also a special one such as ``.A``, is null. Text has no blanks at its end, as the file pads it.

    Raises:
        NotFoundError: pyreadstat is not installed.
        InvalidInputError: the file is not whole, another encoding, bad columns, or values that do not fit.
    """
    pyreadstat = library("pyreadstat", file_format)
    reader = getattr(pyreadstat, _READERS[file_format])
    options: dict[str, Any] = {} if encoding is None or file_format == "por" else {"encoding": encoding}

    def read(**rows: Any) -> tuple[Any, Any]:
        try:
            return reader(  # type: ignore[no-any-return]
                str(path), output_format="dict", disable_datetime_conversion=True, **options, **rows
            )
        except UnicodeError as error:
            said = "Its text is not in the encoding that the file says, or in UTF-8 when it says none"
            raise bad_file(name, f'{said} ({error}). Give encoding=, for example "cp1252".') from error
        except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError, ValueError, OverflowError) as error:
            raise bad_file(name, f"the {file_format} file cannot be read whole ({error}). Deliver it again.") from error

    if file_format == "xpt":
        check_transport(path, name)
    if file_format == "dta":
        check_end(path, name)
    _, about = read(metadataonly=True)
    check_columns(about.column_names, name)
    types.check(about.column_names, name)
    table = _in_chunks(read, about)
    if file_format == "xpt":
        check_rows(path, name, [about.variable_storage_width[c] for c in about.column_names], table.num_rows)
    elif about.number_rows is not None and about.number_rows != table.num_rows:
        raise bad_file(
            name, f"the file says that it has {about.number_rows} rows, and has {table.num_rows}. Deliver it again."
        )
    return conform(_timed(table, about, types, name, file_format), types, name)


def _in_chunks(read: Callable[..., tuple[Any, Any]], about: Any) -> pa.Table:
    schema = pa.schema([_field(column, about) for column in about.column_names], metadata=_of_file(about))
    tables: list[pa.Table] = []
    while True:
        columns, _ = read(row_offset=len(tables) * _CHUNK, row_limit=_CHUNK)
        chunk = pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
        tables.append(chunk)
        if chunk.num_rows < _CHUNK:
            return pa.concat_tables(tables)


def _field(column: str, about: Any) -> pa.Field:
    kind = _KINDS.get(about.readstat_variable_types[column], pa.string())
    labels: Mapping[Any, str] = about.variable_value_labels.get(column) or {}
    values = json.dumps({str(k): v for k, v in labels.items()}, ensure_ascii=False) if labels else None
    said = {
        "label": about.column_names_to_labels.get(column),
        "format": about.original_variable_types.get(column),
        "value_labels": values,
    }
    return pa.field(column, kind, metadata={k: v for k, v in said.items() if v} or None)


def _of_file(about: Any) -> dict[str, str] | None:
    said = {"name": about.table_name, "label": about.file_label}
    return {k: v for k, v in said.items() if v} or None


def _timed(table: pa.Table, about: Any, types: Types, name: str, file_format: str) -> pa.Table:
    """The table with its numbers of days or seconds as dates and times."""
    problems = []
    for position, field in enumerate(table.schema):
        clock: Clock | None = clock_of(file_format, about.original_variable_types.get(field.name) or "")
        wanted = types.types.get(field.name)
        as_number = wanted is not None and (pa.types.is_integer(wanted) or pa.types.is_floating(wanted))
        if clock is None or as_number or pa.types.is_string(field.type):
            continue
        try:
            data = in_time(table.column(position), clock)
        except ValueError as error:
            problems.append(f"{field.name!r}: {error}")
            continue
        table = table.set_column(position, field.with_type(data.type), data)
    if problems:
        advice = "Correct them, or give the columns the type 'float64' in schema= to keep the numbers."
        raise bad_file(name, "dates or times are out of range:\n  - " + "\n  - ".join(problems) + f"\n{advice}")
    return table
