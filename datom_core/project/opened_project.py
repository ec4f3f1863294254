"""An open project as such: what it is, whether all is well with it, and what puts that right."""

from __future__ import annotations

from datom_core.common import OnProgress, ProjectEvents
from datom_core.documents import Author
from datom_core.governance import Decommissioning, DecommissionReport, Governance
from datom_core.maintenance import Depth, Reconciliation, validate
from datom_core.planning import LostVersion, MirrorReport, Status, ValidationReport
from datom_core.project.open_project import ProjectParts
from datom_core.reading import ProjectReader
from datom_core.storage import ObjectStore
from datom_core.writing import Writer, check_author, upgraded


class OpenedProject:
    """A project that is open: what it is, and its upkeep. `Project` adds what writes versions."""

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
        """The register that the project belongs to."""
        return self._parts.governance

    @property
    def author(self) -> Author:
        """Who makes commits, when nobody else is named."""
        return self._parts.author

    @property
    def events(self) -> ProjectEvents:
        """What its writes do, as it happens: ``project.events.subscribe(callback)``."""
        return self._writer.events

    @property
    def reader(self) -> ProjectReader:
        """A reader of the same project."""
        return ProjectReader(self._parts.store, self.name, self._schema)

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
        return self._reconciliation(author).recover()

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
        return self._reconciliation(author).accept(reason)

    def mirror(self) -> MirrorReport:
        """Bring everything in storage level with git, snapshots included. Only a set's payloads can come from git."""
        _, state = self._editor.load(None)
        report = self._writer.projector.bring_level(state.manifest.entries, thorough=True)
        return MirrorReport(report.written, report.waiting)

    def validate(
        self, depth: Depth = "quick", *, fix: bool = False, on_progress: OnProgress | None = None
    ) -> ValidationReport:
        """Compare what lies in storage with what git says, and return when all is well. Others may write meanwhile.

        Args:
            depth: ``"quick"``: documents, snapshots and current payloads are there, and the lists say what git says.
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
        return validate(self._editor, depth, fix=fix, on_progress=on_progress)

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
            self._parts.store,
            self._parts.repo,
            register,
            author=self.author,
            clock=self._editor.clock,
            on_progress=on_progress,
        ).run(confirm, dry_run=dry_run)

    def upgrade(self) -> str | None:
        """Convert the project to schema 2 in one commit; its id, or ``None`` when it is of schema 2 already.

        R datom up to 0.1.2 lists a project of schema 2 as empty. Versions keep their ids.
        """
        commit = self._editor.run(upgraded, "Upgrade to schema 2", self.author)
        self._schema = 2
        return commit

    def _reconciliation(self, author: Author | str | None) -> Reconciliation:
        return Reconciliation(self._editor, self.author if author is None else check_author(author))

    def __repr__(self) -> str:
        at = self.store.location
        return (
            f"Project({self.name!r}, backend={at.backend!r}, root={at.root!r}, prefix={at.prefix!r}, "
            f"schema={self._schema}, governance={'attached' if self.governed else 'none'}, remote={self.remote!r})"
        )
