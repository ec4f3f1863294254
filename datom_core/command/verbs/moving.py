"""Verbs that change a whole project: its schema, its place, its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.forms.organization import DecommissionAnswer, MigrateAnswer, UpgradeAnswer
from datom_core.command.option_groups import StorageOptions, with_storage_options
from datom_core.command.output import pairs, table
from datom_core.command.session import Session
from datom_core.command.verbs.writing import By, DryRun, Message, tell_commit

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

Confirm = Annotated[str | None, typer.Option(metavar="NAME", help="The project's name, typed out.")]


def upgrade(session: Session, dry_run: DryRun = False) -> None:
    """Convert the project to schema 2. R datom up to 0.1.2 lists it as empty from then on."""
    project = session.opened
    before = project.schema
    with session.output.progress():
        commit = project.upgrade(dry_run=dry_run)
    answer = UpgradeAnswer(project.name, before, dry_run, commit)

    def shown() -> Iterator[RenderableType]:
        yield pairs((("project", answer.project), ("schema", f"{before} -> 2" if before != 2 else "2 already")))

    session.output.answer(answer, shown)
    tell_commit(session.output, commit, dry_run=dry_run)


@with_storage_options
def migrate(
    session: Session,
    reached: StorageOptions,
    target: Annotated[str, typer.Argument(help="The new place: a folder, or s3://bucket/prefix.")],
    message: Message = None,
    author: By = None,
    delete_source: Annotated[
        bool, typer.Option("--delete-source", help="Then remove from the old place what the project wrote.")
    ] = False,
    sunset_at: Annotated[
        str | None, typer.Option(metavar="DATE", help="Until when the old place is kept; for the register.")
    ] = None,
    confirm: Confirm = None,
    dry_run: DryRun = False,
) -> None:
    """Move the project's data with every version, verified. Broken off, the same call completes it."""
    settings, place = session.settings, reached.at(target)
    if delete_source and not dry_run:
        name = settings.project or settings.open_reader().project
        _insist(session, name, f"This removes the data of {name} from its old place, after it was verified.", confirm)
    with session.output.progress():
        report = settings.migrate(
            place, dry_run=dry_run, delete_source=delete_source, sunset_at=sunset_at, message=message, author=author
        )
    file = None if dry_run else _follow(settings, place)
    answer = _moved(report, file)

    def shown() -> Iterator[RenderableType]:
        yield pairs(
            (
                ("project", answer.project),
                ("from", answer.source),
                ("to", answer.target),
                ("objects", f"{answer.objects} ({answer.present} were there), {answer.size_bytes} bytes"),
                ("written meanwhile", answer.late or None),
                ("removed", answer.deleted if delete_source and not dry_run else None),
                ("left in place", ", ".join(answer.left) or None),
                ("says", answer.file),
            )
        )

    session.output.answer(answer, shown)
    tell_commit(session.output, answer.commit, dry_run=dry_run)


def _moved(report: dc.MigrationReport, file: str | None) -> MigrateAnswer:
    return MigrateAnswer(
        report.project,
        report.source,
        report.target,
        report.dry_run,
        report.objects,
        report.bytes,
        report.present,
        report.commit_sha,
        report.late,
        report.deleted,
        report.left,
        file,
    )


def _follow(settings: dc.ProjectSettings, place: dc.StorageSettings) -> str | None:
    """Let the settings file name the new place."""
    if settings.file is None:
        return None
    there = place.seen_from(settings.file.parent, None)
    return str(settings.with_changes(storage=there).save(settings.file, replacing=True).file)


def decommission(
    session: Session,
    confirm: Confirm = None,
    dry_run: DryRun = False,
) -> None:
    """Take the project away for good: its data, its registration, its repository. It lists first what will go."""
    settings, out = session.settings, session.output
    name = settings.project or settings.open_reader().project
    with out.progress():
        report = settings.decommission(name, dry_run=True)
    if not dry_run:
        what = f"This takes {name} away for good: {report.objects} objects in {report.location}, {report.repository}."
        _insist(session, name, what, confirm)
        with out.progress():
            report = settings.decommission(name)
    answer = DecommissionAnswer(
        report.project,
        report.dry_run,
        report.location,
        report.objects,
        report.bytes,
        report.repository,
        report.registration,
        report.note,
        report.kept,
        report.keys,
    )

    def shown() -> Iterator[RenderableType]:
        yield pairs(
            (
                ("project", answer.project),
                ("data", f"{answer.location}: {answer.objects} objects, {answer.size_bytes} bytes"),
                ("repository", answer.repository),
                ("registration", answer.registration),
                ("stays", ", ".join(answer.kept) or None),
                ("note", answer.note or None),
            )
        )
        if dry_run:
            yield ""
            yield table(("what goes",), ((key,) for key in answer.keys))

    out.answer(answer, shown)
    if dry_run and not out.as_json:
        out.note("Nothing was done: this was a dry run.")


def _insist(session: Session, name: str, what: str, given: str | None) -> None:
    """Go on only if the name was typed out."""
    import datom_core as dc

    typed = session.output.confirm(name, what, given)
    if typed != name:
        raise dc.InvalidInputError(f"{typed!r} is not {name!r}. Nothing was done.")
