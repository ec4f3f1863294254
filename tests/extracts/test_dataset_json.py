"""CDISC Dataset-JSON 1.1."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import datom_core as dc
from tests.long import long

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


def _file(*columns: dict[str, Any], rows: Any, **about: Any) -> bytes:
    return json.dumps({"datasetJSONVersion": "1.1.0", "columns": list(columns), **about, "rows": rows}).encode()


def _column(kind: str, **more: Any) -> dict[str, Any]:
    return {"itemOID": "I", "name": "X", "label": "x", "dataType": kind, **more}


def _raw(kind: str, text: str) -> bytes:
    """One column X with rows as they are written here."""
    return f'{{"datasetJSONVersion": "1.1.0", "columns": [{json.dumps(_column(kind))}], "rows": [{text}]}}'.encode()


def _lines(kind: str, *rows: str) -> bytes:
    return "\n".join([json.dumps({"datasetJSONVersion": "1.1.0", "columns": [_column(kind)]}), *rows]).encode()


X = _column("float")
MALFORMED = {
    "no rows": (json.dumps({"datasetJSONVersion": "1.1.0", "columns": [X]}, indent=1).encode(), "there is no row"),
    "rows null": (_file(X, rows=None), "there is no row"),
    "rows an object": (_file(X, rows={"X": [1]}), "rows is a list of rows, not an object"),
    "rows a number": (_file(X, rows=3), "rows is a list of rows, not a number"),
    "rows text": (_file(X, rows="[[1]]"), "rows is a list of rows, not text"),
    "row an object": (_file(X, rows=[[1], {"X": 1}]), "row 2 has not one value .* it is an object"),
    "row null": (_file(X, rows=[None]), "row 1 has not .* it is no list"),
    "row a number": (_file(X, rows=[7]), "row 1 has not .* it is no list"),
    "cell an object": (_file(X, rows=[[1], [{"a": 1}]]), r"\{'a': 1\} is not double \(row 2\)"),
    "cell a list": (_file(_column("string"), rows=[[["a"]]]), r"\['a'\] is not string \(row 1\)"),
    "deep": (_raw("string", "[" * 5000 + "]" * 5000), "nested so deeply"),
    "deep and broken off": (b'{"a":' * 100_000, "nested so deeply"),
    "deep in a line": (_lines("string", '["a"]', "[" * 5000), "line 3 is nested so deeply"),
    "an array": (b"[" * 100_000, "not CDISC Dataset-JSON: it does not begin with an object"),
    "NaN": (_raw("float", "[NaN]"), "NaN is no number in JSON"),
    "Infinity in a line": (_lines("float", "[1]", "[-Infinity]"), "line 3: -Infinity is no number in JSON"),
    "beyond a double": (_raw("float", "[1.5], [1e999]"), r"inf is not double \(row 2\)"),
    "beyond an integer": (_raw("integer", "[1], [18446744073709551616]"), r"616 is not int64 \(row 2\)"),
    "thousands of digits": (_raw("integer", "[" + "1" * 5000 + "]"), "a number has thousands of digits"),
    "a part of an integer": (_raw("integer", "[1], [1.5]"), r"1.5 is not int64 \(row 2\)"),
    "a truth value as a number": (_raw("float", "[true]"), "True is not double"),
    "a number as a truth value": (_raw("boolean", "[1]"), "1 is not bool"),
    "a number as text": (_raw("string", "[1]"), "1 is not string"),
    "half a surrogate pair": (_raw("string", r'["\ud800"]'), "is not string"),
    "text that Python takes for a number": (_raw("decimal", '["1.5"], ["1_000"]'), r"'1_000' is not double \(row 2\)"),
    "nan as text": (_raw("decimal", '["nan"]'), "'nan' is not double"),
    "a key twice": (_raw("float", '[1]], "rows": [[2]'), r"occur twice in one object: \['rows'\]"),
    "more behind the end": (_raw("float", "[1]") + b"\n[2]\n", "line 2 comes behind the end"),
    "a line broken off": (_lines("float", "[1]", "[2"), "line 3: the JSON is not whole"),
    "records as text": (_file(X, rows=[[1]], records="1"), "records is the number of rows, not '1'"),
    "records true": (_file(X, rows=[[1]], records=True), "records is the number of rows"),
    "records negative": (_file(X, rows=[[1]], records=-1), "records is the number of rows"),
    "no columns": (_file(rows=[[]]), "it has no list of columns"),
    "columns an object": (b'{"datasetJSONVersion": "1.1.0", "columns": {"X": 1}, "rows": [[1]]}', "list of columns"),
    "columns of names": (b'{"datasetJSONVersion": "1.1.0", "columns": ["X"], "rows": [[1]]}', "column 1"),
    "a column without a name": (_file({"dataType": "float"}, rows=[[1]]), "column 1 of columns has no name"),
    "a name that is a number": (_file({"name": 1, "dataType": "float"}, rows=[[1]]), "column 1 of columns has no name"),
    "a list of types": (_file({"name": "X", "dataType": ["float"]}, rows=[[1]]), "'X' is \\['float'\\]"),
    "a label of labels": (_file({**X, "label": {"en": "x"}}, rows=[[1]]), "label of 'X'"),
    "a system that is a list": (_file(X, rows=[[1]], sourceSystem=["EDC"]), "sourceSystem"),
    "of 1.0": (json.dumps({"datasetJSONVersion": "1.0.0", "clinicalData": {}}).encode(), "Dataset-JSON 1.0.0 cannot"),
    "of another kind": (b'{"retries": 3}', "it names no datasetJSONVersion"),
    "UTF-16": (_file(X, rows=[[1]]).decode().encode("utf-16"), "UTF-16 by its first bytes"),
    "Latin-1": ('{"datasetJSONVersion": "1.1.0", "label": "é"}'.encode("latin-1"), "Dataset-JSON is UTF-8"),
    "blank": (b" \n ", "not whole"),
}  # fmt: skip


FIT_FLOAT64 = (
    *("a number as text", "a number as a truth value", "nan as text", "beyond an integer", "a part of an integer"),
)


@pytest.mark.parametrize("schema", [None, {"X": "float64"}], ids=["", "schema"])
@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_are_refused_with_the_place(case: str, schema: Any, tmp_path: Path) -> None:
    data, problem = MALFORMED[case]
    path = tmp_path / "dm.json"
    path.write_bytes(data)
    if schema is None:
        with pytest.raises(dc.InvalidInputError, match=f"^dm.json: (?s:.*){problem}"):
            dc.read_extract(path)
    elif case not in FIT_FLOAT64:
        with pytest.raises(dc.InvalidInputError, match=r"^dm\.json: "):
            dc.read_extract(path, schema=schema)
    if data.startswith(b"{") and case not in ("no rows", "Latin-1"):
        packed = tmp_path / "dm.dsjc"
        packed.write_bytes(zlib.compress(data))
        with pytest.raises(dc.InvalidInputError, match=r"^dm\.dsjc: "):
            dc.read_extract(packed)


@pytest.mark.parametrize(
    "order", [("rows", "columns", "datasetJSONVersion"), ("columns", "rows", "datasetJSONVersion")]
)
def test_the_order_of_keys_means_nothing(order: tuple[str, ...], tmp_path: Path, project: dc.Project) -> None:
    said = {"datasetJSONVersion": "1.1.0", "columns": [_column("string")], "rows": [["x" * 70_000]]}
    (tmp_path / "in").mkdir()
    for indent, table in ((None, "dm"), (1, "ae")):
        (tmp_path / "in" / f"{table}.json").write_text(json.dumps({k: said[k] for k in order}, indent=indent))
    report = project.sync(tmp_path / "in")
    assert report.ok
    assert {i.status for i in report.items} == {"new"}
    assert project.reader.read_arrow("ae").num_rows == 1


def test_what_a_careful_reader_takes() -> None:
    assert dc.read_extract(b"\xef\xbb\xbf" + _raw("float", "[1]"), format="json")["X"].to_pylist() == [1.0]
    assert dc.read_extract(b"\n\n" + _lines("float", "", "[1]", "", "[2]"), format="json")["X"].to_pylist() == [1, 2]
    assert dc.read_extract(_raw("integer", "[5.0], [-0]"), format="json")["X"].to_pylist() == [5, 0]
    assert dc.read_extract(_raw("float", "[100000000000000000000]"), format="json")["X"].to_pylist() == [1e20]
    numbers = _raw("decimal", '["1,234.5"], [" .5 "], ["-1E3"], [""], [null], [7]')
    assert dc.read_extract(numbers, format="json")["X"].to_pylist() == [1234.5, 0.5, -1000.0, None, None, 7.0]
    assert dc.read_extract(_file(X, rows=[[1]], records=1.0), format="json").num_rows == 1


@pytest.mark.parametrize(
    ("kind", "texts", "values", "type_"),
    [
        ("time", ["10:00:00", None, "", "23:59", "01:02:03.25"],
         [time(10), None, None, time(23, 59), time(1, 2, 3, 250_000)], pa.time64("us")),
        ("time", ["26:00:00", "-00:30:00"], [timedelta(hours=26), timedelta(minutes=-30)], pa.duration("us")),
        ("date", ["2012-02-29", None, ""], [date(2012, 2, 29), None, None], pa.date32()),
        ("datetime", ["2012-02-29T10:30:00.5", "2012-02-29T10:30", None],
         [datetime(2012, 2, 29, 10, 30, 0, 500_000), datetime(2012, 2, 29, 10, 30), None], pa.timestamp("us")),
    ],
)  # fmt: skip
def test_times_that_sas_holds_as_numbers(kind: str, texts: list[Any], values: list[Any], type_: pa.DataType) -> None:
    data = _file(_column(kind, targetDataType="integer"), rows=[[t] for t in texts])
    column = dc.read_extract(data, format="json")
    assert (column["X"].to_pylist(), column["X"].type) == (values, type_)
    assert column.schema.field("X").metadata[b"targetDataType"] == b"integer"
    assert dc.read_extract(data, format="json", schema={"X": "string"})["X"].to_pylist() == texts
    assert dc.hash_table(column).rows == len(texts)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("time", "10"), ("time", "10:60:00"), ("time", "10:00:00Z"), ("time", "NA"), ("time", 36000)),
        *(("date", "2012-02"), ("date", "2012-02-30"), ("date", "NA"), ("date", 19000), ("date", "2012-02-03T10:00")),
        *(("datetime", "2012-02-03"), ("datetime", "2012-02-03T10"), ("datetime", "2012-02-03T10:00:00Z")),
        *(("datetime", "2012-02-03T10:00:00+01:00"), ("datetime", "2012-02-03T10:00:00.123456789")),
    ],
)
def test_times_that_no_number_stands_for(kind: str, text: Any) -> None:
    data = _file(_column(kind, targetDataType="integer"), rows=[[None], [text]])
    with pytest.raises(dc.InvalidInputError, match=r"(?s)'X'.*(in row 2|row 2\)|Failed to parse)"):
        dc.read_extract(data, format="json")


@pytest.mark.parametrize(
    ("kind", "text", "schema", "values"),
    [
        ("integer", "[5.5], [6]", "float64", [5.5, 6.0]),
        ("integer", "[5.5], [6], [1.10]", "string", ["5.5", "6", "1.10"]),
        ("integer", "[18446744073709551615]", "uint64", [2**64 - 1]),
        ("integer", "[18446744073709551615]", "string", ["18446744073709551615"]),
        ("float", "[1.0], [1e3], [null]", "int64", [1, 1000, None]),
        ("float", "[1.5]", "int64", "refused"),
        ("float", "[0.1000000000000000055511151231257827]", "string", ["0.1000000000000000055511151231257827"]),
        ("decimal", '["70.10"], ["12345678901234567890.123456789"], [""]', "string",
         ["70.10", "12345678901234567890.123456789", ""]),
        ("decimal", '["70.10"], [""]', "float64", [70.1, None]),
        ("string", '["007"], ["NA"]', "string", ["007", "NA"]),
        ("string", '["7"], [""]', "int64", [7, None]),
        ("string", '["2026-01-31"]', "date", [date(2026, 1, 31)]),
        ("string", '["7 apples"]', "int64", "refused"),
        ("boolean", "[true], [false]", "string", ["true", "false"]),
        ("boolean", "[true]", "int64", "refused"),
        ("integer", "[1], [0]", "bool", [True, False]),
        ("integer", "[2]", "bool", "refused"),
        ("float", "[1e999]", "float64", "refused"),
        ("time", '["10:30"], [null]', "time", [time(10, 30), None]),
        ("time", '["26:00"]', "time", "refused"),
        ("date", '["2026-01"]', "date", "refused"),
        ("date", "[19000]", "date", "refused"),
        ("string", '["a"], ["b"], ["a"]', "category", ["a", "b", "a"]),
    ],
)  # fmt: skip
def test_a_schema_wins_over_every_type(kind: str, text: str, schema: str, values: Any) -> None:
    if values == "refused":
        with pytest.raises(dc.InvalidInputError, match=r"(?s)do not fit the schema.*'X'|or the schema says.*'X'"):
            dc.read_extract(_raw(kind, text), format="json", schema={"X": schema})
        return
    table = dc.read_extract(_raw(kind, text), format="json", schema={"X": schema})
    assert table["X"].to_pylist() == values
    assert table.schema.field("X").metadata[b"label"] == b"x"


def test_a_schema_of_one_column_leaves_the_others_as_they_are() -> None:
    columns = [_column("float"), {**_column("integer"), "name": "N"}, {**_column("decimal"), "name": "D"}]
    data = _file(*columns, rows=[[1.5, 3, "2.50"], [2, None, "1"]])
    table = dc.read_extract(data, format="json", schema={"X": "string"})
    assert table.to_pydict() == {"X": ["1.5", "2"], "N": [3, None], "D": [2.5, 1.0]}


class TestCompressed:
    LINES = _lines("float", *(f"[{n}.5]" for n in range(20_000)))

    @pytest.mark.parametrize("level", [0, 1, 6, 9])
    def test_is_read_as_the_lines(self, level: int, tmp_path: Path, project: dc.Project) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "DM.DSJC").write_bytes(zlib.compress(self.LINES, level))
        (tmp_path / "dm.ndjson").write_bytes(self.LINES)
        assert project.sync(tmp_path / "in").ok
        assert project.reader.read_arrow("DM").equals(dc.read_extract(tmp_path / "dm.ndjson"))

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (lambda data: data[:-1], "breaks off before its end"),
            (lambda data: data[: len(data) // 2], "breaks off before its end"),
            (lambda data: data[:-4] + b"\0\0\0\0", "is damaged"),
            (lambda data: data[:500] + b"\xff" * 20 + data[520:], "is damaged|breaks off"),
            (lambda data: data + b"\n", "more behind the end of the compressed data"),
            (lambda data: data + data, "more behind the end of the compressed data"),
            (lambda data: gzip.compress(zlib.decompress(data)), "no zlib stream"),
            (lambda data: zlib.decompress(data), "no zlib stream"),
            (lambda _: zlib.compress(b""), "not whole"),
            (lambda _: zlib.compress(b'{"datasetJSONVersion": "1.1.0",\n"columns": []}'), "not whole"),
        ],
    )
    def test_what_is_not_whole_is_refused(self, change: Any, problem: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=problem):
            dc.read_extract(change(zlib.compress(self.LINES)), format="dsjc")

    @pytest.mark.parametrize("filler", [b" ", pytest.param(b"\n", marks=long)])
    def test_a_bomb_is_given_up_early(self, filler: bytes) -> None:
        bomb = zlib.compress(_lines("float") + b"\n" + filler * (64 * 2**20), 9)
        with pytest.raises(dc.InvalidInputError, match=r"500 times its size|which is no row"):
            dc.read_extract(bomb, format="dsjc")


def test_what_the_file_says_about_itself_is_stored_with_the_version(tmp_path: Path, project: dc.Project) -> None:
    said = {
        "originator": "CRO", "sourceSystem": {"name": "EDC", "version": "4.2"}, "studyOID": "S1",
        "metaDataVersionOID": "MDV.1", "metaDataRef": "define.xml", "itemGroupOID": "IG.DM", "name": "DM",
        "label": "Demographics",
    }  # fmt: skip
    volatile = {
        "datasetJSONCreationDateTime": "2026-01-01T00:00:00",
        "fileOID": "F.1",
        "dbLastModifiedDateTime": "2026",
    }
    columns = [_column("string", keySequence=2), {**_column("integer", keySequence=1, length=8), "name": "N"}]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "dm.json").write_bytes(_file(*columns, rows=[["a", 1]], **said, **volatile))
    for schema in (None, {"dm": {"N": "int64"}}):
        read = dc.read_extract(tmp_path / "in" / "dm.json", schema=schema and schema["dm"])
        assert read.schema.metadata == {
            k.encode(): (json.dumps(v) if isinstance(v, dict) else v).encode() for k, v in said.items()
        }
    assert project.sync(tmp_path / "in").ok
    stored = project.reader.read_arrow("dm").schema
    assert {k: stored.metadata[k.encode()].decode() for k in said} == {
        **said, "sourceSystem": '{"name": "EDC", "version": "4.2"}',
    }  # fmt: skip
    assert [stored.field(c).metadata[b"keySequence"] for c in ("X", "N")] == [b"2", b"1"]


@pytest.mark.parametrize(("kind", "value"), [("integer", "9007199254740993.0"), ("float", "9007199254740993")])
def test_a_number_that_would_change_is_refused(kind: str, value: str) -> None:
    column = f'{{"name": "X", "dataType": "{kind}", "label": "x", "itemOID": "I"}}'
    text = f'{{"datasetJSONVersion": "1.1.0", "columns": [{column}], "rows": [[{value}]]}}'
    with pytest.raises(dc.InvalidInputError, match="'X'"):
        dc.read_extract(text.encode(), format="json")
