"""The report as sections of text, for programs that show it in their own way, such as a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from datom_core.comparing import StudyChanges, TableChanges
from datom_core.reports import words
from datom_core.reports.counts import total
from datom_core.reports.lines import Block, Kind, Line, shown
from datom_core.reports.report import Part, report_of
from datom_core.tables import alone, as_text

_LONGEST = 60  # characters of a value
_LONGEST_SAID = 200  # of any other text
_NAMED = 20  # values of a row
_PREVIEW = 20

_SHAPE = ("rows", "columns")  # which the overview has
_DIGITS = 12

SectionKind = Literal["overview", "table", "columns", "subjects", Kind]


@dataclass(frozen=True)
class ReportSection:
    """A part of a report. All of its text is on one line each, with what cannot be seen made visible.

    Attributes:
        kind: what it tells of: all tables (``overview``), a table as such (``table``), its ``columns``, its
            ``subjects``, or rows of a kind: ``changed``, ``added``, ``removed``, ``renumbered``, ``rekeyed``,
            ``duplicate``.
        table: which table; ``None`` for the overview.
        title: its heading.
        sentences: what is said before its rows.
        facts: name and text of each, of a ``table``.
        head, rows: a grid of text.
        numbers: the column from which on cells are numbers, if any are.
    """

    kind: SectionKind
    table: str | None
    title: str
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    numbers: int | None = None


def report_sections(
    changes: StudyChanges | TableChanges,
    *,
    project: str = "",
    masked: Iterable[str] = (),
    preview_rows: int | None = None,
    overview_only: bool = False,
) -> Iterator[ReportSection]:
    """What changed, section by section: the overview, then of each table that differs what is told of it, and its rows.

    Args:
        changes, project, masked: as `render_report`.
        preview_rows: how many rows, values and subjects of each kind (20); 0 shows no value at all.
        overview_only: leave out what follows the overview.

    Raises:
        InvalidInputError: as `render_report`.
    """
    report = report_of(changes, project=project, masked=masked, preview_rows=preview_rows, default=_PREVIEW)
    study = report.study
    said = []
    if not report.values:
        said.append("This report shows no values, only names and counts.")
    elif report.masked:
        masked_names = words.and_more((alone(c, _LONGEST) for c in report.masked), _NAMED)
        said.append(f"The values of {masked_names} are not shown.")
    if not report.parts:
        said.append(words.NO_TABLES)
    elif report.unchanged:
        said.append(words.NOTHING)
    of = f"{study.project}: " if study.project else ""
    yield ReportSection(
        "overview",
        None,
        alone(f"{of}from {study.before} to {study.after}", _LONGEST_SAID),
        tuple(said),
        (),
        (
            "table", "state", "rows before", "rows after", "changed values", "added", "removed", "renumbered",
            "other key", "duplicates", "columns, labels",
        ),
        tuple(_overview(report.parts)),
        2,
    )  # fmt: skip
    for part in report.parts:
        if not overview_only and part.changes.fate != "unchanged":
            yield from _table(part, report.preview)


def _overview(parts: tuple[Part, ...]) -> Iterator[tuple[str, ...]]:
    for part in parts:
        yield (part.changes.table, words.FATES[part.changes.fate], *_figures(part.counts.to_json()))
    if len(parts) > 1:
        yield ("all", words.number(len(parts), "table"), *_figures(total(p.counts for p in parts)))


def _figures(counts: dict[str, int]) -> list[str]:
    names = ("rows_before", "rows_after", "cells", "added", "removed", "renumbered", "rekeyed")
    duplicates = counts["duplicates_before"] + counts["duplicates_after"]
    return [f"{n:,}" for n in (*(counts[name] for name in names), duplicates, counts["columns"])]


def _table(part: Part, most: int) -> Iterator[ReportSection]:
    changes = part.changes
    facts = [
        (
            which,
            ", ".join(f"{fact} {_brief(fact, text)}" for fact, text in words.side_facts(side) if fact not in _SHAPE),
        )
        for which, side in (("before", changes.before), ("after", changes.after))
    ]
    if changes.fate == "changed":
        facts.append(("key", f"{words.key_used(changes.key)}. {changes.key.why}".rstrip()))
        facts += [("key not taken", told) for told in words.rejections(changes.key, part.masking)]
    facts += [("compared", told) for told in words.settings_told(changes)]
    facts += [("masked", ", ".join(part.masking.columns))] if part.masking.columns else []
    yield ReportSection(
        "table",
        changes.table,
        f"{changes.table}: {words.FATES[changes.fate]}",
        (words.what_changed(changes, part.counts),),
        tuple((name, alone(text, 2 * _LONGEST_SAID)) for name, text in facts),
    )
    yield from _columns(part)
    for block in part.blocks:
        yield _rows(changes.table, block, most)
    yield from _subjects(part, most)


def _brief(fact: str, text: str) -> str:
    """The first digits of a version or commit are enough to name it."""
    return text[:_DIGITS] if fact in ("version", "commit") else text


def _columns(part: Part) -> Iterator[ReportSection]:
    rows = words.column_changes(part.changes, part.masking)
    if rows:
        texts = tuple(tuple(alone(text, _LONGEST) for text in row) for row in rows)
        title = f"Columns and labels: {words.number(len(rows), 'line')}"
        yield ReportSection("columns", part.changes.table, title, (), (), ("column", "what", "before", "after"), texts)


def _subjects(part: Part, most: int) -> Iterator[ReportSection]:
    changes, count = part.changes, part.counts.subjects
    if not count:
        return
    if not part.masking.shows_subjects(changes):
        title = f"{words.number(count, 'subject has', 'subjects have')} changes; their names are masked."
        yield ReportSection("subjects", changes.table, title)
        return
    some = changes.by_subject.slice(0, most)
    figures = [[f"{n:,}" for n in some.column(c).to_pylist()] for c in words.SUBJECT_FIGURES]
    rows = zip((shown(s, _LONGEST) for s in as_text(some.column(0))), *figures, strict=True)
    title = f"Subjects, by {changes.subject}: {_how_many(most, count, 'subjects')}"
    head = ("subject", *(t.lower() for t in words.SUBJECT_FIGURES.values()))
    yield ReportSection("subjects", changes.table, title, (), (), head, tuple(rows), 1)


def _rows(table: str, block: Block, most: int) -> ReportSection:
    sign, _, heading, _ = words.KINDS[block.kind]
    title = f"{sign} {heading}: {_how_many(most, block.count, 'values' if block.kind == 'changed' else 'rows')}"
    side = ("side",) if block.kind == "duplicate" else ()
    last = ("column", "before", "after") if block.kind == "changed" else ("values",)
    cells: Callable[[Line], Iterator[str]] = _change if block.kind == "changed" else lambda line: _whole(block, line)
    rows = tuple(
        (*([line.detail] if side else ()), *(shown(k, _LONGEST) for k in line.key), *cells(line))
        for line in block.lines(0, min(most, block.count))
    )
    head = (*side, *(alone(c, _LONGEST) for c in block.key), *last)
    return ReportSection(block.kind, table, title, (), (), head, rows)


def _change(line: Line) -> Iterator[str]:
    for pair in line.pairs:
        yield alone(pair.column, _LONGEST)
        yield from pair.shown(_LONGEST)


def _whole(block: Block, line: Line) -> Iterator[str]:
    told = [(p.column, *p.shown(_LONGEST)) for p in line.pairs]
    parts = [f"{alone(column, _LONGEST)} {before} → {after}" for column, before, after in told]
    named = [(c, v) for c, v in zip(block.values, line.values, strict=True) if v is not None]
    parts += [f"{alone(column, _LONGEST)} {shown(value, _LONGEST)}" for column, value in named[:_NAMED]]
    more = f" and {words.number(len(named) - _NAMED, 'more value')}" if len(named) > _NAMED else ""
    yield ", ".join(parts) + more


def _how_many(most: int, count: int, of: str) -> str:
    return words.some_of(most, count, of) if most < count else words.number(count, of[:-1])
