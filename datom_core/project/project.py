"""A project to write to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from datom_core.common import fitting, names
from datom_core.documents import Author, Parent, Provenance
from datom_core.errors import InvalidInputError
from datom_core.extracts import DropReader, ExtractSource, SchemaLike
from datom_core.git import GitRepo, Remote, SigningKey, unshown
from datom_core.governance import Candidate, Governance, as_candidate
from datom_core.planning import CutResult, WriteResult
from datom_core.project.open_project import Settings, open_parts
from datom_core.project.signed_project import SignedProject
from datom_core.storage import ObjectStore, check_store
from datom_core.tables import Compression
from datom_core.writing import (
    DocumentEditor,
    Purpose,
    Sync,
    SyncReport,
    check_versions,
    cut_recorded,
    hosted,
    initialize_project,
    table_job,
    table_jobs,
    utc_now,
)


@fitting
class Project(SignedProject):
    """One project: a git remote that holds its history, and a store that holds its data.

    Make one with `Project.init` or `Project.open`. It keeps no work tree; any number of processes may write to the same
    project at once, and a writer that loses a race plans again on top of the winner's commit.
    """

    @classmethod
    def init(
        cls,
        name: str,
        store: ObjectStore,
        *,
        remote: str | os.PathLike[str] | Remote,
        create_repo: bool = False,
        schema: int = 2,
        product: str | None = None,
        branch: str | None = None,
        author: Author | str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        clock: Callable[[], datetime] | None = None,
        signing: SigningKey | str | os.PathLike[str] | None = None,
    ) -> Project:
        """Create a project and open it. If the call is interrupted, the same call completes it.

        Args:
            name: name of the project; the rules for table names apply.
            store: where its data will lie; the namespace must be empty.
            remote: URL or path of an empty git repository; at a local path where nothing exists, a bare one is made.
                A `Remote` carries a token, and so does a `GitHubRepository`.
            create_repo: create the `GitHubRepository`, private, once the namespace is claimed; an empty one is used.
            product: for a product, the name of its one set: what is derived here is released as that set, and no
                extract is imported.
            schema: 2, or 1 for teams with R datom up to 0.1.2 (which lists a schema 2 project as empty).
            branch, author, cache_dir, clock, signing: as `Project.open`.

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
        if product is not None and names.check_new_name(product, "set") and schema == 1:
            raise InvalidInputError("A product has a set, and sets need schema 2.", product=product)
        settings = Settings.asked(author, cache_dir, clock, signing=signing)
        repo = GitRepo(remote, branch, cache_dir, settings.signing)
        new = hosted(repo) if create_repo else None
        initialize_project(
            name, store, repo, schema=schema, standing=settings.standing, to_create=new, product_set=product
        )
        return cls(open_parts(store, repo, None, settings, relocate=False))

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
        signing: SigningKey | str | os.PathLike[str] | None = None,
    ) -> Project:
        """Open a project to write to it. The remote is enough: there is no clone to manage.

        Args:
            store: where its data lies, as recorded in the project.
            remote: URL or path of its git repository, or a `Remote` with the token to log in with.
            governance: for a registered project, the register or the register's storage. By default, the one that the
                project names, if the credentials of ``store`` can reach it.
            relocate: record, in one commit, that the data was moved to ``store``.
            branch: by default, the one that the remote's HEAD names.
            author: ``"Name <email>"`` for commits; by default from the git configuration.
            cache_dir: where clones are cached; by default the user's cache directory.
            compression: of payloads it writes: ``"snappy"``, as R does, or ``"zstd"``, whose files are slightly
                smaller. It is not part of the content hash, and readers need not know.
            memo: keep the hashes of large tables in ``cache_dir``, so that an unchanged one is recognized at once. They
                never decide what is recorded: that is hashed each time.
            clock: the current time; for tests.
            signing: a `SigningKey`, or the path of an SSH key, that signs every commit (docs/signing.md).

        Raises:
            NotFoundError: the remote or the store is not there, or holds no project; or there is no such key.
            AccessDeniedError: the key does not sign: it has a passphrase, or its agent is away.
            InvalidInputError: the project's data lies elsewhere, or it is registered elsewhere; names both places.
            ConflictError: a move of its data has begun and is not complete.
            FormatError: the project's schema is newer than this release.
        """
        remote = unshown(remote)
        settings = Settings.asked(author, cache_dir, clock, compression=compression, memo=memo, signing=signing)
        repo = GitRepo(remote, branch, cache_dir, settings.signing)
        return cls(open_parts(store, repo, governance, settings, relocate=relocate))

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
        provenance: Provenance | None = None,
        table_type: str = "derived",
    ) -> WriteResult:
        """Make ``frame`` the current version of ``table``. Writing the same frame again changes nothing.

        A frame for which the cut already stands also changes nothing, however many versions came after it.

        Args:
            table: its name; a new name creates the table.
            frame: a pyarrow Table, a pandas or polars DataFrame, or anything with ``__arrow_c_stream__``; or an
                `Extract`, whose file is imported and recorded.
            message: why; for the history and the commit. ``Update {table}`` by default.
            parents: the versions it was derived from, from `Project.parent`.
            custom: your own metadata (text, numbers, booleans, lists and mappings of them), which is part of the
                version.
            cut: also record the result under this name.
            author: who made this write.
            trailers: lines such as ``{"Dagster-Run": "..."}``, for the commit only.
            provenance: who asked, in which run, from which system and why; what else is known is filled in.
            table_type: ``"imported"`` for an extract, else ``"derived"``.

        Raises:
            InvalidInputError: an argument is not valid; nothing has been touched.
            FormatError: this release may not write to the project; nothing has been touched.
            ConflictError: others were faster every time, or the data has moved. Try again.
            StorageError: the store or the remote failed. Try again; a half-done write is completed.
        """
        default = f"Update {table}" + (f" (cut {cut})" if cut else "")
        intent = self._purpose(message, author, trailers, provenance).intent(default, cut)
        prefetch = self._writer.prefetch()
        job = table_job(table, frame, prefetch, parents=parents, custom=custom, table_type=table_type)
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
        provenance: Provenance | None = None,
        table_type: str = "derived",
    ) -> CutResult:
        """Write several tables and record them under one name, in one commit.

        Args:
            name: name of the cut, for example ``"2026-02-28"`` or ``"lock"``.
            tables: table name -> frame.
            message: why; ``Record cut {name}`` by default.
            parents, custom: per table, as `Project.write`.
            author, trailers, provenance, table_type: as `Project.write`.

        Raises:
            As `Project.write`. If one table is refused, the whole cut is, before anything happens.
        """
        names.check_cut_name(name)
        purpose = self._purpose(message, author, trailers, provenance)
        results = self._write_tables(tables, purpose, parents, custom, table_type, cut=name)
        return CutResult(name, next(iter(results.values())).commit_sha, results)

    def write_all(
        self,
        tables: Mapping[str, object],
        *,
        message: str | None = None,
        parents: Mapping[str, Iterable[Parent | Mapping[str, Any]]] | None = None,
        custom: Mapping[str, Mapping[str, Any]] | None = None,
        author: Author | str | None = None,
        trailers: Mapping[str, str] | None = None,
        provenance: Provenance | None = None,
        table_type: str = "derived",
    ) -> dict[str, WriteResult]:
        """Write several tables in one commit, all or none; like `cut`, without a name for the result.

        ``message`` is by default ``Update {tables}``.
        """
        purpose = self._purpose(message, author, trailers, provenance)
        return self._write_tables(tables, purpose, parents, custom, table_type)

    def _write_tables(
        self,
        tables: Mapping[str, object],
        purpose: Purpose,
        parents: Mapping[str, Iterable[Parent | Mapping[str, Any]]] | None,
        custom: Mapping[str, Mapping[str, Any]] | None,
        table_type: str,
        cut: str | None = None,
    ) -> dict[str, WriteResult]:
        """Write in one commit, and record under a name if one is given."""
        prefetch = self._writer.prefetch()
        jobs = table_jobs(tables, parents, custom, table_type, prefetch)
        default = f"Update {', '.join(tables)}" if cut is None else f"Record cut {cut}"
        return {r.table: r for r in self._writer.run(jobs, purpose.intent(default, cut), prefetch)}

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
        provenance: Provenance | None = None,
        dry_run: bool = False,
        stop_on_error: bool = False,
    ) -> SyncReport:
        """Take in the extract files of a folder: each is a table, named after the file, and a version if it is new.

        A file that any version of the table came from is ``unchanged`` and is not read, even if a later version is
        current. A file with other bytes but the same content is a version that differs in metadata alone, as in R. One
        bad file does not stop the others, and none of it is written; look at `SyncReport.ok`, or call the report's
        `check`.

        Args:
            folder: a path, a `LocalFolder` or an `S3Folder`; its subfolders are not read.
            pattern: which files, for example ``"*.xpt"``.
            schema: per table, as for `read_extract`.
            batch: one commit for all tables, which are then in memory together; otherwise one per table.
            r_compat, encoding, separator: as for `read_extract`.
            manifest: name of a file that lists the drop; nothing is read until everything it lists is there.
            quiet: seconds without any change to a file; until they have passed, nothing is read.
            message: why; ``Sync {table} (new)``, or one that names all tables, by default.
            author, trailers, provenance: as `write`.
            dry_run: look and read, but write nothing.
            stop_on_error: raise at the first bad file; with ``batch``, nothing is written then.

        Raises:
            InvalidInputError: an argument is not valid; or, with ``stop_on_error``, a file.
            NotFoundError: the folder does not exist.
            The errors of `write` about the project, its remote and its store. Try again; what was taken in stays.
        """
        how: dict[str, Any] = {"r_compat": r_compat, "encoding": encoding, "separator": separator}
        reader = DropReader(folder, pattern, schema=schema, manifest=manifest, quiet=quiet, **how)
        purpose = self._purpose(message, author, trailers, provenance)
        sync = Sync(self._writer, self._editor, purpose, reader, stop_on_error=stop_on_error)
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
        provenance: Provenance | None = None,
        dry_run: bool = False,
    ) -> str | None:
        """Let a name stand for existing versions, without writing data; what else is known of them stays.

        Args:
            name: name of the cut.
            versions: names of tables, meaning their current versions; or a mapping from table to version id (or its
                first digits, or ``None`` for the current one).
            message, author, trailers, provenance: as `cut`.
            dry_run: check everything, and record nothing.

        Returns:
            The commit, or ``None`` if the cut already stands for these versions.

        Raises:
            NotFoundError: the project lacks a table or version, or its data is not in storage.
            InvalidInputError: the cut is locked, and stands for something else.
        """
        intent = self._purpose(message, author, trailers, provenance).intent(
            f"Record cut {name}", names.check_cut_name(name)
        )
        asked = check_versions(versions)
        edit = cut_recorded(name, asked, intent.author, intent.message, intent.provenance)
        message = intent.commit_message(intent.message)
        return self._editor.run(edit, message, intent.author, tuple(asked), dry_run=dry_run)


def editor_of(project: Project) -> DocumentEditor:
    """The editor of a project's own documents; for the operations of this folder."""
    return project._editor


@as_candidate.register
def _(project: Project) -> Candidate[Project]:
    return Candidate(project._editor, lambda governance: Project(project._parts.inside(governance)))
