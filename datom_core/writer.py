"""One write, from frames to a commit and its projection: the effects in their order (design, section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from datom_core import names
from datom_core.documents import Author, format_timestamp
from datom_core.errors import ConflictError, IntegrityError, NotFoundError
from datom_core.git import GitRepo, LostRaceError
from datom_core.plan import (
    Payload,
    ProjectState,
    Stamp,
    TablePlan,
    TableWrite,
    WritePlan,
    apply,
    changed_files,
    plan_write,
    repin,
)
from datom_core.projection import Seen, same_lists
from datom_core.projector import Projector
from datom_core.results import WriteResult
from datom_core.state import load_state
from datom_core.stores import ObjectStore, same_place
from datom_core.tabular import decode_parquet, encode_parquet, hash_table
from datom_core.version import WRITER

_ATTEMPTS = 40
_SHA_METADATA = "sha256"


@dataclass(frozen=True)
class Job:
    """A table to be written, with its data in the form in which it is stored."""

    write: TableWrite
    data: pa.Table


@dataclass(frozen=True)
class Intent:
    """Why and by whom: what goes into the history and the commit.

    Attributes:
        message: for the history and the commit.
        author: who.
        trailers: git trailers for the commit alone.
        cut: name under which the tables are recorded, if any.
    """

    message: str
    author: Author
    trailers: Mapping[str, str]
    cut: str | None = None

    def commit_message(self, message: str) -> str:
        lines = "\n".join(f"{key}: {value}" for key, value in self.trailers.items())
        return f"{message}\n\n{lines}\n" if lines else message


@dataclass
class _Stored:
    """Payloads that this call has found or put, over all its attempts."""

    payloads: dict[str, Payload] = field(default_factory=dict)
    put_back: dict[str, str | None] = field(
        default_factory=dict
    )  # lost and restored: table -> commit, if one was needed
    anew: dict[str, memoryview] = field(default_factory=dict)  # lost, and not to be had with the recorded bytes


class Writer:
    """Writes tables to one project."""

    def __init__(self, repo: GitRepo, store: ObjectStore, clock: Callable[[], datetime]) -> None:
        self.repo = repo
        self.store = store
        self.clock = clock
        self.projector = Projector(repo, store)

    def run(self, jobs: Sequence[Job], intent: Intent) -> list[WriteResult]:
        """Write all tables in one commit; when another writer is faster, plan again on what it made.

        Raises:
            ConflictError: others were faster in all attempts, or the data has moved.
            The errors of `plan_write`, of the store and of git.
        """
        stored = _Stored()
        for attempt in Retrying(
            retry=retry_if_exception_type(LostRaceError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=3),
            reraise=True,
        ):
            with attempt:
                return self._once(jobs, intent, stored)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, jobs: Sequence[Job], intent: Intent, stored: _Stored) -> list[WriteResult]:
        tip = self.repo.tip()
        if tip is None:
            raise NotFoundError(f"{self.repo.remote} has no branch {self.repo.branch} any more.")
        tables = [job.write.table for job in jobs]
        state = load_state(self.repo, tip, self._documents_needed(jobs))
        self._check_location(state)
        plan = plan_write(state, [job.write for job in jobs], intent.cut)
        # Looked at before a commit is pushed: what is there now can only be older than that commit.
        seen = self.projector.look(tables)
        self._store_payloads(plan, jobs, stored)
        now = self.clock()
        if stored.anew:
            self._write_anew(plan, stored, seen, tip, intent, now)
            return self._once(jobs, intent, stored)
        after = apply(plan, stored.payloads, Stamp(format_timestamp(now), intent.author, intent.message, WRITER))
        files = changed_files(state, after)
        if not files:
            repaired = stored.put_back.keys() | self._repair(plan, state, seen)
            return [
                _result(p, stored.payloads, stored.put_back.get(p.write.table), intent.cut, repaired)
                for p in plan.tables
            ]
        message = intent.commit_message(intent.message)
        commit = self.repo.publish(files, message, parent=tip, author=intent.author, at=now)
        commits = {p.write.table: {p.version: commit} for p in plan.tables if p.recorded is None}
        self.projector.level(tables, seen=seen, tip=commit, commits=commits)
        return [_result(p, stored.payloads, commit, intent.cut, stored.put_back.keys()) for p in plan.tables]

    def _write_anew(
        self, plan: WritePlan, stored: _Stored, seen: Seen, tip: str, intent: Intent, now: datetime
    ) -> None:
        """Record the new hashes of lost payloads, in a commit of their own, and only then put them.

        The other way round, a crash in between would leave bytes that no recorded hash fits.
        """
        state, keys = plan.state, {}
        for table in (p for p in plan.tables if p.write.table in stored.anew):
            name, data_sha = table.write.table, table.write.data_sha
            state = repin(state, name, data_sha, stored.payloads[name].sha, format_timestamp(now))
            keys[name] = names.payload(name, data_sha)
        lost = ", ".join(sorted(keys))
        message = f"Repair {lost}: the payload was missing from storage and has been written anew"
        commit = self.repo.publish(
            changed_files(plan.state, state),
            intent.commit_message(message),
            parent=tip,
            author=intent.author,
            at=now,
        )
        tables = [p.write.table for p in plan.tables]
        self.projector.level(tables, seen=seen, tip=commit, promised=frozenset(keys.values()))
        for name, key in keys.items():
            self.store.create(key, stored.anew.pop(name), {_SHA_METADATA: stored.payloads[name].sha})
            stored.put_back[name] = commit

    def _check_location(self, state: ProjectState) -> None:
        recorded, ours = state.file.location, self.store.location
        if not same_place(recorded, ours):
            raise ConflictError(
                f"The data of {state.file.name} has moved to {recorded}; this project writes to {ours}. "
                "Open it again with a store at the new place.",
                recorded=str(recorded),
                given=str(ours),
            )

    def _documents_needed(self, jobs: Sequence[Job]) -> list[str]:
        parents = [p.table for job in jobs for p in job.write.declared.parents or ()]
        return [*(job.write.table for job in jobs), *parents]

    def _store_payloads(self, plan: WritePlan, jobs: Sequence[Job], stored: _Stored) -> None:
        """Have every payload in storage before anything names it."""
        data = {job.write.table: job.data for job in jobs}
        with ThreadPoolExecutor(max_workers=min(4, len(jobs)), thread_name_prefix="datom-payload") as pool:
            list(pool.map(lambda p: self._store_payload(p, data[p.write.table], stored), plan.tables))

    def _store_payload(self, plan: TablePlan, data: pa.Table, stored: _Stored) -> None:
        table = plan.write.table
        key = names.payload(table, plan.write.data_sha)
        info = self.store.head(key)
        if info is None:
            encoded = encode_parquet(data)
            payload = Payload(hashlib.sha256(encoded).hexdigest(), len(encoded))
            if plan.payload_sha not in (None, payload.sha):
                stored.anew[table] = encoded
            elif not self.store.create(key, encoded, {_SHA_METADATA: payload.sha}):
                raise LostRaceError(f"{key} appeared in {self.store.location} meanwhile. Try again.", key=key)
            elif plan.payload_sha is not None:
                stored.put_back[table] = None
        elif plan.payload_sha is not None:
            # A payload's bytes are never changed, so what the history says of them holds.
            payload = Payload(plan.payload_sha, info.size)
            stored.anew.pop(table, None)
        elif table in stored.payloads:
            payload = stored.payloads[table]
        else:
            sha = info.metadata.get(_SHA_METADATA) or self._verified_sha(key, plan.write.data_sha)
            payload = Payload(sha, info.size)
        stored.payloads[table] = payload

    def _verified_sha(self, key: str, data_sha: str) -> str:
        """SHA-256 of an object that no history names yet, after making sure that it is what its key says."""
        stored = self.store.get(key).data
        try:
            found = hash_table(decode_parquet(stored)).data_sha
        except Exception as error:
            raise IntegrityError(
                f"{key} in {self.store.location} is not a readable table. Remove it and write again.", key=key
            ) from error
        if found != data_sha:
            raise IntegrityError(
                f"{key} in {self.store.location} holds the content {found[:8]}, not what its name says. "
                "Remove it and write again.",
                key=key,
            )
        return hashlib.sha256(stored).hexdigest()

    def _repair(self, plan: WritePlan, state: ProjectState, seen: Seen) -> set[str]:
        """Put back what storage lacks; the tables of this write that lacked something."""
        tables = [p.write.table for p in plan.tables]
        lacking = {t for t in tables if not self.projector.is_level(t, state, seen)}
        if not lacking and same_lists(state, seen):
            return set()
        report = self.projector.level(tables)
        stored = seen.manifest()
        rows = stored.entries if stored is not None else {}
        lost_rows = {t for t in tables if rows.get(t) != state.manifest.entries.get(t)}
        # Another writer may have been at work in between: only what was really put counts.
        put = {t for t in lacking if any(key.startswith(f"{t}/") for key in report.written)}
        if names.MANIFEST_KEY in report.written:
            put |= lost_rows
        if plan.cut is not None and names.CUTS_KEY in report.written:
            put |= set(tables)
        return put


def _result(
    plan: TablePlan, payloads: Mapping[str, Payload], commit: str | None, cut: str | None, repaired: Set[str]
) -> WriteResult:
    table = plan.write.table
    return WriteResult(
        table=table,
        version=plan.version,
        data_sha=plan.write.data_sha,
        action="repaired" if plan.action == "unchanged" and table in repaired else plan.action,
        commit_sha=commit,
        rows=plan.write.rows,
        bytes=payloads[table].size,
        cut=cut,
        change=plan.change,
    )
