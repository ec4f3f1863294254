"""Edit a project's own documents (location of the data, schema, cuts), and bring storage level with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from datom_core.common import did_you_mean, names
from datom_core.documents import Author, Cuts, Location, Provenance, Version, format_timestamp
from datom_core.errors import NotFoundError
from datom_core.git import GitRepo, SigningKey, no_branch
from datom_core.planning import (
    ProjectState,
    Status,
    changed_files,
    check_writable,
    lost_versions,
    payload_key,
    same_lists,
    same_table,
)
from datom_core.publishing import Projector, load_state, until_published
from datom_core.reading import PlacementGuard, check_stays
from datom_core.signatures import check_unlocked


@dataclass(frozen=True)
class SignedBy:
    """How one commit is signed, where that is not left to the project's key.

    Attributes:
        key: signs it.
        check: gets the commit before it is pushed, and may refuse it.
    """

    key: SigningKey
    check: Callable[[str], None]


#: Takes the documents at the tip and the time, and returns the documents after the edit.
Edit = Callable[[ProjectState, str], ProjectState]


@dataclass(frozen=True)
class DocumentEditor:
    """Commits edits of a project's own documents and projects them into storage."""

    repo: GitRepo
    projector: Projector
    guard: PlacementGuard
    clock: Callable[[], datetime]
    committer: Author | None = None

    def run(
        self,
        edit: Edit,
        message: str | Callable[[], str],
        author: Author,
        tables: tuple[str, ...] | None = (),
        *,
        moving: bool = False,
        dry_run: bool = False,
        signed: SignedBy | None = None,
    ) -> str | None:
        """Make the edit in one commit; if another writer is faster, plan it again.

        Args:
            edit: what to change.
            message, author: for the commit; a message that only the edit can tell is asked for after it.
            tables: tables whose documents the edit needs; ``None`` means all.
            moving: the edit records a new place for the data.
            dry_run: check everything, and change nothing.
            signed: how the commit is signed; by default as all of the project's.

        Returns:
            The commit, or ``None`` when there was nothing to change, or nothing to be changed.
        """
        return until_published(lambda: self._once(edit, message, author, tables, moving, dry_run, signed))

    def _once(
        self,
        edit: Edit,
        message: str | Callable[[], str],
        author: Author,
        tables: tuple[str, ...] | None,
        moving: bool,
        dry_run: bool,
        signed: SignedBy | None,
    ) -> str | None:
        now = self.clock()
        tip, state = self.load(tables, moving=moving)
        check_writable(state, tables or ())
        after = edit(state, format_timestamp(now))
        if after.cuts is not state.cuts and (moved := after.cuts.moved_since(state.cuts)):
            check_unlocked(self.repo, tip, state, moved)
        self._check_payloads(state, after)
        seen = self.projector.view_storage(())
        seen.refuse_newer()
        self.projector.lines.check(seen, tip, state)
        if dry_run:
            return None
        files = changed_files(state, after)
        commit = None
        if files:
            text = message if isinstance(message, str) else message()
            if signed is None:
                commit = self.repo.publish(files, text, parent=tip, author=author, committer=self.committer, at=now)
            else:
                commit = self.repo.publish(
                    files,
                    text,
                    parent=tip,
                    author=author,
                    committer=author,
                    at=now,
                    signing=signed.key,
                    check=signed.check,
                )
        self.projector.bring_level(())
        return commit

    def relocate(self, author: Author) -> str | None:
        """Record this store as the project's, once every version is known to be there.

        Raises:
            NotFoundError: some versions are missing, as in an old copy of the data.
        """
        _, state = self.load(None, moving=True)
        store = self.projector.store
        lost = lost_versions(state, {o.key for o in store.list()})
        if lost:
            raise NotFoundError(
                f"{store.location} lacks data of {len(lost)} versions of {state.file.name} ({', '.join(lost[:8])}). "
                f"It may be an old copy; recorded is {state.file.location}.",
                versions=tuple(lost),
            )
        return self.run(moved(store.location), f"Update data store: {state.file.name}", author, moving=True)

    def load(self, tables: tuple[str, ...] | None = (), *, moving: bool = False) -> tuple[str, ProjectState]:
        """The tip and its documents; those of every table when ``tables`` is ``None``.

        Raises:
            ConflictError: the project's data has moved to another place, or the project is being decommissioned.
            NotFoundError: the store or the branch is not there.
        """
        self.projector.store.check()
        tip = self.repo.tip()
        if tip is None:
            raise no_branch(self.repo.at, self.repo.branch)
        state = load_state(self.repo, tip, tables or ())
        if moving:
            check_stays(state)
        else:
            self.guard.check(state)
        if tables is None:
            state = load_state(self.repo, tip, state.manifest.entries)
        return tip, state

    def status(self) -> Status:
        """As `Project.status`."""
        tip, state = self.load(None)
        store, repo = self.projector.store, self.repo
        seen = self.projector.view_storage(state.tables)
        diverged = self.projector.lines.divergence(seen, tip, state) is not None
        if diverged and repo.tip() != tip:
            return self.status()  # storage was seen after the tip, and may have moved on since
        payloads = {t: payload_key(t, s.metadata) for t, s in state.tables.items() if s.metadata is not None}
        return Status(
            project=state.file.name,
            location=str(store.location),
            remote=repo.remote,
            branch=repo.branch,
            commit=tip,
            schema=state.manifest.schema,
            tables=len(state.manifest.entries),
            cuts=len(state.cuts),
            governed=state.governance is not None,
            behind=tuple(t for t, table in state.tables.items() if not same_table(table, seen, t)),
            lists_behind=not same_lists(state, seen),
            waiting=tuple(t for t, key in payloads.items() if store.head(key) is None),
            diverged=diverged,
        )

    def _check_payloads(self, before: ProjectState, after: ProjectState) -> None:
        """Refuse to name a version whose data is not in storage."""
        missing = []
        for _, table, version in sorted(_named(after.cuts) - _named(before.cuts)):
            entry = after.table(table).history.find(version)
            if entry and self.projector.store.head(names.payload(table, entry.data_sha)) is None:
                missing.append(f"{table}@{version[:8]}")
        if missing:
            named = ", ".join(dict.fromkeys(missing))
            raise NotFoundError(f"The data of {named} is not in {self.projector.store.location}. Write it again first.")


