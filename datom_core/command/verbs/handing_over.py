"""The verb that hands a project over for others to prove."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datom_core.command.forms.handing_over import EvidenceAnswer, HeldAnswer
from datom_core.command.output import table
from datom_core.command.session import Session
from datom_core.command.verbs import completion
from datom_core.command.verbs.arguments import without_at

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc


def evidence(
    session: Session,
    target: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FOLDER|FILE.zip", help="A folder that is not there, or a zip file."),
    ],
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="CUT|DATE|TABLES",
            help="A cut, a date or time, or tables as in dm,ae@2026-01; all tables as they are now by default.",
            autocompletion=completion.cuts,
        ),
    ] = None,
    copies: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Also the tables as csv, tsv, xlsx, xpt, xpt8 (SAS transport), dataset-json, ndjson."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="STATE", help="Of a cut, what changed since then; by default the cut before.")
    ] = None,
    history: Annotated[bool, typer.Option("--history/--no-history", help="With the git history.")] = True,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="With what changed since the cut before.")
    ] = True,
    seal: Annotated[
        bool, typer.Option("--seal", help="Sign the bag's manifest with the key that signs commits ([signing]).")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be in it, or refused.")] = False,
) -> None:
    """A folder that proves what the data was, to somebody who has no datom."""
    reader = session.reader
    forms = [] if copies is None else [form.strip() for form in copies.split(",")]
    how: dict[str, Any] = {"copies": forms, "since": since, "report": report, "dry_run": dry_run}
    if seal:
        how["seal"] = _sealing(session)
    with session.output.progress():
        asked = _asked(reader, what)
        bag = (session.opened if history else reader).evidence(target, **asked, **how)
    held = tuple(HeldAnswer(v.table, v.version.version, v.payload_sha) for v in bag.versions)
    unproven = tuple(f"{name}@{version}" for name, version, _ in bag.unproven)
    if dry_run:
        session.output.note("Nothing was done: this was a dry run.")
    answer = EvidenceAnswer(
        bag.project, str(bag.path), bag.state, bag.cut, bag.commit, dry_run, held, unproven, bag.files, bag.bytes,
        bag.digest,
    )  # fmt: skip
    session.output.answer(answer, lambda: _shown(answer))


def _sealing(session: Session) -> dc.SigningKey:
    """The key of the settings."""
    signing = session.settings.signing
    if signing is None:
        raise typer.BadParameter("--seal needs a key: [signing] in datom.toml says which (docs/settings.md).")
    return signing.signing_key(session.settings.folder)


def _asked(reader: dc.ProjectReader, what: str | None) -> dict[str, Any]:
    """What is meant: a cut of that name, else tables that are there, else a moment.

    Raises:
        NotFoundError: it is none of them.
    """
    import datom_core as dc

    cuts, words = reader.cuts(), () if what is None else tuple(word.strip() for word in what.split(","))
    if what is None:
        return {}
    if (cut := without_at(what, cuts)) in cuts:
        return {"cut": cut}
    known = {info.name for info in reader.list()}
    if all(word.partition("@")[0] in known for word in words):
        references = [dc.Reference.parse(word) for word in words]
        return {"tables": {str(r.table): reader.version_at(str(r.table), r.state).version for r in references}}
    reader.study_at(what)  # says what there is, when it is no moment
    return {"as_of": what}


def _shown(answer: EvidenceAnswer) -> Iterator[RenderableType]:
    yield table(("table", "version"), ((v.table, v.version[:8]) for v in answer.versions))
    if answer.digest is not None:
        yield f"{answer.files} files are in {answer.path}. Who has it checks it with: sh verify.sh"
        yield f"SHA-256 of tagmanifest-sha256.txt, to be told in another way:\n{answer.digest}"
