"""The verb that shows a version, or a study at a state, at one look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.accountability import accountability, recorded
from datom_core.command.forms.looking import (
    ColumnLine,
    ParentLine,
    RecordingLine,
    ShowAnswer,
    ShowStudyAnswer,
    SourceLine,
    TableAt,
)
from datom_core.command.layout import Preview, Records
from datom_core.command.output import pairs, person, table
from datom_core.command.session import Session
from datom_core.command.verbs.arguments import OptionalTableAt

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc


def show(
    session: Session,
    what: OptionalTableAt = None,
    rows: Annotated[
        int, typer.Option("--rows", "-n", min=0, metavar="N", help="How many rows to show; 0 for none.")
    ] = 5,
    html: Annotated[bool, typer.Option("--html", help="Write it as a page.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Write it as a page and open it in a browser.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the page.")
    ] = None,
) -> None:
    """A version of a table: who, when, why, columns, cuts, parents, first rows; or @STATE, the study at a state."""
    import datom_core as dc

    reference = None if what is None else dc.Reference.parse(what)
    with session.output.progress():
        answer: ShowAnswer | ShowStudyAnswer
        if reference is None or reference.table is None:
            answer = _study(session.reader.study_at(None if reference is None else reference.state))
        else:
            answer = _table(session.reader.describe(reference.table, reference.state, rows=rows))
    if html or open_ or output is not None:
        from datom_core.command.page import write_page

        answer = replace(answer, page=write_page(answer, output))
    page = answer.page
    if page is not None:
        session.output.answer(answer, lambda: [page])
        if open_:
            _open(session, page)
    elif isinstance(answer, ShowAnswer):
        session.output.answer(answer, lambda: _table_shown(answer))
    else:
        session.output.answer(answer, lambda: _study_shown(answer))


def _open(session: Session, page: str) -> None:
    import webbrowser

    if not webbrowser.open(Path(page).resolve().as_uri()):
        session.output.note(f"No browser could be opened. The page is {page}")


def _table(found: dc.TableDescription) -> ShowAnswer:
    entry = found.version
    return ShowAnswer(
        project=found.project,
        table=found.table,
        version=entry.version,
        data_sha=entry.data_sha,
        current=found.current,
        recorded_at=entry.timestamp,
        author=str(entry.author),
        message=entry.message,
        commit_sha=entry.commit_sha,
        provenance=recorded(entry),
        reinstatements=tuple(
            RecordingLine(r.recorded_at, str(r.author), r.message, recorded(r)) for r in entry.reinstatements
        ),
        table_type=found.table_type,
        rows=found.rows,
        size_bytes=found.size_bytes,
        columns=tuple(ColumnLine(c.name, c.type, c.label) for c in found.columns),
        cuts=found.cuts,
        reviews=found.reviews,
        parents=None
        if found.parents is None
        else tuple(ParentLine(p.source, p.table, p.version, p.data_sha) for p in found.parents),
        sources=None
        if found.lineage is None
        else tuple(SourceLine(s.project, s.table, s.data_sha) for s in found.lineage),
        custom=dict(found.custom),
        first_rows=tuple(map(tuple, found.head_as_text())),
    )


def _table_shown(answer: ShowAnswer) -> Iterator[RenderableType]:
    yield pairs(facts(answer))
    yield ""
    headings = ["column", "type"] + (["label"] if any(c.label for c in answer.columns) else [])
    yield table(headings, ((c.name, c.type, c.label)[: len(headings)] for c in answer.columns))
    if answer.first_rows:
        yield ""
        numbers = frozenset(c.name for c in answer.columns if c.type.startswith(("int", "uint", "float", "double")))
        yield Preview([c.name for c in answer.columns], answer.first_rows, numbers)
        left = answer.rows - len(answer.first_rows)
        if left:
            yield f"({left:,} more row{'' if left == 1 else 's'})"


def facts(answer: ShowAnswer) -> list[tuple[str, object]]:
    """What is known of a version beside its columns and rows."""
    import json

    parents, sources = answer.parents, answer.sources
    own = [p.table if p.project == answer.project else f"{p.project}/{p.table}" for p in parents or ()]
    return [
        ("table", answer.table),
        ("version", answer.version + (" (current)" if answer.current else "")),
        ("data_sha", answer.data_sha),
        ("recorded", answer.recorded_at),
        ("author", answer.author),
        ("message", answer.message or None),
        *accountability(answer.provenance),
        *(("again", f"{r.recorded_at}, {r.author}: {r.message}") for r in answer.reinstatements),
        ("commit", answer.commit_sha),
        ("cuts", ", ".join(answer.cuts) or None),
        ("reviewed", ", ".join(answer.reviews) or None),
        ("type", answer.table_type),
        (
            "parents",
            None
            if parents is None
            else ", ".join(f"{n}@{p.version[:8]}" for n, p in zip(own, parents, strict=True)) or "none",
        ),
        ("imported", None if not sources else ", ".join(f"{s.project}/{s.table} {s.data_sha[:8]}" for s in sources)),
        *((name, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for name, v in answer.custom.items()),
        ("rows", f"{answer.rows:,}"),
        ("columns", f"{len(answer.columns):,}"),
        ("bytes", f"{answer.size_bytes:,}"),
    ]


def _study(found: dc.StudyState) -> ShowStudyAnswer:
    held = tuple(
        TableAt(t, v.version, v.data_sha, v.timestamp, str(v.author), v.message) for t, v in found.versions.items()
    )
    return ShowStudyAnswer(found.project, found.name, found.cut, held)


def _study_shown(answer: ShowStudyAnswer) -> Iterator[RenderableType]:
    yield f"{answer.project} at {answer.state}\n"
    headings = ("table", "version", "recorded", "author", "message")
    yield Records(
        headings, [(t.table, t.version[:8], t.recorded_at, person(t.author), t.message) for t in answer.tables]
    )
