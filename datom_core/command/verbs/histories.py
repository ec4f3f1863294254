"""Verbs that look back: the log, one row through all versions, and where a version came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.accountability import accountability, recorded
from datom_core.command.forms.histories import (
    CellLine,
    DependentLine,
    DependentsAnswer,
    HistoryAnswer,
    LineageAnswer,
    LineageLine,
    LogAnswer,
    LogLine,
)
from datom_core.command.forms.looking import SourceLine
from datom_core.command.layout import Branch, Records, lines, tree
from datom_core.command.output import pairs, person
from datom_core.command.session import Session, without_git
from datom_core.command.verbs import completion
from datom_core.command.verbs.arguments import KeyValue, OptionalTableAt, TableName, by_column

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc


def log(
    session: Session,
    what: OptionalTableAt = None,
    max_count: Annotated[
        int | None, typer.Option("--max-count", "-n", min=0, metavar="N", help="No more than this many.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this date or time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Up to this date or time.")] = None,
    author: Annotated[str | None, typer.Option(metavar="TEXT", help="By authors whose name has this.")] = None,
    grep: Annotated[str | None, typer.Option(metavar="TEXT", help="With messages that have this.")] = None,
    oneline: Annotated[bool, typer.Option("--oneline", help="A line each.")] = False,
    long: Annotated[
        bool, typer.Option("--long", help="Also who asked and who wrote, the run, the file and the reason.")
    ] = False,
) -> None:
    """When versions became current, by whom and why, newest first: of a table, up to a state, or of the study."""
    import datom_core as dc

    asked = dc.Reference(None, None) if what is None else dc.Reference.parse(what)
    reader = session.reader
    with session.output.progress():
        found = reader.log(
            asked.table, asked.state, since=since, until=until, author=author, grep=grep, limit=max_count
        )
    entries = tuple(
        LogLine(
            e.recorded_at,
            e.table,
            e.version,
            str(e.author),
            e.message,
            e.reinstated,
            e.current,
            e.cuts,
            e.commit_sha,
            recorded(e),
        )
        for e in found
    )
    answer = LogAnswer(reader.project, asked.table, asked.state, entries)
    if oneline and long:
        raise typer.BadParameter("--oneline and --long exclude each other.")
    told = _log_told if long else _log_shown
    session.output.answer(answer, lambda: [lines(_lines(answer))] if oneline else told(answer))


def _log_told(answer: LogAnswer) -> Iterator[RenderableType]:
    """Every entry as a block of its own, with all that is known of it."""
    for place, entry in enumerate(answer.entries):
        if place:
            yield ""
        yield pairs(
            [
                ("recorded", entry.recorded_at),
                ("table", entry.table),
                ("version", entry.version + (" (again)" if entry.reinstated else "") + " *" * entry.current),
                ("author", entry.author),
                ("message", entry.message or None),
                *accountability(entry.provenance),
                ("cuts", ", ".join(entry.cuts) or None),
                ("commit", entry.commit_sha),
            ]
        )


def _log_shown(answer: LogAnswer) -> Iterator[RenderableType]:
    headings = ["recorded", *(["table"] if answer.table is None else []), "version", "author", "message", "cuts"]
    rows = []
    for entry in answer.entries:
        version = entry.version[:8] + (" (again)" if entry.reinstated else "") + (" *" if entry.current else "")
        named = [entry.table] if answer.table is None else []
        rows.append((entry.recorded_at, *named, version, person(entry.author), entry.message, ", ".join(entry.cuts)))
    yield Records(headings, rows)


def _lines(answer: LogAnswer) -> Iterator[str]:
    for entry in answer.entries:
        name = "" if answer.table is not None else f"{entry.table}@"
        cuts = f" ({', '.join(entry.cuts)})" if entry.cuts else ""
        yield f"{name}{entry.version[:8]}{cuts}{' (again)' if entry.reinstated else ''} {entry.message}"


def history(
    session: Session,
    table: TableName,
    key: KeyValue,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", metavar="COLUMN", help="Only this column; more than once.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also the columns that never changed.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask storage alone, not git for the runs.")] = False,
) -> None:
    """What changed in one row, with who, when and why. With --json, or -c, every value that it ever had."""
    import datom_core as dc

    name = dc.Reference.parse(table)
    if name.table is None or name.state is not None:
        raise typer.BadParameter(f"{table!r} is no table; a row is followed through all versions of one.")
    asked = by_column(key)
    with session.output.progress():
        found = _followed(session, name.table, asked, offline=offline)
    chosen = found.cells if not column else [c for wanted in column for c in found.of(wanted)]
    answer = HistoryAnswer(session.reader.project, name.table, asked, found.versions, tuple(map(_cell_line, chosen)))
    changed, same = (chosen, ()) if column else (found.changed, found.unchanged)
    told, rest = tuple(map(_cell_line, changed)), tuple(map(_cell_line, same))
    session.output.answer(answer, lambda: _history_shown(told, rest, every=every))


def _cell_line(c: dc.CellState) -> CellLine:
    return CellLine(
        c.column,
        c.value,
        c.present,
        c.recorded_at,
        str(c.author),
        c.message,
        c.version,
        c.commit_sha,
        c.run,
        c.cuts,
        c.original_file_sha,
    )


def _followed(session: Session, name: str, key: dict[str, str], *, offline: bool) -> dc.RowHistory:
    """Also with what git knows, where it is there to be asked."""
    import datom_core as dc

    if offline or session.settings.remote is None:
        return session.reader.row_history(name, key)
    try:
        opened = session.opened
    except (dc.DatomError, ImportError) as error:
        why = "the git program is not on this machine" if without_git(error) else error
        session.output.note(f"Without the runs, which git knows: {why}")
        return session.reader.row_history(name, key)
    return opened.row_history(name, key)


def _history_shown(told: tuple[CellLine, ...], same: tuple[CellLine, ...], *, every: bool) -> Iterator[RenderableType]:
    if told:
        yield _cells_shown(told)
    if not same:
        return
    if told and not every:
        one = len(same) == 1
        yield f"\n{len(same):,} column{'' if one else 's'} never changed; --all shows {'it' if one else 'them'}."
        return
    if told:
        yield "\nNever changed:"
    yield _cells_shown(same)


def _cells_shown(cells: tuple[CellLine, ...]) -> RenderableType:
    runs = any(c.run for c in cells)
    headings = ["recorded", "column", "value", "version", "author", "message", "cuts", *(["run"] if runs else [])]
    lines = []
    for cell in cells:
        value = cell.value if cell.value is not None else "(missing)" if cell.present else "(not there)"
        author, cuts = person(cell.author), ", ".join(cell.cuts)
        line = (cell.recorded_at, cell.column, value, cell.version[:8], author, cell.message, cuts, cell.run)
        lines.append(line[: len(headings)])
    return Records(headings, lines)


def lineage(
    session: Session,
    what: Annotated[
        str,
        typer.Argument(
            metavar="TABLE[@STATE]|@STATE",
            help="A table, at a cut, a review mark, a date or a version; with --prov, also a whole study.",
            autocompletion=completion.tables_at,
        ),
    ],
    down: Annotated[bool, typer.Option("--down", help="What was derived from it, instead.")] = False,
    prov: Annotated[bool, typer.Option("--prov", help="All that is known, as W3C PROV in JSON.")] = False,
) -> None:
    """From which versions a version was derived, and those from which they were; or, down, what came of a table."""
    import datom_core as dc

    asked = dc.Reference.parse(what)
    if prov:
        _prov(session, asked, down=down)
        return
    if asked.table is None:
        raise typer.BadParameter(f"{what!r} names no table; a lineage is of one.")
    if not down:
        with session.output.progress():
            answer = LineageAnswer(_node(session.reader.upstream(asked.table, asked.state)))
        session.output.answer(answer, lambda: [tree(_branch(answer.lineage, answer.lineage.project))])
        return
    if asked.state is not None:
        raise typer.BadParameter("--down looks at current versions; give TABLE without a state.")
    with session.output.progress():
        found = session.reader.downstream(asked.table)
    lines = tuple(DependentLine(d.table, d.version, d.parent_version, d.level) for d in found)

    def shown() -> Iterator[RenderableType]:
        if not lines:
            yield f"Nothing names {asked.table} as a parent."
            return
        headings = ("table", "version", f"derived from {asked.table}", "")
        cells = ((d.table, d.version[:8], d.parent_version[:8], "" if d.level else "(not current)") for d in lines)
        yield Records(headings, list(cells))

    session.output.answer(DependentsAnswer(session.reader.project, asked.table, lines), shown)


def _prov(session: Session, asked: dc.Reference, *, down: bool) -> None:
    """The document of PROV, which has a form of its own."""
    import json

    if down or session.output.as_json:
        raise typer.BadParameter("--prov is a document of its own: give it without --down and --json.")
    tables = None if asked.table is None else [asked.table]
    with session.output.progress():
        document = session.reader.provenance_document(asked.state, tables=tables)
    session.output.raw(f"{json.dumps(document, ensure_ascii=False, indent=2)}\n".encode())


def _node(found: dc.LineageNode) -> LineageLine:
    return LineageLine(
        found.project,
        found.table,
        found.version,
        found.data_sha,
        found.known,
        found.table_type,
        None if found.parents is None else tuple(map(_node, found.parents)),
        None if found.sources is None else tuple(SourceLine(s.project, s.table, s.data_sha) for s in found.sources),
    )


_WHY = {
    "repeated": "(told above)",
    "elsewhere": "(in another project)",
    "missing": "(missing from storage)",
    "too deep": "(and further)",
}


def _branch(node: LineageLine, project: str) -> Branch:
    name = node.table if node.project == project else f"{node.project}/{node.table}"
    why = _WHY.get(node.known) or f"({node.table_type})" * (node.table_type is not None)
    below = [_branch(parent, project) for parent in node.parents or ()]
    if not node.parents and node.table_type != "imported":
        # Nobody named the versions between, but the imported tables behind them are known.
        below = [Branch(f"{s.project}/{s.table} {s.data_sha[:8]} (imported content)") for s in node.sources or ()]
    return Branch(f"{name}@{node.version[:8]} {why}".rstrip(), below)
