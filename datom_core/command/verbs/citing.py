"""Verbs that cite a version, find what was cited, and tell what came of a version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.forms.sets import AffectedLine, CiteAnswer, FindAnswer, ImpactAnswer
from datom_core.command.layout import Records
from datom_core.command.output import pairs
from datom_core.command.session import Session
from datom_core.command.verbs.arguments import TableAt

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_FORMS = {"text": "text", "bibtex": "bibtex", "csl": "csl_json", "datacite": "datacite_json"}
_FOUND = 1


def cite(
    session: Session,
    what: TableAt,
    form: Annotated[
        str, typer.Option(metavar="|".join(_FORMS), help="For papers, LaTeX, citation managers, repositories.")
    ] = "text",
) -> None:
    """How to cite a version of a table or set; its id leads there for ever, wherever the project moves."""
    import datom_core as dc

    if form not in _FORMS:
        raise typer.BadParameter(f"--form is {', '.join(_FORMS)}, not {form!r}.{dc.did_you_mean(form, _FORMS)}")
    asked = dc.Reference.parse(what)
    if asked.table is None:
        raise typer.BadParameter(f"{what!r} names no table or set; a citation is of one.")
    reader, version = session.reader, asked.state
    if version is not None and reader.metadata(asked.table).kind == "table":
        version = reader.version_at(asked.table, version).version
    found = reader.cite(asked.table, version)
    answer = CiteAnswer(found.id, found.full_id, found.text(), found.bibtex(), found.csl_json(), found.datacite_json())
    session.output.answer(answer, lambda: [str(getattr(answer, _FORMS[form])).rstrip("\n")])


def find(
    session: Session, what: Annotated[str, typer.Argument(metavar="ID", help="As in datom:STUDY_001/lb@7e21b0aa.")]
) -> None:
    """The version that a citation's id names, and where it is now: by the register, or in the project at hand."""
    import datom_core as dc

    try:
        register: dc.ObjectStore | None = session.register_settings.store()
    except dc.DatomError:
        register = None
    reader = None if register is not None else session.reader
    found = dc.find_cited(what, reader=reader, governance=register)
    entry = found.version
    answer = FindAnswer(
        what,
        found.reader.project,
        found.name,
        found.kind,
        entry.version,
        entry.data_sha,
        str(found.reader.location),
        entry.timestamp,
        str(entry.author),
        entry.message,
    )

    def shown() -> Iterator[RenderableType]:
        yield pairs(
            [
                (answer.kind, f"{answer.project}/{answer.name}"),
                ("version", answer.version),
                ("data_sha", answer.data_sha),
                ("data", answer.location),
                ("recorded", answer.recorded_at),
                ("author", answer.author),
                ("message", answer.message),
            ]
        )

    session.output.answer(answer, shown)


def impact(
    session: Session,
    what: TableAt,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="Documents to read at most.")] = 50_000,
) -> int:
    """What was derived from a version, in every registered project, and which sets hold it (exit 1 if anything)."""
    import datom_core as dc

    asked = dc.Reference.parse(what)
    if asked.table is None:
        raise typer.BadParameter(f"{what!r} names no table; say the version of which.")
    register = session.settings.register
    with session.output.progress():
        found = dc.find_impact(
            session.reader,
            asked.table,
            asked.state,
            governance=None if register is None else register.store(),
            most=most,
        )
    lines = tuple(
        AffectedLine(a.project, a.name, a.kind, a.version, a.generation, a.through, a.recorded_at, a.current, a.cuts)
        for a in found.affected
    )
    answer = ImpactAnswer(
        found.project, found.table, found.versions, lines, found.projects, found.unread, found.complete
    )

    def shown() -> Iterator[RenderableType]:
        if not lines:
            yield f"Nothing was derived from {what}, and no set holds it, in {', '.join(found.projects)}."
            return
        headings = ("generation", "what", "version", "kind", "recorded", "from", "cuts")
        cells = [
            (a.generation, f"{a.project}/{a.name}", a.version[:8] + (" *" if a.current else ""), a.kind, a.recorded_at,
             a.through, ", ".join(a.cuts))
            for a in lines
        ]  # fmt: skip
        yield Records(headings, cells, ("generation",))

    session.output.answer(answer, shown)
    for where, why in found.unread.items():
        session.output.note(f"Not looked at: {where} ({why})")
    if not found.complete:
        session.output.note("There are more documents than were read; --most raises the bound.")
    return _FOUND if lines else 0
