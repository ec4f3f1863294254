"""The report as a workbook: an overview, and a sheet per table with every change, to filter and sort."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO

from datom_core.common import needing
from datom_core.reports import words
from datom_core.reports.counts import total
from datom_core.reports.lines import Block, Line, shown
from datom_core.reports.report import Part, Report
from datom_core.reports.sheets import Sheets, Value
from datom_core.tables import alone, as_text

#: What a cell holds at most; the rest of it is for saying that it was cut.
_LONGEST = 32_000
_COLUMNS = 16_384
_FIXED = ("Change", "Detail")
_PAIR = ("Column", "Before", "After")
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001  a date that never changes, as the same inputs give the same bytes
_LONG = 20_000
_MOST_FILES = 200


def write_xlsx(report: Report, sink: BinaryIO) -> None:
    """Write the workbook; many rows go to temporary files, so that memory does not grow with them."""
    with needing("A report as a workbook", "compare"):
        import xlsxwriter

    with tempfile.TemporaryDirectory(prefix="datom-") as folder:
        options = {"constant_memory": _is_long(report), "tmpdir": folder, "use_zip64": True}
        # Closed in any case: it has files open.
        with xlsxwriter.Workbook(sink, options) as workbook:
            workbook.set_properties(
                {
                    "title": f"What changed in {alone(report.study.project, 200)}",
                    "comments": report.tool,
                    "created": _CREATED,
                }
            )
            _fill(report, Sheets(workbook))


def _is_long(report: Report) -> bool:
    """Whether rows go to a file at once; it takes a file per sheet, of which a process may have some hundred open."""
    lines = sum(block.count for part in report.parts for block in part.blocks)
    return lines > _LONG and len(report.parts) <= _MOST_FILES


def _fill(report: Report, sheets: Sheets) -> None:
    names = {p.changes.table: sheets.name(p.changes.table) for p in report.parts if _has_sheet(p)}
    _overview(report, sheets, names)
    _facts(report, sheets)
    for part in report.parts:
        if part.changes.table in names:
            _table(part, sheets, names[part.changes.table])


def _has_sheet(part: Part) -> bool:
    return part.changes.fate != "unchanged"


def _overview(report: Report, sheets: Sheets, names: dict[str, str]) -> None:
    head = (
        "Table", "Sheet", "State", "Rows before", "Rows after", "Rows changed", "Values changed", "Rows added",
        "Rows removed", "Rows renumbered", "Rows with another key", "Rows with duplicate keys", "Columns and labels",
        "Rows unchanged", "Rows in another order", "In a sentence",
    )  # fmt: skip
    grid = sheets.grid("Overview", head, widths={"Table": 16, "Sheet": 16, "In a sentence": 80})
    for part in report.parts:
        changes, counts = part.changes, part.counts
        sheet = names.get(changes.table)
        grid.row(
            [
                changes.table,
                sheets.link(sheet) if sheet else "(nothing to list)",
                words.FATES[changes.fate],
                *_figures(counts.to_json()),
                "yes" if changes.reordered else "no",
                words.what_changed(changes, counts),
            ],
            changes.fate,
        )
    every = "yes" if any(p.changes.reordered for p in report.parts) else "no"
    told = words.NO_TABLES if not report.parts else words.NOTHING if report.unchanged else ""
    totals = _figures(total(p.counts for p in report.parts))
    grid.row(["All tables", "", words.number(len(report.parts), "table"), *totals, every, told], "total")
    grid.done()


def _figures(counts: dict[str, int]) -> list[Value]:
    names = ("rows_before", "rows_after", "changed", "cells", "added", "removed", "renumbered", "rekeyed")
    duplicates = counts["duplicates_before"] + counts["duplicates_after"]
    return [*(counts[n] for n in names), duplicates, counts["columns"], counts["unchanged"]]


def _facts(report: Report, sheets: Sheets) -> None:
    grid = sheets.grid("About", ("Table", "Fact", "Before", "After"), widths={"Fact": 28, "Before": 70, "After": 70})
    study = report.study
    masked = ", ".join(report.masked) or "none"
    for fact, before, after in (
        ("project", study.project, study.project),
        ("state", study.before, study.after),
        ("made by", report.tool, ""),
        ("masked columns", masked if report.values else "all: this report shows no values", ""),
    ):
        grid.row(["", fact, before, after])
    for part in report.parts:
        changes = part.changes
        for sides in words.sides_facts(changes):
            grid.row([changes.table, *sides])
        for fact, text in _decisions(part):
            grid.row([changes.table, fact, text, ""])
    grid.done()
    _columns(report, sheets)
    _by_column(report, sheets)
    _by_subject(report, sheets)


def _decisions(part: Part) -> Iterator[tuple[str, str]]:
    key = part.changes.key
    yield "key", words.key_used(key)
    if key.why:
        yield "why this key", key.why
    for told in words.rejections(key, part.masking):
        yield "key not taken", told
    for told in words.settings_told(part.changes):
        yield "compared", told
    if part.masking.columns:
        yield "masked columns", ", ".join(part.masking.columns)


def _columns(report: Report, sheets: Sheets) -> None:
    rows = [(p.changes.table, *r) for p in report.parts for r in words.column_changes(p.changes, p.masking)]
    head = ("Table", "Column", "What", "Before", "After")
    _simple(sheets, "Columns and labels", head, rows, widths={"What": 28, "Before": 40, "After": 40})


def _by_column(report: Report, sheets: Sheets) -> None:
    rows = [(p.changes.table, c, n) for p in report.parts for c, n in p.changes.by_column.items()]
    _simple(sheets, "By column", ("Table", "Column", "Values changed"), rows)


def _by_subject(report: Report, sheets: Sheets) -> None:
    head = ("Table", "Subject", *words.SUBJECT_FIGURES.values())
    _simple(sheets, "By subject", head, (row for part in report.parts for row in _subjects(part)))


def _subjects(part: Part) -> Iterator[list[Value]]:
    changes, found = part.changes, part.changes.by_subject
    if not found.num_rows:
        return
    if not part.masking.shows_subjects(changes):
        yield [changes.table, f"{words.number(found.num_rows, 'subject')} (masked)"]
        return
    figures: list[list[Any]] = [found.column(c).to_pylist() for c in words.SUBJECT_FIGURES]
    for subject, *counts in zip(as_text(found.column(0)), *figures, strict=True):
        yield [changes.table, shown(subject, _LONGEST), *counts]


def _simple(
    sheets: Sheets,
    name: str,
    head: tuple[str, ...],
    rows: Iterable[Sequence[Value]],
    widths: dict[str, int] | None = None,
) -> None:
    grid = sheets.grid(name, head, widths=widths or {})
    for row in rows:
        grid.row(row)
    grid.done()


def _table(part: Part, sheets: Sheets, sheet: str) -> None:
    key = tuple(dict.fromkeys(c for block in part.blocks for c in block.key))
    values = tuple(dict.fromkeys(c for block in part.blocks for c in block.values))
    room = _COLUMNS - len(_FIXED) - len(key) - len(_PAIR)
    head = (*_FIXED, *key, *_PAIR, *values[:room])
    grid = sheets.grid(sheet, head, frozen=len(_FIXED) + len(key))
    if not part.blocks:
        why = (
            "This report shows no values." if not part.masking.values else words.what_changed(part.changes, part.counts)
        )
        grid.row(["", why])
    if len(values) > room:
        left = len(values) - room
        grid.row(["", f"{words.number(left, 'column')} did not fit into the sheet; the JSON form holds them."])
    for block in part.blocks:
        places = {c: i for i, c in enumerate(head[len(_FIXED) + len(key) + len(_PAIR) :])}
        for line in block:
            grid.row(_row(block, line, key, places), block.kind)
    grid.done()


def _row(block: Block, line: Line, key: tuple[str, ...], places: dict[str, int]) -> list[Value]:
    keys = dict(zip(block.key, line.key, strict=True))
    pairs = [(p.column, *p.shown(_LONGEST)) for p in line.pairs]
    beside: list[Value] = [""] * (len(places) if block.values else 0)
    for column, value in zip(block.values, line.values, strict=True):
        if column in places:
            beside[places[column]] = shown(value, _LONGEST)
    return [
        words.KINDS[block.kind][1],
        line.detail,
        *(shown(keys[c], _LONGEST) if c in keys else "" for c in key),
        *("; ".join(texts) for texts in (zip(*pairs, strict=True) if pairs else ((), (), ()))),
        *beside,
    ]
