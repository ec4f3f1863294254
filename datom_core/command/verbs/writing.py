"""Verbs that record versions, and names for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datom_core.command.forms.writing import FileSynced, NamedAnswer, SyncAnswer, TableWritten, WriteAnswer
from datom_core.command.output import Output, table
from datom_core.command.session import Session
from datom_core.command.verbs.arguments import without_at

if TYPE_CHECKING:
    from rich.console import RenderableType

    import datom_core as dc

Message = Annotated[str | None, typer.Option("--message", "-m", metavar="TEXT", help="Why; a default says what.")]
By = Annotated[str | None, typer.Option(metavar="'NAME <EMAIL>'", help="Who; by default as git has it.")]
Trailers = Annotated[list[str] | None, typer.Option("--trailer", metavar="KEY=VALUE", help="A line for the commit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Encoding = Annotated[str | None, typer.Option(metavar="NAME", help="Of text files; by default UTF-8.")]
Separator = Annotated[str | None, typer.Option(metavar="CHARACTER", help="Of text files, if not what the ending says.")]
RCompat = Annotated[bool, typer.Option("--r-compat", help="Types as R's datom_sync infers them.")]


def write(
    session: Session,
    what: Annotated[list[str], typer.Argument(metavar="TABLE FILE | TABLE=FILE...", help="'-' is csv from a pipe.")],
    message: Message = None,
    cut: Annotated[str | None, typer.Option(metavar="CUT", help="Also record the result under this name.")] = None,
    author: By = None,
    parent: Annotated[
        list[str] | None, typer.Option(metavar="TABLE[@STATE]", help="A version that this was derived from.")
    ] = None,
    custom: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Metadata of your own.")] = None,
    trailer: Trailers = None,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="imported|derived", help="Imported, unless it has parents.")
    ] = None,
    encoding: Encoding = None,
    separator: Separator = None,
    sheet: Annotated[str | None, typer.Option(metavar="NAME", help="Of a workbook with several.")] = None,
    r_compat: RCompat = False,
    dry_run: DryRun = False,
) -> None:
    """Make files the current versions of tables, in one commit; what is unchanged stays as it is."""
    files, trailers = _files(what), as_pairs(trailer, "--trailer")
    if kind not in (None, "imported", "derived"):
        raise typer.BadParameter(f"--type is imported or derived, not {kind!r}.")
    project, out, own = session.opened, session.output, as_pairs(custom, "--custom")
    how: dict[str, Any] = {"encoding": encoding, "separator": separator, "sheet": sheet, "r_compat": r_compat}
    with out.progress():
        extracts = {name: _read(project, name, file, how) for name, file in files.items()}
        parents = [_parent(project.reader, p) for p in parent or ()]
        derived = kind == "derived" or (kind is None and bool(parents))
        frames = {name: e.data if derived else e for name, e in extracts.items()}
        about: dict[str, Any] = {
            "parents": dict.fromkeys(frames, parents) if parents else None,
            "custom": dict.fromkeys(frames, own) if own else None,
        }
        if dry_run:
            commit, lines = None, _lines(project.plan_write(frames, cut=cut, **about))
        else:
            done = _written(project, frames, cut, message=message, author=author, trailers=trailers, **about)
            commit, lines = next(iter(done.values())).commit_sha, _lines(done)
    answer = WriteAnswer(project.name, dry_run, commit, lines)

    def shown() -> Iterator[RenderableType]:
        headings = ("table", "action", "version", "rows", "change")
        yield table(headings, ((t.table, t.action, t.version[:8], t.rows, t.change) for t in lines), right=("rows",))

    out.answer(answer, shown)
    tell_commit(out, answer.commit, dry_run=dry_run)


def _written(
    project: dc.Project, frames: Mapping[str, object], cut: str | None, **how: Any
) -> Mapping[str, dc.WriteResult]:
    return project.write_all(frames, **how) if cut is None else project.cut(cut, frames, **how)


def _lines(done: Mapping[str, dc.WriteResult] | Mapping[str, dc.PlannedWrite]) -> tuple[TableWritten, ...]:
    return tuple(TableWritten(n, r.version, r.action, r.rows, str(r.change), r.cut) for n, r in done.items())


def sync(
    session: Session,
    folder: Annotated[str, typer.Argument(help="Where the files are; its subfolders are not read.")],
    pattern: Annotated[str, typer.Option(metavar="GLOB", help="Which files, as in '*.xpt'.")] = "*",
    message: Message = None,
    author: By = None,
    trailer: Trailers = None,
    manifest: Annotated[
        str | None, typer.Option(metavar="FILE", help="Lists the drop: nothing is read until all of it is there.")
    ] = None,
    quiet_for: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Read nothing until no file has changed for so long.")
    ] = None,
    encoding: Encoding = None,
    separator: Separator = None,
    r_compat: RCompat = False,
    one_by_one: Annotated[bool, typer.Option("--one-by-one", help="A commit per table, not one for all.")] = False,
    stop_on_error: Annotated[bool, typer.Option("--stop-on-error", help="End at the first bad file.")] = False,
    dry_run: DryRun = False,
) -> int:
    """Take in the extract files of a folder: each is a table, and a version if it is new. 1 if a file failed."""
    project, out = session.opened, session.output
    with out.progress():
        report = project.sync(
            folder,
            pattern,
            batch=not one_by_one,
            r_compat=r_compat,
            encoding=encoding,
            separator=separator,
            manifest=manifest,
            quiet=quiet_for,
            message=message,
            author=author,
            trailers=as_pairs(trailer, "--trailer"),
            dry_run=dry_run,
            stop_on_error=stop_on_error,
        )
    answer = _synced(project.name, report)

    def shown() -> Iterator[RenderableType]:
        headings = ("file", "table", "status", "rows", "version", "remarks")
        yield table(headings, map(_line, answer.files), right=("rows",))

    out.answer(answer, shown)
    _tell_what_was_not_read(out, report, f"No file in {folder} fits {pattern!r}.")
    if report.complete:
        tell_commit(out, report.commits[-1] if report.commits else None, dry_run=dry_run)
    return 0 if report.ok else 1


def _tell_what_was_not_read(out: Output, report: dc.SyncReport, none: str) -> None:
    if report.complete and not report.items:
        out.note(none)
    for why in report.waiting:
        out.note(f"Not complete yet, and nothing was read: {why}")


def _synced(project: str, report: dc.SyncReport) -> SyncAnswer:
    files = tuple(
        FileSynced(i.file, i.table, i.status, i.reason, i.action, i.rows, i.version, i.retyped, i.notes)
        for i in report.items
    )
    return SyncAnswer(project, report.location, report.dry_run, report.ok, report.waiting, report.commits, files)


def _line(file: FileSynced) -> tuple[object, ...]:
    remarks = "; ".join(filter(None, (file.reason, *file.retyped, *file.notes)))
    return file.file, file.table, file.status, file.rows, (file.version or "")[:8], remarks


def cut(
    session: Session,
    name: Annotated[str, typer.Argument(help="Of the cut, as in 2026-02 or lock.")],
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE[@STATE]...]", help="By default every table as it is now.")
    ] = None,
    message: Message = None,
    author: By = None,
    trailer: Trailers = None,
    dry_run: DryRun = False,
) -> None:
    """Let a name stand for versions that exist. @STATE is every table as it was then."""
    project = session.opened
    versions = _versions(project.reader, what or [])
    with session.output.progress():
        commit = project.record_cut(
            name, versions, message=message, author=author, trailers=as_pairs(trailer, "--trailer"), dry_run=dry_run
        )
    _named(session, NamedAnswer(project.name, name, "cut", dry_run, commit, versions))


def review(
    session: Session,
    cut: Annotated[str | None, typer.Argument(help="The cut that was reviewed; by default all as it is now.")] = None,
    name: Annotated[str, typer.Option(metavar="MARK", help="One for each reviewer, if you like.")] = "reviewed",
    message: Message = None,
    author: By = None,
    trailer: Trailers = None,
    backwards: Annotated[bool, typer.Option("--backwards", help="Set it to something older than before.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Record that the study was reviewed so far; what came since can then be asked for."""
    project = session.opened
    cut = None if cut is None else without_at(cut, project.reader.cuts())
    chosen: dict[str, Any] = {"cut": cut} if cut is not None else {"versions": _versions(project.reader, [])}
    with session.output.progress():
        commit = project.mark_reviewed(
            name=name,
            **chosen,
            message=message,
            author=author,
            trailers=as_pairs(trailer, "--trailer"),
            backwards=backwards,
            dry_run=dry_run,
        )
    versions = dict(project.reader.cuts().find(cut)) if cut is not None else chosen["versions"]
    _named(session, NamedAnswer(project.name, name, "review", dry_run, commit, versions))


