"""One write, from frames to a commit and its projection: the effects, in order (docs/architecture.md)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime

from datom_core.common import ProjectEvents, names
from datom_core.documents import Recording, format_timestamp
from datom_core.git import GitRepo, no_branch
from datom_core.planning import (
    Payload,
    ProjectState,
    Stamp,
    StorageView,
    TablePlan,
    WritePlan,
    WriteResult,
    apply,
    changed_files,
    nothing_there,
    plan_write,
    repin,
    same_lists,
)
from datom_core.publishing import Known, Projector, load_state, until_published
from datom_core.reading import PlacementGuard
from datom_core.signatures import check_unlocked
from datom_core.storage import ObjectStore
from datom_core.tables import LARGE, Compression, HashCache
from datom_core.version import WRITER
from datom_core.writing.payloads import PayloadUploader
from datom_core.writing.prefetch import WritePrefetch
from datom_core.writing.requests import Intent, Job

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Committed:
    """A turn that ended with a commit that storage does not show yet.

    Attributes:
        plan: what was to be done.
        known: the commit, its documents, and what storage held before it.
        now: time of the commit.
    """

    plan: WritePlan
    known: Known
    now: datetime


@dataclass(frozen=True)
class _Repinned:
    """A turn that ended with a commit that records payloads anew; the write itself is still to be done."""

    commit: str


class Writer:
    """Writes tables to one project."""

    def __init__(
        self,
        repo: GitRepo,
        store: ObjectStore,
        guard: PlacementGuard,
        clock: Callable[[], datetime],
        project: str,
        memo: HashCache | None,
        compression: Compression,
    ) -> None:
        self.events = ProjectEvents(project, _log)
        self.repo = repo
        self.store = store
        self.guard = guard
        self.clock = clock
        self.projector = Projector(repo, store)
        self._memo, self._compression = memo, compression

    def prefetch(self) -> WritePrefetch:
        """Prefetch for one write."""
        return WritePrefetch(self.repo, self.store, self._memo, self._compression)

    def run(self, jobs: Sequence[Job], intent: Intent, prefetch: WritePrefetch) -> list[WriteResult]:
        """Write all tables in one commit; if another writer is faster, plan again on top of its commit.

        Args:
            jobs: what to write.
            intent: why, and by whom.
            prefetch: what may have been queried already.

        Raises:
            ConflictError: others were faster in every attempt, or the data has moved.
            The errors of `plan_write`, of the store and of git.
        """
        uploader = PayloadUploader(self.store, self.events)
        begun, attempt = time.monotonic(), 1

        def lost(failed: int, cause: str) -> None:
            nonlocal attempt
            attempt = failed + 1
            self.events.tell("retry", attempt=failed, cause=cause)

        results = None
        if sum(job.encoding.data.nbytes for job in jobs) > LARGE:
            results = until_published(lambda: self._beforehand(jobs, intent, uploader, prefetch), lost)
        if results is None:
            attempt = 1
            # Whatever is recorded has been hashed, by now at the latest.
            hashed = [job.hashed() for job in jobs]
            results = until_published(lambda: self._once(hashed, intent, uploader), lost)
        for result in results:
            self.events.tell(
                "write",
                table=result.table,
                version=result.version,
                commit=result.commit_sha,
                action=result.action,
                attempt=attempt,
                bytes=result.bytes,
                seconds=time.monotonic() - begun,
            )
        return results

    def plan(self, jobs: Sequence[Job], cut: str | None) -> WritePlan:
        """What a write of these tables would do now; everything is checked as for a write, and nothing is done."""

        def look() -> WritePlan:
            plan, tip = self._plan(jobs, cut, self.repo.tip())
            self._check_storage(plan.state, tip, self.projector.view_storage(plan.names))
            return plan

        return until_published(look)

    def _beforehand(
        self, jobs: Sequence[Job], intent: Intent, uploader: PayloadUploader, prefetch: WritePrefetch
    ) -> list[WriteResult] | None:
        """Before the turn, so that no other writer waits: see that nothing is new, or else store the payloads."""
        plan, tip = self._plan(jobs, intent.cut, prefetch.take_tip())
        if plan.nothing_new:
            return self._standing(plan, intent, uploader)
        hashed = [job.hashed() for job in jobs]
        if [job.write for job in hashed] != [job.write for job in jobs]:
            plan, tip = self._plan(hashed, intent.cut, tip)
        seen = self.projector.view_storage(plan.names)
        self._check_storage(plan.state, tip, seen)
        self._store_payloads(plan, hashed, uploader)
        return None

    def _plan(self, jobs: Sequence[Job], cut: str | None, tip: str | None) -> tuple[WritePlan, str]:
        """What to do on top of the remote's tip, and that tip."""
        self.store.check()
        if tip is None:
            raise no_branch(self.repo.at, self.repo.branch)
        state = load_state(self.repo, tip, self._documents_needed(jobs))
        self.guard.check(state)
        plan = plan_write(state, [job.write for job in jobs], cut)
        if cut is not None and plan.recordings:
            check_unlocked(self.repo, tip, state, (cut,))
        return plan, tip

    def _once(self, jobs: Sequence[Job], intent: Intent, uploader: PayloadUploader) -> list[WriteResult]:
        """One attempt. Lost payloads whose new bytes differ are recorded first, in a turn of their own."""
        repair: str | None = None
        while True:
            with self.repo.turn():
                outcome = self._in_turn(jobs, intent, uploader, repair)
            if isinstance(outcome, _Committed):
                return self._projected(outcome, intent, uploader)
            if not isinstance(outcome, _Repinned):
                return outcome
            repair = outcome.commit

    def _in_turn(
        self, jobs: Sequence[Job], intent: Intent, uploader: PayloadUploader, repair: str | None
    ) -> _Committed | _Repinned | list[WriteResult]:
        """Do what must be done before another writer on this machine may look at the tip.

        Args:
            jobs, intent, uploader: of the write.
            repair: the commit that has just recorded payloads anew, if there was one.
        """
        plan, tip = self._plan(jobs, intent.cut, self.repo.tip())
        if plan.nothing_new and repair is None and (results := self._standing(plan, intent, uploader)):
            return results
        state, now = plan.state, self.clock()
        # Read before the commit is pushed: what is there now can only be older than that commit.
        seen = self.projector.view_storage(plan.names)
        self._check_storage(state, tip, seen)
        self._store_payloads(plan, jobs, uploader)
        if uploader.repins:
            return _Repinned(self._repin(plan, uploader, seen, tip, intent, now))
        stamp = Stamp(format_timestamp(now), intent.author, intent.message, WRITER, intent.provenance)
        after = apply(plan, uploader.found, stamp)
        files = changed_files(state, after)
        if not files:
            repaired = uploader.put_back | self._repair(plan, state, seen)
            return [_result(p, uploader, intent, now, repair, repaired) for p in plan.tables]
        message = intent.commit_message(intent.message)
        with self.events.timed("commit", bytes=sum(len(data or b"") for data in files.values())) as told:
            commit = self.repo.publish(
                files, message, parent=tip, author=intent.author, committer=intent.committer, at=now
            )
            told["commit"] = commit
        return _Committed(plan, Known(seen, commit, after), now)

    def _projected(self, done: _Committed, intent: Intent, uploader: PayloadUploader) -> list[WriteResult]:
        """Bring storage level with a pushed commit, while others take their turn."""
        plan, known, commit = done.plan, done.known, done.known.tip
        commits = {p.write.table: {p.version: commit} for p in plan.tables if p.recorded is None}
        present = {names.payload(p.write.table, p.write.data_sha) for p in plan.tables}
        with self.events.timed("projection", commit=commit):
            self.repo.together(
                lambda alone: self.projector.bring_level(
                    plan.names, known=known if alone else None, commits=commits, present=present
                )
            )
        return [_result(p, uploader, intent, done.now, commit, uploader.put_back) for p in plan.tables]

    def _standing(self, plan: WritePlan, intent: Intent, uploader: PayloadUploader) -> list[WriteResult] | None:
        """The results, if a first look shows that all there is to write is in storage already, and sound."""
        state, payloads = plan.state, dict[str, Payload]()
        for table in plan.tables:
            metadata = state.table(table.write.table).metadata
            if metadata is None or metadata.size_bytes is None or table.payload_sha is None:
                return None
            if metadata.data_sha != table.write.data_sha:
                return None  # a cut stands for an older version; its needs are checked one by one
            payloads[table.write.table] = Payload(table.payload_sha, metadata.size_bytes)
        sizes = self.projector.level_payload_sizes(payloads, state, cuts=plan.cut is not None)
        if sizes is None or any(sizes[name] != payload.size for name, payload in payloads.items()):
            return None
        uploader.found.update(payloads)
        now = self.clock()
        return [_result(p, uploader, intent, now, None, frozenset()) for p in plan.tables]

    def _repin(
        self, plan: WritePlan, uploader: PayloadUploader, seen: StorageView, tip: str, intent: Intent, now: datetime
    ) -> str:
        """Record new hashes for the lost payloads, in a commit of their own; then put the payloads.

        In the reverse order, a crash in between would leave bytes in storage that fit no recorded hash.
        """
        state, keys = plan.state, {}
        for table in (p for p in plan.tables if p.write.table in uploader.repins):
            name, data_sha = table.write.table, table.write.data_sha
            state = repin(state, name, data_sha, uploader.found[name], format_timestamp(now))
            keys[name] = names.payload(name, data_sha)
        lost = ", ".join(sorted(keys))
        commit = self.repo.publish(
            changed_files(plan.state, state),
            intent.commit_message(f"Repair {lost}: the payload was missing from storage and has been written anew"),
            parent=tip,
            author=intent.author,
            committer=intent.committer,
            at=now,
        )
        self.projector.bring_level(plan.names, known=Known(seen, commit, state))
        uploader.put_pending(keys)
        return commit

    def _check_storage(self, state: ProjectState, tip: str, seen: StorageView) -> None:
        """Refuse a store that a newer release wrote to, that is empty although the project has tables, or that shows
        another history than the tip's."""
        seen.refuse_newer()
        if state.manifest.entries and seen.manifest() is None and next(iter(self.store.list()), None) is None:
            raise nothing_there(state, self.store.location)
        self.projector.lines.check(seen, tip, state)

    def _documents_needed(self, jobs: Sequence[Job]) -> list[str]:
        parents = [p.table for job in jobs for p in job.write.declared.parents or ()]
        return [*(job.write.table for job in jobs), *parents]

    def _store_payloads(self, plan: WritePlan, jobs: Sequence[Job], uploader: PayloadUploader) -> None:
        """Make sure every payload is in storage before anything names it."""
        files = {job.write.table: job.encoding for job in jobs}

        def ensure_stored(table: TablePlan) -> None:
            metadata = plan.state.table(table.write.table).metadata
            same = metadata is not None and metadata.data_sha == table.write.data_sha
            uploader.ensure_stored(table, files[table.write.table], metadata.size_bytes if metadata and same else None)

        with ThreadPoolExecutor(max_workers=min(4, len(jobs)), thread_name_prefix="datom-payload") as pool:
            # Each gets a copy of the context, which says who is listening.
            list(
                pool.map(lambda run, table: run(ensure_stored, table), [copy_context().run for _ in jobs], plan.tables)
            )

    def _repair(self, plan: WritePlan, state: ProjectState, seen: StorageView) -> set[str]:
        """Put back what storage lacks; returns the tables of this write that lacked something."""
        tables = plan.names
        lacking = {t for t in tables if not self.projector.is_level(t, state, seen)}
        if not lacking and same_lists(state, seen):
            return set()
        report = self.projector.bring_level(tables)
        stored = seen.manifest()
        rows = stored.entries if stored is not None else {}
        lost_rows = {t for t in tables if rows.get(t) != state.manifest.entries.get(t)}
        # Another writer may have stepped in: only what was really put counts.
        put = {t for t in lacking if any(key.startswith(f"{t}/") for key in report.written)}
        if names.MANIFEST_KEY in report.written:
            put |= lost_rows
        if plan.cut is not None and names.CUTS_KEY in report.written:
            put |= set(tables)
        return put


def _result(
    plan: TablePlan,
    uploader: PayloadUploader,
    intent: Intent,
    now: datetime,
    commit: str | None,
    repaired: Set[str],
) -> WriteResult:
    table = plan.write.table
    unchanged = plan.action == "unchanged"
    standing = plan.recorded.latest if unchanged and plan.recorded is not None else None
    return WriteResult(
        table=table,
        version=plan.version,
        data_sha=plan.write.data_sha,
        action="repaired" if unchanged and table in repaired else plan.action,
        commit_sha=commit,
        rows=plan.write.rows,
        bytes=uploader.found[table].size,
        cut=intent.cut,
        change=plan.change,
        recording=standing or _recording(plan, intent, now),
    )


def _recording(plan: TablePlan, intent: Intent, now: datetime) -> Recording:
    told = plan.write.provenance(intent.provenance)
    return Recording(plan.version, format_timestamp(now), intent.author, intent.message, told)
