"""The cells of a sheet as columns: their types tell what they hold, and what cannot be stored is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from datom_core.common import is_text
from datom_core.extracts.formats.cells import Cell, CellError, DamagedError, Moment, Uncalculated, place
from datom_core.extracts.formats.problems import bad_file, brief_list
from datom_core.extracts.formats.schemas import Types
from datom_core.extracts.formats.serials import moment_of

_MISSING = CellError("#N/A")
_SPARSE = 10_000_000  # values of a table that may be empty, however few are not
_FILLED = 100  # beyond that, one in this many must not be empty
# The types that R's readxl gives them; dates in cells are times at midnight.
_KINDS: tuple[tuple[str, type | tuple[type, ...], pa.DataType], ...] = (
    ("truth values", bool, pa.bool_()),
    ("numbers", (int, float), pa.float64()),
    ("dates", datetime, pa.timestamp("us")),
    ("times of day", time, pa.time64("us")),
    ("lengths of time", timedelta, pa.duration("us")),
    ("text", str, pa.string()),
)


class _UnfitError(Exception):
    """Why a column cannot be stored."""


class Grid:
    """The cells of a sheet, by column.

    Raises:
        DamagedError: two cells are in the same place.
    """

    def __init__(self, cells: Iterator[Cell], title: str, since_1904: bool) -> None:
        self._title, self._since_1904 = title, since_1904
        self._header: dict[int, Any] = {}
        self._body: dict[int, tuple[list[int], list[Any]]] = {}
        self._uncalculated: list[str] = []
        self.cells = 0
        for row, column, value in cells:
            self.cells += 1
            if value is Uncalculated.FORMULA:
                self._uncalculated.append(f"{title}!{place(row, column)}")
            if row == 0 and column not in self._header:
                self._header[column] = value
            elif row == 0:
                raise DamagedError(f"there are two cells {place(row, column)}")
            else:
                rows, values = self._body.setdefault(column, ([], []))
                rows.append(row - 1)
                values.append(value)
        for column, (rows, _) in self._body.items():
            if len(set(rows)) < len(rows):
                raise DamagedError(f"there are two cells at one place in column {place(0, column)[:-1]}")

    def columns(self, name: str) -> list[str]:
        """The names in the first row; empty for columns without one.

        Raises:
            InvalidInputError: a formula has no result, or a name is an error.
        """
        if self._uncalculated:
            raise bad_file(
                name, f"formulas without a result: {brief_list(self._uncalculated)}. Open it in Excel, and save it."
            )
        errors = [f"{place(0, c)}: {v.name}" for c, v in self._header.items() if isinstance(v, CellError)]
        if errors:
            raise bad_file(name, f"the first row, which names the columns, holds errors ({brief_list(errors)}).")
        width = max((*self._header, *self._body)) + 1
        return [self._name(self._header.get(column, ""), name) for column in range(width)]

    def _name(self, value: Any, name: str) -> str:
        if isinstance(value, Moment):
            try:
                value = moment_of(value, self._since_1904)
            except ValueError as error:
                raise bad_file(name, f"a column is named by a date that is none: {error}.") from None
        found = str(value) if isinstance(value, datetime) else _text(value).strip()
        if not is_text(found):
            raise bad_file(name, f"the name of a column is no text: {found!r}.")
        return found

    def table(self, columns: Sequence[str], types: Types, name: str) -> pa.Table:
        """The table below the first row.

        Raises:
            InvalidInputError: names every bad column and what is wrong with it.
        """
        height = max((max(rows) + 1 for rows, _ in self._body.values()), default=0)
        if height * len(columns) > max(_SPARSE, _FILLED * self.cells):
            row, last = max((max(rows), c) for c, (rows, _) in self._body.items())
            raise bad_file(
                name,
                f"{height} rows of {len(columns)} columns have {self.cells} cells that hold something; the last one "
                f"is {place(row + 1, last)}. Delete what lies far from the table, and save it again.",
            )
        arrays, problems = [], []
        for position, column in enumerate(columns):
            rows, values = self._body.get(position, ([], []))
            try:
                found = self._array(rows, values, types.types.get(column))
            except _UnfitError as error:
                problems.append(f"{column!r} {error}")
                continue
            arrays.append(_spread(found, [r for r, v in zip(rows, values, strict=True) if v != _MISSING], height))
        if problems:
            raise bad_file(name, "cells cannot be read:\n  - " + "\n  - ".join(problems))
        return pa.table(arrays, names=list(columns))

    def _array(self, rows: list[int], values: list[Any], declared: pa.DataType | None) -> pa.Array:
        """The values of the cells that are not missing."""
        kind = declared.value_type if declared is not None and pa.types.is_dictionary(declared) else declared
        errors, never, large, lone = [], [], [], []
        found: list[Any] = []
        for row, value in zip(rows, values, strict=True):
            if isinstance(value, CellError):
                if value != _MISSING:
                    errors.append(f"row {row + 2}: {value.name}")
                continue
            if isinstance(value, Moment):
                try:
                    value = value.number if _is_number(kind) else moment_of(value, self._since_1904)
                except ValueError as error:
                    never.append(f"row {row + 2}: {error}")
            elif type(value) is int:
                large.append(f"row {row + 2}: {value}")
            elif type(value) is str and not is_text(value):
                lone.append(f"row {row + 2}: {value!r}")
            found.append(value)
        for what, where, advice in (
            ("errors", errors, ""),
            ("dates that are none", never, "; the type 'float64' keeps the numbers"),
            ("text that is no Unicode", lone, ""),
        ):
            if where:
                raise _UnfitError(f"holds {what} ({brief_list(where)}){advice}")
        return _typed(found, kind, large)


def _typed(values: list[Any], kind: pa.DataType | None, large: list[str]) -> pa.Array:
    """The values as text if that is their type, otherwise as the one kind they all are."""
    if _is_text(kind) or (large and kind is not None and pa.types.is_decimal(kind)):
        return pa.array([_text(v) for v in values], pa.string())
    present = {type(v) for v in values}
    if not present:
        return pa.nulls(0, pa.bool_())
    # A boolean is a number in Python, but not in Excel.
    kinds = [(what, arrow) for what, classes, arrow in _KINDS if any(_is(t, classes) for t in present)]
    if len(kinds) != 1:
        mixed = " and ".join(what for what, _ in kinds)
        raise _UnfitError(f"mixes {mixed}; give it the type 'string' in schema=, or one type in Excel")
    if large:
        whole = [int(v) for v in values if v == int(v)]
        try:
            if kind is not None and pa.types.is_integer(kind) and len(whole) == len(values):
                return pa.array(whole, kind)
        except (OverflowError, pa.ArrowInvalid):
            pass
        raise _UnfitError(
            f"holds numbers of more digits than a double keeps ({brief_list(large)}); give it the type 'int64' or "
            "'string' in schema="
        )
    return pa.array(values, kinds[0][1])


def _spread(values: pa.Array, rows: list[int], height: int) -> pa.Array:
    """The values in their rows, and nulls in the others."""
    if len(rows) == height and rows == sorted(rows):
        return values
    at = np.full(height, -1, dtype=np.int64)
    at[rows] = np.arange(len(rows))
    return values.take(pa.array(at, mask=at < 0))


def _text(value: Any) -> str:
    """A cell as text; whole numbers have no decimal point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return value.isoformat() if isinstance(value, (datetime, time)) else str(value)


def _is(kind: type, classes: type | tuple[type, ...]) -> bool:
    return issubclass(kind, classes) and (kind is not bool or classes is bool)


def _is_number(kind: pa.DataType | None) -> bool:
    return kind is not None and bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _is_text(kind: pa.DataType | None) -> bool:
    return kind is not None and bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
