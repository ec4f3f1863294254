"""What changed of columns and of the table itself: names, types, labels, formats, order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from datom_core.comparing.changes import ColumnChange
from datom_core.comparing.values import Pairs
from datom_core.tables import TableSide, TwoTables, column_digest


def columns_changed(tables: TwoTables) -> tuple[ColumnChange, ...]:
    """Types, labels, formats and whatever else the data says of a column, in the order of ``before``."""
    return tuple(change for column in tables.both for change in _of_column(tables, column))


def attributes_changed(tables: TwoTables) -> tuple[ColumnChange, ...]:
    """What the data says of the table, and the order of the columns that both have; with an empty column name."""
    old, new = (_said(side.table.schema.metadata) for side, _ in tables.sides)
    changes = list(_differences("", old, new))
    after = [c for c in tables.after.names if c in tables.before.tags]
    if after != tables.both:
        changes.append(ColumnChange("", "order of columns", ", ".join(tables.both), ", ".join(after)))
    return tuple(changes)


def columns_renamed(tables: TwoTables, pairs: Pairs) -> dict[str, str]:
    """Columns of before -> columns of after with the same values in all these pairs, where only one can be meant."""
    if not len(pairs):
        return {}
    old = _by_values(tables.before, [c for c in tables.before.names if c not in tables.after.tags], pairs.old)
    if not old:
        return {}
    new = _by_values(tables.after, [c for c in tables.after.names if c not in tables.before.tags], pairs.new)
    return {
        columns[0]: new[values][0] for values, columns in old.items() if len(columns) == len(new.get(values, ())) == 1
    }


def _by_values(
    side: TableSide, columns: list[str], rows: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    places = pa.array(rows)
    for column in columns:
        values = side.table.column(column).take(places)
        if values.null_count < len(values):
            found.setdefault(column_digest(values, side.tags[column]), []).append(column)
    return found


def _of_column(tables: TwoTables, column: str) -> Iterator[ColumnChange]:
    old, new = (side.table.field(column) for side, _ in tables.sides)
    if old.type != new.type:
        comparable = not any(r.column == column for r in tables.retyped)
        yield ColumnChange(column, "type", _kind(old.type), _kind(new.type), comparable)
    elif any(r.column == column for r in tables.retyped):  # integers of a size that only one side has
        yield ColumnChange(column, "type", _kind(old.type), _kind(new.type), comparable=False)
    yield from _differences(column, _said(old.metadata), _said(new.metadata))


def _differences(column: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[ColumnChange]:
    for what in dict.fromkeys([*old, *new]):
        if old.get(what) != new.get(what):
            yield ColumnChange(column, what, old.get(what), new.get(what))


def _kind(kind: pa.DataType) -> str:
    if not pa.types.is_dictionary(kind):
        return str(kind)
    return "ordered category" if kind.ordered else "category"


def _said(metadata: Mapping[bytes, bytes] | None) -> dict[str, str]:
    return {k.decode(errors="replace"): v.decode(errors="replace") for k, v in (metadata or {}).items()}
