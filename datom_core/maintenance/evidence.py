"""Examine git and storage, as closely as asked, and collect the evidence."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from datom_core.common import OnProgress, names
from datom_core.documents import Metadata, Version
from datom_core.maintenance.findings import Evidence, absent_tables, odd_payloads, unlisted_tables
from datom_core.planning import (
    Depth,
    ProjectState,
    nothing_there,
    payload_key,
    read_snapshot,
    same_snapshot,
    snapshot_fault,
)
from datom_core.publishing import git_recovery, load_state
from datom_core.storage import Item, each, find
from datom_core.tables import Verdict, judge_payload, signed
from datom_core.writing import DocumentEditor


class Examiner:
    """Examines one project, again and again if need be.

    Snapshots and payloads found to be sound are not read again.
    """

    def __init__(self, editor: DocumentEditor, depth: Depth, on_progress: OnProgress | None) -> None:
        self.editor = editor
        self.repo, self.store = editor.repo, editor.projector.store
        self.depth = depth
        self.on_progress = on_progress
        self._sound: set[tuple[str, str | None]] = set()
        self._unproven: dict[str, Verdict] = {}
        self._judging = threading.Lock()
        self._payload_sizes: dict[str, frozenset[int]] = {}

    def git(self) -> tuple[str, ProjectState]:
        """The tip and all of its documents, including tables that the manifest does not list."""
        tip, state = self.editor.load(None)
        unlisted = unlisted_tables(state, self.repo.files(tip))
        return tip, load_state(self.repo, tip, [*state.manifest.entries, *unlisted]) if unlisted else state

    def examine(self) -> Evidence:
        """Read git, then storage.

        Raises:
            NotFoundError: the store holds nothing at all of a project that has tables.
            FormatError: a document in git cannot be read, or a newer release wrote one in either place.
            The errors of the store and of git.
        """
        tip, state = self.git()
        sizes = {o.key: o.size for o in self.store.list()}
        if state.manifest.entries and not sizes:
            raise nothing_there(state, self.store.location)
        # At `quick`, read only the documents that tell whether a missing payload is late or lost.
        read = absent_tables(state, sizes) if self.depth == "quick" else state.tables
        seen = self.editor.projector.view_storage(read, governance=state.governance is not None)
        lines = self.editor.projector.lines
        parted = lines.divergence(seen, tip, state)
        evidence = Evidence(
            self.depth,
            tip,
            state,
            self.repo.files(tip),
            sizes,
            seen,
            diverged=lines.in_short(parted) if parted is not None else None,
            lost=parted.lost if parted is not None else (),
        )
        evidence = self._with_snapshots(evidence)
        return self._with_payloads(evidence)

    def _with_snapshots(self, evidence: Evidence) -> Evidence:
        """The evidence, with the faults of snapshots and which of those git can mend."""
        state, sizes = evidence.state, evidence.sizes
        versions = {names.snapshot(t, v.version): (t, v) for t, s in state.tables.items() for v in s.history}
        faults: dict[str, str] = {}
        stored: dict[str, Metadata | None] = {key: None for key in versions if not sizes.get(key)}
        if self.depth != "quick":
            for key, found in self._read_snapshots(evidence, versions):
                table, version = versions[key]
                fault = snapshot_fault(found, version, state.table(table).history)
                if fault is None and found is not None:
                    self._accept(key, table, found)
                elif fault is not None:
                    stored[key], faults[key] = found, fault
        given: set[str] = set()
        for table in sorted({versions[key][0] for key in stored}):
            wanted = [v.version for key, (t, v) in versions.items() if t == table and key in stored]
            documents = git_recovery.snapshots(self.repo, table, state.table(table), evidence.tip, wanted)
            for name, document in documents.items():
                key = names.snapshot(table, name)
                found = stored[key]
                given.add(key)
                # R's id for some custom metadata cannot be recomputed: git's own document has the same fault.
                if found is not None and same_snapshot(found, document):
                    del faults[key]
                    self._accept(key, table, found)
        payload_sizes = {} if self.depth == "quick" else _with_current_sizes(self._payload_sizes, state)
        return replace(evidence, faults=faults, recoverable=frozenset(given), payload_sizes=payload_sizes)

    def _read_snapshots(
        self, evidence: Evidence, versions: dict[str, tuple[str, Version]]
    ) -> Iterable[tuple[str, Metadata | None]]:
        def read(item: Item) -> Metadata | None:
            found = find(self.store, item.key)
            return None if found is None else read_snapshot(found.data, item.key)

        history = {t: s.history for t, s in evidence.state.tables.items()}
        pinned = {key: history[t].payload_sha(v.data_sha) for key, (t, v) in versions.items()}
        items = [
            Item(key, evidence.sizes[key], pinned[key])
            for key in versions
            if evidence.sizes.get(key) and (key, pinned[key]) not in self._sound
        ]
        for item, found in each(items, read, what="snapshots", on_progress=self.on_progress):
            yield item.key, found

    def _accept(self, key: str, table: str, snapshot: Metadata) -> None:
        self._sound.add((key, snapshot.payload_sha))
        if snapshot.size_bytes is not None:
            payload = payload_key(table, snapshot)
            self._payload_sizes[payload] = self._payload_sizes.get(payload, frozenset()) | {snapshot.size_bytes}

    def _with_payloads(self, evidence: Evidence) -> Evidence:
        """The evidence, with hashes and contents of payloads, and the lost payloads of sets that git can give."""
        wanted = {"quick": [], "deep": odd_payloads(evidence), "full": list(evidence.payloads)}[self.depth]
        pinned = {key: evidence.payloads[key].sha256 for key in wanted}
        items = [
            Item(key, evidence.sizes[key], sha)
            for key, sha in pinned.items()
            # If no hash of the bytes is recorded, only the content tells whether they are right.
            if (sha is not None or self.depth == "full") and evidence.sizes.get(key) and (key, sha) not in self._sound
        ]
        digests: dict[str, str | None] = {}
        verdicts: dict[str, Verdict] = {}
        read = partial(self._judge, evidence)
        for item, (digest, verdict) in each(items, read, what="payloads", on_progress=self.on_progress):
            if item.sha256 is not None or digest is None:
                digests[item.key] = digest
            if verdict is not None:
                verdicts[item.key] = verdict
            if digest is not None and item.sha256 in (None, digest) and (verdict is None or not verdict.is_other):
                self._sound.add((item.key, item.sha256))
                self._unproven |= {item.key: verdict} if verdict is not None and not verdict.proven else {}
        given = set(evidence.recoverable)
        for key, lost in evidence.payloads.items():
            if key.endswith(".json") and key not in evidence.sizes:
                in_git = git_recovery.set_payloads(self.repo, lost.table, evidence.tip)
                given |= {key} if lost.sha256 in in_git else set()
        verdicts |= {key: verdict for key, verdict in self._unproven.items() if key in pinned}
        return replace(evidence, digests=digests, verdicts=verdicts, recoverable=frozenset(given))

    def _judge(self, evidence: Evidence, item: Item) -> tuple[str | None, Verdict | None]:
        """A payload's SHA-256, ``None`` if it is gone; at `full`, if that is right, also what its content is."""
        found = find(self.store, item.key)
        if found is None:
            return None, None
        if self.depth != "full" or item.sha256 not in (None, found.sha256):
            return found.sha256, None
        with self._judging:  # decodes one table at a time, whatever it takes
            return found.sha256, judge_payload(item.key, found.data, partial(self._told, evidence, item.key))

    def _told(self, evidence: Evidence, key: str) -> Metadata | None:
        """A document in git for a version with this content; one of ours, if there is any."""
        table = evidence.payloads[key].table
        history = evidence.state.table(table).history
        documents = [r.metadata for r in git_recovery.revisions(self.repo, table, history, evidence.tip)]
        ours_last = sorted((d for d in documents if payload_key(table, d) == key), key=signed)
        return ours_last[-1] if ours_last else None


def _with_current_sizes(sizes: dict[str, frozenset[int]], state: ProjectState) -> dict[str, frozenset[int]]:
    found = dict(sizes)
    for table, at_tip in state.tables.items():
        if at_tip.metadata is not None and at_tip.metadata.size_bytes is not None:
            key = payload_key(table, at_tip.metadata)
            found[key] = found.get(key, frozenset()) | {at_tip.metadata.size_bytes}
    return found
