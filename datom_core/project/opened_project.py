"""An open project in general: what it is, whether all is well with it, and how to mend it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import IO, Any

from datom_core.common import OnProgress, ProjectEvents, names
from datom_core.documents import Author, Parent, Provenance, format_timestamp
from datom_core.errors import DivergedError
from datom_core.extracts import Extract, SchemaLike, load_extract
from datom_core.governance import Decommissioning, DecommissionReport, Governance
from datom_core.maintenance import Reconciliation, validate
from datom_core.planning import Depth, LostVersion, MirrorReport, PlannedWrite, Status, ValidationReport, planned
from datom_core.project.audited import Audited
from datom_core.project.handed_over import HandedOver
from datom_core.project.holding import Holding
from datom_core.project.open_project import ProjectParts
from datom_core.project.reviewed import Reviewed
from datom_core.project.sets import Sets
from datom_core.reading import ProjectReader, RowHistory, stored_types
from datom_core.storage import ObjectStore
from datom_core.writing import Purpose, Writer, check_author, table_jobs, upgraded

#: The line of a commit's message that names the run of Dagster that made it.
RUN_TRAILER = "Dagster-Run"


class OpenedProject(Audited, HandedOver, Holding, Reviewed, Sets):
    """An open project and its upkeep. `Project` adds methods that write versions."""

    def __init__(self, parts: ProjectParts) -> None:
        self._parts = parts
        self._name = parts.state.file.name
        self._schema = parts.state.manifest.schema
        self._writer = Writer(
            parts.repo, parts.store, parts.guard, parts.clock, self._name, parts.memo, parts.compression
        )
        self._editor = parts.editor(self._writer.projector)

    @property
    def name(self) -> str:
        return self._name

    @property
    def store(self) -> ObjectStore:
        return self._parts.store

    @property
    def remote(self) -> str:
        return self._parts.repo.remote

    @property
    def branch(self) -> str:
        return self._parts.repo.branch

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
        """The project's register."""
        return self._parts.governance

    @property
    def author(self) -> Author:
        """Who makes commits, unless another author is named."""
        return self._parts.author

    @property
    def events(self) -> ProjectEvents:
        """Events of its writes, as they happen: ``project.events.subscribe(callback)``."""
        return self._writer.events

    @property
    def reader(self) -> ProjectReader:
        """A reader of the same project."""
        return ProjectReader(self._parts.store, self.name, self._schema)

    def row_history(self, table: str, key: Mapping[str, Any]) -> RowHistory:
        """As `ProjectReader.row_history`, with what git alone knows: the Dagster run that recorded each value.

        ``run`` is what the commit's ``Dagster-Run`` line says, ``None`` for writers outside Dagster. ``commit_sha`` is
        there also for a version that became current again. Git is asked once, however many values there are.

        Raises:
            The errors of `ProjectReader.row_history`; AccessDeniedError, StorageError: git failed.
        """
        found, repo = self.reader.row_history(table, key), self._parts.repo
        tip = repo.tip()
        commits = [] if tip is None else repo.changed(tip, names.history_file(table), RUN_TRAILER)
        times = Counter(format_timestamp(c.at) for c in commits)
        made = {at: c.commit for c in commits if times[at := format_timestamp(c.at)] == 1}
        return found.with_runs({c.commit: c.trailer for c in commits if c.trailer is not None}, made)

    def plan_write(
        self,
        tables: Mapping[str, object],
        *,
        cut: str | None = None,
        parents: Mapping[str, Iterable[Parent | Mapping[str, Any]]] | None = None,
        custom: Mapping[str, Mapping[str, Any]] | None = None,
        table_type: str = "derived",
    ) -> dict[str, PlannedWrite]:
        """What `Project.write_all`, or `Project.cut`, would do with these tables now. Nothing is written anywhere.

        What is refused by a write is refused here. That storage lacks something that a write would put back is not
        looked for.

        Args:
            tables: table name -> frame.
            cut: the name under which they would be recorded.
            parents, custom, table_type: as `Project.cut`.

        Raises:
            As `Project.write`.
        """
        prefetch = self._writer.prefetch()
        jobs = table_jobs(tables, parents, custom, table_type, prefetch, at_once=False)
        plan = self._writer.plan(jobs, None if cut is None else names.check_cut_name(cut))
        return {p.write.table: planned(p, plan) for p in plan.tables}

    def read_extract(
        self,
        table: str,
        source: str | os.PathLike[str] | bytes | IO[bytes],
        *,
        schema: SchemaLike | None = None,
        r_compat: bool = False,
        format: str | None = None,  # noqa: A002 - as in read_extract
        encoding: str | None = None,
        separator: str | None = None,
        sheet: str | None = None,
    ) -> Extract:
        """An extract file as the next version of a table: what `Project.sync` would make of it.

        Columns without any value have the type that they have in the version before. Given to `Project.write`, it is
        imported, and its file recorded.

        Args:
            table: its name.
            source, schema, r_compat, format, encoding, separator, sheet: as `datom_core.read_extract`.

        Raises:
            The errors of `datom_core.read_extract`; ConflictError: the file changed while it was read.
        """
        _, state = self._editor.load((names.check_new_name(table),))
        metadata = state.table(table).metadata
        before = None if metadata is None else stored_types(self.store, table, metadata)
        how = {"schema": schema, "r_compat": r_compat, "encoding": encoding, "separator": separator, "sheet": sheet}
        return load_extract(source, format=format, before=before, **how)

    def divergence(self) -> DivergedError | None:
        """What storage shows and the branch does not have, as the error that every write would raise; it only looks.

        `recover_versions` brings it back, `accept_history` gives it up.

        Returns:
            The error, with ``lost``, ``lost_cuts``, ``lost_marks`` and ``lost_approvals``; ``None`` if storage shows
            nothing else.

        Raises:
            ConflictError, StorageError: nothing is known; call it again.
        """
        return self._reconciliation(None).refusal()

    def recover_versions(self, *, author: Author | str | None = None) -> tuple[LostVersion, ...]:
        """Record again what storage shows and the branch has lost, for example after a force-push set the remote back.

        Each lost version is recorded with its own document, author, time and message, in a commit that says where it
        comes from; then the cuts, and the current version wherever the branch has not moved on by itself. Before the
        first commit, everything is compared with its recorded hashes. If a clone still has the lost commits, push them
        instead: that brings back the commits themselves.

        Args:
            author: of the commits.

        Returns:
            The versions; none if nothing was lost.

        Raises:
            IntegrityError: storage no longer has all of it; names every version. Nothing was written.
            ConflictError, StorageError: call it again; it continues.
        """
        return self._reconciliation(author).recover()

    def accept_history(self, *, reason: str, author: Author | str | None = None) -> str | None:
        """Let storage follow the branch as it is now, whatever else storage shows, and record the reason in a commit.

        Use it when a remote was set back on purpose, or to change to another branch. The commit names every version
        that is given up. Their payloads and documents stay in storage, but no history or list shows them any more.

        Args:
            reason: why.
            author: of the commit.

        Returns:
            The commit, or ``None`` if storage shows nothing else.

        Raises:
            InvalidInputError: no reason was given.
            ConflictError, StorageError: call it again; it continues.
        """
        return self._reconciliation(author).accept(reason)

    def mirror(self) -> MirrorReport:
        """Bring everything in storage level with git, including snapshots. Only a set's payloads can come from git."""
        _, state = self._editor.load(None)
        report = self._writer.projector.bring_level(state.manifest.entries, thorough=True)
        return MirrorReport(report.written, report.waiting)

    def validate(
        self, depth: Depth = "quick", *, fix: bool = False, on_progress: OnProgress | None = None
    ) -> ValidationReport:
        """Compare storage with git, and return if all is well. Others may write meanwhile.

        Args:
            depth: ``"quick"``: documents, snapshots and current payloads are there, and the lists agree with git.
                ``"deep"``: also, documents and snapshots agree with git, git agrees with itself, and every version's
                payload is there; a payload without a recorded size is hashed. ``"full"``: also, every payload is
                hashed.
            fix: restore whatever git can give that is missing or wrong. No payload is overwritten or deleted.
            on_progress: called for each snapshot and payload that was read.

        Raises:
            IntegrityError: something is wrong, and was not fixed. ``error.report`` names every version and key;
                documents that only lag behind git count, too.
            NotFoundError: the store holds nothing of the project, or the store or the remote is missing.
            ConflictError: others write so fast that nothing is certain; or the data has moved.
            FormatError: a document in git cannot be read, or has a newer schema.
            AccessDeniedError, StorageError: the store or git failed, so nothing is known.
        """
        return validate(self._editor, depth, fix=fix, on_progress=on_progress)

    def status(self) -> Status:
        """Where the project stands: the newest commit, and whether storage is level with it."""
        return self._editor.status()

    def decommission(
        self, *, confirm: str, dry_run: bool = False, on_progress: OnProgress | None = None
    ) -> DecommissionReport:
        """Remove the project for good: mark it, empty its storage, end its registration, delete its repository.

        It first lists what will go. Every step can be repeated: if it is interrupted, the same call continues, and so
        does `Governance.decommission` from another machine. What datom did not write stays, as do the bucket, other
        prefixes and the governance repo. From the first step on, nobody can write to the project.

        Args:
            confirm: the project's name, typed out.
            dry_run: only list what would go.
            on_progress: called for each step, and for each object.

        Returns:
            What goes, or went: see ``note`` (versions in the bucket) and the fate of the repository.

        Raises:
            InvalidInputError: ``confirm`` is another name, or a cut is locked; nothing was touched.
            AccessDeniedError, StorageError: a step failed; says what is done and what is left.
        """
        register = self.governance.register if self.governance is not None else None
        return Decommissioning(
            self._name,
            self._parts.store,
            self._parts.repo,
            register,
            author=self.author,
            clock=self._editor.clock,
            on_progress=on_progress,
        ).run(confirm, dry_run=dry_run)

    def upgrade(self, *, dry_run: bool = False) -> str | None:
        """Convert the project to schema 2 in one commit; its id, or ``None`` if it has schema 2 already.

        R datom up to 0.1.2 lists a schema 2 project as empty. Versions keep their ids. ``dry_run`` checks whether it
        can be done, and does nothing.
        """
        commit = self._editor.run(upgraded, "Upgrade to schema 2", self.author, dry_run=dry_run)
        if not dry_run:
            self._schema = 2
        return commit

    def _purpose(
        self,
        message: str | None,
        author: Author | str | None,
        trailers: Mapping[str, str] | None,
        provenance: Provenance | None,
    ) -> Purpose:
        return Purpose.asked(message, author, trailers, provenance, standing=self._parts.standing)

    def _reconciliation(self, author: Author | str | None) -> Reconciliation:
        return Reconciliation(self._editor, self.author if author is None else check_author(author))

    def __repr__(self) -> str:
        at = self.store.location
        return (
            f"Project({self.name!r}, backend={at.backend!r}, root={at.root!r}, prefix={at.prefix!r}, "
            f"schema={self._schema}, governance={'attached' if self.governed else 'none'}, remote={self.remote!r})"
        )
