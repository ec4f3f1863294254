"""Verbs for all studies of an organization, and for the buckets that hold them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datom_core.command.forms.organization import (
    AttachAnswer,
    CheckLine,
    PolicyAnswer,
    PreflightAnswer,
    ProjectLine,
    ProjectsAnswer,
)
from datom_core.command.layout import Records
from datom_core.command.option_groups import StorageOptions, with_storage_options
from datom_core.command.output import pairs, person, table
from datom_core.command.session import Session

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_DENIED = 4
Where = Annotated[
    str | None, typer.Argument(metavar="[WHERE]", help="s3://bucket/prefix; by default where the project's data lies.")
]


def projects(
    session: Session,
    details: Annotated[bool, typer.Option("--details/--no-details", help="Also look at each project's data.")] = True,
) -> None:
    """Every project of the organization: where it lies, who registered it, its tables and last write."""
    register = session.governance
    with session.output.progress():
        found = tuple(map(_line, register.projects(details=details)))
    answer = ProjectsAnswer(str(register.store.location), found)

    def shown() -> Iterator[RenderableType]:
        counts = ("tables", "versions") if details else ()
        headings = ("project", *counts, *(("last write",) if details else ()), "data", "registered", "by", "note")
        rows = [
            (
                p.name,
                *((p.tables, p.versions, p.last_write) if details else ()),
                p.location,
                p.registered_at,
                person(p.registered_by),
                p.note,
            )
            for p in found
        ]
        yield Records(headings, rows, counts)

    session.output.answer(answer, shown)


def _line(found: dc.RegisteredProject) -> ProjectLine:
    place = "/".join(part for part in (found.root, found.prefix) if part)
    return ProjectLine(
        found.name,
        f"{found.backend}:{place}" if place else "",
        found.registered_at,
        found.registered_by,
        found.tables,
        found.versions,
        found.last_write,
        found.note,
    )


def attach(session: Session) -> None:
    """Register the project: it is then found by its name, also after a move. Broken off, the same call completes it."""
    import datom_core as dc

    settings, register = session.settings, session.register_settings
    with session.output.progress():
        project = settings.attach(register)
    file = None
    if settings.file is not None:
        file = dc.ProjectSettings(register=register, folder=settings.folder).save(settings.file).file
    answer = AttachAnswer(project.name, str(register.store().location), None if file is None else str(file))

    def shown() -> Iterator[RenderableType]:
        yield pairs((("project", answer.project), ("register", answer.register), ("says", answer.file)))

    session.output.answer(answer, shown)


@with_storage_options
def preflight(
    session: Session,
    reached: StorageOptions,
    where: Where = None,
    write: Annotated[bool, typer.Option("--write", help="Also try to write, which leaves an object there.")] = False,
) -> int:
    """Whether a bucket is fit for a project, check by check. 4 if access is lacking."""
    store = _bucket(session, reached, where)
    with session.output.progress():
        found = store.preflight(write=write)
    checks = tuple(CheckLine(c.what, c.result, c.detail, c.denied) for c in found)

    def shown() -> Iterator[RenderableType]:
        yield table(("check", "result", "remark"), ((c.what, c.result, c.detail) for c in checks))

    session.output.answer(PreflightAnswer(str(store.location), checks), shown)
    return _DENIED if any(c.denied for c in checks) else 0


@with_storage_options
def policy(
    session: Session,
    reached: StorageOptions,
    where: Where = None,
    reader: Annotated[bool, typer.Option("--reader", help="May list and read; the default.")] = False,
    writer: Annotated[bool, typer.Option("--writer", help="May also write, and remove nothing.")] = False,
    mover: Annotated[bool, typer.Option("--mover", help="May also remove what is here, to move or end it.")] = False,
    approver: Annotated[bool, typer.Option("--approver", help="May write, and put under legal hold.")] = False,
    below: Annotated[bool, typer.Option("--below", help="For every project at or below the prefix.")] = False,
) -> None:
    """The least rights that somebody needs on a bucket, as an IAM policy. Nothing is asked of the bucket."""
    import datom_core as dc

    roles = (("reader", reader), ("writer", writer), ("mover", mover), ("approver", approver))
    asked: list[Any] = [role for role, on in roles if on]
    if len(asked) > 1:
        raise typer.BadParameter(f"--{' and --'.join(asked)} exclude each other.")
    role, scope = asked[0] if asked else "reader", "prefix" if below else "project"
    store = _bucket(session, reached, where)
    document = dc.iam_policy(store, role, scope=scope)  # type: ignore[arg-type]
    if session.output.as_json:
        session.output.answer(PolicyAnswer(str(store.location), role, scope, document), lambda: ())
        return
    session.output.raw(f"{json.dumps(document, indent=2)}\n".encode())


def _bucket(session: Session, reached: StorageOptions, where: str | None) -> dc.S3Store:
    """The bucket that is asked about, or that of the project."""
    import datom_core as dc

    if where is None and reached.given:
        raise typer.BadParameter("Say which bucket is reached so: s3://bucket/prefix.")
    if where is None:
        store = session.settings.store()
    else:
        store = (reached.at(where) if reached.given else dc.find_settings(where)).store()
    if not isinstance(store, dc.S3Store):
        raise dc.InvalidInputError(f"{store.location} is no bucket, so that nothing about it is to be said here.")
    return store
