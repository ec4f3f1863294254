"""Move a project's data to another place, with every version, without losing a write on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from datom_core.common import OnProgress, Progress, fitting, names, watcher
from datom_core.documents import Author, same_place
from datom_core.errors import IntegrityError, InvalidInputError, StorageError
from datom_core.planning import ProjectState, lost_versions, pinned_payloads
from datom_core.project.migration_report import MigrationReport
from datom_core.project.move import Move
from datom_core.project.ownership import is_list, is_ours, is_snapshot
from datom_core.project.project import Project
from datom_core.publishing import NamespaceClaim, until_published
from datom_core.storage import (
    Item,
    ObjectStore,
    Verify,
    check_place,
    clean_up,
    copy,
    find,
    free_bytes,
    refuse_held,
)
from datom_core.writing import moved

_log = logging.getLogger(__name__)


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

    Plans, copies, verifies, then records the new place in one commit (for a registered project, first in its register,
    which keeps the old place, who moved it and why), then fetches what others wrote to the old place meanwhile. If it
    is interrupted, the same call completes it. Writers that still hold the old place get a `ConflictError` that names
    the new one at their next write; readers of the old place see what was there, until it is deleted. To go on, open
    the project again with the new store.

    Args:
        project: the project.
        to: the new place: empty, or begun by an earlier call.
        source: the old place; by default the project's store. Give it to complete a migration whose new place is
            already recorded, with a project that was opened there.
        dry_run: say what would be done, and do nothing.
        verify: ``"hash"`` reads every object back and compares its SHA-256 with the recorded one, ``"size"`` its size.
        delete_source: after everything has been verified by hash, remove from the old place what this project wrote,
            and nothing else.
        sunset_at: until when the old place is kept; recorded in the register of a registered project.
        message, author: of the commit; by default both places, and the project's author.
        on_progress: called for each object.

    Raises:
        InvalidInputError: it is the same place, an option is bad, there is too little space, or the source should be
            deleted while objects there are under legal hold.
        NotFoundError: the project says that it is registered, but its register does not have it.
        AlreadyExistsError: the target holds another project, or objects of no project.
        DivergedError: the source shows versions that the branch has lost. Nothing was moved.
        IntegrityError: the source lacks payloads, or holds others than recorded; names each. Nothing was moved.
        ConflictError: the data has moved to a third place meanwhile.
        StorageError: a store failed, or a commit's payload has not been uploaded yet. Call again to complete it.
    """
    move = Move.asked(project, to, source, verify=verify, message=message, author=author, sunset_at=sunset_at)
    if delete_source:
        refuse_held(move.source, (o.key for o in move.source.list()), move.name)
    begun = _Migration.begun(move, on_progress)
    return begun.report(dry_run=True) if dry_run else begun.run(delete_source=delete_source)


