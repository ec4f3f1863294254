"""What other programs read from the files, and what is in them byte by byte."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from pyarrow import csv

import datom_core as dc
from tests.extracts.transport_files import RECORD, data_set, filled, number, transport

MADE = "2026-01-01T00:00:00Z"


def column(name: str, values: list[Any], kind: Any = None, **said: str) -> tuple[pa.Field, pa.Array]:
    data = pa.array(values, kind)
    return pa.field(name, data.type, metadata=said), data


def study_table(**said: str) -> pa.Table:
    """Every kind of column, with labels and formats."""
    columns = [
        column("USUBJID", ["01-001", "01-002", None], label="Unique Subject Identifier", format="$10."),
        column("AGE", [63, None, 55], pa.int32(), label="Age", format="3"),
        column("LBSTRESN", [61.25, -0.1, None], format="8.2"),
        column("FLAG", [True, False, None]),
        column("DAY", [dt.date(2026, 1, 31), None, dt.date(1959, 12, 31)], label="Day"),
        column("MOMENT", [dt.datetime(2026, 1, 31, 10, 30), None, dt.datetime(2026, 1, 31, 10, 30, 0, 250_000)]),
        column("CLOCK", [dt.time(10, 30), None, dt.time(0)], format="TIME5."),
        column("ZONED", [dt.datetime(2026, 1, 31, 10), None, None], pa.timestamp("us", "Europe/Berlin")),
    ]
    return pa.Table.from_arrays([c for _, c in columns], schema=pa.schema([f for f, _ in columns], metadata=said))


@pytest.mark.parametrize("form", ["xpt", "xpt8"])
def test_readstat_reads_a_transport_file(form: Any, tmp_path: Path) -> None:
    file = dc.write_table(study_table(label="Demographics"), tmp_path / "dm.xpt", form=form, recorded_at=MADE)
    frame, about = pyreadstat.read_xport(str(file.path))
    assert about.table_name == "dm"
    assert about.file_label == "Demographics"
    assert about.creation_time == dt.datetime(2026, 1, 1)
    labels = {k: v for k, v in about.column_names_to_labels.items() if v}
    assert labels == {"USUBJID": "Unique Subject Identifier", "AGE": "Age", "DAY": "Day"}
    assert list(about.original_variable_types.values()) == [
        "$10", "3", "8.2", None, "DATE9", "DATETIME23.3", "TIME5", "DATETIME19",
    ]  # fmt: skip
    assert about.variable_storage_width["USUBJID"] == 6
    assert frame["USUBJID"].to_list() == ["01-001", "01-002", ""]
    assert frame["AGE"].dropna().to_list() == [63, 55]
    assert frame["LBSTRESN"].dropna().to_list() == [61.25, -0.1]
    assert frame["DAY"].dropna().to_list() == [dt.date(2026, 1, 31), dt.date(1959, 12, 31)]
    assert frame["MOMENT"].to_list()[2] == pd.Timestamp("2026-01-31 10:30:00.25")
    assert frame["CLOCK"].dropna().to_list() == [dt.time(10, 30), dt.time(0)]


def test_pandas_reads_version_5(tmp_path: Path) -> None:
    file = dc.write_table(study_table(), tmp_path / "dm.xpt")
    frame = pd.read_sas(file.path, encoding="ascii")
    assert frame["USUBJID"].to_list() == ["01-001", "01-002", ""]
    assert frame["LBSTRESN"].dropna().to_list() == [61.25, -0.1]
    assert frame["DAY"].dropna().to_list() == [24_137.0, -1.0]


def headers(data: bytes) -> list[tuple[int, bytes]]:
    """Where headers are, and their names."""
    records = range(0, len(data), RECORD)
    return [(at, data[at : at + 48]) for at in records if data[at:].startswith(b"HEADER RECORD")]


@pytest.mark.parametrize("version", [5, 8])
def test_a_transport_file_is_the_one_that_its_description_gives(version: int, tmp_path: Path) -> None:
    columns = [("SEX", 1, ""), ("AGE", 0, ""), ("DAY", 0, "DATE9.")]
    rows = b"F" + number(63.5) + number(24_137) + b" " + b"." + bytes(7) + number(-1)
    made = transport(data_set(columns, rows, version=version, count=2), version=version)
    table = pa.table({
        "SEX": ["F", None], "AGE": [63.5, None], "DAY": [dt.date(2026, 1, 31), dt.date(1959, 12, 31)],
    })  # fmt: skip
    form: Any = "xpt" if version == 5 else "xpt8"
    data = Path(dc.write_table(table, tmp_path / "dm.xpt", form=form)).read_bytes()
    assert data[-RECORD:] == made[-RECORD:] == filled(rows)
    assert headers(data) == headers(made)
    assert dc.read_extract(data, format="xpt").equals(dc.read_extract(made, format="xpt"))


def test_long_labels_are_kept_in_version_8(tmp_path: Path) -> None:
    label = "A label of more than forty characters, which is what version 5 takes: größer"
    fields = [column("FIRST", [1]), column("WITH_A_LONG_NAME", ["ä"], label=label), column("LAST", [2], label=label)]
    table = pa.Table.from_arrays([c for _, c in fields], schema=pa.schema([f for f, _ in fields]))
    file = dc.write_table(table, tmp_path / "lb results (v2).xpt", form="xpt8")
    frame, about = pyreadstat.read_xport(str(file.path))
    assert about.column_names_to_labels == {"FIRST": None, "WITH_A_LONG_NAME": label, "LAST": label}
    assert about.table_name == "lb_results_v2"
    assert frame.to_dict("list") == {"FIRST": [1.0], "WITH_A_LONG_NAME": ["ä"], "LAST": [2.0]}
    assert dc.read_extract(file).field("LAST").metadata[b"label"].decode() == label


def test_excel_finds_text_numbers_and_dates(tmp_path: Path) -> None:
    odd = ["=1+1", "007", "@x", "-5", "https://example.org", " x ", "a\r\nb", "_x000D_", "\x01", "<r>", "2026-01-31"]
    table = pa.table({"TEXT": odd, "N": [0.1 + 0.2] * len(odd), "D": [dt.date(1900, 2, 28)] * len(odd)})
    file = dc.write_table(table, tmp_path / "odd.xlsx", name="a/b:c*" + "x" * 40)
    sheet = openpyxl.load_workbook(file.path).active
    assert sheet.title == "a_b_c_" + "x" * 25
    assert sheet["A2"].data_type == "s"
    assert [sheet.cell(2 + i, 1).value for i in range(len(odd) - 5)] == odd[: len(odd) - 5]
    assert sheet["B2"].value == 0.1 + 0.2
    assert dc.read_extract(file, schema=table.schema).equals(table)

    file = dc.write_table(study_table().slice(0, 1), tmp_path / "dm.xlsx")
    sheet = openpyxl.load_workbook(file.path).active
    assert [c.value for c in sheet[2]] == [
        "01-001", 63, 61.25, True, dt.datetime(2026, 1, 31), dt.datetime(2026, 1, 31, 10, 30), dt.time(10, 30),
        dt.datetime(2026, 1, 31, 10),
    ]  # fmt: skip


def test_csv_tells_missing_text_from_empty_text(tmp_path: Path) -> None:
    texts = [None, "", 'say "x"', "a,b", "two\nlines", "NA"]
    table = pa.table({"A": texts, "B": [1.0, None, float("nan"), -0.0, 5, 1]})
    file = dc.write_table(table, tmp_path / "t.csv")
    told = b'A,B\n,1\n"",\n"say ""x""",NaN\n"a,b",0\n"two\nlines",5\nNA,1\n'
    assert file.path.read_bytes() == told
    found = csv.read_csv(
        file.path,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    assert found["A"].to_pylist() == texts
    assert pd.read_csv(file.path, keep_default_na=False)["A"].to_list() == ["", *texts[1:]]


def test_text_has_dates_and_times_as_iso_8601_has_them(tmp_path: Path) -> None:
    table = study_table().append_column("SPAN", pa.array([90_061, -1, None], pa.duration("s")))
    text = dc.write_table(table, tmp_path / "t.tsv").path.read_text()
    assert text.splitlines()[1].split("\t")[3:] == [
        "true", "2026-01-31", "2026-01-31T10:30:00.000", "10:30:00", "2026-01-31T10:00:00Z", "25:01:01",
    ]  # fmt: skip
    assert text.splitlines()[2].split("\t")[-1] == "-0:00:01"
    lone = dc.write_table(pa.table({"A": [1, None, 3]}), tmp_path / "lone.csv")
    assert lone.path.read_text() == 'A\n1\n""\n3\n'


def test_dataset_json_is_what_the_standard_says(tmp_path: Path) -> None:
    source = json.dumps({"name": "EDC", "version": "7"})
    said = {"name": "DM", "label": "Demographics", "studyOID": "S.1", "sourceSystem": source, "originator": "Acme"}
    key, key_data = column(
        "DTC", ["2026-01"], label="Date", dataType="date", keySequence="2", itemOID="IT.X", length="10"
    )
    exact, exact_data = column("DOSE", [0.1], dataType="decimal", format="8.1")
    table = study_table(**said).slice(0, 1).append_column(key, key_data).append_column(exact, exact_data)
    document = json.loads(dc.write_table(table, tmp_path / "dm.json", recorded_at=MADE).path.read_text())
    columns, rows = document.pop("columns"), document.pop("rows")
    assert list(document.items()) == [
        ("datasetJSONCreationDateTime", "2026-01-01T00:00:00Z"),
        ("datasetJSONVersion", "1.1.0"),
        ("originator", "Acme"),
        ("sourceSystem", {"name": "EDC", "version": "7"}),
        ("studyOID", "S.1"),
        ("itemGroupOID", "IG.DM"),
        ("records", 1),
        ("name", "DM"),
        ("label", "Demographics"),
    ]
    assert rows == [
        ["01-001", 63, 61.25, True, "2026-01-31", "2026-01-31T10:30:00", "10:30:00", "2026-01-31T10:00:00", "2026-01",
         "0.1"],
    ]  # fmt: skip
    assert columns[0] == {
        "itemOID": "IT.DM.USUBJID", "name": "USUBJID", "label": "Unique Subject Identifier", "dataType": "string",
        "displayFormat": "$10.",
    }  # fmt: skip
    assert [c.get("targetDataType") for c in columns] == [None] * 4 + ["integer"] * 4 + [None, "decimal"]
    assert [c["displayFormat"] for c in columns[4:8]] == ["E8601DA.", "E8601DT.", "TIME5.", "E8601DT."]
    assert columns[8] == {
        "itemOID": "IT.X", "name": "DTC", "label": "Date", "dataType": "date", "length": 10, "keySequence": 2,
    }  # fmt: skip
    back = dc.read_extract(tmp_path / "dm.json")
    assert back.schema.metadata[b"sourceSystem"].decode() == source
    assert back.field("DTC").metadata == {**key.metadata}
    lines = dc.write_table(table, tmp_path / "dm.ndjson", recorded_at=MADE).path.read_text().splitlines()
    assert json.loads(lines[0]) == {**document, "columns": columns}
    assert [json.loads(line) for line in lines[1:]] == rows


def test_parquet_keeps_types_and_all_that_was_kept_about_columns(tmp_path: Path) -> None:
    table = dc.normalise(study_table(label="Demographics"))
    assert dc.read_extract(dc.write_table(table, tmp_path / "dm.parquet")).equals(table, check_metadata=True)


def test_frames_of_pandas_are_written_too(tmp_path: Path) -> None:
    frame = pd.DataFrame({"USUBJID": ["01"], "AGE": [63]}, index=[7])
    assert dc.write_table(frame, tmp_path / "dm.csv").path.read_text() == "USUBJID,AGE\n01,63\n"
