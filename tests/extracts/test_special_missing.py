"""Missing values that say why they are missing become null, and are counted with the column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

import datom_core as dc
from tests.extracts.transport_files import data_set, number, transport


def counted(table: pa.Table) -> dict[str, Mapping[str, int]]:
    return {
        f.name: json.loads(f.metadata[b"missing_values"])
        for f in table.schema
        if f.metadata and b"missing_values" in f.metadata
    }


def test_sas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.extracts.formats.transport_cells._BLOCK", 1)
    cells = [b"A", b"A", b"Z", b"_", b".", b"M"]
    rows = b"".join(c + bytes(7) + number(i) + c.rjust(2) for i, c in enumerate(cells))
    columns = [("X", 0, "DATE9."), ("N", 0, ""), ("S", 2, "")]
    table = dc.read_extract(transport(data_set(columns, rows + number(20000) + number(9) + b"ok")), format="xpt")
    assert table["X"].to_pylist() == [None] * 6 + [date(2014, 10, 4)]
    assert counted(table) == {"X": {"A": 2, "M": 1, "Z": 1, "_": 1}}
    assert table["S"].to_pylist() == [" A", " A", " Z", " _", " .", " M", "ok"]


@pytest.mark.parametrize("wide", [3, 4, 7])
def test_short_numbers_of_sas(wide: int) -> None:
    rows = (b"B" + bytes(wide - 1) + b"x") + (number(2)[:wide] + b"y")
    table = dc.read_extract(transport(data_set([("X", -wide, ""), ("S", 1, "")], rows)), format="xpt")
    assert table["X"].to_pylist() == [None, 2.0]
    assert counted(table) == {"X": {"B": 1}}


@pytest.mark.parametrize("version", [8, 12, 13, 15])
def test_stata(version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.extracts.formats.readstat._CHUNK", 2)
    path = tmp_path / "t.dta"
    frame = pd.DataFrame({"I": [1, "b", "b", 3], "D": ["a", 2000, "z", np.nan], "X": [1.5, 2.5, np.nan, 4.5]})
    pyreadstat.write_dta(
        frame, str(path), version=version, missing_user_values={"I": ["b"], "D": ["a", "z"]},
        variable_format={"D": "%td"}, variable_value_labels={"I": {"b": "not done"}},
    )  # fmt: skip
    table = dc.read_extract(path)
    assert table.drop_columns("X").to_pydict() == {"I": [1, None, None, 3], "D": [None, date(1965, 6, 23), None, None]}
    assert counted(table) == {"I": {"b": 2}, "D": {"a": 1, "z": 1}}
    assert json.loads(table.schema.field("I").metadata[b"value_labels"]) == {"b": "not done"}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("chunk", [2, 5, 1000])
def test_spss(chunk: int, compress: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.extracts.formats.readstat._CHUNK", chunk)
    path = tmp_path / "t.sav"
    frame = pd.DataFrame({
        "A": [1.0, 99.0, -5.0, np.nan, 99.0], "S": ["x", "NA", "y", "", "NA "], "D": [13e9, 99, 13.1e9, np.nan, 0.0],
        "N": [1.0, 99.0, 2.0, 3.0, 4.0],
    })  # fmt: skip
    pyreadstat.write_sav(
        frame, str(path), compress=compress, variable_format={"D": "DATETIME20"},
        missing_ranges={"A": [99, {"lo": -9, "hi": -1}], "S": ["NA"], "D": [99]},
    )  # fmt: skip
    table = dc.read_extract(path)
    assert table.to_pydict() == {
        "A": [1.0, None, None, None, None],
        "S": ["x", None, "y", "", None],
        "D": [datetime(1994, 9, 26, 23, 6, 40), None, datetime(1997, 11, 27, 8, 53, 20), None, datetime(1582, 10, 14)],
        "N": [1.0, 99.0, 2.0, 3.0, 4.0],
    }
    assert counted(table) == {"A": {"-5.0": 1, "99.0": 2}, "S": {"NA": 2}, "D": {"99.0": 1}}
    # As the library itself sees it.
    plain, _ = pyreadstat.read_sav(str(path), output_format="dict", disable_datetime_conversion=True)
    assert {c: [v is None for v in plain[c]] for c in "ASDN"} == {c: table[c].is_null().to_pylist() for c in "ASDN"}


def test_a_range_of_many_values_is_counted_together(tmp_path: Path) -> None:
    path = tmp_path / "t.sav"
    values = [float(-i) for i in range(1, 301)] + [-1.0, 5.0]
    pyreadstat.write_sav(pd.DataFrame({"A": values}), str(path), missing_ranges={"A": [{"lo": -999, "hi": -1}]})
    found = counted(dc.read_extract(path))["A"]
    assert found["-1.0"] == 2
    assert len(found) == 101
    assert sum(found.values()) == 301


def test_por(tmp_path: Path) -> None:
    path = tmp_path / "t.por"
    pyreadstat.write_por(pd.DataFrame({"S": ["nave", "x"], "A": [1.0, 2.0]}), str(path))
    plain = path.read_bytes()
    # The record 8 declares a missing value of the column before it.
    path.write_bytes(plain.replace(b"8/2/5/8/2/", b"8/2/5/8/2/82/"))
    assert path.read_bytes() != plain
    table = dc.read_extract(path)
    assert table.to_pydict() == {"S": ["nave", "x"], "A": [1.0, None]}
    assert counted(table) == {"A": {"2.0": 1}}


def test_a_sync_says_what_became_null(project: dc.Project, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    rows = b"A" + bytes(7) + b"ab" + b"A" + bytes(7) + b"cd" + b"_" + bytes(7) + b"ef"
    (drop / "t.xpt").write_bytes(transport(data_set([("X", 0, ""), ("S", 2, "")], rows)))
    others = {
        said: pa.field(f"Y{said}", pa.int64(), metadata={"missing_values": said}) for said in ("[1]", "?", '{"A": "x"}')
    }
    pq.write_table(pa.table([[1]] * 3, schema=pa.schema(others.values())), drop / "p.parquet")
    report = project.sync(drop).check()
    assert {i.table: i.notes for i in report.items} == {
        "p": (),
        "t": ("X: 3 special missing values became null (A: 2, _: 1)",),
    }
    assert "3 special missing values became null" in repr(report)


def test_the_counts_are_stored_and_are_no_part_of_the_hash(project: dc.Project, tmp_path: Path) -> None:
    path = tmp_path / "t.xpt"
    path.write_bytes(transport(data_set([("X", 0, ""), ("S", 2, "")], b"A" + bytes(7) + b"ab" + number(1) + b"cd")))
    table = dc.read_extract(path)
    plain = pa.table({"X": [None, 1.0], "S": ["ab", "cd"]})
    assert dc.hash_table(table).data_sha == dc.hash_table(plain).data_sha
    project.write("t", table)
    assert counted(project.reader.read_arrow("t")) == {"X": {"A": 1}}
