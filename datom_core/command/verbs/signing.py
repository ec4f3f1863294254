"""Verbs that sign: approvals of cuts, their withdrawal, and whose keys may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.forms.signing import (
    ApprovalAnswer,
    ApprovalLine,
    SignatureLine,
    SignaturesChecked,
    SignerLine,
    SignersAnswer,
)
from datom_core.command.layout import Records
from datom_core.command.output import person
from datom_core.command.session import Session
from datom_core.command.verbs import completion
from datom_core.command.verbs.arguments import without_at
from datom_core.command.verbs.writing import By, DryRun, tell_commit
from datom_core.command.wording import in_commands

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_Cut = Annotated[str, typer.Argument(metavar="CUT", help="Name of a cut.", autocompletion=completion.cuts)]
_Key = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="The SSH key to sign with; by default what [signing] in datom.toml says."),
]
_Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is part of what is signed.")]
_Meaning = Annotated[str, typer.Option(metavar="WORD", help="What is meant: reviewed, approved, locked, or your own.")]
_Server = Annotated[str | None, typer.Option(metavar="URL", help="A server that stamps the record (RFC 3161).")]
_Ca = Annotated[str | None, typer.Option(metavar="FILE", help="The certificate of the authority behind that server.")]
_Principal = Annotated[str, typer.Argument(metavar="ADDRESS", help="The signer's address, as in ada@example.org.")]
_Why = Annotated[str | None, typer.Option(metavar="TEXT", help="Why; for the commit.")]


def approve(
    session: Session,
    cut: _Cut,
    meaning: _Meaning,
    reason: _Reason,
    key: _Key = None,
    author: By = None,
    time_stamp: _Server = None,
    ca: _Ca = None,
    dry_run: DryRun = False,
) -> None:
    """Sign what a cut stands for now. Approved as locked, it refuses to move until that is withdrawn."""
    project = session.opened
    cut = without_at(cut, project.reader.cuts())
    with session.output.progress():
        commit = project.approve(
            cut, meaning=meaning, reason=reason, signing=key, author=author,
            time_stamp=_server(time_stamp, ca), dry_run=dry_run,
        )  # fmt: skip
    _answer(session, project, cut, meaning, commit, dry_run=dry_run)


def withdraw(
    session: Session,
    cut: _Cut,
    meaning: _Meaning,
    reason: _Reason,
    approval: Annotated[
        str | None, typer.Option(metavar="ID", help="Of several, the first digits of the one that is meant.")
    ] = None,
    key: _Key = None,
    author: By = None,
    time_stamp: _Server = None,
    ca: _Ca = None,
    dry_run: DryRun = False,
) -> None:
    """Sign that an approval no longer stands; both stay on record. A lock that is withdrawn lets the cut move."""
    project = session.opened
    cut = without_at(cut, project.reader.cuts())
    with session.output.progress():
        commit = project.withdraw(
            cut, meaning=meaning, reason=reason, approval=approval, signing=key, author=author,
            time_stamp=_server(time_stamp, ca), dry_run=dry_run,
        )  # fmt: skip
    _answer(session, project, cut, meaning, commit, dry_run=dry_run)


def signers(session: Session) -> None:
    """Whose keys may sign, and when."""
    _signers(session, session.opened, None, dry_run=False, changed=False)


def allow(
    session: Session,
    address: _Principal,
    public_key: Annotated[str, typer.Argument(metavar="FILE", help="The .pub file of the key, or its line.")],
    after: Annotated[str | None, typer.Option(metavar="DATE", help="It may sign from then on.")] = None,
    before: Annotated[str | None, typer.Option(metavar="DATE", help="It may sign until then.")] = None,
    reason: _Why = None,
    key: _Key = None,
    author: By = None,
    dry_run: DryRun = False,
) -> None:
    """Let somebody's SSH key sign. The first one is believed; later ones are signed by one that may."""
    project = session.opened
    commit = project.allow_signer(
        address, public_key, valid_after=after, valid_before=before, reason=reason, signing=key, author=author,
        dry_run=dry_run,
    )  # fmt: skip
    _signers(session, project, commit, dry_run=dry_run)