def _named(session: Session, answer: NamedAnswer) -> None:
    def shown() -> Iterator[RenderableType]:
        yield table(("table", "version"), ((t, version[:8]) for t, version in answer.versions.items()))

    session.output.answer(answer, shown)
    tell_commit(session.output, answer.commit, dry_run=answer.dry_run)


def tell_commit(output: Output, commit: str | None, *, dry_run: bool) -> None:
    """What came of a verb that makes a commit, for a person."""
    if output.as_json:
        return
    done = f"Commit {commit[:12]}" if commit else "Nothing new: no commit was needed."
    output.note("Nothing was done: this was a dry run." if dry_run else done)


def _files(what: Sequence[str]) -> dict[str, str]:
    """The file of each table, from TABLE FILE or from TABLE=FILE."""
    if len(what) == 2 and "=" not in what[0]:
        return {what[0]: what[1]}
    pairs = [one.partition("=") for one in what]
    if not all(equals and name and file for name, equals, file in pairs):
        raise typer.BadParameter("Write TABLE FILE, or TABLE=FILE for several: datom write dm=dm.xpt lb=lb.csv.")
    twice = [name for i, (name, _, _) in enumerate(pairs) if name in [n for n, _, _ in pairs[:i]]]
    if twice or [file for _, _, file in pairs].count("-") > 1:
        raise typer.BadParameter(f"{twice[0]} is named twice." if twice else "Only one table can come from a pipe.")
    return {name: file for name, _, file in pairs}


