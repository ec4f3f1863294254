"""Verbs for sets: what there is, what one holds, how it stands to what is current, and writing one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.forms.sets import (
    MemberLine,
    MemberStateLine,
    SetAnswer,
    SetLine,
    SetsAnswer,
    SetStatusAnswer,
    SetWriteAnswer,
)
from datom_core.command.layout import Records
from datom_core.command.output import Output, pairs
from datom_core.command.session import Session
from datom_core.command.verbs import completion
from datom_core.command.verbs.writing import By, DryRun, Message, Trailers, as_pairs, tell_commit

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_DIFFERS = 1

SetName = Annotated[str, typer.Argument(metavar="SET", help="Name of a set.", autocompletion=completion.sets)]
SetAt = Annotated[
    str,
    typer.Argument(
        metavar="SET[@VERSION]", help="A set, now or at a version's first digits.", autocompletion=completion.sets
    ),
]


def list_sets(session: Session) -> None:
    """Every set, its current version, and how many members it has."""
    found = tuple(
        SetLine(s.name, s.version, s.data_sha, s.members, s.versions, s.last_updated) for s in session.reader.sets()
    )

    def shown() -> Iterator[RenderableType]:
        headings = ("set", "version", "members", "versions", "last written")
        lines = [(s.name, (s.version or "")[:8], s.members, s.versions, s.last_updated) for s in found]
        yield Records(headings, lines, ("members", "versions"))

    session.output.answer(SetsAnswer(session.reader.project, found), shown)
    if not found:
        session.output.note(f"{session.reader.project} has no set. `datom set write NAME TABLE...` makes one.")


def show(session: Session, what: SetAt) -> None:
    """The members of a set, and their labels; none of their data is read."""
    held = _held(session.reader, what)
    entry = next(v for v in session.reader.history(held.name) if v.version == held.version)
    members = tuple(MemberLine(m.project, m.name, m.kind, m.version, m.tags) for m in held)
    answer = SetAnswer(
        held.project,
        held.name,
        entry.version,
        entry.data_sha,
        entry.timestamp,
        str(entry.author),
        entry.message,
        held.tags,
        members,
    )

    def shown() -> Iterator[RenderableType]:
        yield pairs(
            [
                ("set", f"{answer.project}/{answer.name}"),
                ("version", answer.version),
                ("recorded", answer.recorded_at),
                ("author", answer.author),
                ("message", answer.message),
                ("tags", _labels(held.tags) or None),
            ]
        )
        yield ""
        cells = [(f"{m.project}/{m.name}", m.version[:8], m.kind, _labels(m.tags)) for m in members]
        yield Records(("member", "version", "kind", "tags"), cells)

    session.output.answer(answer, shown)


def status(
    session: Session,
    what: SetAt,
    pattern: Annotated[str | None, typer.Option(metavar="GLOB", help="Of what is new, only what fits.")] = None,
) -> int:
    """How a set stands to what is current now, member by member (exit 1 if it is behind, or somebody is not known)."""
    held = _held(session.reader, what)
    with session.output.progress():
        states = _states(session, held, pattern)
    lines = tuple(MemberStateLine(s.project, s.name, s.kind, s.listed, s.current, s.status) for s in states)
    level = all(s.status in ("unchanged", "excluded", "new") for s in states)
    answer = SetStatusAnswer(held.project, held.name, str(held.version), level, lines)

    def shown() -> Iterator[RenderableType]:
        cells = [
            (s.status, f"{s.project}/{s.name}", (s.listed or "")[:8], (s.current or "")[:8])
            for s in lines
            if s.status != "excluded"
        ]
        yield Records(("status", "member", "listed", "current"), cells)

    session.output.answer(answer, shown)
    return 0 if level else _DIFFERS


def write(
    session: Session,
    name: SetName,
    member: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE[@STATE]...]",
            help="Its members: of this project, or PROJECT/TABLE@VERSION.",
            autocompletion=completion.tables_at,
        ),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A label of the set.")] = None,
    member_tag: Annotated[
        list[str] | None, typer.Option(metavar="TABLE:KEY=VALUE", help="A label of a member.")
    ] = None,
    level: Annotated[
        bool, typer.Option("--level", help="Repoint the members that it has to what is current now.")
    ] = False,
    file: Annotated[
        list[str] | None, typer.Option(metavar="PATH=FILE", help="A file to put beside it in the repository.")
    ] = None,
    allow: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why members that contradict one another are right.")
    ] = None,
    message: Message = None,
    author: By = None,
    trailer: Trailers = None,
    dry_run: DryRun = False,
) -> None:
    """Make these members the current version of a set; refused where they contradict one another."""
    if bool(member) == level:
        raise typer.BadParameter("Give the members, or --level to repoint those that it has; not both.")
    project, out = session.opened, session.output
    with out.progress():
        members = _level(session, name) if level else _tagged([project.member(one) for one in member or ()], member_tag)
        done = project.write_set(
            name,
            members,
            tags=as_pairs(tag, "--tag") or (None if level else {}),
            files=as_pairs(file, "--file"),
            message=message,
            author=author,
            trailers=as_pairs(trailer, "--trailer"),
            allow=allow,
            dry_run=dry_run,
        )
    _tell(out, project.name, done, dry_run=dry_run)


def _level(session: Session, name: str) -> dc.VersionSet:
    """The set with the members that changed at what is current now."""
    import datom_core as dc

    held = session.opened.reader.set(name)
    return dc.bring_set_level(held, [s for s in _states(session, held, None) if s.status == "changed"])


def _tell(out: Output, project: str, done: dc.SetResult, *, dry_run: bool) -> None:
    allowed, unread = tuple(map(str, done.allowed)), tuple(map(str, done.unread))
    answer = SetWriteAnswer(
        project, done.name, dry_run, done.action, done.version, done.data_sha, done.members, done.commit_sha, allowed,
        unread,
    )  # fmt: skip

    def shown() -> Iterator[RenderableType]:
        cells = (done.name, done.action, done.version[:8], done.members)
        yield Records(("set", "action", "version", "members"), [cells])

    out.answer(answer, shown)
    for one in allowed:
        out.note(f"Let pass: {one}.")
    if unread:
        out.note(f"Not looked at, as their projects cannot be read from here: {', '.join(unread)}.")
    tell_commit(out, done.commit_sha, dry_run=dry_run)


def _held(reader: dc.ProjectReader, what: str) -> dc.VersionSet:
    name, _, version = what.partition("@")
    return reader.set(name, version or None)


def _states(session: Session, held: dc.VersionSet, pattern: str | None) -> Sequence[dc.MemberState]:
    """How the members stand, in this project and in all others that the register leads to."""
    import datom_core as dc

    readers = {session.reader.project: session.reader}
    register = session.settings.register
    for project in dict.fromkeys(m.project for m in held):
        if project not in readers and register is not None:
            try:
                readers[project] = dc.ProjectReader.find(project, governance=register.store())
            except dc.DatomError as error:
                session.output.note(f"{project} is not looked at: {error}")
    return dc.set_status(held, *readers.values(), pattern=pattern)


def _tagged(members: list[dc.Member], given: list[str] | None) -> list[dc.Member]:
    """The members with the labels that were said of them."""
    labels: dict[str, dict[str, list[str]]] = {}
    for one in given or ():
        name, colon, pair = one.partition(":")
        key, equals, value = pair.partition("=")
        if not (name and colon and key and equals and value):
            raise typer.BadParameter(f"{one!r} is no TABLE:KEY=VALUE, as in dm:type=input.")
        labels.setdefault(name, {}).setdefault(key, []).append(value)
    unknown = sorted(labels.keys() - {m.name for m in members})
    if unknown:
        raise typer.BadParameter(f"--member-tag names no member: {', '.join(unknown)}.")
    return [m.tagged(labels[m.name]) if m.name in labels else m for m in members]


def _labels(tags: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(f"{key}={value}" for key, values in tags.items() for value in values)
