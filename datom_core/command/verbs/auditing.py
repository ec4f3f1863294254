"""The verb that tells what ever happened to a project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datom_core.command.forms.auditing import AuditAnswer, AuditLine
from datom_core.command.layout import Records
from datom_core.command.output import person
from datom_core.command.session import Session, without_git
from datom_core.command.verbs import completion

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_FINDINGS = frozenset({"alteration", "unreadable", "unexplained"})
_FOUND = 1
_NAMED = 3  # tables in a line
_TOGETHER = ("at", "kind", "action", "cut", "author", "message", "commit", "detail")


def audit(
    session: Session,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this date or time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Up to this date or time.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only this: write, cut, lock, ...; may be given again.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--table", metavar="TABLE", help="Only this table; may be given again.", autocompletion=completion.tables
        ),
    ] = None,
    cut: Annotated[
        list[str] | None,
        typer.Option(metavar="CUT", help="Only this cut; may be given again.", autocompletion=completion.cuts),
    ] = None,
    author: Annotated[
        str | None, typer.Option(metavar="TEXT", help="By authors, committers or keys whose name has this.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("-o", "--to", metavar="FILE", help="Write all of it: .csv, .xlsx, .json or .parquet.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask storage alone, not git.")] = False,
) -> int:
    """Everything that ever happened, oldest first: who, when, why, from git, or as far as storage tells.

    Each commit is judged by what it changed, whatever its message says. A file has all columns, and a line per table.

    Exit code: 1 if there is an alteration, something that cannot be read, or that git does not explain.
    """
    import datom_core as dc

    asked = {"since": since, "until": until, "kind": kind, "table": only, "cut": cut, "author": author}
    with session.output.progress():
        found, source = _events(session, asked, offline=offline)
        if to is not None and found:
            dc.write_table(found.to_arrow(), to, name="audit", label="Audit table", overwrite=True)
    if to is not None and not found:
        session.output.note(f"No event fits, and {to} was not written.")
    lines = tuple(map(_line, found))
    written = None if to is None or not found else str(to)
    findings = sum(line.kind in _FINDINGS for line in lines)
    answer = AuditAnswer(session.reader.project, source, findings, written, lines)
    session.output.answer(answer, lambda: _shown(lines) if written is None else [written])
    return _FOUND if findings else 0


def _events(session: Session, asked: dict[str, Any], *, offline: bool) -> tuple[dc.AuditTrail, str]:
    """The events, and where they are from: git, where it is there to be asked."""
    import datom_core as dc

    register = session.settings.register
    governance = None if register is None else register.store()
    why = "as asked" if offline else "as no git repository is named"
    if not offline and session.settings.remote is not None:
        try:
            found = session.opened.audit(**asked, governance=governance)
            session.output.note("From git, compared with storage.")
            return found, "git"
        except dc.InvalidInputError:
            raise
        except (dc.DatomError, ImportError) as error:
            why = "as the git program is not on this machine" if without_git(error) else f"as git fails: {error}"
    session.output.note(f"From storage, {why}. What was done by hand, repairs and moves are not in it.")
    return session.reader.audit(**asked, governance=governance), "storage"


def _line(event: dc.AuditEvent) -> AuditLine:
    values = {f.name: getattr(event, f.name) for f in fields(AuditLine)}
    committer = None if event.committer is None else str(event.committer)
    return AuditLine(**{**values, "author": str(event.author), "committer": committer})


def _shown(lines: tuple[AuditLine, ...]) -> Iterator[RenderableType]:
    """A row for each event; what it did to several tables is told in one."""
    rows = []
    for _, group in groupby(lines, key=lambda line: (*(getattr(line, name) for name in _TOGETHER), line.files)):
        same = list(group)
        first = same[0]
        tables = [line.table for line in same if line.table is not None]
        named = ", ".join(tables[:_NAMED]) + (f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else "")
        version = (first.version or "")[:8] if len(same) == 1 else ""
        what = f"{first.kind} {first.action}".rstrip()
        why = first.message.split("\n", 1)[0]
        told = "; ".join(part for part in (first.detail, ", ".join(first.files)) if part)
        rows.append((first.at, what, named, version, first.cut, person(first.author), why, told))
    headings = ["when", "what", "table", "version", "cut", "author", "message", "detail"]
    width = len(headings) - (not any(row[-1] for row in rows))
    yield Records(headings[:width], [row[:width] for row in rows])