def _read(project: dc.Project, name: str, file: str, how: dict[str, Any]) -> dc.Extract:
    if file == "-":
        return project.read_extract(name, sys.stdin.buffer, format="csv", **how)
    return project.read_extract(name, file, **how)


def _parent(reader: dc.ProjectReader, text: str) -> dc.Parent:
    import datom_core as dc

    asked = dc.Reference.parse(text)
    if asked.table is None:
        raise typer.BadParameter(f"--parent is a table, or a table at a state, as in dm@2026-02; not {text!r}.")
    return reader.parent(asked.table, reader.version_at(asked.table, asked.state))


def _versions(reader: dc.ProjectReader, what: Sequence[str]) -> dict[str, str]:
    import datom_core as dc

    asked = [dc.Reference.parse(one) for one in what] or [dc.Reference(None, None)]
    whole: dict[str, str] = {}
    for one in (a for a in asked if a.table is None):
        _add(whole, {t: v.version for t, v in reader.study_at(one.state).versions.items()})
    named: dict[str, str] = {}
    for one in asked:
        if one.table is not None:
            _add(named, {one.table: reader.version_at(one.table, one.state).version})
    return whole | named


def _add(found: dict[str, str], more: dict[str, str]) -> None:
    twice = [table for table, version in more.items() if found.get(table, version) != version]
    if twice:
        raise typer.BadParameter(f"A cut holds one version of a table, and {twice[0]} is named at two.")
    found |= more


def as_pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """``["KEY=VALUE"]`` as a mapping; ``option`` is what they were given by."""
    pairs = [one.partition("=") for one in given or ()]
    if not all(equals and key.strip() for key, equals, _ in pairs):
        raise typer.BadParameter(f"{option} is KEY=VALUE, as in {option} Reason=Correction.")
    return {key.strip(): value for key, _, value in pairs}
