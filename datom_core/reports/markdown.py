"""The report as markdown, for a pull request or the page of an asset: short, and never more than it may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from datom_core.errors import InvalidInputError
from datom_core.reports import words
from datom_core.reports.counts import total
from datom_core.reports.lines import Block, Line, shown
from datom_core.reports.report import Part, Report, is_count
from datom_core.tables import alone, as_text

_LONGEST = 60  # characters of a value
_LONGEST_SAID = 200  # of any other text
_NAMED = 20  # columns that are named in a sentence
_LEAST = 1_000
_HOLD_ALL = "the HTML, XLSX and JSON forms show more"


@dataclass(frozen=True)
class _Detail:
    """How much is told.

    Attributes:
        lines: rows, values and subjects of each kind.
        names: changes of columns and labels.
        told: tables of which anything is told beside the overview.
        tables: tables in the overview.
    """

    lines: int
    names: int
    told: int
    tables: int


def write_markdown(report: Report, sink: BinaryIO, max_bytes: int | None = None) -> None:
    """Write the text with as much detail as ``max_bytes`` leaves room for.

    Raises:
        InvalidInputError: ``max_bytes`` is less than what every report needs.
    """
    if max_bytes is not None and not (is_count(max_bytes) and max_bytes >= _LEAST):
        raise InvalidInputError(
            f"max_bytes must be {_LEAST:,} or more, or None for no limit; got {max_bytes!r}.", max_bytes=max_bytes
        )
    for detail in _details(report.preview, len(report.parts)):
        text = "\n".join(_document(report, detail)).encode() + b"\n"
        if max_bytes is None or len(text) <= max_bytes:
            break
    sink.write(text)


def _details(preview: int, tables: int) -> Iterator[_Detail]:
    """From everything down to nearly nothing: each is a whole text that says what it leaves out."""
    lines, names, told = preview, preview or _NAMED, tables
    while lines or names:
        yield _Detail(lines, names, told, tables)
        lines, names = lines // 2, names // 2
    while told:
        yield _Detail(0, 0, told, tables)
        told -= max(1, told // 4)
    while tables:
        yield _Detail(0, 0, 0, tables)
        tables //= 2
    yield _Detail(0, 0, 0, 0)


def _document(report: Report, detail: _Detail) -> Iterator[str]:
    yield from _opening(report, detail)
    yield from _overview(report, detail)
    # Those that changed first; a stable sort keeps their order.
    told = sorted(report.parts, key=lambda part: part.changes.fate == "unchanged")[: detail.told]
    if len(told) < len(report.parts):
        yield f"*For want of space, {words.some_of(len(told), len(report.parts), 'tables')} follow; {_HOLD_ALL}.*"
        yield ""
    for part in report.parts:
        if part in told:
            yield from _table(part, detail)


def _opening(report: Report, detail: _Detail) -> Iterator[str]:
    study, longest = report.study, _LONGEST_SAID if detail.told else _LONGEST
    named = f" in {code(study.project, longest)}" if study.project else ""
    yield f"# What changed{named}"
    yield ""
    yield f"From {code(study.before, longest)} to {code(study.after, longest)}. Made by {report.tool}."
    yield ""
    if not report.values:
        yield "**Masked:** this report shows no values, only names and counts."
        yield ""
    elif report.masked:
        yield f"**Masked:** the values of {_names(report.masked, _NAMED if detail.told else 3)} are not shown."
        yield ""


def _overview(report: Report, detail: _Detail) -> Iterator[str]:
    if not report.parts:
        yield f"**{words.NO_TABLES}**"
        return
    if report.unchanged:
        yield f"**{words.NOTHING}**"
        yield ""
    head = (
        "table", "state", "rows before", "rows after", "changed values", "added", "removed", "renumbered", "other key",
        "duplicates", "columns, labels",
    )  # fmt: skip
    rows = [
        (code(p.changes.table, _LONGEST), words.FATES[p.changes.fate], *_figures(p.counts.to_json()))
        for p in report.parts[: detail.tables]
    ]
    totals = _figures(total(p.counts for p in report.parts))
    rows.append(("**all**", words.number(len(report.parts), "table"), *totals))
    yield from _grid(head, rows, numbers=2)
    if detail.tables < len(report.parts):
        yield f"*{words.some_of(detail.tables, len(report.parts), 'tables')} are listed.*"
        yield ""


def _figures(counts: dict[str, int]) -> list[str]:
    names = ("rows_before", "rows_after", "cells", "added", "removed", "renumbered", "rekeyed")
    duplicates = counts["duplicates_before"] + counts["duplicates_after"]
    return [f"{n:,}" for n in (*(counts[name] for name in names), duplicates, counts["columns"])]


def _table(part: Part, detail: _Detail) -> Iterator[str]:
    changes = part.changes
    yield f"## {code(changes.table, _LONGEST)}: {words.FATES[changes.fate]}"
    yield ""
    yield words.what_changed(changes, part.counts)
    yield ""
    for which, side in (("before", changes.before), ("after", changes.after)):
        yield f"- {which}: {', '.join(f'{fact} {code(text, _LONGEST_SAID)}' for fact, text in words.side_facts(side))}"
    yield from _decisions(part)
    yield from _by_column(part)
    yield ""
    yield from _columns(part, detail)
    yield from _subjects(part, detail)
    for block in part.blocks:
        yield from _block(block, detail)


def _decisions(part: Part) -> Iterator[str]:
    changes, masking = part.changes, part.masking
    if changes.fate in ("changed", "unchanged"):
        yield f"- key: {plain(words.key_used(changes.key))}. {plain(changes.key.why)}".rstrip()
        for told in words.rejections(changes.key, masking):
            yield f"- key not taken: {plain(told)}"
    for told in words.settings_told(changes):
        yield f"- compared: {plain(told)}"
    if masking.columns:
        yield f"- masked: {_names(masking.columns, _NAMED)}"


def _by_column(part: Part) -> Iterator[str]:
    by_column = part.changes.by_column
    if by_column:
        named = ", ".join(f"{code(c, _LONGEST)} {n:,}" for c, n in list(by_column.items())[:_NAMED])
        more = f" and {words.number(len(by_column) - _NAMED, 'more column')}" if len(by_column) > _NAMED else ""
        yield f"- changed values by column: {named}{more}"


def _columns(part: Part, detail: _Detail) -> Iterator[str]:
    rows = words.column_changes(part.changes, part.masking)
    if rows:
        yield from _title("Columns and labels", detail.names, len(rows), "lines")
        texts = [tuple(code(t, _LONGEST) for t in row) for row in rows[: detail.names]]
        yield from _grid(("column", "what", "before", "after"), texts)


def _subjects(part: Part, detail: _Detail) -> Iterator[str]:
    changes, count = part.changes, part.counts.subjects
    if not count:
        return
    if not part.masking.shows_subjects(changes):
        yield f"{words.number(count, 'subject has', 'subjects have')} changes; their names are masked."
        yield ""
        return
    yield from _title(f"Subjects, by {code(changes.subject or '', _LONGEST)}", detail.lines, count, "subjects")
    some = changes.by_subject.slice(0, detail.lines)
    figures = [[f"{n:,}" for n in some.column(c).to_pylist()] for c in words.SUBJECT_FIGURES]
    rows = zip([code(shown(s, _LONGEST)) for s in as_text(some.column(0))], *figures, strict=True)
    yield from _grid(("subject", *(t.lower() for t in words.SUBJECT_FIGURES.values())), list(rows), numbers=1)


def _block(block: Block, detail: _Detail) -> Iterator[str]:
    sign, _, heading, _ = words.KINDS[block.kind]
    yield from _title(f"{sign} {heading}", detail.lines, block.count, "values" if block.kind == "changed" else "rows")
    head = (*(["side"] if block.kind == "duplicate" else []), *(code(c, _LONGEST) for c in block.key))
    head = (*head, *(("column", "before", "after") if block.kind == "changed" else ("values",)))
    rows = [tuple(_cells(block, line)) for line in block.lines(0, min(detail.lines, block.count))]
    yield from _grid(head, rows)


def _cells(block: Block, line: Line) -> Iterator[str]:
    if block.kind == "duplicate":
        yield line.detail
    yield from (code(shown(k, _LONGEST)) for k in line.key)
    told = [(p.column, *p.shown(_LONGEST)) for p in line.pairs]
    if block.kind == "changed":
        for column, before, after in told:
            yield from (code(column, _LONGEST), code(before), code(after))
        return
    parts = [f"{code(c, _LONGEST)} {code(b)} → {code(a)}" for c, b, a in told]
    named = [(c, v) for c, v in zip(block.values, line.values, strict=True) if v is not None]
    parts += [f"{code(c, _LONGEST)} {code(shown(v, _LONGEST))}" for c, v in named[:_NAMED]]
    more = f" and {words.number(len(named) - _NAMED, 'more value')}" if len(named) > _NAMED else ""
    yield ", ".join(parts) + more


def _title(what: str, most: int, count: int, of: str) -> Iterator[str]:
    if most < count:
        yield f"**{what}:** {words.some_of(most, count, of)}; {_HOLD_ALL}"
    else:
        yield f"**{what}:** {words.number(count, of[:-1])}"
    yield ""


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int | None = None) -> Iterator[str]:
    """A table; from the column ``numbers`` on, its cells are numbers. Without rows, nothing."""
    listed = list(rows)
    if not listed:
        return
    yield f"| {' | '.join(head)} |"
    right = len(head) if numbers is None else numbers
    yield "|" + "|".join("---:" if i >= right else "---" for i in range(len(head))) + "|"
    for row in listed:
        yield f"| {' | '.join(row)} |"
    yield ""


def _names(names: Sequence[str], most: int) -> str:
    return words.and_more((code(n, _LONGEST) for n in names), most)


_BACKTICKS = re.compile("`+")
_MEANT = re.compile(r"[\\`*_{}\[\]<>#|~@&!$^]|(?<=www)\.|:(?=//)", re.IGNORECASE)


def plain(text: str) -> str:
    """A sentence in which nothing is taken for markdown, HTML, a link or a mention; it may name columns and values."""
    if not text:
        return ""
    return _MEANT.sub(lambda found: f"&#{ord(found[0])};", alone(text, 2 * _LONGEST_SAID))


def code(text: str, longest: int | None = None) -> str:
    """Text as a code span, in which no markdown, HTML, link or mention is seen, in a table and elsewhere.

    With ``longest``, text is put on one line first; without, it is on one line already.
    """
    line = text if longest is None else alone(text, longest)
    if "  " in line or "\\|" in line:
        # Pages show several blanks as one; and whether a backslash escapes a pipe is read differently.
        quoted = line if line.startswith('"') else '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
        line = re.sub("(?<= ) ", r"\\x20", quoted).replace("|", r"\x7c")
    fence = "`" * (max(map(len, _BACKTICKS.findall(line)), default=0) + 1)
    blank = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{blank}{line.replace('|', chr(92) + '|')}{blank}{fence}"
