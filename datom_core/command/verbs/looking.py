"""Verbs that show what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.accountability import recorded
from datom_core.command.forms.looking import (
    CutAnswer,
    CutLine,
    CutMove,
    CutsAnswer,
    ListAnswer,
    StatusAnswer,
    TableLine,
)
from datom_core.command.layout import Records
from datom_core.command.output import pairs, person
from datom_core.command.session import Session, without_git
from datom_core.command.verbs import completion
from datom_core.command.verbs.arguments import OptionalCut, without_at
from datom_core.command.verbs.signing import approval_line, approvals_shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_DIFFERS = 1


def list_tables(
    session: Session,
    pattern: Annotated[
        str | None,
        typer.Argument(help="Only tables whose name fits, as in 'ad*'.", autocompletion=completion.tables),
    ] = None,
) -> None:
    """Every table, its current version, and when it was last written."""
    import datom_core as dc

    reader = session.reader
    found = tuple(
        TableLine(t.name, t.kind, t.version, t.versions, t.size_bytes, t.last_updated) for t in reader.list(pattern)
    )
    answer = ListAnswer(reader.project, found)

    def shown() -> Iterator[RenderableType]:
        headings = ("table", "version", "versions", "bytes", "last written")
        lines = [(t.name, (t.version or "")[:8], t.versions, t.size_bytes, t.last_updated) for t in found]
        yield Records(headings, lines, ("versions", "bytes"))

    session.output.answer(answer, shown)
    if pattern is not None and not found:
        session.output.note(f"No table fits {pattern!r}.{dc.did_you_mean(pattern, [t.name for t in reader.list()])}")


def status(
    session: Session,
    offline: Annotated[bool, typer.Option("--offline", help="Look at storage alone, not at git.")] = False,
) -> int:
    """The project at a glance; with git, whether storage has everything that git has (exit 1 if not)."""
    summary = session.reader.summary()
    place = "/".join(part for part in (summary.root, summary.prefix) if part)
    known = None if offline or session.settings.remote is None else _status_in_git(session)
    answer = StatusAnswer(
        summary.project,
        place if summary.backend == "local" else f"{summary.backend}://{place}",
        summary.schema,
        summary.tables,
        summary.sets,
        summary.versions,
        summary.cuts,
        summary.size_bytes,
        summary.last_updated,
        *(() if known is None else (known.level, known.remote, known.branch, known.commit, known.governed)),
        *(() if known is None else (known.behind, known.lists_behind, known.waiting, known.diverged)),
    )
    session.output.answer(answer, lambda: _status_shown(answer))
    return 0 if answer.level in (None, True) else _DIFFERS


def _status_in_git(session: Session) -> dc.Status | None:
    import datom_core as dc

    try:
        with session.output.progress():
            return session.opened.status()
    except (dc.DatomError, ImportError) as error:
        if without_git(error):
            session.output.note("Storage alone, as the git program that could tell more is not on this machine.")
            return None
        error.add_note("Storage alone can be looked at with --offline.")
        raise


def _status_shown(answer: StatusAnswer) -> Iterator[RenderableType]:
    yield pairs(
        [
            ("project", answer.project),
            ("data", answer.location),
            ("tables", f"{answer.tables:,}"),
            ("sets", f"{answer.sets:,}" if answer.sets else None),
            ("versions", f"{answer.versions:,}"),
            ("cuts", f"{answer.cuts:,}"),
            ("bytes", f"{answer.size_bytes:,}"),
            ("last written", answer.last_updated),
            ("git", answer.remote),
            ("branch", answer.branch),
            ("commit", answer.commit and answer.commit[:12]),
            ("storage", answer.level and "level with git"),
        ]
    )
    if answer.diverged:
        yield "Storage shows a history that git does not have: `datom validate` says what to do."
    for what, found in (("Behind git", answer.behind), ("Data not in storage", answer.waiting)):
        if found:
            yield f"{what}: {', '.join(found)}"
    if answer.lists_behind:
        yield "The lists of tables or cuts are behind git."
    if answer.level is False and not answer.diverged:
        yield "`datom mirror` brings storage level."


def cuts(
    session: Session,
    name: OptionalCut = None,
    holds: Annotated[bool, typer.Option("--holds", help="Also ask whether a cut's data is under legal hold.")] = False,
) -> None:
    """Each cut, review mark and approval: when, by whom, which tables; or one, with all that it ever stood for."""
    reader = session.reader
    if name is None and holds:
        raise typer.BadParameter("--holds is for one cut; name it.")
    if name is None:
        return _all_cuts(session, reader)
    known = reader.cuts()
    marks = known.reviews
    name = without_at(name, known)
    is_mark = name in marks and name not in known
    kind, moves = ("review mark", _moves_of_mark(marks[name])) if is_mark else ("cut", _moves_of_cut(known.find(name)))
    hold = str(session.opened.hold(name, dry_run=True)) if holds and not is_mark else None
    approvals = tuple(map(approval_line, known.approvals.of(name) if kind == "cut" else ()))
    answer = CutAnswer(reader.project, kind, name, moves, approvals, hold)

    def shown() -> Iterator[RenderableType]:
        headings = ("table", "version", "recorded", "author", "message")
        for title, stands in ((None, True), ("Before:", False)):
            lines = [
                (m.table, m.version[:8], m.recorded_at, person(m.author), m.message)
                for m in moves
                if m.stands is stands
            ]
            if lines and title is not None:
                yield f"\n{title}"
            if lines:
                yield Records(headings, lines)
        if approvals:
            yield ""
            yield approvals_shown(approvals)
        if hold is not None:
            yield f"\n{hold}"

    return session.output.answer(answer, shown)


def _moves_of_mark(mark: dc.Review) -> tuple[CutMove, ...]:
    return tuple(
        CutMove(t, v, m.recorded_at, str(m.author), m.message, m is mark.latest, recorded(m))
        for m in mark.moves
        for t, v in m.versions.items()
    )


def _moves_of_cut(cut: dc.Cut) -> tuple[CutMove, ...]:
    moves = [
        CutMove(t, r.version, r.recorded_at, str(r.author), r.message, r is recordings[0], recorded(r))
        for t, recordings in cut.recordings.items()
        for r in recordings
    ]
    return tuple(sorted(moves, key=lambda m: m.recorded_at, reverse=True))


def _all_cuts(session: Session, reader: dc.ProjectReader) -> None:
    known = reader.cuts()
    found = tuple(_line(name, cut.latest, cut) for name, cut in known.items())
    approvals = tuple(map(approval_line, known.approvals))
    marks = tuple(_line(name, mark.latest, mark, mark.cut) for name, mark in known.reviews.items())

    def shown() -> Iterator[RenderableType]:
        for heading, lines in (("cut", found), ("review mark", marks)):
            if lines or heading == "cut":
                cells = [
                    (c.name, c.recorded_at, person(c.author), c.message, ", ".join(c.tables)) for c in lines
                ]  # fmt: skip
                yield Records((heading, "recorded", "author", "message", "tables"), cells)
            if heading == "cut" and marks:
                yield ""
        if approvals:
            yield ""
            yield approvals_shown(approvals)

    session.output.answer(CutsAnswer(reader.project, found, marks, approvals), shown)


def _line(name: str, latest: dc.Recording | dc.ReviewMove, held: dc.Cut | dc.Review, cut: str | None = None) -> CutLine:
    return CutLine(name, latest.recorded_at, str(latest.author), latest.message, dict(held), cut)
