"""What is too long for a form: more rows than a sheet has, more columns, more bytes than a page may have."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from datom_core.comparing import ColumnChange, ComparisonSettings, KeyDecision, Side
from datom_core.errors import InvalidInputError
from datom_core.reports import render_report, report_schema, sheets, workbook, write_report
from tests.unit.reports.parsing import of_markdown, of_workbook
from tests.unit.reports.studies import changes, every_kind, mixed, rows, study, subjects, version
from tests.unit.reports.test_hostile import columns

MANY = changes("ae", [((f"S{i}", i), "AETERM", f"old|{i}", f"new {i}") for i in range(313)])


def book(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def test_sheets_can_be_filtered_and_keep_their_heads() -> None:
    made = book(render_report(mixed(), "xlsx"))
    assert made.sheetnames == [
        "Overview", "About", "Columns and labels", "By column", "By subject", "ae", "lb", "qs",
    ]  # fmt: skip
    for sheet in made:
        assert sheet.freeze_panes[1:] == "2"
        assert sheet.auto_filter.ref.startswith("A1:")
    colours = {row[0].value: row[0].fill.fgColor.rgb for row in made["ae"].iter_rows(min_row=2)}
    assert len(colours) == 6
    assert len(set(colours.values())) == 5, "renumbered and rekeyed share one"
    assert made["Overview"]["B2"].hyperlink.location == "'ae'!A1"


def test_names_of_sheets_are_legal_and_differ() -> None:
    names = ["a" * 40, "A" * 40, "overview", "History", "'x'", "[a]:*?/\\b", "x", "X"]
    made = book(render_report(study(*(every_kind(n) for n in names)), "xlsx"))
    titles = made.sheetnames
    assert len(titles) == len({t.lower() for t in titles}) == 5 + len(names)
    assert all(0 < len(t) <= 31 and not set(t) & set("[]:*?/\\") for t in titles)
    linked = [made["Overview"].cell(2 + i, 2).hyperlink.location for i in range(len(names))]
    assert linked == [f"'{t}'!A1".replace("''", "'") for t in titles[5:]]


@pytest.mark.parametrize("long", [0, 20_000])
def test_more_rows_than_a_sheet_has_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch, long: int) -> None:
    monkeypatch.setattr(sheets, "ROWS", 101)
    monkeypatch.setattr(workbook, "_LONG", long)
    made = book(render_report(study(MANY), "xlsx"))
    assert made.sheetnames[-4:] == ["ae", "ae (2)", "ae (3)", "ae (4)"]
    found = [row for name in made.sheetnames[-4:] for row in made[name].iter_rows(min_row=2, values_only=True)]
    assert [row[-1] for row in found] == [f"new {i}" for i in range(313)]
    assert all(made[name].auto_filter.ref for name in made.sheetnames[-4:])
    assert made["ae (4)"]["A1"].value == "Change"


def test_both_ways_of_writing_a_workbook_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    short = render_report(mixed(), "xlsx")
    monkeypatch.setattr(workbook, "_LONG", 0)
    long = render_report(mixed(), "xlsx")
    assert of_workbook(long) == of_workbook(short)
    values = [[[c.value for c in row] for s in book(d) for row in s.iter_rows()] for d in (long, short)]
    assert values[0] == values[1]


def test_more_columns_than_a_sheet_has_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_COLUMNS", 30)
    names = [f"C{i}" for i in range(40)]
    wide = pa.table({n: pa.array(["v"]) for n in names})
    side = Side(1, tuple(names), version("a"))
    given = replace(changes(before=side, after=side, subject=None), added=wide)
    sheet = book(render_report(given, "xlsx"))["ae"]
    assert sheet["B2"].value == "15 columns did not fit into the sheet; the JSON form holds them."
    assert sheet.max_column == 30
    assert sheet["A3"].value == "added"


@pytest.mark.parametrize("most", [1_000, 1_500, 3_000, 6_000, 12_000, 40_000])
def test_markdown_is_never_longer_than_it_may_be(most: int) -> None:
    given = study(MANY, *(every_kind(f"t{i:02}") for i in range(30)))
    data = render_report(given, "markdown", max_bytes=most)
    assert most / 3 < len(data) <= most
    lines = data.decode().splitlines()
    assert all(line.endswith("|") and columns(line) for line in lines if line.startswith("|"))
    assert sum("|---" in line for line in lines) == sum(
        lines[i - 1] == "" for i in range(len(lines)) if lines[i][:1] == "|"
    )
    found = of_markdown(data) if most > 6_000 else {}
    assert not found or found["ae"]["cells"] == 313
    assert "of 31 tables" in data.decode()


def test_markdown_without_a_limit_tells_twenty_of_many() -> None:
    told = render_report(study(MANY), "markdown").decode()
    assert "20 of 313 values" in told
    assert told.count("| `S") == 20
    whole = render_report(study(MANY), "markdown", preview_rows=1_000).decode()
    assert "313 values" in whole
    assert whole.count("| `S") == 313


def test_typed_values() -> None:
    kinds: dict[str, pa.Array] = {
        "int": pa.array([2**53 + 1]), "float": pa.array([0.1]), "nan": pa.array([float("nan")]),
        "inf": pa.array([float("-inf")]), "bool": pa.array([True]), "text": pa.array(["001"]),
        "date": pa.array([0], pa.date32()), "instant": pa.array([0], pa.timestamp("us", "UTC")),
        "factor": pa.array(["a"]).dictionary_encode(), "missing": pa.array([None], pa.int32()),
    }  # fmt: skip
    whole = pa.table(kinds)
    side = Side(1, tuple(kinds), version("a"))
    given = replace(changes(before=side, after=side, subject=None), added=whole)
    added = json.loads(render_report(given, "json"))["tables"][0]["added"]
    assert added["rows"] == [
        [2**53 + 1, 0.1, "nan", "-inf", True, "001", "1970-01-01", "1970-01-01 00:00:00.000000Z", "a", None]
    ]
    assert [c["type"] for c in added["columns"]][:6] == ["int64", "double", "double", "double", "bool", "string"]


@pytest.mark.parametrize("given", [{}, {"masked": "ARM"}, {"masked": ("ARM", "USUBJID")}, {"preview_rows": 0}])
def test_json_is_as_its_schema_says(given: dict[str, Any]) -> None:
    document, schema = json.loads(render_report(mixed(), "json", **given)), report_schema()
    assert list(document) == schema["required"]
    for table in document["tables"]:
        assert list(table) == schema["$defs"]["table"]["required"]
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_schema_refuses_what_it_does_not_know() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(render_report(mixed(), "json"))
    for broken in (document | {"more": 1}, document | {"format": "datom-changes/2"}, document | {"tables": [{}]}):
        assert list(jsonschema.Draft202012Validator(report_schema()).iter_errors(broken))


def test_masked_values_are_marked_in_json() -> None:
    table = json.loads(render_report(study(every_kind()), "json", masked="ARM"))["tables"][0]
    assert table["cells"]["rows"][2]["before"] == {"masked": True}
    assert table["added"]["rows"][0][-1] == {"masked": True}
    assert table["added"]["columns"][-1] == {"name": "ARM", "type": "string", "masked": True}
    assert table["duplicates"]["rows"][0][:2] == ["before", 1]


def test_a_column_of_the_data_named_as_one_of_ours() -> None:
    listed = rows(
        pa.schema([("side", pa.string()), ("group", pa.int64()), ("X", pa.string())]), [("before", 1, "secret")]
    )
    renamed = listed.rename_columns(["side", "group", "side"])
    side = Side(1, ("side",), version("a"))
    given = replace(changes(before=side, after=side, subject=None), duplicates=renamed)
    for form in ("html", "json", "markdown"):
        told = render_report(given, form, masked="side").decode()  # type: ignore[arg-type]
        assert "secret" not in told
        assert "before" in told


@pytest.mark.parametrize(
    "given",
    [
        {"changes": None}, {"changes": {}}, {"project": None}, {"project": ["S"]}, {"masked": None}, {"masked": 5},
        {"masked": [1]}, {"masked": [[]]}, {"preview_rows": "5"}, {"preview_rows": 1.5}, {"preview_rows": True},
        {"max_bytes": "5000"}, {"max_bytes": [5000]},
    ],
    ids=str,
)  # fmt: skip
def test_arguments_of_other_types_are_refused(given: dict[str, Any]) -> None:
    arguments = {"changes": mixed(), "form": "markdown"} | given
    with pytest.raises(InvalidInputError):
        render_report(**arguments)


@pytest.mark.parametrize("path", [None, 5, b"a.html", ["a.html"], "a\0b.html"], ids=str)
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(InvalidInputError, match="path must be that of a file"):
        write_report(mixed(), path)


def test_a_subject_that_is_missing_blank_or_unseen_is_told_as_any_value() -> None:
    listed = subjects([(name, 1, 0, 0, 0, 0, 0, 0) for name in (None, "", "s1 ")])
    given = changes(by_subject=listed, fate="changed")
    page, text = (render_report(given, form).decode() for form in ("html", "markdown"))
    assert '<th scope="row"><i>(missing)</i></th>' in page
    assert '<th scope="row"><bdi>&#34;&#34;</bdi></th>' in page
    assert '<th scope="row"><bdi>&#34;s1 &#34;</bdi></th>' in page
    assert "| `(missing)` | 1 |" in text
    assert '| `""` | 1 |' in text


def test_the_order_of_columns_is_no_value() -> None:
    told = (ColumnChange("", "order of columns", "A, B", "B, A"),)
    document = json.loads(render_report(changes(attributes_changed=told), "json", preview_rows=0))
    assert document["tables"][0]["attributes_changed"][0]["before"] == "A, B"


@pytest.mark.parametrize("columns", [(), ("USUBJID",)])
def test_a_tolerance_that_has_no_effect_says_so(columns: tuple[str, ...]) -> None:
    key = KeyDecision(columns, "given" if columns else "rows", "")
    given = changes(key=key, settings=ComparisonSettings(absolute={"AESTDY": 0.1}))
    for form in ("html", "markdown"):
        told = render_report(given, form).decode()  # type: ignore[arg-type]
        assert "AESTDY: equal within 0.1" in told
        assert ("it has no effect on whole rows" in told) is (not columns)
