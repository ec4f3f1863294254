"""CDISC Dataset-JSON 1.1: a document (json), lines (ndjson), or compressed lines (dsjc).

Written here because the one maintained library for it is under the AGPL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from datom_core.extracts.formats import json_cells
from datom_core.extracts.formats.json_lines import Literal, Parts, opened
from datom_core.extracts.formats.problems import bad_file, brief_list, check_columns
from datom_core.extracts.formats.schemas import Types, conform

_CHUNK = 50_000  # rows
_KINDS = {
    "string": pa.string(), "URI": pa.string(), "integer": pa.int64(), "float": pa.float64(), "double": pa.float64(),
    "decimal": pa.float64(), "boolean": pa.bool_(), "date": pa.string(), "datetime": pa.string(), "time": pa.string(),
}  # fmt: skip
_IN_TIME = frozenset({"date", "datetime", "time"})
_VERSION = re.compile(r"1\.1(?:\.[0-9]+)?")
_OF_COLUMN = {
    "label": "label", "dataType": "dataType", "targetDataType": "targetDataType", "length": "length",
    "displayFormat": "format", "keySequence": "keySequence", "itemOID": "itemOID",
}  # fmt: skip
# Neither the file's creation time nor its own id: a table delivered again unchanged is the same table.
_OF_FILE = (
    *("name", "label", "originator", "sourceSystem", "studyOID", "metaDataVersionOID", "metaDataRef"),
    "itemGroupOID",
)


def read_dataset_json(path: Path, name: str, types: Types, *, compressed: bool = False) -> pa.Table:
    """The table; a document is held in memory while it is read, lines are not.

    Dates and times stay text, since they may be partial, unless the file says that SAS holds them as numbers
    (``targetDataType`` integer). Decimals become floats, correctly rounded. A type given in ``types`` overrides all
    this, and is made from what is written in the file.

    Raises:
        InvalidInputError: the file is not Dataset-JSON 1.1, or not whole; it has bad columns, rows of the wrong length,
            values that are not of the type that the file says, or that do not fit ``types``.
    """
    with opened(path, name, compressed=compressed, literal=bool(types)) as parts:
        _check_version(parts.about, name)
        columns = _columns(parts.about, name)
        types.check([c["name"] for c in columns], name)
        table = _table(parts, columns, types, name)
    return conform(_in_time(table, columns, types, name), types, name)


def _check_version(about: Mapping[str, Any], name: str) -> None:
    version = about.get("datasetJSONVersion")
    if version is None:
        raise bad_file(name, "this JSON is not CDISC Dataset-JSON: it names no datasetJSONVersion.")
    if not _VERSION.fullmatch(str(version)):
        raise bad_file(name, f"Dataset-JSON {str(version)[:20]} cannot be read; 1.1 can. Export it as that.")


def _columns(about: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    columns = about.get("columns")
    if not isinstance(columns, list) or not columns:
        raise bad_file(name, "this JSON is not CDISC Dataset-JSON: it has no list of columns.")
    unnamed = [
        str(n)
        for n, c in enumerate(columns, 1)
        if not isinstance(c, dict) or not isinstance(c.get("name"), str) or type(c["name"]) is Literal
    ]
    if unnamed:
        raise bad_file(name, f"column {brief_list(unnamed)} of columns has no name.")
    check_columns([c["name"] for c in columns], name)
    odd = [f"{c['name']!r} is {c.get('dataType')!r}" for c in columns if str(c.get("dataType")) not in _KINDS]
    if odd:
        raise bad_file(name, f"types that Dataset-JSON 1.1 does not have: {brief_list(odd)}.")
    nested = [f"{key} of {c['name']!r}" for c in columns for key in _OF_COLUMN if isinstance(c.get(key), dict | list)]
    nested += [k for k in _OF_FILE if isinstance(about.get(k), list if k == "sourceSystem" else dict | list)]
    if nested:
        raise bad_file(name, f"text or a number is expected, not an object or a list: {brief_list(nested)}.")
    return columns


def _table(parts: Parts, columns: Sequence[Mapping[str, Any]], types: Types, name: str) -> pa.Table:
    """The rows; columns named in ``types`` are text, as written in the file."""
    try:
        schema = pa.schema(
            [
                pa.field(
                    c["name"], pa.string() if c["name"] in types.types else _KINDS[c["dataType"]], metadata=_said(c)
                )
                for c in columns
            ],
            metadata=_said_of_file(parts.about) or None,
        )
    except UnicodeEncodeError as error:
        raise bad_file(name, f"a name or label is no text ({error.reason}).") from error
    records, tables, count = _records(parts.about, name), [], 0
    while chunk := list(islice(parts.rows, _CHUNK)):
        wrong = [i for i, r in enumerate(chunk) if not isinstance(r, list) or len(r) != len(schema)]
        if wrong:
            rows = brief_list(f"row {count + i + 1}" for i in wrong)
            expected = f"{rows} has not one value for each of the {len(schema)} columns"
            raise bad_file(name, f"{expected}: {_of_row(chunk[wrong[0]])}.")
        tables.append(_chunk(chunk, schema, types, count + 1, name))
        count += len(chunk)
        if records is not None and count > records:
            break
    if records is not None and records != count:
        more = "more" if count > records and next(parts.rows, None) is not None else count
        raise bad_file(name, f"the file says that it has {records} rows, and has {more}. Deliver it again.")
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _records(about: Mapping[str, Any], name: str) -> int | None:
    given = about.get("records")
    number = given.number if isinstance(given, Literal) else given
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1 or number < 0:
        raise bad_file(name, f"records is the number of rows, not {str(given)[:40]!r}.")
    return int(number)


def _of_row(row: object) -> str:
    if isinstance(row, list):
        return f"it has {len(row)}"
    return "it is an object" if isinstance(row, dict) else "it is no list"


def _chunk(rows: list[list[Any]], schema: pa.Schema, types: Types, first: int, name: str) -> pa.Table:
    arrays, problems = [], []
    for field, values in zip(schema, zip(*rows, strict=True), strict=True):
        declared = types.types.get(field.name)
        try:
            if declared is None:
                arrays.append(json_cells.array(values, field.type, first))
            else:
                arrays.append(json_cells.written(values, declared, first))
        except ValueError as error:
            problems.append(f"{field.name!r}: {error}")
    if problems:
        what = "the file says" if not types else "the file or the schema says"
        raise bad_file(name, f"values are not of the type that {what}:\n  - " + "\n  - ".join(problems))
    return pa.table(arrays, schema=schema)


def _in_time(table: pa.Table, columns: Sequence[Mapping[str, Any]], types: Types, name: str) -> pa.Table:
    """Turn the columns that SAS holds as numbers into dates and times, unless they have a type already."""
    problems = []
    for position, column in enumerate(columns):
        if column.get("targetDataType") != "integer" or column["dataType"] not in _IN_TIME:
            continue
        if column["name"] in types.types:
            continue
        try:
            data = json_cells.in_time(table.column(position), column["dataType"])
        except ValueError as error:
            problems.append(f"{column['name']!r}: {error}")
            continue
        table = table.set_column(position, table.schema.field(position).with_type(data.type), data)
    if problems:
        raise bad_file(
            name,
            "the file says that SAS holds these as numbers (targetDataType integer), and they cannot be; the type "
            "'string' in a schema keeps the text:\n  - " + "\n  - ".join(problems),
        )
    return table


def _said(column: Mapping[str, Any]) -> dict[str, str] | None:
    return {kept: str(column[k]) for k, kept in _OF_COLUMN.items() if column.get(k) not in (None, "")} or None


def _said_of_file(about: Mapping[str, Any]) -> dict[str, str]:
    said = {k: about[k] for k in _OF_FILE if about.get(k) not in (None, "", {})}
    return {k: _json(v) if isinstance(v, dict) else str(v) for k, v in said.items()}


def _json(said: Mapping[str, Any]) -> str:
    plain = {k: v.number if isinstance(v, Literal) else v for k, v in said.items()}
    return json.dumps(plain, ensure_ascii=False)
