"""Excel workbooks: xlsx and xlsm, xlsb, xls."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

from datom_core.common import did_you_mean
from datom_core.errors import DatomError
from datom_core.extracts.formats.cells import Book, DamagedError, Sheet
from datom_core.extracts.formats.grids import Grid
from datom_core.extracts.formats.packages import Package
from datom_core.extracts.formats.problems import bad_file, brief_list, check_columns
from datom_core.extracts.formats.schemas import Types, conform
from datom_core.extracts.formats.xls import read_xls
from datom_core.extracts.formats.xlsb import read_xlsb
from datom_core.extracts.formats.xlsx import read_xlsx


def read_workbook(path: Path, name: str, file_format: str, types: Types, *, sheet: str | None) -> pa.Table:
    """The only sheet with data, or the one named; its first row names the columns.

    Time and memory depend on the cells that are not empty, wherever they are.

    Raises:
        NotFoundError: xlrd, which reads xls, is not installed.
        InvalidInputError: the file is damaged or not a workbook of this format; it has several sheets, bad columns,
            cells that mix types or hold errors, impossible dates, formulas without a result, a table that is nearly all
            empty, or values that do not fit ``types``.
    """
    with ExitStack() as stack:
        try:
            book = _book(path, name, file_format, stack)
            chosen = _chosen(book, name, sheet)
            grid = Grid(chosen.cells(), chosen.title, book.since_1904)
        except DatomError:
            raise
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise bad_file(name, f"the workbook cannot be read ({reason}). Save it again in Excel.") from error
    if not grid.cells:
        raise bad_file(name, "the sheet is empty. Export it again.")
    columns = grid.columns(name)
    check_columns(columns, name)
    types.check(columns, name)
    return conform(grid.table(columns, types, name), types, name)


def _book(path: Path, name: str, file_format: str, stack: ExitStack) -> Book:
    if file_format == "xls":
        return read_xls(path, stack)
    package = stack.enter_context(Package(path))
    linked = [where for kind, where in package.links("").values() if kind == "officeDocument"]
    part = next((p for p in (*linked, "xl/workbook.xml", "xl/workbook.bin") if p in package), None)
    if part is None:
        raise DamagedError("it is a zip archive without a workbook")
    found = "xlsb" if part.lower().endswith(".bin") else "xlsx"
    if (found == "xlsb") != (file_format == "xlsb"):
        raise bad_file(name, f"called {file_format}, but it holds the parts of an {found}. Rename it, or give format=.")
    return (read_xlsb if found == "xlsb" else read_xlsx)(package, part)


def _chosen(book: Book, name: str, title: str | None) -> Sheet:
    """The sheet that was asked for, or else the only one with data."""
    if title is not None:
        found = next((s for s in book.sheets if s.title == title), None)
        if found is None:
            hint = did_you_mean(title, [s.title for s in book.sheets])
            raise bad_file(name, f"there is no sheet {title!r}; it has {brief_list(book.sheets)}.{hint}")
        return found
    if len(book.sheets) == 1 and not book.sheets[0].hidden:
        return book.sheets[0]
    used = [s for s in book.sheets if next(s.cells(), None) is not None]
    if len(used) > 1:
        raise bad_file(name, f"several sheets hold data: {brief_list(used)}. Give sheet=, or split the file.")
    if not used:
        raise bad_file(name, "the sheet is empty. Export it again.")
    if used[0].hidden:
        raise bad_file(name, f"the only sheet with data is hidden: {used[0]}. Give sheet=, or show it in Excel.")
    return used[0]
