"""CDISC Dataset-JSON 1.1."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import datom_core as dc

COLUMNS = [
    {"itemOID": "IT.DM.USUBJID", "name": "USUBJID", "label": "Subject", "dataType": "string", "length": 8},
    {"itemOID": "IT.DM.AGE", "name": "AGE", "label": "Age", "dataType": "integer", "displayFormat": "8."},
    {"itemOID": "x", "name": "W", "label": "Weight", "dataType": "decimal", "targetDataType": "decimal"},
    {"itemOID": "x", "name": "F", "label": "F", "dataType": "float"},
    {"itemOID": "x", "name": "B", "label": "B", "dataType": "boolean"},
    {"itemOID": "x", "name": "DTC", "label": "Date", "dataType": "date"},
    {"itemOID": "x", "name": "DT", "label": "Date", "dataType": "date", "targetDataType": "integer"},
    {"itemOID": "x", "name": "DTM", "label": "Time", "dataType": "datetime", "targetDataType": "integer"},
]
ROWS = [
    ["01-1", 41, "70.10", 1, True, "2026-01", "2026-01-02", "2026-01-02T03:04:05"],
    ["", None, None, 2.5, None, None, None, None],
]
ABOUT = {
    "datasetJSONCreationDateTime": "2026-01-01T00:00:00", "datasetJSONVersion": "1.1.0", "itemGroupOID": "IG.DM",
    "records": 2, "name": "DM", "label": "Demographics", "columns": COLUMNS,
}  # fmt: skip


@pytest.fixture(params=["json", "pretty.json", "ndjson"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    def writing(rows: list[Any] = ROWS, **changes: Any) -> Path:
        about = {**ABOUT, **changes}
        path = tmp_path / f"dm.{request.param}"
        if request.param == "ndjson":
            path.write_text("\n".join(map(json.dumps, [about, *rows])) + "\n")
        else:
            path.write_text(json.dumps({**about, "rows": rows}, indent=2 if "pretty" in request.param else None))
        return path

    return writing


def test_values_types_and_labels(write: Any) -> None:
    table = dc.read_extract(write())
    assert table.to_pydict() == {
        "USUBJID": ["01-1", ""],
        "AGE": [41, None],
        "W": [70.1, None],
        "F": [1.0, 2.5],
        "B": [True, None],
        "DTC": ["2026-01", None],
        "DT": [date(2026, 1, 2), None],
        "DTM": [datetime(2026, 1, 2, 3, 4, 5), None],
    }
    assert table.schema.field("AGE").metadata[b"label"] == b"Age"
    assert table.schema.field("AGE").metadata[b"format"] == b"8."
    assert table.schema.metadata[b"label"] == b"Demographics"
    assert dc.hash_table(table).rows == 2


def test_a_schema_wins(write: Any) -> None:
    table = dc.read_extract(write(), schema={"AGE": "float64"})
    assert table["AGE"].type == pa.float64()
    assert table.schema.field("AGE").metadata[b"label"] == b"Age"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"records": 3}, "says that it has 3 rows, and has 2"),
        ({"datasetJSONVersion": "1.0.0"}, "Dataset-JSON 1.0.0 cannot be read"),
        ({"columns": [*COLUMNS[:-1], COLUMNS[0]]}, "'USUBJID' occurs 2 times"),
        ({"columns": [*COLUMNS[:-1], {"name": "Z", "dataType": "blob"}]}, "'Z' is 'blob'"),
        ({"rows": [["x"]]}, "row 1 has not one value for each of the 8 columns"),
        ({"rows": [["a", 1.5, "x", True, 1, "", "", ""]]}, r"(?s)'AGE'.*'W'.*'F': True is not double.*'B'"),
        ({"rows": [], "records": 0}, "there is no row"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], problem: str, write: Any) -> None:
    with pytest.raises(dc.InvalidInputError, match=problem):
        dc.read_extract(write(**changes))


def test_a_broken_off_file(write: Any) -> None:
    path = write()
    whole = path.read_bytes()
    for share in (0.97, 0.5):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(dc.InvalidInputError, match=r"not whole|not CDISC"):
            dc.read_extract(path)
