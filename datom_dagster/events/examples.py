"""Example rows: tables that fit the page, each with how many of how many rows it shows.

Dagster's page draws a table whole and in place, however many rows and columns it has, and cuts it at the window's edge.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.rules import part_of

#: Key under which an event says how many of how many rows its tables show.
SHOWN = "datom/examples"
#: Keys of tables with example rows, which may be tall.
TABLES = ("datom/changed_rows", "datom/added_rows", "datom/removed_rows")

_CAPS = (40, 30, 20, 12, 8)  # characters of a cell, from narrow tables to wide ones
_WIDTH = 72  # characters of a line, over all columns: what fits a laptop's window beside Dagster's panels
_GAP = 2  # characters between two columns
_KEY = 20  # characters of each value of a key, and of a column's name beside it
_NAME = 16
_CELLS = 10  # changed values of one row


def changed_rows(changes: dc.TableChanges, most: int) -> dict[str, Any]:
    """Examples of rows that were changed, added and removed; none if there are none, or values are hidden.

    Changed rows have a line for each value that changed; added and removed rows show their key and as many of their
    first columns as fit. ``datom/examples`` says how many of how many rows are shown.

    Args:
        changes: what changed.
        most: how many rows of each kind to show.
    """
    if changes.hidden():
        return {}  # the summary says what may be said
    of_rows = _changed(changes, most)
    lines = [line for row in of_rows for line in row]
    shown: dict[str, Any] = {TABLES[0]: dg.MetadataValue.table(lines)} if lines else {}
    texts = [part_of(len(of_rows), changes.changed, "changed")] if lines else []
    sides = (("added", changes.added), ("removed", changes.removed))
    for (what, rows), key in zip(sides, TABLES[1:], strict=True):
        if rows.num_rows and most:
            first = rows.slice(0, most)
            names = _columns(first, changes.key.columns)
            texts.append(part_of(first.num_rows, rows.num_rows, what, columns=(len(names), rows.num_columns)))
            shown[key] = rows_table(_records(first, names))
    return {SHOWN: "; ".join(texts), **shown} if shown else {}


def rows_table(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Rows with the same columns. Long values are cut: the more columns there are, the shorter."""
    records = [dict(row) for row in rows]
    cap = next((cap for cap in _CAPS if _width(records, cap) <= _WIDTH), _CAPS[-1])
    short = ({k: cut(v, cap) if isinstance(v, str) else v for k, v in record.items()} for record in records)
    return dg.MetadataValue.table([dg.TableRecord(record) for record in short])


def cut(text: str, most: int) -> str:
    """The text, cut to ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _changed(changes: dc.TableChanges, most: int) -> list[list[dg.TableRecord]]:
    """For each of the first rows that changed, a line for each value; long values are cut to show where they differ."""
    key = len(changes.key.columns)
    # No row has more cells than there are columns, so that these hold the first rows.
    some = changes.cells.slice(0, most * max(len(changes.by_column), 1))
    cells = zip(*(dc.as_text(column) for column in some.columns), strict=True)
    of_rows = (list(row) for _, row in itertools.groupby(cells, lambda cell: cell[:key]))
    return [_lines(row, key) for row in itertools.islice(of_rows, most)]


def _lines(cells: Sequence[tuple[str | None, ...]], key: int) -> list[dg.TableRecord]:
    name = ", ".join("" if value is None else cut(value, _KEY) for value in cells[0][:key])
    told = []
    for cell in cells[:_CELLS]:
        before, after = dc.CellChange(str(cell[key]), *cell[key + 1 :]).in_a_line
        # One cell, because it wraps between the two values if both are long.
        told.append((cut(str(cell[key]), _NAME), f"{before} → {after}"))
    more = len(cells) - len(told)
    told += [("…", f"and {more:,} more columns")] if more > 0 else []
    return [dg.TableRecord({"key": name, "column": column, "change": text}) for column, text in told]


def _records(rows: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    texts = {name: dc.as_text(rows.column(name)) for name in names}
    return [{name: texts[name][i] for name in names} for i in range(rows.num_rows)]


def _columns(rows: pa.Table, key: Sequence[str]) -> list[str]:
    """The key, and as many other columns as fit beside it."""
    names = list(key)
    for name in (n for n in rows.column_names if n not in key):
        if names and _width(_records(rows, [*names, name]), _CAPS[2]) > _WIDTH:
            break
        names.append(name)
    return names


def _width(records: Sequence[Mapping[str, Any]], cap: int) -> int:
    """How wide a table is, in characters, if its cells have at most ``cap``."""
    names = records[0] if records else {}
    widest = (max(len(name), *(min(cap, len(str(r[name]))) for r in records)) for name in names)
    return sum(width + _GAP for width in widest)