def revoke(
    session: Session,
    address: _Principal,
    public_key: Annotated[str, typer.Argument(metavar="KEY", help="Its fingerprint (SHA256:...), or the .pub file.")],
    at: Annotated[str | None, typer.Option(metavar="DATE", help="Since when; by default now.")] = None,
    reason: _Why = None,
    key: _Key = None,
    author: By = None,
    dry_run: DryRun = False,
) -> None:
    """Let somebody's key sign no longer; what it signed before still counts."""
    project = session.opened
    commit = project.revoke_signer(
        address, public_key, at=at, reason=reason, signing=key, author=author, dry_run=dry_run
    )
    _signers(session, project, commit, dry_run=dry_run)


def approval_line(found: dc.Approval) -> ApprovalLine:
    """A record as an answer has it."""
    return ApprovalLine(
        found.id, found.kind, found.cut, found.meaning, found.reason, str(found.signer), found.signer.key,
        found.recorded_at, found.stands, found.outdated, found.withdraws, dict(found.versions),
        None if found.time_stamp is None else found.time_stamp["server"],
    )  # fmt: skip


def approvals_shown(found: tuple[ApprovalLine, ...]) -> RenderableType:
    """Records as a table."""
    withdrawn = {a.withdraws for a in found}

    def state(a: ApprovalLine) -> str:
        if a.kind == "withdrawal":
            return "withdrawal"
        return "withdrawn" if a.id in withdrawn else "of older versions" if a.outdated else "stands"

    rows = [(a.cut, a.meaning, state(a), a.recorded_at, person(a.signer), a.reason, a.id[:12]) for a in found]
    return Records(("cut", "meaning", "state", "signed", "signer", "reason", "id"), rows)


def _server(url: str | None, ca: str | None) -> dc.TimeStampServer | None:
    import datom_core as dc

    if url is None and ca is None:
        return None
    if url is None or ca is None:
        raise typer.BadParameter("--time-stamp and --ca go together: the server, and whom to believe about it.")
    return dc.TimeStampServer(url, ca)


def _answer(
    session: Session, project: dc.Project, cut: str, meaning: str, commit: str | None, *, dry_run: bool
) -> None:
    found = tuple(map(approval_line, project.reader.approvals(cut)))
    answer = ApprovalAnswer(project.name, cut, meaning, dry_run, commit, found)
    session.output.answer(answer, lambda: [approvals_shown(answer.approvals)] if found else [])
    tell_commit(session.output, commit, dry_run=dry_run)


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _signers(session: Session, project: dc.Project, commit: str | None, *, dry_run: bool, changed: bool = True) -> None:
    lines = tuple(
        SignerLine(
            s.principal, s.key, s.public_key, _time(s.valid_after),
            _time(s.valid_before), s.comment,
        )
        for s in project.signers()
    )  # fmt: skip
    answer = SignersAnswer(project.name, dry_run, commit, lines)

    def shown() -> Iterator[RenderableType]:
        headings = ("signer", "key", "from", "until", "comment")
        yield Records(headings, [(s.principal, s.key, s.valid_after, s.valid_before, s.comment) for s in lines])

    session.output.answer(answer, shown)
    if changed:
        tell_commit(session.output, commit, dry_run=dry_run)


def signatures_checked(project: dc.Project) -> SignaturesChecked:
    """What the signatures in git are worth."""
    found = project.verify_signatures()
    lines = tuple(
        SignatureLine(c.commit, c.recorded_at, c.what, c.verdict, c.signer, c.key, c.required) for c in found.lines
    )
    good = sum(c.verdict == "good" for c in lines)
    return SignaturesChecked(found.root, good, lines, tuple(in_commands(str(p)) for p in found.problems))


def signatures_shown(found: SignaturesChecked) -> Iterator[RenderableType]:
    """What signatures are worth, and what is wrong with them."""
    from rich.text import Text

    yield ""
    yield f"Signatures: {found.good:,} of {len(found.signatures):,} good."
    if found.root is not None:
        yield f"The first signer came with the commit {found.root[:12]}, which nobody vouches for: compare it."
    if found.problems:
        yield Text(f"Wrong with signatures: {len(found.problems):,}", style="bold red")
        yield from found.problems
