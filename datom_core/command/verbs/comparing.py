"""Verbs that tell what changed."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.forms.comparing import ReportAnswer
from datom_core.command.output import pairs, table
from datom_core.command.session import Session
from datom_core.command.verbs import completion

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_Before = Annotated[
    str,
    typer.Argument(
        metavar="A",
        help="The earlier state: a cut, a review mark, a date; or of one table, lb@a84c4a.",
        autocompletion=completion.any_states,
    ),
]
_After = Annotated[
    str | None,
    typer.Argument(
        metavar="B", help="The later state; by default, as it is now.", autocompletion=completion.any_states
    ),
]
_Table = Annotated[
    str | None, typer.Argument(metavar="TABLE", help="Only this table.", autocompletion=completion.tables)
]
_Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="[TABLE=]COL,COL",
        help="Columns that tell the rows of a table apart. Without it a key is looked for, and the answer says why.",
    ),
]
_Define = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A define.xml, whose key sequences are tried before others.")
]
_Ignore = Annotated[list[str] | None, typer.Option(metavar="COL,COL", help="Columns that are not compared.")]
_Mask = Annotated[list[str] | None, typer.Option(metavar="COL,COL", help="Columns whose values are not shown.")]
_Absolute = Annotated[
    list[str] | None, typer.Option(metavar="COL=N", help="Numbers of this column that differ by N at most are equal.")
]
_Relative = Annotated[
    list[str] | None, typer.Option(metavar="COL=N", help="The same, as a part of the larger number: 0.01 is 1 %.")
]
_FoldCase = Annotated[list[str] | None, typer.Option(metavar="COL,COL", help="Text whose case does not count.")]
_FoldBlanks = Annotated[list[str] | None, typer.Option(metavar="COL,COL", help="Text whose blanks do not count.")]


def diff(
    session: Session,
    before: _Before,
    after: _After = None,
    only: _Table = None,
    key: _Keys = None,
    define: _Define = None,
    ignore: _Ignore = None,
    mask: _Mask = None,
    absolute: _Absolute = None,
    relative: _Relative = None,
    fold_case: _FoldCase = None,
    fold_blanks: _FoldBlanks = None,
    stat: Annotated[bool, typer.Option("--stat", help="Only how much changed, by table.")] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Lines of each kind; JSON has all.")] = 20,
) -> int:
    """What changed from one state to another, of the study or of one table.

    As in: datom diff 2026-01 2026-02; datom diff 2026-01 2026-02 lb; datom diff lb@a84c4a lb; datom diff 2026-01.

    With --json the answer is the report in JSON (format datom-changes/1), whole; with --stat it has no values. Exit
    code: 0 same, 1 differs.
    """
    import datom_core as dc

    masked = _columns(mask)
    how = _How(key, define, absolute, relative, _columns(fold_case), _columns(fold_blanks), _columns(ignore), masked)
    found = _compared(session, _asked(session.reader, before, after, only), how)
    name = session.reader.project
    if session.output.as_json:
        session.output.raw(dc.render_report(found, "json", project=name, preview_rows=0 if stat else None))
    else:
        sections = dc.report_sections(found, project=name, preview_rows=limit or None, overview_only=stat or not limit)
        session.output.show(lambda: _shown(sections))
    return int(_differs(found))


def report(
    session: Session,
    before: _Before,
    after: _After = None,
    only: _Table = None,
    to: Annotated[
        list[Path] | None,
        typer.Option("-o", "--to", metavar="FILE", help="Where to: .html, .xlsx, .md or .json; may be given again."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    key: _Keys = None,
    define: _Define = None,
    ignore: _Ignore = None,
    mask: _Mask = None,
    absolute: _Absolute = None,
    relative: _Relative = None,
    fold_case: _FoldCase = None,
    fold_blanks: _FoldBlanks = None,
    preview_rows: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Rows of each kind on the page (200) and in markdown (20); 0: no values."
        ),
    ] = None,
) -> None:
    """Write a report of what changed: a page, a workbook, markdown or JSON, by the ending of the file.

    As in: datom report 2026-01 2026-02 -o changes.html -o changes.xlsx. A file is replaced once the new one is whole.

    Exit code: 0 once it is written, whether anything changed or not.
    """
    import datom_core as dc

    files, page = _destinations(to or (), show)
    masked = _columns(mask)
    how = _How(key, define, absolute, relative, _columns(fold_case), _columns(fold_blanks), _columns(ignore), masked)
    asked = _asked(session.reader, before, after, only)
    found = _compared(session, asked, how)
    name = session.reader.project
    with session.output.progress():
        for file in files:
            dc.write_report(found, file, project=name, preview_rows=preview_rows)
    if page is not None:
        _open(session, page)
    written = tuple(map(str, files))
    answer = ReportAnswer(name, asked.table, asked.before, asked.after or "now", _differs(found), written)
    session.output.answer(answer, lambda: [*written])


@dataclass(frozen=True)
class _Asked:
    """Which two states, of which table; ``None`` is now, and all tables."""

    table: str | None
    before: str
    after: str | None


@dataclass(frozen=True)
class _How:
    """The options that say how to compare."""

    key: Sequence[str] | None
    define: Path | None
    absolute: Sequence[str] | None
    relative: Sequence[str] | None
    fold_case: tuple[str, ...]
    fold_blanks: tuple[str, ...]
    ignore: tuple[str, ...]
    masked: tuple[str, ...]


def _asked(reader: dc.ProjectReader, before: str, after: str | None, only: str | None) -> _Asked:
    """The states and the table that the arguments name.

    Raises:
        InvalidInputError: they name several tables.
    """
    import datom_core as dc

    if only is None and after is not None and _is_table(reader, after):
        after, only = None, after
    first, second = (_reference(text) for text in (before, after))
    if after is not None and _is_table(reader, before):
        first = dc.Reference(before, "now")
    tables = list(dict.fromkeys(t for t in (first.table, second.table, only) if t is not None))
    if len(tables) > 1:
        raise dc.InvalidInputError(f"Two states of one table are compared, not of {' and '.join(tables)}.")
    assert first.state is not None
    return _Asked(tables[0] if tables else None, first.state, second.state)


def _reference(text: str | None) -> dc.Reference:
    """What a state is of; text without ``@`` is a state, not a table."""
    import datom_core as dc

    return dc.Reference.parse(text) if text is not None and "@" in text else dc.Reference(None, text)


def _is_table(reader: dc.ProjectReader, text: str) -> bool:
    """Whether this names a table, and no state."""
    return (
        "@" not in text
        and any(info.name == text for info in reader.list())
        and text not in reader.cuts()
        and text not in reader.reviews()
    )


def _compared(session: Session, asked: _Asked, how: _How) -> dc.StudyChanges | dc.TableChanges:
    import datom_core as dc

    keys = _keys(how.key, asked.table)
    define = None if how.define is None else dc.keys_of_define(how.define)
    settings = dc.ComparisonSettings(
        _numbers(how.absolute, "--absolute"), _numbers(how.relative, "--relative"),
        how.fold_case, how.fold_blanks, how.ignore, how.masked,
    )  # fmt: skip
    reader, before, after = session.reader, asked.before, asked.after
    with session.output.progress():
        if asked.table is None:
            return reader.changes_between(before, after, keys=keys, define=define, settings=settings)
        try:
            own = keys.get(asked.table)
            return reader.changes(asked.table, before, after, key=own, define=define, settings=settings)
        except dc.NotFoundError as error:
            try:  # a table may have come, or gone, between two states of the study
                only = [asked.table]
                return reader.changes_between(before, after, tables=only, keys=keys, define=define, settings=settings)
            except dc.DatomError:
                raise error from None


def _keys(given: Sequence[str] | None, only: str | None) -> dict[str, tuple[str, ...]]:
    import datom_core as dc

    found: dict[str, tuple[str, ...]] = {}
    for text in given or ():
        name, equals, columns = text.partition("=")
        if not equals:
            name, columns = only or "", text
        if not name:
            raise dc.InvalidInputError(f"--key {text}: say of which table, as in --key lb={text}.")
        if only is not None and name != only:
            raise dc.InvalidInputError(f"--key {text} is of {name}, and {only} is compared.")
        found[name] = _columns([columns])
    return found


def _columns(given: Sequence[str] | None) -> tuple[str, ...]:
    """The columns of a list; one with a comma in its name is put into double quotes."""
    return tuple(column.strip() for line in csv.reader(given or (), skipinitialspace=True) for column in line)


def _numbers(given: Sequence[str] | None, option: str) -> dict[str, float]:
    import datom_core as dc

    found = {}
    for text in given or ():
        column, _, number = text.rpartition("=")
        try:
            found[column] = float(number)
        except ValueError:
            column = ""
        if not column:
            raise dc.InvalidInputError(f"{option} {text}: give a column and a number, as in LBSTRESN=0.001.")
    return found


def _differs(changes: dc.StudyChanges | dc.TableChanges) -> bool:
    import datom_core as dc

    tables = changes.values() if isinstance(changes, dc.StudyChanges) else [changes]
    return any(found.fate != "unchanged" for found in tables)


def _destinations(to: Sequence[Path], show: bool) -> tuple[list[Path], Path | None]:
    """The files to write, and the page to open if one is.

    Raises:
        InvalidInputError: there is none, or the ending of one says no form; before anything is compared.
    """
    import tempfile

    import datom_core as dc

    files, pages = list(to), [file for file in to if dc.report_form(file) == "html"]
    if not files and not show:
        raise dc.InvalidInputError("Say where the report goes: -o changes.html (or .xlsx, .md, .json), or --open.")
    if show and not pages:
        # In a folder of the user's alone, and it stays: the browser reads it after this has ended.
        pages.append(Path(tempfile.mkdtemp(prefix="datom-")) / "changes.html")
        files += pages
    return files, pages[0] if show else None


def _open(session: Session, page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        session.output.note(f"There is no browser to open; the page is {page}.")


_COLOURS = {"added": "green", "removed": "red", "changed": "yellow", "table": "", "overview": ""}


def _shown(sections: Iterator[dc.ReportSection]) -> Iterator[RenderableType]:
    from rich.text import Text

    for place, section in enumerate(sections):
        if place:
            yield ""
        colour = _COLOURS.get(section.kind, "cyan")
        yield Text(section.title, style=f"bold {colour}".rstrip())
        yield from section.sentences
        if section.facts:
            yield pairs(section.facts)
        if section.rows:
            yield _grid(section, colour)


def _grid(section: dc.ReportSection, colour: str) -> RenderableType:
    """The rows, without counts that are 0 in all of them."""
    if section.numbers is None:
        return table(section.head, section.rows, styles=_styles(section, colour))
    counted = range(section.numbers, len(section.head))
    kept = [p for p in range(len(section.head)) if p not in counted or any(row[p] != "0" for row in section.rows)]
    head = [section.head[p] for p in kept]
    rows = [[row[p] for p in kept] for row in section.rows]
    return table(head, rows, right=[section.head[p] for p in kept if p in counted])


def _styles(section: dc.ReportSection, colour: str) -> dict[int, str]:
    last = len(section.head) - 1
    if section.kind == "changed":
        return {last - 1: "red", last: "green"}
    return dict.fromkeys(range(last + 1), colour) if section.kind in ("added", "removed") else {}
