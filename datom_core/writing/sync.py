"""Sync a drop of extract files into a project: find what is new, and commit it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from datom_core.common import names
from datom_core.documents import Rows, rows
from datom_core.errors import (
    AccessDeniedError,
    ConflictError,
    DatomError,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from datom_core.extracts import Drop, DropReader, Extract, ExtractFile, of_name, special_missing
from datom_core.planning import ProjectState, WriteResult, plan_write
from datom_core.reading import retyped, stored_types
from datom_core.writing.arguments import Purpose, check_message, table_job
from datom_core.writing.document_edits import DocumentEditor
from datom_core.writing.requests import Job
from datom_core.writing.writer import Writer

#: What a sync made of a file.
FileStatus = Literal["new", "changed", "unchanged", "unsupported", "ignored", "failed"]


@dataclass(frozen=True)
class SyncItem:
    """One file of a drop.

    Attributes:
        file, table: its name, and the table it belongs to.
        status: ``new`` (the table is new), ``changed`` (no version of the table came from this file), ``unchanged``
            (a version came from it), ``unsupported`` (no extract, by its extension), ``ignored`` (not part of the
            drop), ``failed`` (it could not be read, or was refused; or its extension means data in a format that
            cannot be read).
        reason: why, where the status does not say it.
        action: what was done, as in `WriteResult`; ``None`` when nothing was written.
        rows: number of rows read.
        original_file_sha: SHA-256 of the file.
        version: the table's version for this file.
        retyped: columns whose type differs from the version before, as ``AGE: int64 -> string``.
        notes: distinctions that the file makes and the table does not: special missing values that became null.
    """

    file: str
    table: str | None
    status: FileStatus
    reason: str | None = None
    action: str | None = None
    rows: int | None = None
    original_file_sha: str | None = field(default=None, repr=False)
    version: str | None = None
    retyped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SyncReport:
    """What `Project.sync` found and did.

    Attributes:
        location: of the drop.
        items: one per file, and one per folder that was skipped.
        commits: the commits made.
        waiting: why the drop is not complete; then nothing was read.
        dry_run: whether writing was switched off.
    """

    location: str
    items: Rows[SyncItem] = field(repr=False)
    commits: tuple[str, ...]
    waiting: tuple[str, ...]
    dry_run: bool = False

    @property
    def complete(self) -> bool:
        """Whether the drop was complete."""
        return not self.waiting

    @property
    def failed(self) -> Rows[SyncItem]:
        """The files that failed."""
        return self.of("failed")

    @property
    def ok(self) -> bool:
        """Whether the drop was complete, and every file that is an extract by its extension was taken in."""
        return self.complete and not self.failed

    def of(self, status: FileStatus) -> Rows[SyncItem]:
        """The items with one status."""
        return rows(i for i in self.items if i.status == status)

    def check(self) -> SyncReport:
        """Return the report itself, if all is well.

        Raises:
            InvalidInputError: not `ok`; names every file and why. What was taken in stays.
        """
        if self.ok:
            return self
        problems = [*self.waiting, *(f"{i.file}: {i.reason}" for i in self.failed)]
        raise InvalidInputError(f"{self.location} was not taken whole:\n  - " + "\n  - ".join(problems), report=self)

    def __repr__(self) -> str:
        counts = Counter(i.status for i in self.items)
        said = ", ".join(f"{n} {status}" for status, n in counts.items()) or "no files"
        head = f"SyncReport of {self.location}: {said}" + (" (dry run)" if self.dry_run else "")
        return "\n".join([head, *(f"  not complete: {w}" for w in self.waiting), repr(self.items)])


@dataclass(frozen=True)
class _Found:
    """A file and what is known about it: its item, and its table if that is to be written."""

    item: SyncItem
    job: Job | None = None


class Sync:
    """One sync of one drop.

    Args:
        writer, editor: of the project.
        purpose: why and by whom, as the caller said it.
        reader: of the drop.
    """

    def __init__(
        self,
        writer: Writer,
        editor: DocumentEditor,
        purpose: Purpose,
        reader: DropReader,
        *,
        stop_on_error: bool,
    ) -> None:
        self.writer, self.editor, self.purpose, self.reader = writer, editor, purpose, reader
        self.stop_on_error = stop_on_error

    def run(self, *, batch: bool, dry_run: bool, now: datetime) -> SyncReport:
        """As `Project.sync`."""
        drop, location = self.reader.inspect(now), self.reader.source.location
        if drop.waiting:
            return SyncReport(location, rows(()), (), drop.waiting, dry_run)
        refused = [SyncItem(name, None, "failed", f"{why}.") for name, why in drop.refused.items()]
        if refused and self.stop_on_error:
            raise _stopped(location, refused[0], ())
        files = drop.files
        _, state = self.editor.load(tuple({f.table for f in files}))
        clashing = _clashing(files)
        done: list[_Found] = []
        commits: list[str] = []
        for file in files:
            found = self._find(file, state, clashing)
            if self.stop_on_error and found.item.status == "failed":
                raise _stopped(location, found.item, commits)
            if not batch:
                found = self._written([found], commits, dry_run)[0]
            done.append(found)
        if batch:
            done = self._written(done, commits, dry_run)
        if not commits and not dry_run:
            # A sync that was interrupted after its push has recorded these files; storage may not show them yet.
            self.writer.projector.bring_level(())
        items = [*(f.item for f in done), *refused, *_ignored(drop)]
        return SyncReport(location, rows(items), tuple(commits), (), dry_run)

    def _find(self, file: ExtractFile, state: ProjectState, clashing: set[str]) -> _Found:
        """Classify a file; it is read unless a version came from it. Errors in the file become part of its item."""
        table = file.table
        item = SyncItem(file.name, table, "failed")
        if not self.reader.supports(file):
            data = self.reader.unreadable([file])
            if data:
                return _Found(replace(item, reason=f"{data[file.name]}. Convert it, or leave it out by pattern=."))
            return _Found(replace(item, status="unsupported", reason=f"{Path(file.name).suffix or 'no'} format"))
        try:
            names.check_new_name(table)
            if table.lower() in clashing:
                raise InvalidInputError("other files of the drop are for the same table. Deliver one.")
            with tempfile.TemporaryDirectory(prefix="datom-") as folder:
                return self._look_into(file, state, item, Path(folder))
        except Exception as error:  # noqa: BLE001 - a library may raise anything for a bad file
            return _Found(replace(item, reason=_cause(error).removeprefix(f"{file.name}: ")))

    def _look_into(self, file: ExtractFile, state: ProjectState, item: SyncItem, folder: Path) -> _Found:
        path, sha = self.reader.fetch(file, folder)
        table = str(item.table)
        at_tip = state.table(table)
        item = replace(item, original_file_sha=sha)
        known = at_tip.history.of_file(sha)
        if known is not None:
            current = at_tip.current
            older = current is not None and current.version != known.version
            reason = "taken before; a later version is current" if older else None
            return _Found(replace(item, status="unchanged", version=known.version, reason=reason))
        before = None if at_tip.metadata is None else stored_types(self.writer.store, table, at_tip.metadata)
        extract = self.reader.read_fetched(file, path, sha, before=before)
        job = table_job(table, extract, self.writer.prefetch(), at_once=False)
        plan_write(state, [job.write])  # a table that the project refuses must not fail the others
        new = at_tip.metadata is None
        others = retyped(before or {}, job.content.data.table.schema)
        status: FileStatus = "new" if new else "changed"
        rows, notes = extract.data.num_rows, _notes(extract)
        return _Found(replace(item, status=status, rows=rows, retyped=others, notes=notes), job)

    def _written(self, found: list[_Found], commits: list[str], dry_run: bool) -> list[_Found]:
        jobs = [f.job for f in found if f.job is not None]
        if dry_run or not jobs:
            return [replace(f, job=None) for f in found]
        message = _message([f.item for f in found if f.job is not None])
        try:
            written = self.writer.run(jobs, self.purpose.intent(message), self.writer.prefetch())
        except Exception as error:
            culprits = _culprits(jobs, error)
            if not culprits:
                raise  # about the project, its remote or its store
            found = [_failed(f, culprits) for f in found]
            failed = next(f.item for f in found if f.item.status == "failed" and f.item.table in culprits)
            if self.stop_on_error:
                raise _stopped(self.reader.source.location, failed, commits) from error
            return self._written(found, commits, dry_run)
        results = {r.table: r for r in written}
        commits += {r.commit_sha: None for r in written if r.commit_sha is not None}
        return [_with_result(f, results) if f.job is not None else f for f in found]


def _culprits(jobs: Iterable[Job], error: Exception) -> dict[str, str]:
    """The tables that made a write fail, with the reason; none if it would fail for any table."""
    if isinstance(error, (ConflictError, StorageError, AccessDeniedError, NotFoundError)):
        return {}
    found: dict[str, str] = {}
    for job in jobs:
        table = job.write.table
        if isinstance(error, DatomError):
            payload = names.payload(table, job.write.data_sha)
            if error.details.get("table") == table or error.details.get("key") == payload:
                found[table] = _cause(error)
            continue
        try:
            job.hashed().encoding.file()
        except Exception as own:  # noqa: BLE001 - whatever a library raises for this one table
            found[table] = _cause(own)
    return found


def _notes(extract: Extract) -> tuple[str, ...]:
    """Distinctions that the file makes and the table does not."""
    counts = special_missing(extract.data.schema)
    return tuple(
        f"{column}: {sum(of.values())} special missing values became null "
        f"({', '.join(f'{code}: {n}' for code, n in of.items())})"
        for column, of in counts.items()
    )


def _failed(found: _Found, culprits: Mapping[str, str]) -> _Found:
    reason = culprits.get(str(found.item.table)) if found.job is not None else None
    return found if reason is None else _Found(replace(found.item, status="failed", reason=reason))


def _stopped(location: str, item: SyncItem, commits: Iterable[str]) -> InvalidInputError:
    return InvalidInputError(
        f"{location}: {item.file}: {item.reason} Nothing further was written.", item=item, commits=tuple(commits)
    )


def _cause(error: BaseException) -> str:
    """What went wrong: our own message, or a library's with its class."""
    if isinstance(error, DatomError):
        return str(error)
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    return f"{said} (from {_cause(error.__cause__)})" if error.__cause__ is not None else said


def _with_result(found: _Found, results: Mapping[str, WriteResult]) -> _Found:
    result = results[str(found.item.table)]
    return _Found(replace(found.item, action=result.action, version=result.version))


def _clashing(files: Iterable[ExtractFile]) -> set[str]:
    counts = Counter(f.table.lower() for f in files if of_name(f.name) is not None)
    return {table for table, n in counts.items() if n > 1}


def _ignored(drop: Drop) -> list[SyncItem]:
    return [SyncItem(name, None, "ignored", reason) for name, reason in drop.others.items()]


def _message(items: list[SyncItem]) -> str:
    """R's message for one table; for several, one that names them all, as far as length allows."""
    said = ", ".join(f"{i.table} ({i.status})" for i in items)
    text = f"Sync {said}" if len(items) == 1 else f"Sync {len(items)} tables: {said}"
    return check_message(text[:2000], "")
