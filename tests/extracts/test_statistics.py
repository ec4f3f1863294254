"""Files of SAS, SPSS and Stata: written by pyreadstat, and read."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest

import datom_core as dc
from tests.extracts.transport_files import data_set, number, transport

LABELS = ["Subject", "Age", None, None, None]
SAS_FORMATS = {"DT": "DATE9.", "TM": "TIME8.", "DTM": "DATETIME20."}
EXPECTED = {
    "SUBJ": ["a", " bb", ""],
    "AGE": [1.0, None, 3.5],
    "DT": [date(2026, 1, 2), None, date(1959, 1, 1)],
    "TM": [time(1, 2, 3), None, time(23, 59, 59)],
    "DTM": [datetime(2026, 1, 2, 3, 4, 5, 250000), None, datetime(1950, 1, 1)],
}
Make = Callable[..., Path]


def frame() -> pd.DataFrame:
    made = pd.DataFrame({c: EXPECTED[c] for c in ("SUBJ", "AGE", "DT", "TM")})
    return made.assign(DTM=pd.to_datetime(pd.Series(EXPECTED["DTM"])), AGE=[1.0, np.nan, 3.5])


WRITERS: dict[str, Callable[[pd.DataFrame, str], Any]] = {
    "v5.xpt": lambda f, p: pyreadstat.write_xport(
        f, p, file_format_version=5, table_name="DM", file_label="Demography", column_labels=LABELS,
        variable_format=SAS_FORMATS),
    "v8.xpt": lambda f, p: pyreadstat.write_xport(
        f, p, file_format_version=8, table_name="DM", file_label="Demography", column_labels=LABELS,
        variable_format=SAS_FORMATS),
    "t.sav": lambda f, p: pyreadstat.write_sav(f, p, column_labels=LABELS, variable_value_labels={"AGE": {1: "one"}}),
    "t.zsav": lambda f, p: pyreadstat.write_sav(f, p, column_labels=LABELS, compress=True),
    "t.por": lambda f, p: pyreadstat.write_por(f, p, column_labels=LABELS),
    "t.dta": lambda f, p: pyreadstat.write_dta(f, p, column_labels=LABELS, variable_value_labels={"AGE": {1: "one"}}),
}  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def making(name: str, table: pd.DataFrame | None = None) -> Path:
        WRITERS[name](frame() if table is None else table, str(tmp_path / name))
        return tmp_path / name

    return making


@pytest.mark.parametrize("name", WRITERS)
def test_values_types_and_labels(name: str, make: Make) -> None:
    table = dc.read_extract(make(name))
    found = table.to_pydict()
    if name == "t.dta":  # Stata has no times of day
        found["TM"], expected = None, {**EXPECTED, "TM": None}
    else:
        expected = EXPECTED
    assert found == expected
    assert table.schema.field("SUBJ").metadata[b"label"] == b"Subject"
    assert table.schema.field("DT").metadata[b"format"] in (b"DATE9", b"DATE11", b"%td")
    if name.endswith("xpt"):
        assert table.schema.metadata == {b"name": b"DM", b"label": b"Demography"}
    if name in ("t.sav", "t.dta"):
        assert b"one" in table.schema.field("AGE").metadata[b"value_labels"]


@pytest.mark.parametrize("name", WRITERS)
def test_a_broken_off_file_is_refused_wherever_it_ends(name: str, make: Make) -> None:
    rows = pd.DataFrame({"S": [f"subject {i:05d}" for i in range(300)], "X": [float(i) for i in range(300)]})
    path = make(name, rows.assign(A=1.0, B=2.0, C=3.0).rename(columns={"S": "SUBJ", "X": "AGE"}))
    whole = path.read_bytes()
    assert dc.read_extract(path).num_rows == 300
    for share in (0.99, 0.7, 0.3, 0.05):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(dc.InvalidInputError, match=r"broken off|cannot be read whole|does not begin|no row"):
            dc.read_extract(path)


def test_a_transport_file_that_breaks_off_at_a_record_is_refused(make: Make) -> None:
    rows = pd.DataFrame({"SUBJ": [f"s{i:04d}" for i in range(100)], "AGE": [1.0] * 100, "A": 1.0, "B": 1.0, "C": 1.0})
    for name in ("v5.xpt", "v8.xpt"):
        path = make(name, rows)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 80 * 80 - 160])
        with pytest.raises(dc.InvalidInputError, match=r"within a row, after 9\d whole ones|says that it has 100 rows"):
            dc.read_extract(path)


def test_a_transport_file_with_two_data_sets_is_refused(make: Make) -> None:
    path = make("v5.xpt")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[240:])
    with pytest.raises(dc.InvalidInputError, match="holds 2 data sets"):
        dc.read_extract(path)


def test_special_missing_values_are_null(make: Make) -> None:
    path = make("v5.xpt", pd.DataFrame({"SUBJ": ["x", "y"], "AGE": [1.0, np.nan], "A": 1.0, "B": 1.0, "C": 1.0}))
    # A missing value is its letter, or a full stop, and zeros.
    path.write_bytes(path.read_bytes().replace(b".\0\0\0\0\0\0\0", b"C\0\0\0\0\0\0\0"))
    assert dc.read_extract(path)["AGE"].to_pylist() == [1.0, None]


def test_times_of_more_than_a_day_are_lengths_of_time_with_the_same_hash(tmp_path: Path) -> None:
    path = tmp_path / "t.xpt"
    pyreadstat.write_xport(pd.DataFrame({"T": [90000.0, 60.5]}), str(path), variable_format={"T": "TIME8."})
    table = dc.read_extract(path)
    assert table["T"].to_pylist() == [timedelta(seconds=90000), timedelta(seconds=60.5)]
    short = pa.table({"T": pa.array([time(0, 1)])})
    long = pa.table({"T": pa.array([timedelta(minutes=1)])})
    assert dc.hash_table(short).data_sha == dc.hash_table(long).data_sha


@pytest.mark.parametrize(
    ("value", "column_format", "problem"),
    [
        (1e9, "DATE9.", "dates outside of the years 1 to 9999: 1000000000.0 in row 2"),
        (24108.5, "DATE9.", "days with a part of a day: 24108.5 in row 2"),
        (1e15, "DATETIME20.", "times outside of the years"),
    ],
)
def test_dates_out_of_range(value: float, column_format: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "t.xpt"
    pyreadstat.write_xport(pd.DataFrame({"D": [1.0, value]}), str(path), variable_format={"D": column_format})
    with pytest.raises(dc.InvalidInputError, match=problem):
        dc.read_extract(path)
    assert dc.read_extract(path, schema={"D": "float64"})["D"].to_pylist() == [1.0, value]


def test_another_encoding(make: Make) -> None:
    path = make("v5.xpt", pd.DataFrame({"SUBJ": ["naïve", "x"], "AGE": 1.0, "A": 1.0, "B": 1.0, "C": 1.0}))
    path.write_bytes(path.read_bytes().replace("naïve".encode(), b"na\xefve "))
    with pytest.raises(dc.InvalidInputError, match="not in the encoding that the file says"):
        dc.read_extract(path)
    assert dc.read_extract(path, encoding="cp1252")["SUBJ"].to_pylist() == ["naïve", "x"]


@pytest.mark.parametrize("encoding", ["latin-1", "latin1", "L1", "ISO-8859-1", "iso8859_15", "cp1252", "windows-1252"])
@pytest.mark.parametrize("name", ["v5.xpt", "v8.xpt", "t.sav", "t.dta"])
def test_an_encoding_by_any_name_that_python_knows(encoding: str, name: str, make: Make) -> None:
    path = make(name, pd.DataFrame({"SUBJ": ["naive", "x"], "AGE": 1.0, "A": 1.0, "B": 1.0, "C": 1.0}))
    path.write_bytes(path.read_bytes().replace(b"naive", b"na\xefve").replace(b"Subject", b"Subj\xe9ct"))
    table = dc.read_extract(path, encoding=encoding)
    assert table["SUBJ"].to_pylist() == ["naïve", "x"]
    assert table.schema.field("SUBJ").metadata[b"label"] == "Subjéct".encode()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("shift_jis", "患者"), ("cp932", "患者"), ("euc_jp", "患者"), ("gbk", "患者"), ("gb18030", "患者"),
        ("big5", "患者"), ("euc_kr", "환자"), ("cp949", "환자"), ("koi8_r", "да"), ("cp1251", "да"),
        ("iso8859_2", "łó"), ("mac_roman", "é"), ("cp437", "é"), ("cp850", "é"), ("utf-8", "é"),
        ("utf_8_sig", "é"), ("U8", "é"), ("tis_620", "ก"),
    ],
)  # fmt: skip
def test_encodings_of_the_world(encoding: str, text: str) -> None:
    cell = text.encode("utf-8" if encoding == "utf_8_sig" else encoding).ljust(8)
    made = transport(data_set([("X", 0, ""), ("S", 8, "")], number(1) + cell))
    assert dc.read_extract(made, format="xpt", encoding=encoding)["S"].to_pylist() == [text]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "hex", "rot13", "iso2022_jp_ext"])
@pytest.mark.parametrize("name", ["v5.xpt", "t.sav", "t.dta"])
def test_an_encoding_that_such_a_file_cannot_have(encoding: str, name: str, make: Make) -> None:
    with pytest.raises(dc.InvalidInputError, match=rf"'{encoding}' is no encoding that ReadStat reads such files in"):
        dc.read_extract(make(name), encoding=encoding)


@pytest.mark.parametrize("name", ["v5.xpt", "t.sav", "t.dta"])
def test_text_of_another_encoding_than_was_given(name: str, make: Make) -> None:
    path = make(name, pd.DataFrame({"SUBJ": ["naive", "x"], "AGE": 1.0, "A": 1.0, "B": 1.0, "C": 1.0}))
    path.write_bytes(path.read_bytes().replace(b"naive", b"na\xefve"))
    for encoding in ("ascii", "shift_jis", "utf-8"):
        with pytest.raises(dc.InvalidInputError, match=f"not in the encoding {encoding} .*Give another encoding="):
            dc.read_extract(path, encoding=encoding)


def test_characters_that_a_por_file_does_not_tell(make: Make) -> None:
    path = make("t.por", pd.DataFrame({"SUBJ": ["x", "nave"], "AGE": 1.0, "A": 1.0, "B": 1.0, "C": 1.0}))
    path.write_bytes(path.read_bytes().replace(b"nave", b"n\xe4ve"))
    for encoding in (None, "cp1252"):
        with pytest.raises(dc.InvalidInputError, match=r"does not tell: 'SUBJ' in row 2\. Save it as sav"):
            dc.read_extract(path, encoding=encoding)


def test_formats_of_sas_by_their_whole_names() -> None:
    day, second = 19000, 2_000_000_000
    columns = [
        ("D1", 0, "YYMMDDN8."),
        ("D2", 0, "MONYY7."),
        ("D3", 0, "YEAR4."),
        ("D4", 0, "E8601DA."),
        ("D5", 0, "QTR."),
    ]
    columns += [("T1", 0, "DATEAMPM22.3"), ("T2", 0, "DTDATE9."), ("T3", 0, "E8601DN."), ("T4", 0, "MDYAMPM.")]
    columns += [("H1", 0, "TOD8."), ("H2", 0, "E8601TM8."), ("N1", 0, "DATESTAT."), ("N2", 0, "TIMEPT."), ("N3", 0, "")]
    row = number(day) * 5 + number(second) * 4 + number(3600) * 2 + number(day) * 3
    found = dc.read_extract(transport(data_set(columns, row)), format="xpt").to_pylist()
    assert found == [
        dict.fromkeys(("D1", "D2", "D3", "D4", "D5"), date(2012, 1, 8))
        | dict.fromkeys(("T1", "T2", "T3", "T4"), datetime(2023, 5, 18, 3, 33, 20))
        | dict.fromkeys(("H1", "H2"), time(1))
        | dict.fromkeys(("N1", "N2", "N3"), 19000.0)
    ]


def test_formats_of_spss_by_their_whole_names(tmp_path: Path) -> None:
    seconds = 13_639_363_200.0  # since 1582-10-14
    formats = {"D": "QYR8", "M": "MOYR8", "W": "WKYR10", "T": "MTIME8", "N": "MONTH9", "K": "WKDAY9"}
    frame = pd.DataFrame({"D": [seconds], "M": [seconds], "W": [seconds], "T": [61.0], "N": [3.0], "K": [7.0]})
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), variable_format=formats)
    day = date(2014, 12, 31)
    assert dc.read_extract(tmp_path / "t.sav").to_pylist() == [
        {"D": day, "M": day, "W": day, "T": time(0, 1, 1), "N": 3.0, "K": 7.0}
    ]


@pytest.mark.parametrize("column_format", ["%tC", "%-tC", "%tCDDmonCCYY_HH:MM:SS"])
def test_a_clock_that_counts_leap_seconds_is_refused(column_format: str, tmp_path: Path) -> None:
    path = tmp_path / "t.dta"
    instant = 1_767_323_045_000.0
    pyreadstat.write_dta(pd.DataFrame({"T": [instant]}), str(path), variable_format={"T": column_format})
    with pytest.raises(
        dc.InvalidInputError, match=r"'T': its format %tC counts leap seconds.*cofC\(\)(?s:.*)'float64'"
    ):
        dc.read_extract(path)
    assert dc.read_extract(path, schema={"T": "float64"})["T"].to_pylist() == [instant]


def test_rows_come_in_chunks(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.extracts.formats.readstat._CHUNK", 7)
    rows = pd.DataFrame({"SUBJ": [f"s{i}" for i in range(28)], "AGE": [float(i) for i in range(28)]})
    path = make("t.sav", rows.assign(A=1.0, B=1.0, C=1.0))
    assert dc.read_extract(path)["AGE"].to_pylist() == [float(i) for i in range(28)]


def test_labels_are_stored_and_are_no_part_of_the_hash(make: Make, project: dc.Project) -> None:
    table = dc.read_extract(make("v5.xpt"))
    plain = table.replace_schema_metadata(None)
    plain = pa.table(plain.columns, names=plain.column_names)
    assert dc.hash_table(table).data_sha == dc.hash_table(plain).data_sha
    project.write("dm", table)
    stored = project.reader.read_arrow("dm").schema
    assert stored.field("SUBJ").metadata[b"label"] == b"Subject"
    assert stored.metadata[b"label"] == b"Demography"


def test_the_extra_is_named_when_it_is_missing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("v5.xpt")
    monkeypatch.setitem(__import__("sys").modules, "pyreadstat", None)
    with pytest.raises(dc.MissingPackageError, match=r"xpt needs pyreadstat.*datom-dagster\[formats\]"):
        dc.read_extract(path)


def test_times_are_exact_to_the_microsecond(tmp_path: Path) -> None:
    path = tmp_path / "t.xpt"
    instants = [datetime(2026, 1, 2, 3, 4, 5, i) for i in (1, 123456, 999999)]
    seconds = [(i - datetime(1960, 1, 1)).total_seconds() for i in instants]
    pyreadstat.write_xport(pd.DataFrame({"T": seconds}), str(path), variable_format={"T": "DATETIME26.6"})
    assert dc.read_extract(path)["T"].to_pylist() == instants
    assert not any(math.isnan(s) for s in seconds)