@dataclass(frozen=True)
class _Migration:
    """A move that has passed all checks, with its steps in order.

    Attributes:
        move: what was asked for.
        state: the project's documents at the time of the checks.
        claim: on the target.
        items: what must be in the target: payloads and snapshots. The rest is written from git, as it is by then.
        on_progress: called for each object.
    """

    move: Move
    state: ProjectState
    claim: NamespaceClaim
    items: tuple[Item, ...]
    on_progress: OnProgress | None

    @classmethod
    def begun(cls, move: Move, on_progress: OnProgress | None) -> _Migration:
        """Check a move; nothing is touched.

        Raises:
            As `migrate`.
        """
        state, claim = until_published(move.checked)
        return cls(move, state, claim, tuple(_items(move, state)), on_progress)

    def run(self, *, delete_source: bool) -> MigrationReport:
        """Run all steps."""
        self.claim.claim(self.move.source)
        self.copy(self.items, "copy")
        self.seed_histories()
        # Once before the switch, so that readers of the new place miss no table; once after it, for writes in between.
        late = self.catch_up()
        self.register()
        commit = self.switch()
        late += self.catch_up()
        deleted, left = self.clear() if delete_source else (0, ())
        self.claim.release()
        return self.report(dry_run=False, commit_sha=commit, late=late, deleted=deleted, left=left)

    def report(self, *, dry_run: bool, **more: Any) -> MigrationReport:
        """What was done, or would be done."""
        return MigrationReport(
            project=self.move.name,
            source=str(self.move.source.location),
            target=str(self.move.target.location),
            dry_run=dry_run,
            objects=len(self.items),
            bytes=sum(i.size for i in self.items),
            present=sum(i.present for i in self.items),
            **more,
        )

    def copy(self, items: Iterable[Item], what: str, verify: Verify | None = None) -> None:
        """Make sure the items are in the target, verified."""
        listed = list(items)
        _log.info("%s: %s, %d objects to %s", what, self.move.name, len(listed), self.move.target.location)
        how = verify or self.move.verify
        copy(self.move.source, self.move.target, listed, verify=how, what=what, on_progress=self.on_progress)

    def seed_histories(self) -> None:
        """Start with the source's histories: they know commits that git has only for some versions."""
        for key in map(names.history, self.state.manifest.entries):
            found = find(self.move.source, key)
            if found is not None:
                self.move.target.create(key, found.data)

    def register(self) -> None:
        """Tell the register of the new place: readers go by it, and the move becomes official there."""
        move = self.move
        governance = move.governance
        if governance is None:
            return
        self._tell("register")
        state = self._state()
        pinned = pinned_payloads(state)
        moved = [o.size for o in move.target.list() if o.key in pinned or is_snapshot(o.key, state)]
        facts = {
            "reason": move.reason,
            "objects_copied": len(moved),
            "bytes_copied": sum(moved),
            "verified": True,
            "verify_mode": move.verify,
        }
        governance.register.change(
            move.name,
            lambda found, now: move.registration_after(
                found, now, author=move.author, sunset_at=move.sunset_at, facts=facts
            ),
            f"Update ref for {move.name}\n\n{move.reason}",
        )
        governance.register.bring_level(move.name)

    def switch(self) -> str | None:
        """Record the new place in one commit: from here on, writers that hold the old one are refused."""
        self._tell("switch")

        def edit(state: ProjectState, now: str) -> ProjectState:
            self.move.check_register_is_known(state)
            if same_place(state.file.location, self.move.target.location):
                return state
            check_place(state.file.name, state.file.location, self.move.source.location)
            return moved(self.move.target.location)(state, now)

        return self.move.editor.run(edit, self.move.reason, self.move.author, moving=True)

    def catch_up(self) -> int:
        """Bring the target level with git, and fetch what writers put into the old place; returns how many objects.

        Raises:
            StorageError: a commit's payload is in neither place (R pushes before it uploads).
        """
        fetched = 0
        while True:
            state = self._state()
            pinned = pinned_payloads(state)
            there = {o.key for o in self.move.target.list()}
            source = {o.key: o.size for o in self.move.source.list()}
            missing = [k for k in pinned if k not in there]
            late = [Item(k, source[k], pinned[k].sha256) for k in missing if k in source]
            self.copy(late, "catch up")
            fetched += len(late)
            waiting = self.move.editor.projector.bring_level(state.manifest.entries, thorough=True).waiting
            lost = sorted(set(missing) - set(source))
            if lost:
                raise self._incomplete(state, lost)
            if not late and not waiting:
                return fetched

    def _incomplete(self, state: ProjectState, lost: list[str]) -> StorageError:
        recorded = same_place(state.file.location, self.move.target.location)
        so_far = f"{self.move.target.location} is recorded" if recorded else "Nothing was moved"
        how = ", with the project opened there and the old place as source" if recorded else ""
        return StorageError(
            f"{so_far}, but payloads of recent commits are in neither place yet: {', '.join(lost)}. When they are "
            f"uploaded, call migrate again{how}.",
            keys=tuple(lost),
        )

    def clear(self) -> tuple[int, tuple[str, ...]]:
        """Remove from the old place what this project wrote, once all of it has been verified by hash."""
        state = self._state()
        pinned = pinned_payloads(state)
        listed = {o.key: o.size for o in self.move.source.list()}
        ours = {k for k in listed if k in pinned or is_ours(k, state)}
        kept = [Item(k, listed[k], pinned[k].sha256, present=True) for k in sorted(ours & set(pinned))]
        self.copy(kept, "verify", "hash")
        # The lists first: a reader of the old place finds no project there, rather than half of one.
        for number, key in enumerate(sorted(ours, key=lambda k: (not is_list(k, state), k)), 1):
            self.move.source.delete(key)
            self._tell("delete", number, len(ours), key)
        clean_up(self.move.source)
        return len(ours), tuple(sorted(set(listed) - ours))

    def _state(self) -> ProjectState:
        return self.move.editor.load(None, moving=True)[1]

    def _tell(self, what: str, done: int = 1, total: int = 1, key: str = "") -> None:
        _log.info("%s: %s %s", what, self.move.name, key)
        (self.on_progress or watcher())(Progress(what, done, total, 0, 0, key))


def _items(move: Move, state: ProjectState) -> list[Item]:
    """What must be in the target; see `_Migration`.

    Raises:
        IntegrityError: the source lacks payloads that versions name.
        InvalidInputError: there is too little space.
    """
    pinned = pinned_payloads(state)
    there = {o.key: o.size for o in move.target.list()}
    source = {o.key: o.size for o in move.source.list()}
    lost = lost_versions(state, {*source, *there})
    if lost:
        raise IntegrityError(
            f"{move.source.location} lacks the data of {len(lost)} versions, which cannot be moved:\n  - "
            + "\n  - ".join(lost)
            + "\nWrite the same data again, or restore the objects from a backup.",
            versions=tuple(lost),
        )
    items = [
        Item(key, size, pinned[key].sha256 if key in pinned else None, present=there.get(key) == size)
        for key, size in source.items()
        # Snapshots that are already there are brought level with git later.
        if key in pinned or (is_snapshot(key, state) and key not in there)
    ]
    _check_space(move.target, sum(i.size for i in items if not i.present))
    return items


def _check_space(target: ObjectStore, needed: int) -> None:
    free = free_bytes(target)
    if free is not None and free < needed:
        raise InvalidInputError(
            f"{target.location} has {free:,} bytes free; {needed:,} are needed.", free=free, needed=needed
        )
