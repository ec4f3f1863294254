"""Verbs that check whether all is there and what it was, and that put right what git can give."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from datom_core.command.forms.verifying import (
    AcceptAnswer,
    LostLine,
    MirrorAnswer,
    ProblemLine,
    RecoverAnswer,
    VerifyAnswer,
)
from datom_core.command.output import pairs, person, table
from datom_core.command.session import Session
from datom_core.command.verbs import completion
from datom_core.command.verbs.signing import signatures_checked, signatures_shown
from datom_core.command.wording import in_commands

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

_DEPTHS = ("quick", "deep", "full")
_DONE, _DIFFERS, _INTEGRITY = 0, 1, 5
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]
_Author = Annotated[
    str | None, typer.Option(metavar="'NAME <EMAIL>'", help="Author of the commit; by default, git's user.")
]


def verify(
    session: Session,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LEVEL|TABLE[@STATE]",
            help="quick, deep or full; or what to prove in full: lb, lb@2026-02, @2026-02.",
            autocompletion=completion.to_verify,
        ),
    ] = None,
    depth: Annotated[str | None, typer.Option(metavar="LEVEL", help="quick, deep or full.")] = None,
    storage_only: Annotated[
        bool, typer.Option("--storage-only", help="Compare storage with itself alone, not with git.")
    ] = False,
) -> int:
    """Is everything there, and is it what it was? Changes nothing.

    quick: documents agree, and current data is there. deep: also, every document, and all data is there. full: also,
    every byte and value of it. Where settings name a git repository, storage is compared with that; else with itself
    alone, as for TABLE, TABLE@STATE or @STATE, which is proven in full unless --depth says otherwise. Signatures in git
    are verified, too.

    Exit code: 0 nothing is wrong; 1 documents are missing or behind, or R has yet to upload: datom validate --fix
    mends what git has; 5 stop: something is lost, altered or contradicts itself, a signature is bad, or an approval has
    none that is good.
    """
    import datom_core as dc

    words = list(what or ())
    if words and words[0] in _DEPTHS:
        if depth not in (None, words[0]):
            raise typer.BadParameter(f"Two levels are given, {words[0]} and {depth}: choose one.")
        depth = words.pop(0)
    if words:
        return _told(session, _verified(session, depth or "full", words))
    if storage_only or session.settings.remote is None:
        return _told(session, _verified(session, depth or "quick", ()))
    try:
        opened = session.opened
    except (dc.DatomError, ImportError) as error:
        with contextlib.suppress(dc.DatomError):
            session.reader  # noqa: B018 - whether it opens
            error.add_note("Storage alone can be proven with --storage-only.")
        raise
    answer = _validated(session, opened, depth or "quick", fix=False)
    return _told(session, replace(answer, signatures=signatures_checked(opened)))


def validate(
    session: Session,
    depth: Annotated[str, typer.Argument(metavar="LEVEL", help="quick, deep or full, as for verify.")] = "quick",
    fix: Annotated[bool, typer.Option("--fix", help="Put back from git what is missing or wrong.")] = False,
    dry_run: _DryRun = False,
) -> int:
    """Compare storage with git, and with --fix put right what git can give. Data is never overwritten or removed.

    Exit code: 0 nothing is wrong any more; 1 documents are missing or behind, or R has yet to upload; 5 stop: something
    is lost, altered or contradicts itself, and git does not have it.
    """
    answer = _validated(session, session.opened, depth, fix=fix and not dry_run)
    code = _told(session, answer)
    if fix and dry_run and answer.problems:
        session.output.note(f"--fix would put right {sum(p.fixable for p in answer.problems)} of these problems.")
    return code


def mirror(session: Session, dry_run: _DryRun = False) -> int:
    """Bring storage level with git, snapshots included: only documents, and payloads of sets.

    Exit code: 0 storage is level; 1 the payload of a table is missing, and its readers keep what they have.
    """
    project = session.opened
    with session.output.progress():
        if dry_run:
            report = _report_of(project, "deep", fix=False)
            fixable = dict.fromkeys(p.key for p in report.problems if p.fixable)
            answer = MirrorAnswer(project.name, tuple(fixable), project.status().waiting, dry_run)
        else:
            done = project.mirror()
            answer = MirrorAnswer(project.name, done.written, done.waiting, dry_run)

    def shown() -> Iterator[RenderableType]:
        yield from answer.written
        if not answer.written:
            yield "Storage has every document that git has."
        for name in answer.waiting:
            yield f"{name}: its data is not in storage; readers keep what they have."

    session.output.answer(answer, shown)
    return _DIFFERS if answer.waiting else _DONE


def recover(session: Session, author: _Author = None, dry_run: _DryRun = False) -> int:
    """Record again what storage shows and git has lost, as after a force-push.

    Each version is compared with its hashes first. If a clone still has the lost commits, push those instead.

    Exit code: 0 done, or nothing was lost; 1 with --dry-run, something is lost.
    """
    project = session.opened
    with session.output.progress():
        parted = project.divergence() if dry_run else None
        lost = (() if parted is None else parted.lost) if dry_run else project.recover_versions(author=author)
    answer = RecoverAnswer(project.name, _lost(lost), dry_run)
    session.output.answer(answer, lambda: [_lost_table(answer.versions) if lost else "Git has lost no version."])
    return _DIFFERS if dry_run and parted is not None else _DONE


def accept(
    session: Session,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; it goes into a commit, and is needed for one.")
    ] = None,
    author: _Author = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="NAME", help="The project's name, typed out, where nobody can be asked.")
    ] = None,
    dry_run: _DryRun = False,
) -> int:
    """Let storage follow the branch as it is now, and give up what it shows beside that.

    A commit with the reason names every version that is given up. Their data stays in storage; no list shows them.

    Exit code: 0 done, or nothing was to be given up; 1 with --dry-run, something would be.
    """
    import datom_core as dc

    if reason is None and not dry_run:
        raise typer.BadParameter("Say why, with --reason; or look with --dry-run.")
    project, output = session.opened, session.output
    parted = project.divergence()
    versions = () if parted is None else _lost(parted.lost)
    cuts, marks, approvals = ((), (), ()) if parted is None else (
        parted.lost_cuts, parted.lost_marks, parted.lost_approvals
    )  # fmt: skip
    commit = None
    if parted is not None and reason is not None and not dry_run:
        counted = f"{_count(versions, 'version')}, {_count(cuts, 'cut')}, {_count(marks, 'review mark')}"
        counted += f" and {_count(approvals, 'approval')}"
        told = f"What storage shows of {project.name} and git does not have is given up: {counted}."
        if output.confirm(project.name, told, confirm) != project.name:
            raise dc.InvalidInputError(f"That is not the name {project.name!r}; nothing was done.")
        commit = project.accept_history(reason=reason, author=author)
    answer = AcceptAnswer(project.name, commit, versions, cuts, marks, approvals, dry_run)

    def shown() -> Iterator[RenderableType]:
        if parted is None:
            yield "Storage shows nothing that git does not have."
            return
        yield pairs([("project", answer.project), ("commit", answer.commit)])
        yield _lost_table(answer.versions)
        yield pairs([("cut", name) for name in answer.cuts] + [("review mark", name) for name in answer.marks])
        yield pairs([("approval", said) for said in answer.approvals])

    output.answer(answer, shown)
    return _DIFFERS if dry_run and parted is not None else _DONE


def _verified(session: Session, depth: str, what: Iterable[str]) -> VerifyAnswer:
    """What storage alone proves: of all, or of tables and versions."""
    import datom_core as dc

    reader = session.reader
    whole: list[str] = []
    versions: dict[str, dc.Version] = {}
    for text in what:
        asked = dc.Reference.parse(text)
        if asked.state is None and asked.table is not None:
            whole.append(asked.table)
            continue
        more = reader.study_at(asked.state).versions if asked.table is None else {
            asked.table: reader.version_at(asked.table, asked.state)
        }  # fmt: skip
        twice = [t for t, v in more.items() if t in versions and versions[t].version != v.version]
        if twice:
            raise dc.InvalidInputError(f"One version of a table at a time: {twice[0]} is named at two.")
        versions |= more
    _hint_at_depths(reader, whole)
    versions = {t: v for t, v in versions.items() if t not in whole}
    chosen = {"tables": whole, "versions": versions} if whole or versions else {}
    with session.output.progress():
        found = reader.verify(depth, **chosen)  # type: ignore[arg-type]  # it is checked there
    return VerifyAnswer(
        found.project, found.location, found.depth, "storage", None, found.tables, found.versions, found.payloads,
        found.bytes, found.ok, _problems(found.problems), (), found.unproven, (),
    )  # fmt: skip


def _hint_at_depths(reader: dc.ProjectReader, tables: list[str]) -> None:
    """Refuse a word that is nearly a level, and no table."""
    import datom_core as dc

    for name in tables:
        hint = dc.did_you_mean(name, _DEPTHS)
        if hint and all(info.name != name for info in reader.list()):
            raise dc.InvalidInputError(f"{name!r} is no table, and no level.{hint}")


def _validated(session: Session, project: dc.Project, depth: str, *, fix: bool) -> VerifyAnswer:
    """What a comparison with git finds."""
    with session.output.progress():
        found = _report_of(project, depth, fix=fix)
    return VerifyAnswer(
        found.project, found.location, found.depth, "git", found.commit, found.tables, found.versions, found.objects,
        found.bytes, found.ok, _problems(found.problems), _problems(found.fixed), found.unproven, found.strangers,
    )  # fmt: skip


def _report_of(project: dc.Project, depth: str, *, fix: bool) -> dc.ValidationReport:
    """The report of `Project.validate`, whatever it found."""
    import datom_core as dc

    try:
        return project.validate(depth, fix=fix)  # type: ignore[arg-type]  # it is checked there
    except dc.IntegrityError as error:
        report = error.details.get("report")
        if not isinstance(report, dc.ValidationReport):
            raise
        return report


def _problems(found: Iterable[dc.Problem]) -> tuple[ProblemLine, ...]:
    return tuple(
        ProblemLine(p.kind, p.table, p.version, p.key, in_commands(p.message), p.fixable, p.grave) for p in found
    )


def _told(session: Session, answer: VerifyAnswer) -> int:
    """Answer, and the exit code that it stands for."""
    session.output.answer(answer, lambda: _shown(answer))
    if answer.signatures is not None and answer.signatures.problems:
        return _INTEGRITY
    if answer.ok:
        return _DONE
    return _INTEGRITY if any(p.grave for p in answer.problems) else _DIFFERS


def _shown(answer: VerifyAnswer) -> Iterator[RenderableType]:
    from rich.text import Text

    against = "storage alone" if answer.commit is None else f"git, commit {answer.commit[:12]}"
    counted = "payloads" if answer.commit is None else "objects"
    yield pairs(
        [
            ("project", answer.project),
            ("storage", answer.location),
            ("compared with", against),
            ("level", answer.depth),
            ("looked at", f"tables {answer.tables:,}, versions {answer.versions:,}, {counted} {answer.objects:,}"),
            ("bytes", f"{answer.bytes:,}"),
        ]
    )  # fmt: skip
    for title, found in (("Put right", answer.fixed), ("Wrong", answer.problems)):
        if found:
            yield ""
            yield Text(f"{title}: {len(found):,}", style="bold green" if title == "Put right" else "bold red")
            yield table(
                ("kind", "table", "version", "key", "what"),
                ((p.kind, p.table, (p.version or "")[:8], p.key, p.message) for p in found),
            )
    if answer.signatures is not None and (answer.signatures.signatures or answer.signatures.problems):
        yield from signatures_shown(answer.signatures)
    yield ""
    if answer.unproven:
        yield f"Only R could prove {len(answer.unproven):,} of these: {', '.join(answer.unproven[:5])}"
    if answer.strangers:
        yield f"Nothing in git explains {len(answer.strangers):,} objects; they do no harm."
    yield from _advice(answer)


def _advice(answer: VerifyAnswer) -> Iterator[str]:
    fixable = sum(p.fixable for p in answer.problems)
    if answer.ok and (answer.signatures is None or not answer.signatures.problems):
        yield "Nothing is wrong." if not answer.fixed else "Nothing is wrong any more."
    if fixable and answer.commit is not None:
        yield f"git can give {fixable:,} of these: datom validate --fix."
    if any(p.kind == "diverged" for p in answer.problems):
        yield "Nothing is written until datom recover, or datom accept --reason."
    if any(p.grave for p in answer.problems):
        yield "Do not use what is lost, altered or forged before it is restored."


def _count(found: Sequence[object], one: str) -> str:
    return f"{len(found):,} {one}{'' if len(found) == 1 else 's'}"


def _lost(found: Iterable[dc.LostVersion]) -> tuple[LostLine, ...]:
    return tuple(LostLine(v.table, v.version, v.recorded_at, str(v.author), v.message, v.commit_sha) for v in found)


def _lost_table(found: tuple[LostLine, ...]) -> RenderableType:
    return table(
        ("table", "version", "recorded", "author", "message"),
        ((v.table, v.version[:8], v.recorded_at, person(v.author), v.message) for v in found),
    )
