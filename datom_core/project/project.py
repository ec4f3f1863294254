"""A project for those who write to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from datom_core.common import OnProgress, ProjectEvents, fitting, names
from datom_core.documents import Author, Parent
from datom_core.errors import InvalidInputError
from datom_core.extracts import DropReader, ExtractSource, SchemaLike
from datom_core.git import GitRepo, Remote, unshown
from datom_core.governance import Decommissioning, DecommissionReport, Governance
from datom_core.maintenance import Level, Reconciliation, validate
from datom_core.planning import CutResult, LostVersion, MirrorReport, Status, ValidationReport, WriteResult
from datom_core.project.open_project import ProjectParts, open_parts
from datom_core.publishing import Projector
from datom_core.reading import ProjectReader
from datom_core.storage import ObjectStore, check_store
from datom_core.tables import Compression
from datom_core.writing import (
    DocumentEditor,
    Intent,
    Sync,
    SyncReport,
    Writer,
    author_or_default,
    check_author,
    check_message,
    check_trailers,
    check_versions,
    cut_recorded,
    hosted,
    initialize_project,
    table_job,
    table_jobs,
    upgraded,
    utc_now,
)


@fitting
class Project:
    """One project: a git remote that holds its history, and a store that holds its data.

    Make one with `Project.init` or `Project.open`. It keeps no work tree; any number of processes may
    write to the same project at once, and a lost race is planned again on what the winner made.
    """

    def __init__(self, parts: ProjectParts) -> None:
        self._parts = parts
        self._name = parts.state.file.name
        self._schema = parts.state.manifest.schema
        self._store, self._repo, self._author = parts.store, parts.repo, parts.author
        self._writer = Writer(
            parts.repo, parts.store, parts.guard, parts.clock, self._name, parts.memo, parts.compression
        )
        self._editor = parts.editor(self._writer.projector)

    @classmethod
    def init(
        cls,
        name: str,
        store: ObjectStore,
        *,
        remote: str | os.PathLike[str] | Remote,
        create_repo: bool = False,
        schema: int = 2,
        branch: str | None = None,
        author: Author | str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Project:
        """Create a project and open it. Broken off anywhere, the same call completes it.

        Args:
            name: name of the project, by the rules for table names.
            store: where its data will lie; the namespace must be empty.
            remote: URL or path of an empty git repository; a local path where nothing is becomes a bare one.
                A `Remote` carries a token, a `GitHubRepository` too.
            create_repo: create the `GitHubRepository`, private, once the namespace is claimed; an empty one is used.
            schema: 2, or 1 for teams with R datom up to 0.1.2 (which lists a project of schema 2 as empty).
            branch, author, cache_dir, clock: as `Project.open`.

        Raises:
            AlreadyExistsError: the namespace or the remote is taken; says by what.
            InvalidInputError: a bad name, schema or remote.
            AccessDeniedError, NotFoundError, StorageError: the remote or the store cannot be used.
        """
        remote = unshown(remote)
        check_store(store)
        names.check_new_name(name, "project")
        if schema not in (1, 2):
            raise InvalidInputError(f"schema is 1 or 2, not {schema!r}.")
        repo = GitRepo(remote, branch, cache_dir)
        new = hosted(repo) if create_repo else None
        now = (clock or utc_now)()
        author = author_or_default(author)
        initialize_project(name, store, repo, schema=schema, author=author, now=now, to_create=new)
        return cls.open(store, remote=remote, branch=branch, author=author, cache_dir=cache_dir, clock=clock)

    @classmethod
    def open(
        cls,
        store: ObjectStore,
        *,
        remote: str | os.PathLike[str] | Remote,
        governance: Governance | ObjectStore | None = None,
        relocate: bool = False,
        branch: str | None = None,
        author: Author | str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        compression: Compression = "snappy",
        memo: bool = True,
        clock: Callable[[], datetime] | None = None,
    ) -> Project:
        """Open a project to write to it. The remote is enough: there is no clone to manage.

        Args:
            store: where its data lies, as the project has it recorded.
            remote: URL or path of its git repository, or a `Remote` with the token to log in with.
            governance: of a registered project: the register, or the register's storage. By default the one that the
                project names, when it can be reached with the credentials of ``store``.
            relocate: record that the data was moved to ``store`` (in one commit).
            branch: by default the one that the remote's HEAD names.
            author: ``"Name <email>"`` for commits; by default from the git configuration.
            cache_dir: where clones are cached; by default the user's cache directory.
            compression: of payloads that are written: ``"snappy"``, as R does, or ``"zstd"``, whose files are a little
                smaller. It has no part in the content hash, and readers need not know.
            memo: keep there what large tables hashed to, so that one that comes again unchanged is known at once. It
                never decides what is recorded: that is hashed each time.
            clock: the current time; for tests.

        Raises:
            NotFoundError: the remote or the store is not there, or holds no project.
            InvalidInputError: the project's data lies elsewhere, or it is registered elsewhere; both places are named.
            ConflictError: a move of its data has begun, and not been completed.
            FormatError: the project is of a newer schema.
        """
        remote = unshown(remote)
        parts = open_parts(
            store,
            GitRepo(remote, branch, cache_dir),
            governance,
            relocate=relocate,
            author=author_or_default(author),
            cache_dir=cache_dir,
            clock=clock or utc_now,
            compression=compression,
            memo=memo,
        )
        return cls(parts)

    @property
    def name(self) -> str:
        return self._name

    @property
    def store(self) -> ObjectStore:
        return self._store

    @property
    def remote(self) -> str:
        return self._repo.remote

    @property
    def branch(self) -> str:
        return self._repo.branch

    @property
    def schema(self) -> int:
        """Schema of the documents, 1 or 2."""
        return self._schema

    @property
    def governed(self) -> bool:
        """Whether the project is registered in a governance repo."""
        return self._parts.state.governance is not None

    @property
    def governance(self) -> Governance | None:
        """The register that the project belongs to."""
        return self._parts.governance

    @property
    def author(self) -> Author:
        """Who makes commits, when nobody else is named."""
        return self._author

    @property
    def events(self) -> ProjectEvents:
        """What its writes do, as it happens: ``project.events.subscribe(callback)``."""
        return self._writer.events

    @property
    def reader(self) -> ProjectReader:
        """A reader of the same project."""
        return ProjectReader(self._store, self.name, self._schema)

    def write(
        self,
        table: str,
        frame: object,
        *,
        message: str | None = None,
        parents: Iterable[Parent | Mapping[str, Any]] | None = None,
        custom: Mapping[str, Any] | None = None,
        cut: str | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
        table_type: str = "derived",
    ) -> WriteResult:
        """Make ``frame`` the current version of ``table``. The same frame again changes nothing.

        Nor does a frame for which the cut stands already, however many versions came after it.

        Args:
            table: its name; a new one creates the table.
            frame: a pyarrow Table, a pandas or polars DataFrame, or anything with ``__arrow_c_stream__``; or an
                `Extract`, whose file is recorded, and which is imported.
            message: why; for the history and the commit. ``Update {table}`` by default.
            parents: versions that it was derived from, from `Project.parent`.
            custom: own metadata (text, numbers, truth values, lists and mappings of them); a part of the version.
            cut: also record the result under this name.
            author: who, for this write.
            trailers: lines such as ``{"Dagster-Run": "..."}`` for the commit alone.
            table_type: ``"imported"`` for an extract, else ``"derived"``.

        Raises:
            InvalidInputError: something about the arguments; nothing has been touched.
            FormatError: the project may not be written by this release; nothing has been touched.
            ConflictError: others were faster every time, or the data has moved. Try again.
            StorageError: store or remote failed. Try again; what was half done is completed.
        """
        prefetch = self._writer.prefetch()
        job = table_job(table, frame, prefetch, parents=parents, custom=custom, table_type=table_type)
        default = f"Update {table}" + (f" (cut {cut})" if cut else "")
        intent = self._intent(message, default, author, trailers, cut)
        return self._writer.run([job], intent, prefetch)[0]

    def cut(
        self,
        name: str,
        tables: Mapping[str, object],
        *,
        message: str | None = None,
        parents: Mapping[str, Iterable[Parent | Mapping[str, Any]]] | None = None,
        custom: Mapping[str, Mapping[str, Any]] | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
        table_type: str = "derived",
    ) -> CutResult:
        """Write several tables and record them under one name, in one commit.

        Args:
            name: name of the cut, for example ``"2026-02-28"`` or ``"lock"``.
            tables: table name -> frame.
            message: why; ``Record cut {name}`` by default.
            parents, custom: per table, as `Project.write`.
            author, trailers, table_type: as `Project.write`.

        Raises:
            As `Project.write`. One table that is refused refuses the cut, before any effect.
        """
        intent = self._intent(message, f"Record cut {name}", author, trailers, names.check_cut_name(name))
        prefetch = self._writer.prefetch()
        jobs = table_jobs(tables, parents, custom, table_type, prefetch)
        results = self._writer.run(jobs, intent, prefetch)
        return CutResult(name, results[0].commit_sha, {r.table: r for r in results})

    def write_all(
        self,
        tables: Mapping[str, object],
        *,
        message: str | None = None,
        parents: Mapping[str, Iterable[Parent | Mapping[str, Any]]] | None = None,
        custom: Mapping[str, Mapping[str, Any]] | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
        table_type: str = "derived",
    ) -> dict[str, WriteResult]:
        """Write several tables in one commit, all or none; as `cut`, without a name for the result.

        ``message`` is by default ``Update {tables}``.
        """
        prefetch = self._writer.prefetch()
        jobs = table_jobs(tables, parents, custom, table_type, prefetch)
        intent = self._intent(message, f"Update {', '.join(tables)}", author, trailers, None)
        return {r.table: r for r in self._writer.run(jobs, intent, prefetch)}

    def sync(
        self,
        folder: str | os.PathLike[str] | ExtractSource,
        pattern: str = "*",
        *,
        schema: Mapping[str, SchemaLike] | None = None,
        batch: bool = True,
        r_compat: bool = False,
        encoding: str | None = None,
        separator: str | None = None,
        manifest: str | None = None,
        quiet: float | None = None,
        message: str | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
        dry_run: bool = False,
        stop_on_error: bool = False,
    ) -> SyncReport:
        """Take the extract files of a folder: each is a table by its name, and a version if it is new.

        A file that any version of the table came from is ``unchanged`` and is not read, also when a later version is
        current. A file of other bytes and the same content is a version that differs in metadata alone, as in R. One
        bad file does not stop the others, and nothing of it is written; look at `SyncReport.ok`, or call its `check`.

        Args:
            folder: a path, a `LocalFolder` or an `S3Folder`; what lies in folders below is not looked at.
            pattern: which files, for example ``"*.xpt"``.
            schema: per table, as for `read_extract`.
            batch: one commit for all tables, which are held in memory together; else one per table.
            r_compat, encoding, separator: as for `read_extract`.
            manifest: name of a file that lists the drop; until all that it lists is there, nothing is read.
            quiet: seconds for which no file may have changed; until then, nothing is read.
            message: why; ``Sync {table} (new)``, or one that names all tables, by default.
            author, trailers: as `write`.
            dry_run: look and read, and write nothing.
            stop_on_error: raise at the first bad file; with ``batch`` nothing is written then.

        Raises:
            InvalidInputError: something about the arguments; or, with ``stop_on_error``, about a file.
            NotFoundError: the folder is not there.
            The errors of `write` about the project, its remote and its store. Try again; what was taken stays.
        """
        reader = DropReader(
            folder,
            pattern,
            schema=schema,
            r_compat=r_compat,
            encoding=encoding,
            separator=separator,
            manifest=manifest,
            quiet=quiet,
        )
        self._intent(message, "Sync", author, trailers, None)

        def intent(default: str) -> Intent:
            return self._intent(message, default, author, trailers, None)

        sync = Sync(self._writer, self._editor, intent, reader, stop_on_error=stop_on_error)
        return sync.run(batch=batch, dry_run=dry_run, now=utc_now())

    def parent(self, table: str, version: str | None = None) -> Parent:
        """A version of a table of this project, to be declared in another table's ``parents``."""
        return self.reader.parent(table, version)

    def record_cut(
        self,
        name: str,
        versions: Mapping[str, str | None] | Iterable[str],
        *,
        message: str | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
    ) -> str | None:
        """Let a name stand for versions that exist, without writing data; what else is known of them stays.

        Args:
            name: name of the cut.
            versions: names of tables, whose current versions are meant; or a mapping from table to version id (or
                its first digits, or ``None`` for the current one).
            message, author, trailers: as `cut`.

        Returns:
            The commit, or ``None`` when the cut stands for these versions already.

        Raises:
            NotFoundError: a table or version that the project does not have, or whose data is not in storage.
        """
        intent = self._intent(message, f"Record cut {name}", author, trailers, names.check_cut_name(name))
        asked = check_versions(versions)
        edit = cut_recorded(name, asked, intent.author, intent.message)
        return self._editor.run(edit, intent.commit_message(intent.message), intent.author, tuple(asked))

    def recover_versions(self, *, author: Author | str | None = None) -> tuple[LostVersion, ...]:
        """Record again what storage shows and the branch has lost, as after the remote was set back by a force-push.

        Each lost version is recorded with its own document, author, time and message, in a commit that says where it
        comes from; then the cuts, and what is current where the branch has not gone on by itself. Everything is
        compared with its recorded hashes before the first commit. Where a clone still has the lost commits, pushing
        them is better: that brings back the commits themselves.

        Args:
            author: of the commits.

        Returns:
            The versions; none when nothing was lost.

        Raises:
            IntegrityError: storage does not have all of it any more; names every version. Nothing was written.
            ConflictError, StorageError: call it again; it goes on.
        """
        return Reconciliation(self._editor, self._author if author is None else check_author(author)).recover()

    def accept_history(self, *, reason: str, author: Author | str | None = None) -> str | None:
        """Let storage follow the branch as it is now, whatever else storage shows: the reason goes into a commit.

        For a remote that was set back on purpose, and for a change to another branch. The commit names every version
        that is given up. Their payloads and documents stay in storage, and no history or list shows them any more.

        Args:
            reason: why.
            author: of the commit.

        Returns:
            The commit, or ``None`` when storage shows nothing else.

        Raises:
            InvalidInputError: there is no reason.
            ConflictError, StorageError: call it again; it goes on.
        """
        return Reconciliation(self._editor, self._author if author is None else check_author(author)).accept(reason)

    def mirror(self) -> MirrorReport:
        """Bring everything in storage level with git, snapshots included. Only a set's payloads can come from git."""
        _, state = self._editor.load(None)
        report = self._writer.projector.bring_level(state.manifest.entries, thorough=True)
        return MirrorReport(report.written, report.waiting)

    def validate(
        self, level: Level = "quick", *, fix: bool = False, on_progress: OnProgress | None = None
    ) -> ValidationReport:
        """Compare what lies in storage with what git says, and return when all is well. Others may write meanwhile.

        Args:
            level: ``"quick"``: documents, snapshots and current payloads are there, and the lists say what git says.
                ``"deep"``: also, documents and snapshots say what git says, git agrees with itself, and the payload of
                every version is there; one of an unrecorded size is hashed. ``"full"``: also, every payload is hashed.
            fix: put back what git can give, when anything is missing or wrong. No payload is overwritten or deleted.
            on_progress: is told of each snapshot and payload that was read.

        Raises:
            IntegrityError: something is wrong, and was not put right. ``error.report`` names every version and key;
                documents that only lag behind git count too.
            NotFoundError: the store holds nothing of the project, or a place is not there.
            ConflictError: others write so fast that nothing is certain; or the data has moved.
            FormatError: a document in git cannot be read, or one is of a newer schema.
            AccessDeniedError, StorageError: the store or git failed, so that nothing is known.
        """
        return validate(self._editor, level, fix=fix, on_progress=on_progress)

    def status(self) -> Status:
        """Where the project stands: the newest commit, and whether storage is level with it."""
        return self._editor.status()

    def decommission(
        self, *, confirm: str, dry_run: bool = False, on_progress: OnProgress | None = None
    ) -> DecommissionReport:
        """Take the project away for good: mark it, empty its storage, end its registration, delete its repository.

        First it is listed what goes. Each step can be done again: broken off anywhere, the same call goes on, and so
        does `Governance.decommission` from another machine. What datom did not write stays, as do the bucket, other
        prefixes and the governance repo. From the first step on nobody writes to the project any more.

        Args:
            confirm: the project's name, typed out.
            dry_run: only say what goes.
            on_progress: is told of each step, and of each object.

        Returns:
            What goes, or went: look at ``note`` (versions in the bucket) and at what becomes of the repository.

        Raises:
            InvalidInputError: ``confirm`` is another name; nothing was touched.
            AccessDeniedError, StorageError: a step failed; says what is done and what is left.
        """
        register = self.governance.register if self.governance is not None else None
        return Decommissioning(
            self._name,
            self._store,
            self._repo,
            register,
            author=self._author,
            clock=self._editor.clock,
            on_progress=on_progress,
        ).run(confirm, dry_run=dry_run)

    def upgrade(self) -> str | None:
        """Convert the project to schema 2 in one commit; its id, or ``None`` when it is of schema 2 already.

        R datom up to 0.1.2 lists a project of schema 2 as empty. Versions keep their ids.
        """
        commit = self._editor.run(upgraded, "Upgrade to schema 2", self._author)
        self._schema = 2
        return commit

    @property
    def editor(self) -> DocumentEditor:
        """Changes of this project's own documents; for the operations of this package."""
        return self._editor

    def editor_for(self, store: ObjectStore) -> DocumentEditor:
        """The same, projected into another store."""
        return replace(self._editor, projector=Projector(self._repo, store, target_unrecorded=True))

    def reopened(self, governance: Governance) -> Project:
        """The project as it is now, as a member of a register."""
        return Project(self._parts.inside(governance))

    def _intent(
        self,
        message: str | None,
        default: str,
        author: Author | str | None,
        trailers: Mapping[str, str] | None,
        cut: str | None,
    ) -> Intent:
        who = self._author if author is None else check_author(author)
        if cut is not None:
            names.check_cut_name(cut)
        return Intent(check_message(message, default), who, check_trailers(trailers), cut)

    def __repr__(self) -> str:
        at = self._store.location
        return (
            f"Project({self.name!r}, backend={at.backend!r}, root={at.root!r}, prefix={at.prefix!r}, "
            f"schema={self._schema}, governance={'attached' if self.governed else 'none'}, remote={self.remote!r})"
        )
