"""Workbooks of Excel 5 to 2003, read with xlrd."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from datom_core.extracts.formats.cells import Book, Cell, DamagedError, Moment, Sheet, Value, error_of
from datom_core.extracts.formats.problems import library
from datom_core.extracts.formats.serials import shown_by

_HIDDEN = {1: "hidden", 2: "very hidden"}


def read_xls(path: Path, stack: ExitStack) -> Book:
    """The sheets of a workbook, which stays open as long as ``stack`` does.

    Raises:
        NotFoundError: xlrd is not installed.
        DamagedError: it has a password.
        Exception: whatever xlrd raises on a damaged file.
    """
    xlrd = library("xlrd", "xls")
    quietly = io.StringIO()  # xlrd prints its doubts
    try:
        # Ragged, or each row would be filled up to the longest.
        book = xlrd.open_workbook(str(path), logfile=quietly, on_demand=True, formatting_info=True, ragged_rows=True)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error):
            raise DamagedError("it is encrypted with a password, which must be taken off") from error
        raise
    stack.callback(book.release_resources)
    formats = {code: found.format_str for code, found in book.format_map.items()}
    sheets = []
    for number, title in enumerate(book.sheet_names()):
        hidden = _HIDDEN.get(book._sheet_visibility[number], "")
        sheets.append(Sheet(title, hidden, _cells_of(xlrd, book, number, formats)))
    return Book(tuple(sheets), bool(book.datemode))


def _cells_of(xlrd: Any, book: Any, number: int, formats: dict[int, str]) -> Any:
    def cells() -> Iterator[Cell]:
        sheet = book.sheet_by_index(number)
        for row in range(sheet.nrows):
            for column, cell in enumerate(sheet.row(row)):
                value = _value(xlrd, book, cell, formats)
                if value != "":
                    yield Cell(row, column, value)

    return cells


def _value(xlrd: Any, book: Any, cell: Any, formats: dict[int, str]) -> Value:
    """What the cell holds, by its type; empty text if nothing."""
    kind, value = cell.ctype, cell.value
    if kind in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        number = float(value)
        if not abs(number) < float("inf"):
            raise DamagedError(f"a cell of numbers holds {number}")
        shown = shown_by(book.xf_list[cell.xf_index].format_key, formats)
        return number if shown is None else Moment(number, shown)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR:
        return error_of(int(value))
    return str(value) if kind == xlrd.XL_CELL_TEXT else ""
