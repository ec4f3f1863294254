"""The report as one page: no scripts, nothing from elsewhere, fit for paper, screen readers and narrow windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from datom_core.common import needing
from datom_core.reports import words
from datom_core.reports.counts import Counts, total
from datom_core.reports.lines import Block, Line, Masked, Pair, Text, shown
from datom_core.reports.report import Part, Report
from datom_core.tables import alone, as_text

if TYPE_CHECKING:
    import jinja2

_TEMPLATE = "page.html.jinja"
_LONGEST = 300  # characters of a value
_LONGEST_SAID = 1_000  # of any other text, such as the message of a version
_ENCODING = "utf-8"


class Cell(NamedTuple):
    """A value as the page shows it; what is no value (missing, masked) looks other than text."""

    text: str
    is_value: bool = True


class Named(NamedTuple):
    """A value with its column."""

    column: str
    cell: Cell


class Change(NamedTuple):
    """A value before and after."""

    column: str
    before: Cell
    after: Cell


@dataclass(frozen=True)
class Row:
    """A line; missing values are listed by column alone, as a row of SDTM has many."""

    detail: str
    key: tuple[Cell, ...]
    pairs: tuple[Change, ...]
    values: tuple[Named, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """The lines of a kind: as many as a person reads, of how many."""

    block: Block
    most: int

    @property
    def shown(self) -> int:
        return min(self.most, self.block.count)

    @property
    def told(self) -> str:
        """How many of how many."""
        what = "values" if self.block.kind == "changed" else "rows"
        if self.shown == self.block.count:
            return words.number(self.block.count, what[:-1])
        return f"{words.some_of(self.shown, self.block.count, what)}; the XLSX and JSON forms hold all"

    @property
    def rows(self) -> Iterator[Row]:
        for line in self.block.lines(0, self.shown):
            yield _row(self.block, line)


@dataclass(frozen=True)
class Table:
    """What the page says of a table."""

    part: Part
    counts: Counts
    listings: tuple[Listing, ...]
    sides: tuple[tuple[str, str, str], ...]
    columns: tuple[tuple[str, str, str, str], ...]
    subjects: tuple[tuple[Cell | int, ...], ...]


def write_html(report: Report, sink: BinaryIO) -> None:
    """Write the page, piece by piece."""
    tables = [_table(part, report.preview) for part in report.parts]
    page = _environment().get_template(_TEMPLATE)
    counted = [t.counts for t in tables]
    for piece in page.generate(report=report, study=report.study, tables=tables, total=total(counted), words=words):
        sink.write(piece.encode(_ENCODING))


@cache
def _environment() -> jinja2.Environment:
    with needing("A report as a page", "compare"):
        import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("datom_core.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["said"] = _said
    made.filters["count"] = lambda many: f"{many:,}"
    return made


def _said(text: str) -> str:
    """Text that others wrote, with what cannot be seen made visible."""
    return alone(text, _LONGEST_SAID)


def _table(part: Part, preview: int) -> Table:
    changes = part.changes
    subjects = changes.by_subject.slice(0, preview)
    return Table(
        part,
        part.counts,
        tuple(Listing(block, preview) for block in part.blocks),
        tuple(words.sides_facts(changes)),
        tuple(words.column_changes(changes, part.masking)),
        tuple(
            zip(
                map(_cell, as_text(subjects.column(0))),
                *(c.to_pylist() for c in subjects.columns[1:]),
                strict=True,
            )
            if part.masking.shows_subjects(changes)
            else ()
        ),
    )


def _row(block: Block, line: Line) -> Row:
    named = list(zip(block.values, line.values, strict=True))
    return Row(
        line.detail,
        tuple(map(_cell, line.key)),
        tuple(map(_change, line.pairs)),
        tuple(Named(c, _cell(v)) for c, v in named if v is not None),
        tuple(c for c, v in named if v is None),
    )


def _cell(text: Text) -> Cell:
    return Cell(shown(text, _LONGEST), not isinstance(text, Masked | None))


def _change(pair: Pair) -> Change:
    texts, values = pair.shown(_LONGEST), (pair.before, pair.after)
    before, after = (Cell(t, not isinstance(v, Masked | None)) for t, v in zip(texts, values, strict=True))
    return Change(pair.column, before, after)