def _named(cuts: Cuts) -> set[tuple[str, str, str]]:
    """For which versions the cuts, the marks and the approvals stand: name, table, version."""
    states = [*cuts.items(), *cuts.reviews.items(), *((r.id, r.versions) for r in cuts.approvals if r.stands)]
    return {(name, table, version) for name, state in states for table, version in state.items()}


def version_at(state: ProjectState, table: str, asked: str | None) -> Version:
    """A version of a table, by its id or its first digits; ``None`` means the current one.

    Raises:
        NotFoundError: the project does not have such a table or version.
    """
    at_tip = state.table(table)
    entry = at_tip.current if asked is None else at_tip.history.resolve(asked, table)
    if entry is None:
        raise NotFoundError(
            f"{state.file.name} has no table {table!r}.{did_you_mean(table, state.manifest.entries)}", table=table
        )
    return entry


def moved(location: Location) -> Edit:
    """Record that the data lies at ``location``."""
    return lambda state, _: replace(state, file=state.file.moved(location))


def upgraded(state: ProjectState, now: str) -> ProjectState:
    """Convert the documents to schema 2; versions keep their ids."""
    if state.manifest.schema == 2:
        return state
    return replace(state, manifest=state.manifest.upgraded(now), file=state.file.with_schema())


def cut_recorded(
    cut: str,
    versions: Mapping[str, str | None],
    author: Author,
    message: str,
    provenance: Provenance | None = None,
) -> Edit:
    """Let ``cut`` stand for existing versions; ``None`` means the current one.

    Raises:
        NotFoundError: the project does not have such a table or version.
        InvalidInputError: a review mark has that name.
    """

    def edit(state: ProjectState, now: str) -> ProjectState:
        state.cuts.check_new_cut(cut)
        found = {table: version_at(state, table, asked).version for table, asked in versions.items()}
        new = {table: version for table, version in found.items() if not state.cuts.stands_for(cut, table, version)}
        told = None if provenance is None else dict.fromkeys(new, provenance)
        cuts = state.cuts.with_recordings(cut, new, at=now, author=author, message=message, provenance=told)
        if cuts is state.cuts:
            return state
        return replace(state, cuts=cuts, manifest=state.manifest.with_rows(state.manifest.rows(), now))

    names.check_cut_name(cut)
    return edit
