"""Move a project's data to another place, with every version, and lose no write on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args

from datom_core.common import OnProgress, Progress, fitting, moment_of, names, watcher
from datom_core.documents import Author, block
from datom_core.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError, StorageError
from datom_core.governance import Registration
from datom_core.planning import ProjectState, check_writable, lost_versions, pinned_payloads
from datom_core.project.project import Project
from datom_core.publishing import NamespaceClaim, check_origin, until_published
from datom_core.reading import being_taken_away
from datom_core.storage import (
    Item,
    LocalStore,
    ObjectStore,
    Verify,
    check_place,
    check_store,
    clean_up,
    copy,
    find,
    same_place,
)
from datom_core.writing import check_author, check_message, moved

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MigrationReport:
    """What a migration did, or would do.

    Attributes:
        project, source, target: what, from where, to where.
        dry_run: whether nothing was done.
        objects, bytes: to be in the new place.
        present: of those, already there.
        commit_sha: the commit that recorded the new place; ``None`` when it was recorded before.
        late: objects that others wrote to the old place meanwhile, and that were fetched afterwards.
        deleted: objects that were removed from the old place.
        left: keys in the old place that are not this project's, and stay.
    """

    project: str
    source: str
    target: str
    dry_run: bool
    objects: int
    bytes: int
    present: int
    commit_sha: str | None = None
    late: int = 0
    deleted: int = 0
    left: tuple[str, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return block(self)


@fitting
def migrate(
    project: Project,
    to: ObjectStore,
    *,
    source: ObjectStore | None = None,
    dry_run: bool = False,
    verify: Verify = "hash",
    delete_source: bool = False,
    sunset_at: date | str | None = None,
    message: str | None = None,
    author: Author | str | None = None,
    on_progress: OnProgress | None = None,
) -> MigrationReport:
    """Move a project's data: local to S3, S3 to local, S3 to S3, or to another prefix. Every version stays readable.

    Plans, copies, verifies, then records the new place in one commit (of a registered project first in its register,
    which keeps the old place and who moved it and why), then fetches what others wrote to the old
    place meanwhile. Broken off anywhere, the same call completes it. Writers that still hold the old place get a
    `ConflictError` that names the new one at their next write; readers of the old place see what was there, until it
    is deleted. Open the project again with the new store to go on.

    Args:
        project: the project.
        to: the new place: empty, or begun by an earlier call of this.
        source: the old place; by default the project's store. It must be given to complete a migration whose new place
            is recorded already, with a project that was opened there.
        dry_run: say what would be done, and do nothing.
        verify: ``"hash"`` reads every object back and compares its SHA-256 with the recorded one, ``"size"`` its size.
        delete_source: after everything has been verified by hash, remove from the old place what this project wrote,
            and nothing else.
        sunset_at: until when the old place is kept; a registered project's register says it.
        message, author: of the commit; by default both places, and the project's author.
        on_progress: is told of each object.

    Raises:
        InvalidInputError: the same place, a bad option, or too little space.
        NotFoundError: the project says that it is registered, and its register does not hold it.
        AlreadyExistsError: the target holds another project, or objects that are none.
        DivergedError: the source shows versions that the branch has lost. Nothing was moved.
        IntegrityError: the source lacks payloads, or holds others than were recorded; each is named. Nothing was moved.
        ConflictError: the data has moved to a third place meanwhile.
        StorageError: a store failed, or a payload of a commit has not been uploaded yet. Call again to complete it.
    """
    check_store(to)
    if verify not in get_args(Verify):
        raise InvalidInputError(f"verify is one of {', '.join(get_args(Verify))}, not {verify!r}.")
    who = project.author if author is None else check_author(author)
    sunset = None if sunset_at is None else moment_of(sunset_at).date().isoformat()
    run = _Migration(project, source or project.store, to, verify, on_progress)
    state = until_published(run.begin)
    items = run.plan(state)
    report = run.report(items, dry_run=dry_run)
    if dry_run:
        return report
    run.tenant.claim(run.source)
    run.copy(items, "copy")
    run.seed_histories(state)
    # Once before the switch, so that readers of the new place lack no table; once after, for what came in between.
    late = run.catch_up()
    why = check_message(message, f"Move the data from {run.source.location} to {to.location}")
    run.register(why, who, sunset)
    commit = run.switch(why, who)
    late += run.catch_up()
    deleted, left = run.clear() if delete_source else (0, ())
    run.tenant.release()
    return run.report(items, dry_run=False, commit_sha=commit, late=late, deleted=deleted, left=left)


class _Migration:
    """One call of `migrate`, with its steps in order."""

    def __init__(
        self, project: Project, source: ObjectStore, target: ObjectStore, verify: Verify, on_progress: OnProgress | None
    ) -> None:
        self.project = project
        self.source = source
        self.target = target
        self.verify = verify
        self.on_progress = on_progress
        self.editor = project.editor_for(target)

    def begin(self) -> ProjectState:
        """The documents, once it is sure that this is the project's data, and that it may go there."""
        check_store(self.source)
        if same_place(self.source.location, self.target.location):
            raise InvalidInputError(
                f"The data of {self.project.name} lies in {self.target.location} already. To complete a migration "
                "that broke off after it was recorded, give the old place as source; to move to another server, choose "
                "another bucket or prefix there, since the recorded place would be the same."
            )
        # By way of the source: the folder of a local target may not be there yet.
        there = self.project.editor_for(self.source)
        tip, state = there.load(None, moving=True)
        check_writable(state, state.manifest.entries)
        self._check_registration(state)
        if not same_place(state.file.location, self.target.location):
            check_place(state.file.name, state.file.location, self.source.location)
        # What the remote has lost would not be copied.
        there.projector.lines.check(there.projector.view_storage(()), tip, state)
        check_origin(self.source, state)
        origin = str(self.source.location)
        self.tenant = NamespaceClaim(self.target, self.project.name, self.editor.repo.root(tip), origin)
        self.tenant.check(state)
        return state

    def plan(self, state: ProjectState) -> list[Item]:
        """What has to be in the target: payloads and snapshots. All else is written from git, as it is then.

        Raises:
            IntegrityError: the source lacks payloads that versions name.
            InvalidInputError: there is too little space.
        """
        pinned = pinned_payloads(state)
        there = {o.key: o.size for o in self.target.list()}
        source = {o.key: o.size for o in self.source.list()}
        lost = lost_versions(state, {*source, *there})
        if lost:
            raise IntegrityError(
                f"{self.source.location} lacks the data of {len(lost)} versions, which cannot be moved:\n  - "
                + "\n  - ".join(lost)
                + "\nWrite the same data again, or restore the objects from a backup.",
                versions=tuple(lost),
            )
        items = [
            Item(key, size, pinned[key].sha256 if key in pinned else None, present=there.get(key) == size)
            for key, size in source.items()
            # Snapshots that are there are brought level with git afterwards.
            if key in pinned or (_is_snapshot(key, state) and key not in there)
        ]
        self._check_space(sum(i.size for i in items if not i.present))
        return items

    def copy(self, items: Iterable[Item], what: str, verify: Verify | None = None) -> None:
        """Have the items in the target, verified."""
        listed = list(items)
        _log.info("%s: %s, %d objects to %s", what, self.project.name, len(listed), self.target.location)
        copy(
            self.source,
            self.target,
            listed,
            verify=verify or self.verify,
            what=what,
            on_progress=self.on_progress,
        )

    def seed_histories(self, state: ProjectState) -> None:
        """Begin with the histories that the source has: they know commits that git tells only for some of them."""
        for key in map(names.history, state.manifest.entries):
            found = find(self.source, key)
            if found is not None:
                self.target.create(key, found.data)

    def _check_registration(self, state: ProjectState) -> None:
        """Make sure that the register, if there is one, can be told of the move.

        Raises:
            NotFoundError, ConflictError, InvalidInputError: it cannot.
        """
        governance = self.project.governance
        self._check_register_is_known(state)
        if governance is None:
            return
        governance.register.needed_repo()
        if self.target.location.backend not in ("local", "s3"):
            raise InvalidInputError(f"{self.target.location} is nowhere that readers could find {state.file.name}.")
        self._moved(governance.register.find(state.file.name), "")

    def _check_register_is_known(self, state: ProjectState) -> None:
        """Refuse to go on when the project was registered meanwhile: its register would not learn of the move."""
        if (self.project.governance is None) != (state.governance is None):
            raise ConflictError(f"{state.file.name} has been registered since it was opened. Open it again.")

    def _moved(self, found: Registration | None, now: str, **more: Any) -> Registration:
        """The registration after the move; the same one when it knows of it."""
        if found is None:
            raise NotFoundError(
                f"{self.project.name} is not in its register, though it says that it is. Governance.attach(project) "
                "registers it."
            )
        if found.ref.decommission is not None:
            raise being_taken_away(found.project, found.ref.decommission.began_at)
        if same_place(found.ref.current, self.target.location):
            return found
        check_place(found.project, found.ref.current, self.source.location)
        return found.moved(self.target.location, now, **more)

    def register(self, reason: str, author: Author, sunset_at: str | None) -> None:
        """Tell the register of the new place: that is what readers go by, and where the move becomes official."""
        governance = self.project.governance
        if governance is None:
            return
        self._tell("register")
        state = self._state()
        pinned = pinned_payloads(state)
        moved = [o.size for o in self.target.list() if o.key in pinned or _is_snapshot(o.key, state)]
        facts = {
            "reason": reason,
            "objects_copied": len(moved),
            "bytes_copied": sum(moved),
            "verified": True,
            "verify_mode": self.verify,
        }
        name = self.project.name
        governance.register.change(
            name,
            lambda found, now: self._moved(found, now, author=author, sunset_at=sunset_at, facts=facts),
            f"Update ref for {name}\n\n{reason}",
        )
        governance.register.bring_level(name)

    def switch(self, message: str, author: Author) -> str | None:
        """Record the new place in one commit: from here on, writers that hold the old one are refused."""
        self._tell("switch")

        def edit(state: ProjectState, now: str) -> ProjectState:
            self._check_register_is_known(state)
            if same_place(state.file.location, self.target.location):
                return state
            check_place(state.file.name, state.file.location, self.source.location)
            return moved(self.target.location)(state, now)

        return self.editor.run(edit, message, author, moving=True)

    def catch_up(self) -> int:
        """Bring the target level with git, and fetch what writers put into the old place; how many objects.

        Raises:
            StorageError: a commit's payload is in neither place: R pushes before it uploads.
        """
        fetched = 0
        while True:
            state = self._state()
            pinned = pinned_payloads(state)
            there = {o.key for o in self.target.list()}
            source = {o.key: o.size for o in self.source.list()}
            missing = [k for k in pinned if k not in there]
            late = [Item(k, source[k], pinned[k].sha256) for k in missing if k in source]
            self.copy(late, "catch up")
            fetched += len(late)
            waiting = self.editor.projector.bring_level(state.manifest.entries, thorough=True).waiting
            lost = sorted(set(missing) - set(source))
            if lost:
                raise self._incomplete(state, lost)
            if not late and not waiting:
                return fetched

    def _incomplete(self, state: ProjectState, lost: list[str]) -> StorageError:
        recorded = same_place(state.file.location, self.target.location)
        so_far = f"{self.target.location} is recorded" if recorded else "Nothing was moved"
        how = ", with the project opened there and the old place as source" if recorded else ""
        return StorageError(
            f"{so_far}, but payloads of recent commits are in neither place yet: {', '.join(lost)}. When they are "
            f"uploaded, call migrate again{how}.",
            keys=tuple(lost),
        )

    def clear(self) -> tuple[int, tuple[str, ...]]:
        """Remove from the old place what this project wrote, after all of it was verified by hash."""
        state = self._state()
        pinned = pinned_payloads(state)
        listed = {o.key: o.size for o in self.source.list()}
        ours = {k for k in listed if k in pinned or _is_ours(k, state)}
        kept = [Item(k, listed[k], pinned[k].sha256, present=True) for k in sorted(ours & set(pinned))]
        self.copy(kept, "verify", "hash")
        # The lists first: a reader of the old place finds no project there, rather than half of one.
        for number, key in enumerate(sorted(ours, key=lambda k: (not _is_list(k, state), k)), 1):
            self.source.delete(key)
            self._tell("delete", number, len(ours), key)
        clean_up(self.source)
        return len(ours), tuple(sorted(set(listed) - ours))

    def report(self, items: list[Item], *, dry_run: bool, **more: Any) -> MigrationReport:
        return MigrationReport(
            project=self.project.name,
            source=str(self.source.location),
            target=str(self.target.location),
            dry_run=dry_run,
            objects=len(items),
            bytes=sum(i.size for i in items),
            present=sum(i.present for i in items),
            **more,
        )

    def _state(self) -> ProjectState:
        return self.editor.load(None, moving=True)[1]

    def _check_space(self, needed: int) -> None:
        free = self.target.free_bytes() if isinstance(self.target, LocalStore) else None
        if free is not None and free < needed:
            raise InvalidInputError(
                f"{self.target.location} has {free:,} bytes free; {needed:,} are needed.", free=free, needed=needed
            )

    def _tell(self, what: str, done: int = 1, total: int = 1, key: str = "") -> None:
        _log.info("%s: %s %s", what, self.project.name, key)
        (self.on_progress or watcher())(Progress(what, done, total, 0, 0, key))


def _is_list(key: str, state: ProjectState) -> bool:
    """Whether an object says what is current, or marks a moment."""
    table = key.partition("/")[0]
    pointer = table in state.manifest.entries and key == names.pointer(table)
    lists = (names.MANIFEST_KEY, names.CUTS_KEY, names.GOVERNANCE_KEY, names.CLAIM_KEY, names.LINE_KEY)
    return pointer or key in lists


def _is_snapshot(key: str, state: ProjectState) -> bool:
    table, _, name = key.partition("/.metadata/")
    return state.table(table).history.find(name.removesuffix(".json")) is not None


def _is_ours(key: str, state: ProjectState) -> bool:
    """Whether this project wrote the document."""
    history = any(key == names.history(table) for table in state.manifest.entries)
    return history or _is_list(key, state) or _is_snapshot(key, state)
