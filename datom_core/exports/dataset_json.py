"""CDISC Dataset-JSON 1.1: one document (json), or a line per row (ndjson)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.exports.columns import DAY, Column, Kind, Outgoing, blocks
from datom_core.exports.refusals import Offence, large_numbers, names, no_numbers, where, years
from datom_core.exports.sas_formats import clock_format
from datom_core.exports.spelling import speller

_ROWS = 16_384  # written together
#: What a column may say that it is, by what it holds; the first is what it is when it says nothing.
_DATA_TYPES: Mapping[Kind, tuple[str, ...]] = {
    "truth": ("boolean",),
    "whole": ("integer",),
    "number": ("double", "float", "decimal"),
    "text": ("string", "URI", "date", "datetime", "time"),
    "date": ("date",),
    "moment": ("datetime",),
    "time": ("time",),
    "span": ("time",),
}
# In the order of the standard.
_OF_FILE = ("originator", "sourceSystem", "studyOID", "metaDataVersionOID", "metaDataRef")


def check_dataset_json(out: Outgoing) -> Iterator[Offence]:
    """What Dataset-JSON cannot hold."""
    yield from names(out)
    yield from years(out.columns)
    yield from no_numbers(out.columns, "JSON")
    yield from large_numbers(out.columns, "a reader of JSON")
    for column in out.columns:
        if column.kind == "span":
            ticks = column.ticks()
            outside = pc.or_(pc.less(ticks, 0), pc.greater_equal(ticks, DAY))
            why = "Dataset-JSON has times of day, and no other lengths of time; write a number of seconds"
            yield from where(column, outside, why)


def write_dataset_json(out: Outgoing, sink: BinaryIO, *, by_lines: bool) -> None:
    """Write the document, a row per line in either layout."""
    about = _about(out)
    if by_lines:
        sink.write(_json(about).encode() + b"\n")
    else:
        sink.write(("{\n" + "".join(f"{_json(k)}: {_json(v)},\n" for k, v in about.items()) + '"rows": [').encode())
    before, between, after = ("", "\n", "\n") if by_lines else ("\n", ",\n", "")
    for rows in _rows(out):
        sink.write((before + between.join(map(_json, rows)) + after).encode())
        before = "" if by_lines else ",\n"
    if not by_lines:
        sink.write(b"\n]\n}\n")


#: A value as JSON.
_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _about(out: Outgoing) -> dict[str, Any]:
    said = {key: out.said[key] for key in _OF_FILE if out.said.get(key)}
    system = _object(said.pop("sourceSystem", ""))
    about: dict[str, Any] = {
        "datasetJSONCreationDateTime": out.made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datasetJSONVersion": "1.1.0",
        **{k: v for k, v in (("originator", said.pop("originator", None)), ("sourceSystem", system)) if v},
        **said,
        "itemGroupOID": out.said.get("itemGroupOID") or f"IG.{out.title}",
        "records": out.rows,
        "name": out.title,
        "label": out.said.get("label", ""),
    }
    about["columns"] = [_column(c, about["name"]) for c in out.columns]
    return about


def _object(text: str) -> dict[str, Any] | None:
    """What was kept of the source system, when it is one: a name and a version."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"name", "version"} <= found.keys() else None


def _column(column: Column, table: str) -> dict[str, Any]:
    data_type = _data_type(column)
    said: dict[str, Any] = {
        "itemOID": column.said.get("itemOID") or f"IT.{table}.{column.name}",
        "name": column.name,
        "label": column.said.get("label", ""),
        "dataType": data_type,
    }
    form = column.said.get("format")
    if column.kind in ("date", "moment", "time", "span"):
        said["targetDataType"] = "integer"
        form = clock_format(column) or {"date": "E8601DA.", "datetime": "E8601DT."}.get(data_type, "E8601TM.")
    elif data_type == "decimal":
        said["targetDataType"] = "decimal"
    length = _whole(column.said.get("length"))
    key = _whole(column.said.get("keySequence"))
    return said | {k: v for k, v in (("length", length), ("displayFormat", form), ("keySequence", key)) if v}


def _data_type(column: Column) -> str:
    possible = _DATA_TYPES[column.kind]
    said = column.said.get("dataType", "")
    return said if said in possible else possible[0]


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _rows(out: Outgoing) -> Iterator[Iterator[tuple[Any, ...]]]:
    """The rows, some at a time."""
    writers = [_values(c) for c in out.columns]
    for block in blocks(out.columns, _ROWS):
        yield zip(*(write(part) for write, part in zip(writers, block, strict=True)), strict=True)


def _values(column: Column) -> Callable[[pa.Array], list[Any]]:
    if column.kind == "number" and _data_type(column) == "decimal":
        return lambda part: [None if v is None else format(Decimal(repr(v)), "f") for v in part.to_pylist()]
    if column.kind == "number":
        return lambda part: [None if v is None else v + 0.0 for v in part.to_pylist()]
    if column.kind in ("truth", "whole", "text"):
        return lambda part: part.to_pylist()
    if column.kind == "span":
        as_time = Column(column.name, "time", column.ticks().cast(pa.time64("us")))
        spell = speller(as_time)
        return lambda part: spell(part.cast(pa.int64()).cast(pa.time64("us"))).to_pylist()
    spell = speller(Column(column.name, column.kind, column.data))  # in UTC, without saying so
    return lambda part: spell(part).to_pylist()
