"""Workbooks (xlsx): one sheet, whose first row names the columns."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.common import needing
from datom_core.exports.arrays import Mask, floats, integers, matching, missing
from datom_core.exports.columns import DAY, Column, Outgoing, blocks
from datom_core.exports.refusals import (
    LAST_DAY,
    Offence,
    large_numbers,
    names,
    no_numbers,
    where,
    years,
)

_ROWS, _COLUMNS = 1_048_576, 16_384
_LONGEST = 32_767  # UTF-16 units of a cell
_SHEET = 31
_BLOCK = 8_192
_EPOCH = -25_569  # 1899-12-30: Excel's day 0, from 1900-03-01 on
_PHANTOM = -25_508  # 1900-03-01, before which Excel counts a day that never was
_FIRST = -25_567  # 1900-01-01
_LARGEST, _SMALLEST = 9.99999999999999e307, 2.2250738585072014e-308
_ILLEGAL = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_SHOWN = {"date": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm:ss", "time": "hh:mm:ss", "span": "[h]:mm:ss"}


class _Exact(float):
    """A number of which a sheet keeps all digits: the library asks for 16 of them, and a double may have 17."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def check_workbook(out: Outgoing) -> Iterator[Offence]:
    """What a sheet cannot hold."""
    if out.rows >= _ROWS:
        yield Offence(None, f"{out.rows:,} rows; below its first row a sheet has {_ROWS - 1:,}; choose another form")
    if len(out.columns) > _COLUMNS:
        yield Offence(None, f"{len(out.columns):,} columns; a sheet has {_COLUMNS:,}; choose another form")
    yield from names(out)
    yield from years(out.columns)
    yield from no_numbers(out.columns, "Excel")
    yield from large_numbers(out.columns, "Excel")
    for column in out.columns:
        if len(column.name.encode("utf-16-le")) > 2 * _LONGEST:
            yield Offence(column.name, f"its name is longer than a cell ({_LONGEST:,} characters)")
        if column.kind in _CHECKS:
            yield from _CHECKS[column.kind](column)
    if out.rows and not any(_fills(c.data[out.rows - 1].as_py()) for c in out.columns):
        yield Offence(None, "the last row holds nothing, and a sheet ends at its last value; choose another form")


def write_workbook(out: Outgoing, sink: BinaryIO) -> None:
    """Write the workbook, row by row.

    Raises:
        MissingPackageError: the package that writes it is not installed.
    """
    with needing("A workbook", "formats"):
        import xlsxwriter

    with tempfile.TemporaryDirectory(prefix="datom-") as folder:
        options = {"constant_memory": True, "tmpdir": folder, "use_zip64": True}
        # Closed in any case: it has files open.
        with xlsxwriter.Workbook(sink, options) as book:
            book.set_properties({"title": out.said.get("label") or out.title, "created": out.made.replace(tzinfo=None)})
            sheet = book.add_worksheet(_ILLEGAL.sub("_", out.title)[:_SHEET].strip("'") or "table")
            _fill(out, book, sheet)


def _fill(out: Outgoing, book: Any, sheet: Any) -> None:
    head = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    writers = [_writer(c, book, sheet) for c in out.columns]
    for place, column in enumerate(out.columns):
        sheet.write_string(0, place, column.name, head)
    row = 0
    for block in blocks(out.columns, _BLOCK):
        values = [prepared(part) for (prepared, _), part in zip(writers, block, strict=True)]
        for cells in zip(*values, strict=True):
            row += 1
            for place, (cell, (_, write)) in enumerate(zip(cells, writers, strict=True)):
                if cell is not None and cell != "":
                    write(row, place, cell)


def _writer(column: Column, book: Any, sheet: Any) -> tuple[Callable[[pa.Array], list[Any]], Callable[..., Any]]:
    """How to get the cells of a part of a column, and how to write one."""
    if column.kind == "text":
        return _listed, sheet.write_string
    if column.kind == "truth":
        return _listed, sheet.write_boolean
    if column.kind in ("whole", "number"):
        return lambda part: [None if v is None else _Exact(v + 0.0) for v in part.to_pylist()], sheet.write_number
    thousandths = bool((integers(column.ticks()) % 10**6).any()) and column.kind != "date"
    look = book.add_format({"num_format": _SHOWN[column.kind] + (".000" if thousandths else "")})
    return lambda part: _serials(column.kind, part), lambda row, place, cell: sheet.write_number(row, place, cell, look)


def _listed(part: pa.Array) -> list[Any]:
    values: list[Any] = part.to_pylist()
    return values


def _serials(kind: str, part: pa.Array) -> list[_Exact | None]:
    """Days since Excel's beginning, or lengths of time in days."""
    if kind == "date":
        ticks = [None if v is None else v * DAY for v in part.cast(pa.int32()).to_pylist()]
    else:
        ticks = part.cast(pa.int64()).to_pylist()
    dated = kind in ("date", "moment")
    return [None if t is None else _Exact(_of_excel(t) / DAY if dated else t / DAY) for t in ticks]


def _of_excel(ticks: int) -> int:
    return ticks - _EPOCH * DAY - (DAY if ticks < _PHANTOM * DAY else 0)


def _fills(value: object) -> bool:
    return value is not None and value != ""


def _texts(column: Column) -> Iterator[Offence]:
    units = np.asarray(pc.utf8_length(column.data).fill_null(0).to_numpy(), dtype=np.int64)
    if int(units.max(initial=0)) * 2 > _LONGEST:  # characters may have two units
        units = np.array([0 if t is None else len(t.encode("utf-16-le")) // 2 for t in column.data.to_pylist()])
    yield from where(column, units > _LONGEST, f"text of more than {_LONGEST:,} characters; choose another form")
    why = "text that begins with <r> and ends with </r> is taken for markup; choose another form"
    yield from where(column, matching(column, r"(?s)^<r>.*</r>\z"), why)


def _dates(column: Column) -> Iterator[Offence]:
    unit = 1 if column.kind == "date" else DAY
    ticks = integers(column.ticks())
    early: Mask = ~missing(column.data) & (ticks < _FIRST * unit) & (ticks >= -(2**62))
    yield from where(column, early, "dates before 1900, which Excel does not have; write them as text")
    if column.kind == "moment":
        yield from _finer(column)


def _spans(column: Column) -> Iterator[Offence]:
    long = np.abs(integers(column.ticks())) > (LAST_DAY - _EPOCH) * DAY
    yield from where(column, long, "lengths of more than 8,000 years; write a number")
    yield from _finer(column)


def _finer(column: Column) -> Iterator[Offence]:
    finer = integers(column.ticks()) % 1000 != 0
    yield from where(
        column, finer, "times with microseconds, where Excel keeps milliseconds; round them, or write text"
    )


def _numbers(column: Column) -> Iterator[Offence]:
    size = np.abs(floats(column.data))
    odd = np.isfinite(size) & (size != 0) & ((size > _LARGEST) | (size < _SMALLEST))
    yield from where(column, odd, "numbers beyond those of Excel (2.2e-308 to 9.9e307); write text")


_CHECKS: dict[str, Callable[[Column], Iterator[Offence]]] = {
    "text": _texts,
    "date": _dates,
    "moment": _dates,
    "time": _finer,
    "span": _spans,
    "number": _numbers,
}
