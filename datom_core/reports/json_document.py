"""The report as JSON: everything, whole, by the schema in ``changes.schema.json`` (format ``datom-changes/1``)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, BinaryIO

import pyarrow as pa

from datom_core.comparing import ColumnChange, ComparisonSettings, Side, TableChanges
from datom_core.reports.counts import total
from datom_core.reports.masking import Masking
from datom_core.reports.report import TOOL, Part, Report
from datom_core.tables import as_text
from datom_core.version import __version__

FORMAT = "datom-changes/1"

#: Stands for a value that may not be shown; ``null`` is a missing one.
MASKED_VALUE: Mapping[str, bool] = {"masked": True}
_AT_ONCE = 5_000
_INDENT = " "


def report_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the JSON form."""
    text = files("datom_core.reports").joinpath("changes.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def write_json(report: Report, sink: BinaryIO) -> None:
    """Write the document, rows one per line; never all of it in memory."""
    study = report.study
    document: dict[str, Any] = {
        "format": FORMAT,
        "tool": {"name": TOOL, "version": __version__},
        "project": study.project,
        "before": study.before,
        "after": study.after,
        "values": report.values,
        "masked": list(report.masked),
        "totals": total(p.counts for p in report.parts),
        "tables": (_table(part) for part in report.parts),
    }
    for piece in _pieces(_Open(document), 0):
        sink.write(piece.encode())
    sink.write(b"\n")


class _Open(dict[str, Any]):
    """A mapping that is written one item per line."""


def _pieces(value: Any, depth: int) -> Iterator[str]:
    """A value as text: open mappings and iterators item by item, one per line, everything else in one line."""
    if not isinstance(value, _Open | Iterator):
        yield json.dumps(value, ensure_ascii=False, allow_nan=False)
        return
    opening, closing = "{}" if isinstance(value, _Open) else "[]"
    yield opening
    between = "\n" + _INDENT * (depth + 1)
    items = value.items() if isinstance(value, _Open) else ((None, v) for v in value)
    for name, item in items:
        yield between if name is None else f"{between}{json.dumps(name, ensure_ascii=False)}: "
        yield from _pieces(item, depth + 1)
        between = ",\n" + _INDENT * (depth + 1)
    yield ("\n" + _INDENT * depth if between.startswith(",") else "") + closing


def _table(part: Part) -> dict[str, Any]:
    changes, masking = part.changes, part.masking
    table = {
        "table": changes.table,
        "fate": changes.fate,
        "before": _side(changes.before),
        "after": _side(changes.after),
        "key": {
            "columns": list(changes.key.columns),
            "source": changes.key.source,
            "why": changes.key.why,
            "rejected": [
                {"columns": list(r.columns), "source": r.source, "reason": masking.reason(r)}
                for r in changes.key.rejected
            ],
        },
        "settings": _settings(changes.settings),
        "masked": list(masking.columns),
        "counts": part.counts.to_json(),
        "reordered": changes.reordered,
        "columns_added": list(changes.columns_added),
        "columns_removed": list(changes.columns_removed),
        "columns_renamed": dict(changes.columns_renamed),
        "columns_changed": iter(_property(c, masking) for c in changes.columns_changed),
        "attributes_changed": iter(_property(c, masking) for c in changes.attributes_changed),
        "by_column": dict(changes.by_column),
        "subject": changes.subject,
        "by_subject": _subjects(changes, masking),
        "cells": _cells(changes, masking),
        "added": _rows(changes.added, masking),
        "removed": _rows(changes.removed, masking),
        "renumbered": _rows(changes.renumbered, masking),
        "rekeyed": _rows(changes.rekeyed, masking),
        "duplicates": _rows(changes.duplicates, masking, shown=2),
    }
    return _Open(table)


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    version = side.version
    return {
        "rows": side.rows,
        "columns": list(side.columns),
        "cut": side.cut,
        "version": version
        and {
            "version": version.version,
            "data_sha": version.data_sha,
            "timestamp": version.timestamp,
            "author": version.author.to_json(),
            "message": version.message,
            "commit": version.commit_sha,
            **({} if version.provenance is None else {"provenance": version.provenance.to_json()}),
        },
    }


def _settings(settings: ComparisonSettings) -> dict[str, Any]:
    return {
        "absolute": dict(sorted(settings.absolute.items())),
        "relative": dict(sorted(settings.relative.items())),
        "fold_case": list(settings.fold_case),
        "fold_blanks": list(settings.fold_blanks),
        "ignore": list(settings.ignore),
    }


def _property(change: ColumnChange, masking: Masking) -> dict[str, Any]:
    before, after = masking.property(change)
    return {
        "column": change.column,
        "what": change.what,
        "before": before,
        "after": after,
        "comparable": change.comparable,
    }


def _subjects(changes: TableChanges, masking: Masking) -> Iterator[dict[str, Any]] | None:
    if changes.subject is None:
        return iter(())
    return iter(changes.by_subject.to_pylist()) if masking.shows_subjects(changes) else None


def _rows(table: pa.Table, masking: Masking, shown: int = 0) -> dict[str, Any]:
    """Whole rows; the first ``shown`` columns are no data."""
    hidden = [i >= shown and masking.hides_pair(c) for i, c in enumerate(table.column_names)]
    rows = _tuples(table, hidden) if masking.values else None
    return _Open(count=table.num_rows, columns=_columns(table, hidden), rows=rows)


def _columns(table: pa.Table, hidden: Sequence[bool]) -> list[dict[str, Any]]:
    return [{"name": f.name, "type": str(f.type), "masked": h} for f, h in zip(table.schema, hidden, strict=True)]


def _tuples(table: pa.Table, hidden: Sequence[bool]) -> Iterator[list[Any]]:
    for part in _parts(table):
        values = [_values(column, h) for column, h in zip(part.columns, hidden, strict=True)]
        yield from map(list, zip(*values, strict=True)) if values else ([[]] * part.num_rows)


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    for begin in range(0, table.num_rows, _AT_ONCE):
        yield table.slice(begin, _AT_ONCE)


def _values(column: pa.ChunkedArray, hidden: bool) -> Sequence[Any]:
    """Numbers, truth values and texts as such, everything else as text (`as_text`)."""
    if hidden:
        return [MASKED_VALUE] * len(column)
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        plain: list[Any] = column.to_pylist()
        return plain
    if pa.types.is_floating(kind):
        return [_number(v) for v in column.to_pylist()]
    return as_text(column)


def _number(value: float | None) -> float | str | None:
    """JSON has no word for what is not finite: ``"nan"``, ``"inf"``, ``"-inf"``."""
    return value if value is None or math.isfinite(value) else str(value)


def _cells(changes: TableChanges, masking: Masking) -> dict[str, Any]:
    """Every value that changed; the last three columns are ``column``, ``before``, ``after``."""
    table = changes.cells
    width = max(table.num_columns - 3, 0)
    key = table.select(range(width))
    hidden = [masking.hides(c) for c in key.column_names]
    return _Open(
        count=table.num_rows,
        key=_columns(key, hidden),
        types={c: _types(changes.typed[c]) for c in changes.by_column if c in changes.typed},
        rows=_changed(changes, width, hidden, masking) if masking.values else None,
    )


def _types(typed: pa.Table) -> list[str]:
    """The types of a column before and after."""
    return [str(typed.field(typed.num_columns - 2).type), str(typed.field(typed.num_columns - 1).type)]


def _changed(changes: TableChanges, width: int, hidden: Sequence[bool], masking: Masking) -> Iterator[dict[str, Any]]:
    # Both have the values of a column in the same order, so that each is the next of its column.
    typed = {c: _typed(t) for c, t in changes.typed.items() if not masking.hides(c)}
    for part in _parts(changes.cells):
        keys = [_values(part.column(i), h) for i, h in enumerate(hidden)]
        column, before, after = (part.column(width + i).to_pylist() for i in range(3))
        for place, (name, old, new) in enumerate(zip(column, before, after, strict=True)):
            found: dict[str, Any] = {"key": [k[place] for k in keys], "column": name}
            if masking.hides(name):
                yield found | dict.fromkeys(("before", "after", "before_text", "after_text"), MASKED_VALUE)
                continue
            values = next(typed[name]) if name in typed else (old, new)
            yield found | {"before": values[0], "after": values[1], "before_text": old, "after_text": new}


def _typed(table: pa.Table) -> Iterator[tuple[Any, Any]]:
    for part in _parts(table):
        sides = (_values(part.column(part.num_columns - i), False) for i in (2, 1))
        yield from zip(*sides, strict=True)
