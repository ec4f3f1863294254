"""Verbs that say where a project is: create one, or use one that exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datom_core.command.forms.writing import PlaceAnswer
from datom_core.command.option_groups import StorageOptions, with_repository_options, with_storage_options
from datom_core.command.output import pairs
from datom_core.command.session import Session

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

Repository = Annotated[str | None, typer.Option(metavar="URL", help="URL or path of the git repository.")]
CreateRepo = Annotated[bool, typer.Option("--create-repo", help="Create the repository on GitHub, private.")]
File = Annotated[str, typer.Option(metavar="PATH", help="The settings file to write.")]


@with_storage_options
@with_repository_options
def init(
    session: Session,
    reached: StorageOptions,
    repository: Mapping[str, Any],
    name: Annotated[str, typer.Argument(help="Of the project, as in STUDY_001.")],
    storage: Annotated[str, typer.Option(metavar="WHERE", help="For its data: a folder, or s3://bucket/prefix.")],
    remote: Annotated[str, typer.Option(metavar="URL", help="URL or path of its git repository, still empty.")],
    product: Annotated[
        str | None, typer.Option(metavar="SET", help="A product, whose one set has this name; it imports no extracts.")
    ] = None,
    schema: Annotated[int, typer.Option(metavar="1|2", help="1 is for teams with R datom up to 0.1.2.")] = 2,
    create_repo: CreateRepo = False,
    file: File = "datom.toml",
) -> None:
    """Create a project, and write where it is into datom.toml. If that broke off, the same call completes it."""
    import datom_core as dc

    settings = dc.ProjectSettings(
        name,
        reached.at(storage),
        _named_register(session),
        remote=remote,
        folder=Path.cwd(),
        **repository,
    )
    settings.check_may_save(file)
    with session.output.progress():
        project = settings.init_project(schema=schema, product=product, create_repo=create_repo)
    _tell(session, settings.save(file), project.reader)


@with_storage_options
@with_repository_options
def use(
    session: Session,
    reached: StorageOptions,
    repository: Mapping[str, Any],
    where: Annotated[
        str | None, typer.Argument(metavar="[WHERE]", help="A folder, s3://bucket/prefix, or a name in a register.")
    ] = None,
    remote: Repository = None,
    file: File = "datom.toml",
    replace: Annotated[bool, typer.Option("--replace", help="Also write over the file of another project.")] = False,
    moved: Annotated[
        bool, typer.Option("--moved", help="Record that the data came here by other means than datom migrate.")
    ] = False,
) -> None:
    """Look at a project that exists, and write where it is into datom.toml. Alone: what is in use, and who says so."""
    import datom_core as dc

    given = {**repository} if remote is None else {"remote": remote, **repository}
    if where is None:
        if given or reached.given or replace or moved:
            raise typer.BadParameter("Say which project: datom use WHERE.")
        _tell(session, session.settings, None)
        return
    here = Path.cwd()
    settings = dc.find_settings(where, register=session.register).seen_from(here).with_changes(**given)
    if reached.given:
        settings = settings.with_changes(storage=reached.at(where))
    settings.check_may_save(file, replacing=replace)
    if moved and settings.remote is None:
        raise typer.BadParameter("--moved is recorded in git: give the --remote, too.")
    with session.output.progress():
        reader = settings.open_reader() if settings.remote is None else settings.open_project(relocate=moved).reader
    _tell(session, settings.with_changes(project=reader.project).save(file, replacing=replace), reader)


def _named_register(session: Session) -> dc.RegisterSettings | None:
    return None if session.register is None else session.register_settings


def _tell(session: Session, settings: dc.ProjectSettings, reader: dc.ProjectReader | None) -> None:
    found: Any = None if reader is None else reader.summary()
    answer = PlaceAnswer(
        settings.project if reader is None else reader.project,
        None if settings.storage is None else str(settings.storage.store(settings.folder).location),
        settings.remote,
        None if settings.register is None else str(settings.register.store().location),
        None if found is None else found.schema,
        None if found is None else found.tables,
        None if settings.file is None else str(settings.file),
    )

    def shown() -> Iterator[RenderableType]:
        yield pairs(
            (
                ("project", answer.project),
                ("data", answer.location),
                ("history", answer.remote or "(none: it is only read)"),
                ("register", answer.register),
                ("schema", answer.schema),
                ("tables", answer.tables),
                ("says", answer.file or "an option, or a variable"),
            )
        )

    session.output.answer(answer, shown)
