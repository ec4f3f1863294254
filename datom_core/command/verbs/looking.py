"""Verbs that show what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.forms.looking import ListAnswer, TableLine
from datom_core.command.output import table
from datom_core.command.session import Session
from datom_core.command.verbs import completion

if TYPE_CHECKING:
    from rich.console import RenderableType


def list_tables(
    session: Session,
    pattern: Annotated[
        str | None,
        typer.Argument(help="Only tables whose name fits, as in 'ad*'.", autocompletion=completion.tables),
    ] = None,
) -> None:
    """Every table, its current version, and when it was last written."""
    reader = session.reader
    found = tuple(
        TableLine(t.name, t.kind, t.version, t.versions, t.size_bytes, t.last_updated) for t in reader.list(pattern)
    )
    answer = ListAnswer(reader.project, found)

    def shown() -> Iterator[RenderableType]:
        headings = ("table", "version", "versions", "bytes", "last written")
        lines = ((t.name, (t.version or "")[:8], t.versions, t.size_bytes, t.last_updated) for t in found)
        yield table(headings, lines, right=("versions", "bytes"))

    session.output.answer(answer, shown)
