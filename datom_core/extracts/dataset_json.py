"""CDISC Dataset-JSON 1.1: one JSON document, or one line of it and one line per row (ndjson).

Read here, because the one kept library for it comes under the AGPL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from datom_core.extracts.problems import bad_file, brief_list, check_columns
from datom_core.extracts.schemas import Types, conform

_CHUNK = 50_000  # rows
_KINDS = {
    "string": pa.string(), "URI": pa.string(), "integer": pa.int64(), "float": pa.float64(), "double": pa.float64(),
    "decimal": pa.float64(), "boolean": pa.bool_(), "date": pa.string(), "datetime": pa.string(), "time": pa.string(),
}  # fmt: skip
_NUMERIC = {"date": pa.date32(), "datetime": pa.timestamp("us"), "time": pa.time64("us")}
_KEPT = ("label", "dataType", "targetDataType", "length", "keySequence", "itemOID")
_OF_FILE = ("name", "label", "itemGroupOID", "studyOID")


def read_dataset_json(path: Path, name: str, types: Types) -> pa.Table:
    """The table; a document is held in memory while it is read, an ndjson row by row.

    Dates and times are text, as they may be partial, unless the file says that SAS holds them as numbers
    (``targetDataType`` integer). Decimals become floats, correctly rounded.

    Raises:
        InvalidInputError: not Dataset-JSON 1.1, not whole, bad columns, rows of another length, values that are not of
            the type that the file says, or that do not fit ``types``.
    """
    with path.open(encoding="utf-8-sig") as file:
        try:
            about, rows = _parts(file, name)
            columns = _columns(about, name)
            types.check([c["name"] for c in columns], name)
            table = _table(rows, columns, about, name)
        except UnicodeDecodeError as error:
            raise bad_file(name, f"Dataset-JSON is UTF-8, and this file is not ({error}).") from error
        except ValueError as error:
            if hasattr(error, "details"):
                raise
            raise bad_file(name, f"the JSON is not whole ({error}). Deliver it again.") from error
    return conform(table, types, name)


def _parts(file: Any, name: str) -> tuple[Mapping[str, Any], Iterator[Any]]:
    """What the file says about itself, and its rows."""
    first = file.readline()
    try:
        about = json.loads(first)
        lines = not (isinstance(about, dict) and "rows" in about)
    except ValueError:
        about = json.loads(first + file.read())
        lines = False
    if not isinstance(about, dict) or not isinstance(about.get("columns"), list):
        raise bad_file(name, "this JSON is not CDISC Dataset-JSON: it has no list of columns.")
    version = str(about.get("datasetJSONVersion"))
    if version.split(".")[:2] != ["1", "1"]:
        raise bad_file(name, f"Dataset-JSON {version} cannot be read; 1.1 can. Export it as that.")
    if lines:
        return about, (json.loads(line) for line in file if line.strip())
    return about, iter(about["rows"] or ())


def _columns(about: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    columns: list[Mapping[str, Any]] = about["columns"]
    if not all(isinstance(c, dict) and isinstance(c.get("name"), str) for c in columns):
        raise bad_file(name, "a column has no name.")
    check_columns([c["name"] for c in columns], name)
    odd = [f"{c['name']!r} is {c.get('dataType')!r}" for c in columns if c.get("dataType") not in _KINDS]
    if odd:
        raise bad_file(name, f"types that Dataset-JSON 1.1 does not have: {brief_list(odd)}.")
    return columns


def _table(rows: Iterator[Any], columns: Sequence[Mapping[str, Any]], about: Mapping[str, Any], name: str) -> pa.Table:
    schema = pa.schema(
        [pa.field(c["name"], _KINDS[c["dataType"]], metadata=_said(c)) for c in columns],
        metadata={k: str(about[k]) for k in _OF_FILE if about.get(k)} or None,
    )
    tables, count = [], 0
    while chunk := [row for row, _ in zip(rows, range(_CHUNK), strict=False)]:
        wrong = [f"row {count + i}" for i, r in enumerate(chunk, 1) if not isinstance(r, list) or len(r) != len(schema)]
        if wrong:
            raise bad_file(name, f"{brief_list(wrong)} has not one value for each of the {len(schema)} columns.")
        tables.append(_chunk(chunk, schema, name))
        count += len(chunk)
    records = about.get("records")
    if isinstance(records, int) and records != count:
        raise bad_file(name, f"the file says that it has {records} rows, and has {count}. Deliver it again.")
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    numeric = {c["name"]: _NUMERIC[c["dataType"]] for c in columns if c.get("targetDataType") == "integer"
               and c["dataType"] in _NUMERIC}  # fmt: skip
    return conform(table, Types(numeric), name)


def _chunk(rows: list[list[Any]], schema: pa.Schema, name: str) -> pa.Table:
    arrays, problems = [], []
    for field, values in zip(schema, zip(*rows, strict=True), strict=True):
        try:
            arrays.append(_array(values, field.type))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            problems.append(f"{field.name!r}: {error}")
    if problems:
        raise bad_file(name, "values are not of the type that the file says:\n  - " + "\n  - ".join(problems))
    return pa.table(arrays, schema=schema)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    # pyarrow takes truth values for numbers, and drops what an integer cannot hold.
    refused = (bool, float) if pa.types.is_integer(kind) else () if pa.types.is_boolean(kind) else bool
    odd = next((v for v in values if isinstance(v, refused)), None)
    if odd is not None:
        raise ValueError(f"{odd} is not {kind}")
    if pa.types.is_floating(kind):  # a decimal is written as text
        return pa.array([None if v is None or v == "" else float(v) for v in values], kind)
    return pa.array(values, kind)


def _said(column: Mapping[str, Any]) -> dict[str, str] | None:
    said = {k: str(column[k]) for k in _KEPT if column.get(k) not in (None, "")}
    if column.get("displayFormat"):
        said["format"] = str(column["displayFormat"])
    return said or None
