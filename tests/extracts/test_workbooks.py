"""Workbooks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

import datom_core as dc

Book = Callable[..., Path]
ROWS = [
    ["SUBJ", "AGE", "ON", "D", "T"],
    ["a", 1, True, datetime(2026, 1, 2), time(1, 2, 3)],
    ["b", 2.5, None, date(2026, 1, 3), None],
    [None, "#N/A", False, None, time(4, 5, 6)],
]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    def build(rows: list[list[Any]], **sheets: list[list[Any]]) -> Path:
        made = openpyxl.Workbook()
        for title, content in {"Data": rows, **sheets}.items():
            sheet = made.create_sheet(title)
            for row in content:
                sheet.append(row)
        del made["Sheet"]
        made.save(tmp_path / "t.xlsx")
        return tmp_path / "t.xlsx"

    return build


def test_types_are_those_of_readxl(book: Book) -> None:
    table = dc.read_extract(book([*ROWS, [None, None], []]))
    assert table.to_pydict() == {
        "SUBJ": ["a", "b", None],
        "AGE": [1.0, 2.5, None],
        "ON": [True, None, False],
        "D": [datetime(2026, 1, 2), datetime(2026, 1, 3), None],
        "T": [time(1, 2, 3), None, time(4, 5, 6)],
    }
    dates = dc.read_extract(book(ROWS), schema={"D": "date"})["D"]
    assert dates.to_pylist() == [date(2026, 1, 2), date(2026, 1, 3), None]


def test_xls_is_as_xlsx() -> None:
    # Written once by xlwt; nothing kept writes this format any more.
    table = dc.read_extract(Path(__file__).parent / "data" / "old.xls")
    assert table.to_pydict() == {
        "SUBJ": ["a", "b"],
        "AGE": [1.0, 2.5],
        "ON": [True, None],
        "D": [datetime(2026, 1, 2), datetime(2026, 1, 3)],
    }


def test_mixed_cells_are_told_at_once_and_text_when_asked(book: Book) -> None:
    path = book([["a", "b", "c"], [1, "x", True], ["y", 2, 3]])
    with pytest.raises(dc.InvalidInputError, match=r"(?s)'a' mixes numbers and text.*'b' mixes.*'c' mixes truth"):
        dc.read_extract(path)
    table = dc.read_extract(path, schema=dict.fromkeys("abc", "string"))
    assert table.to_pydict() == {"a": ["1", "y"], "b": ["x", "2"], "c": ["True", "3"]}


def test_errors_and_formulas_without_a_result(book: Book) -> None:
    with pytest.raises(dc.InvalidInputError, match=r"'a' holds errors \(row 2: #DIV/0!\)"):
        dc.read_extract(book([["a"], ["#DIV/0!"]]))
    with pytest.raises(dc.InvalidInputError, match="formulas without a result: Data!A2"):
        dc.read_extract(book([["a"], ["=1+1"]]))


def test_several_sheets(book: Book) -> None:
    path = book([["a"], [1]], Notes=[["text"], ["x"]])
    with pytest.raises(dc.InvalidInputError, match="several sheets hold data: 'Data', 'Notes'"):
        dc.read_extract(path)
    assert dc.read_extract(path, sheet="Notes").to_pydict() == {"text": ["x"]}
    with pytest.raises(dc.InvalidInputError, match="no sheet 'Other'; it has 'Data', 'Notes'"):
        dc.read_extract(path, sheet="Other")


def test_hidden_sheets(book: Book) -> None:
    path = book([["a"], [1]], Codes=[["text"], ["x"]], Secret=[["text"], ["y"]])
    made = openpyxl.load_workbook(path)
    made["Codes"].sheet_state, made["Secret"].sheet_state = "hidden", "veryHidden"
    made.save(path)
    with pytest.raises(dc.InvalidInputError, match=r"hold data: 'Data', 'Codes' \(hidden\), 'Secret' \(very hidden\)"):
        dc.read_extract(path)
    with pytest.raises(dc.InvalidInputError, match=r"no sheet 'Data2'; it has 'Data', 'Codes' \(hidden\)"):
        dc.read_extract(path, sheet="Data2")
    assert dc.read_extract(path, sheet="Codes").to_pydict() == {"text": ["x"]}
    made["Data"].delete_rows(1, 2)
    del made["Secret"]
    made.save(path)
    with pytest.raises(dc.InvalidInputError, match=r"only sheet with data is hidden: 'Codes' \(hidden\)"):
        dc.read_extract(path)


def test_with_macros(book: Book) -> None:
    path = book(ROWS).rename(book(ROWS).with_suffix(".xlsm"))
    assert dc.read_extract(path).num_rows == 3


def test_columns_and_emptiness(book: Book) -> None:
    with pytest.raises(dc.InvalidInputError, match="column 2 has no name"):
        dc.read_extract(book([["a", None], [1, 2]]))
    with pytest.raises(dc.InvalidInputError, match="the sheet is empty"):
        dc.read_extract(book([]))
    assert dc.read_extract(book([["a", "b"], [1, None]]))["b"].type == pa.bool_()
