"""Verbs that give data to other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datom_core.command.forms.exporting import ExportAnswer, ExportedFile, ReadAnswer
from datom_core.command.output import printable, table
from datom_core.command.session import Session
from datom_core.command.verbs import completion
from datom_core.command.verbs.arguments import TableAt

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

    import datom_core as dc

_FORMS = "csv, tsv, parquet, xlsx, xpt, xpt8 (SAS transport 5 and 8), json, ndjson (Dataset-JSON)"
Columns = Annotated[str | None, typer.Option(metavar="A,B", help="Only these columns, in this order.")]
Verify = Annotated[str | None, typer.Option(metavar="bytes|content", help="What is compared with what was recorded.")]


def read(
    session: Session,
    what: TableAt,
    form: Annotated[str | None, typer.Option("--as", metavar="FORM", help=f"{_FORMS}; csv by default.")] = None,
    columns: Columns = None,
    head: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first rows.")] = None,
    verify: Verify = None,
) -> None:
    """A table on standard output."""
    import io
    import json

    import datom_core as dc

    as_json = session.output.as_json
    if as_json and form is not None:
        raise typer.BadParameter("--json is an answer about the table, and --as the table alone: give one of them.")
    chosen: Any = "json" if as_json else "csv" if form is None else form
    terminal = sys.stdout.isatty()
    if terminal and not dc.is_text_form(chosen):
        raise typer.BadParameter(f"{chosen} is not for a terminal: redirect it, as in '> file', or use datom export.")
    with session.output.progress():
        name, version, data = _table(session, what, columns, verify)
    data = data if head is None else data.slice(0, head)
    about: dict[str, Any] = {"name": name, "version": version.version, "recorded_at": version.timestamp}
    if not (terminal or as_json):
        with session.output.delivering():
            dc.write_table(data, sys.stdout.buffer, form=chosen, **about)
        return
    sink = io.BytesIO()
    dc.write_table(data, sink, form=chosen, **about)
    text = sink.getvalue().decode()
    if not as_json:
        with session.output.delivering():
            sys.stdout.write(printable(text, "\n\t"))
        return
    state = dc.Reference.parse(what).state
    answer = ReadAnswer(session.reader.project, name, state, version.version, json.loads(text))
    session.output.answer(answer, lambda: ())


def export(
    session: Session,
    what: Annotated[
        str,
        typer.Argument(
            metavar="TABLE[@STATE]|@STATE",
            help="A table, or all tables at a state: a cut, a review mark, a date.",
            autocompletion=completion.tables_at,
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A file for a table, a folder for all.")],
    form: Annotated[
        str | None, typer.Option("--as", metavar="FORM", help=f"{_FORMS}; of a file, its ending tells.")
    ] = None,
    columns: Columns = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="TEXT", help="Of one table, instead of its own.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written, or refused.")] = False,
    verify: Verify = None,
) -> None:
    """Tables as files that other programs read: one table, or a whole cut."""
    import datom_core as dc

    reference = dc.Reference.parse(what)
    how: dict[str, Any] = {"overwrite": overwrite, "dry_run": dry_run}
    if reference.table is not None:
        with session.output.progress():
            name, version, data = _table(session, what, columns, verify)
            about = {"name": name, "label": label, "version": version.version, "recorded_at": version.timestamp}
            found: tuple[dc.WrittenFile, ...] = (dc.write_table(data, target, form=form, **about, **how),)  # type: ignore[arg-type]
    else:
        for option, given in (("--columns", columns), ("--label", label)):
            if given is not None:
                raise typer.BadParameter(f"{option} is for one table; write TABLE@STATE.")
        if form is None:
            raise typer.BadParameter(f"Say in which form the files should be: --as FORM, one of {_FORMS}.")
        if verify is not None:
            how["verify"] = verify
        with session.output.progress():
            study = session.reader.study_at(reference.state)
            found = dc.write_study(study, target, form, **how)  # type: ignore[arg-type]
    files = tuple(ExportedFile(str(f.path), f.form, f.table, f.version, f.rows, f.bytes, f.sha256) for f in found)
    if dry_run:
        session.output.note("Nothing was done: this was a dry run.")
    answer = ExportAnswer(session.reader.project, reference.state, dry_run, files)
    session.output.answer(answer, lambda: _files_shown(files))


def _files_shown(files: tuple[ExportedFile, ...]) -> Iterator[RenderableType]:
    headings = ("file", "table", "version", "rows", "bytes")
    lines = ((f.path, f.table, (f.version or "")[:8], f.rows, f.bytes) for f in files)
    yield table(headings, lines, right=("rows", "bytes"))


def _table(session: Session, what: str, columns: str | None, verify: str | None) -> tuple[str, dc.Version, pa.Table]:
    """A table's name, the version that was asked for, and its data."""
    import datom_core as dc

    reference = dc.Reference.parse(what)
    if reference.table is None:
        raise typer.BadParameter(f"{what} is a whole study; write TABLE{what}, or use datom export for all tables.")
    version = session.reader.version_at(reference.table, reference.state)
    wanted = None if columns is None else [c.strip() for c in columns.split(",")]
    data = session.reader.read_arrow(reference.table, version, columns=wanted, verify=verify)  # type: ignore[arg-type]
    return reference.table, version, data
