"""Workbooks of Excel: xlsx through openpyxl, xls through calamine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from datom_core.extracts.problems import bad_file, brief_list, check_columns, library
from datom_core.extracts.schemas import Types, conform

Grid = list[list[Any]]
_MISSING = "#N/A"
_ERRORS = frozenset({"#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA"})
# As R's readxl types them; dates in cells are times at midnight.
_KINDS: tuple[tuple[str, type | tuple[type, ...], pa.DataType], ...] = (
    ("truth values", bool, pa.bool_()),
    ("numbers", (int, float), pa.float64()),
    ("dates", datetime, pa.timestamp("us")),
    ("times of day", time, pa.time64("us")),
    ("lengths of time", timedelta, pa.duration("us")),
    ("text", str, pa.string()),
)


def read_workbook(path: Path, name: str, file_format: str, types: Types, *, sheet: str | None) -> pa.Table:
    """The one sheet with data, or the one that is named; its first row names the columns.

    Raises:
        NotFoundError: openpyxl or calamine is not installed.
        InvalidInputError: the file is damaged, several sheets, bad columns, cells that mix types or hold errors or
            formulas without a result, or values that do not fit ``types``.
    """
    sheets = (_xlsx if file_format == "xlsx" else _xls)(path, name)
    used = {title: grid for title, grid in sheets.items() if grid}
    if sheet is not None and sheet not in sheets:
        raise bad_file(name, f"there is no sheet {sheet!r}; it has {brief_list(map(repr, sheets))}.")
    if sheet is None and len(used) > 1:
        raise bad_file(
            name, f"several sheets hold data: {brief_list(map(repr, used))}. Give sheet=, or split the file."
        )
    grid = sheets[sheet] if sheet is not None else next(iter(used.values()), [])
    if not grid:
        raise bad_file(name, "the sheet is empty. Export it again.")
    columns = [str(c).strip() if c is not None else "" for c in grid[0]]
    check_columns(columns, name)
    types.check(columns, name)
    return conform(_table(columns, grid[1:], types, name), types, name)


def _xlsx(path: Path, name: str) -> dict[str, Grid]:
    openpyxl = library("openpyxl", "xlsx")
    try:
        book = openpyxl.load_workbook(path, data_only=True)
        formulas = openpyxl.load_workbook(path)
    except Exception as error:
        raise bad_file(name, f"the workbook cannot be read ({error}). Save it again.") from error
    unknown = [
        f"{sheet.title}!{cell.coordinate}"
        for sheet in formulas.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" and book[sheet.title][cell.coordinate].value is None
    ]
    if unknown:
        raise bad_file(name, f"formulas without a result: {brief_list(unknown)}. Open it in Excel, and save it.")
    return {s.title: _trimmed([list(row) for row in s.iter_rows(values_only=True)]) for s in book.worksheets}


def _xls(path: Path, name: str) -> dict[str, Grid]:
    calamine = library("python_calamine", "xls")
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        grids = {t: book.get_sheet_by_name(t).to_python(skip_empty_area=False) for t in book.sheet_names}
    except Exception as error:
        raise bad_file(name, f"the workbook cannot be read ({error}). Save it again.") from error
    return {t: _trimmed([[_plain(v) for v in row] for row in grid]) for t, grid in grids.items()}


def _plain(value: Any) -> Any:
    """A cell as openpyxl gives it: an empty one is nothing, a date a time at midnight."""
    if value == "":
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - cells have no zone
    return value


def _trimmed(grid: Grid) -> Grid:
    """Without the empty rows at the end, and the empty columns at the right, that formatting leaves."""
    while grid and all(v is None for v in grid[-1]):
        grid.pop()
    width = max((i + 1 for row in grid for i, v in enumerate(row) if v is not None), default=0)
    return [[*row[:width], *[None] * (width - len(row))] for row in grid]


def _table(columns: Sequence[str], rows: Grid, types: Types, name: str) -> pa.Table:
    arrays, problems = [], []
    for position, column in enumerate(columns):
        values = [row[position] for row in rows]
        values = [None if v == _MISSING else v for v in values]
        errors = [f"row {i}: {v}" for i, v in enumerate(values, 2) if isinstance(v, str) and v in _ERRORS]
        if errors:
            problems.append(f"{column!r} holds errors ({brief_list(errors)})")
            continue
        as_text = column in types.types and pa.types.is_string(types.types[column])
        found = _array([_text(v) for v in values] if as_text else values)
        if isinstance(found, str):
            problems.append(f"{column!r} mixes {found}; give it the type 'string' in schema=, or one type in Excel")
        else:
            arrays.append(found)
    if problems:
        raise bad_file(name, "cells cannot be read:\n  - " + "\n  - ".join(problems))
    return pa.table(arrays, names=list(columns))


def _text(value: Any) -> str | None:
    """A cell as text; whole numbers have no point."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, (datetime, time)) else str(value)


def _array(values: Sequence[Any]) -> pa.Array | str:
    """The column, or the kinds that it mixes."""
    present = {type(v) for v in values if v is not None}
    if not present:
        return pa.nulls(len(values), pa.bool_())
    # A truth value is a number to Python, and not to Excel.
    kinds = [(what, kind) for what, classes, kind in _KINDS if any(_is(t, classes) for t in present)]
    if len(kinds) != 1:
        return " and ".join(what for what, _ in kinds) or "cells of unknown kinds"
    return pa.array(values, kinds[0][1])


def _is(kind: type, classes: type | tuple[type, ...]) -> bool:
    return issubclass(kind, classes) and (kind is not bool or classes is bool)
