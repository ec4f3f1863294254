"""Verbs for an organization's register itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datom_core.command.forms.organization import (
    EventLine,
    FormerPlaceLine,
    RecordAnswer,
    RegisterAnswer,
    RepairAnswer,
)
from datom_core.command.option_groups import StorageOptions, with_repository_options, with_storage_options
from datom_core.command.output import pairs, person, table
from datom_core.command.session import Session
from datom_core.command.verbs.places import CreateRepo, File

if TYPE_CHECKING:
    from rich.console import RenderableType


@with_storage_options
@with_repository_options
def init(
    session: Session,
    reached: StorageOptions,
    repository: Mapping[str, Any],
    storage: Annotated[str, typer.Option(metavar="WHERE", help="For its mirror: a folder, or s3://bucket/prefix.")],
    remote: Annotated[str, typer.Option(metavar="URL", help="URL or path of its git repository.")],
    create_repo: CreateRepo = False,
    file: File = "datom.toml",
) -> None:
    """Begin a register, once per organization, and add it to datom.toml. Running it again changes nothing."""
    import datom_core as dc

    register = dc.RegisterSettings(
        reached.at(storage),
        remote=remote,
        folder=Path.cwd(),
        **repository,
    )
    settings = dc.ProjectSettings(register=register, folder=Path.cwd())
    settings.check_may_save(file)
    with session.output.progress():
        made = register.begin(create_repo=create_repo)
    saved = settings.save(file)
    answer = RegisterAnswer(str(made.store.location), made.remote, len(made.projects(details=False)), str(saved.file))

    def shown() -> Iterator[RenderableType]:
        yield pairs(
            (
                ("register", answer.location),
                ("history", answer.remote),
                ("projects", answer.projects),
                ("says", answer.file),
            )
        )

    session.output.answer(answer, shown)


def show(session: Session, name: Annotated[str, typer.Argument(help="Of the project.")]) -> None:
    """Everything the register knows of a project: where its data lies and lay, who moved it, when and why."""
    found = session.governance.project(name)
    answer = RecordAnswer(
        found.name,
        str(found.location),
        found.registered_at,
        None if found.registered_by is None else str(found.registered_by),
        found.decommissioned_at,
        tuple(FormerPlaceLine(str(p.location), p.migrated_at, p.sunset_at) for p in found.previous),
        tuple(EventLine(e.kind, e.at, e.by, _place(e.source), _place(e.target), e.reason) for e in found.events),
    )

    def shown() -> Iterator[RenderableType]:
        yield pairs(
            (
                ("project", answer.name),
                ("data", answer.location),
                ("registered", answer.registered_at),
                ("by", answer.registered_by),
                ("ends since", answer.decommissioned_at),
            )
        )
        if answer.previous:
            rows = ((p.location, p.migrated_at, p.sunset_at) for p in answer.previous)
            yield ""
            yield table(("lay before in", "left", "kept until"), rows)
        if answer.events:
            events = ((e.at, e.kind, person(e.by), e.source, e.target, e.reason) for e in answer.events)
            yield ""
            yield table(("at", "what", "by", "from", "to", "why"), events)

    session.output.answer(answer, shown)


def repair(session: Session, name: Annotated[str, typer.Argument(help="Of the project.")]) -> int:
    """Complete a registration that broke off. 1 if something is left that only the project can complete."""
    with session.output.progress():
        found = session.governance.repair(name)
    answer = RepairAnswer(found.project, found.commit_sha, found.mirrored, found.left)

    def shown() -> Iterator[RenderableType]:
        done = [("commit", answer.commit), *(("put back", key) for key in answer.mirrored)]
        yield pairs([("project", answer.project), *done, *(("left to do", what) for what in answer.left)])

    session.output.answer(answer, shown)
    return 1 if answer.left else 0


def _place(location: object) -> str | None:
    return None if location is None else str(location)
