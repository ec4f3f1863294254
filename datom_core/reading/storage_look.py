"""One look at what storage holds: the documents of tables, those of versions, payloads; each against the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from datom_core import tables
from datom_core.common import OnProgress, names
from datom_core.documents import Buffer, Cuts, History, Manifest, Metadata, Version
from datom_core.errors import FormatError
from datom_core.planning import (
    Depth,
    Pinned,
    Problem,
    TableState,
    altered_approvals,
    history_faults,
    row_faults,
    unknown_versions,
)
from datom_core.reading.stored_documents import StoredDocuments
from datom_core.storage import Item, each, find
from datom_core.tables import Verdict, judge_document, signed

T = TypeVar("T")

_FIRST_BYTES = 16  # of a hash, in messages
_FROM_GIT = "git may have it: project.validate(fix=True) puts it back"


@dataclass
class Look:
    """What one look showed; the attributes are those of `VerificationReport`."""

    problems: list[Problem] = field(default_factory=list)
    tables: int = 0
    versions: int = 0
    payloads: int = 0
    bytes: int = 0
    unproven: set[str] = field(default_factory=set)

    def wrong(self, kind: str, table: str | None, version: str | None, key: str, what: str) -> None:
        self.problems.append(Problem(kind, table, version, key, what, fixable=kind == "stale"))


class StorageExaminer:
    """Looks at one project, again and again if need be. What was found to be sound is not read again.

    Args:
        documents: of the project.
        depth: how closely.
        only: of these tables, this version alone.
        on_progress: told of what was read.
    """

    def __init__(
        self, documents: StoredDocuments, depth: Depth, only: Mapping[str, Version], on_progress: OnProgress | None
    ) -> None:
        self._documents, self._store = documents, documents.store
        self._depth, self._only, self._on_progress = depth, only, on_progress
        self._sound: set[tuple[str, str | None]] = set()
        self._unproven: set[str] = set()
        self._recorded_sizes: dict[str, set[int]] = {}
        self._judging = threading.Lock()

    def look(self, tables: Collection[str] | None) -> Look:
        """Examine these tables, or all, with what the project's lists say of them."""
        found = Look(unproven=self._unproven)
        manifest = self._documents.manifest()
        cuts = self._cuts(found)
        for name in [t for t in manifest.entries if not names.is_name(t)]:
            found.wrong("inconsistent", None, None, names.MANIFEST_KEY, f"lists {name!r}, as no table can be called")
        # What the manifest does not list may be what `Project.accept_history` gave up: it does no harm.
        listed = [t for t in manifest.entries if names.is_name(t) and (tables is None or t in tables)]
        states = self._states(found, listed)
        sizes = self._sizes(tables)
        _lists(found, manifest, cuts, states, tables)
        whole = {t: s for t, s in states.items() if s is not None}
        versions = {t: self._versions(found, t, s) for t, s in whole.items()}
        found.tables, found.versions = len(listed), sum(map(len, versions.values()))
        if self._depth != "quick":
            self._snapshots(found, whole, versions, sizes)
        self._payloads(found, whole, versions, sizes)
        return found

    def _cuts(self, found: Look) -> Cuts:
        if find(self._store, names.CUTS_KEY) is None:
            return Cuts()  # none was ever recorded
        return self._parsed(found, None, names.CUTS_KEY, Cuts.from_json) or Cuts()

    def _states(self, found: Look, tables: Iterable[str]) -> dict[str, TableState | None]:
        """The documents of tables; ``None`` where not both can be read, which is a problem of its own."""
        states: dict[str, TableState | None] = {}

        def read(item: Item) -> tuple[Metadata | None, History | None]:
            pointer = self._parsed(found, item.key, names.pointer(item.key), Metadata.from_json)
            return pointer, self._parsed(found, item.key, names.history(item.key), History.from_json)

        items = [Item(t, 0) for t in tables]
        for item, (pointer, history) in each(items, read, what="documents", on_progress=self._on_progress):
            states[item.key] = None if pointer is None or history is None else TableState(pointer, history)
        return {item.key: states[item.key] for item in items}

    def _parsed(
        self, found: Look, table: str | None, key: str, parse: Callable[[Buffer, str], T], version: str | None = None
    ) -> T | None:
        """A document, or ``None`` with the reason among the problems.

        Raises:
            FormatError: a newer release wrote it, so that nothing can be said of it.
        """
        stored = find(self._store, key)
        if stored is None:
            found.wrong("missing", table, version, key, f"is missing; {_FROM_GIT}")
            return None
        try:
            return parse(stored.data, key)
        except FormatError as error:
            if "schema" in error.details:
                raise
            what = "is empty" if not len(stored.data) else "cannot be read"
            found.wrong("damaged", table, version, key, f"{what}; {_FROM_GIT}")
            return None

    def _sizes(self, tables: Collection[str] | None) -> dict[str, int]:
        prefixes = [""] if tables is None else [f"{t}/" for t in sorted(tables)]
        return {o.key: o.size for prefix in prefixes for o in self._store.list(prefix)}

    def _versions(self, found: Look, table: str, state: TableState) -> tuple[Version, ...]:
        """The versions to look at, each once; what the table's documents say against one another is told on the way."""
        for what in history_faults(state):
            found.wrong("inconsistent", table, None, names.history(table), f"{what}; {_FROM_GIT}")
        current, pointer = state.current, state.metadata
        if current is not None and pointer is not None:
            verdict = judge_document(pointer, current.version)
            if verdict.is_other:
                found.wrong("damaged", table, current.version, names.pointer(table), f"{verdict.fault}; {_FROM_GIT}")
        every = {v.version: v for v in state.history}
        if table not in self._only:
            return tuple(every.values())
        asked = self._only[table]
        held = every.get(asked.version)
        if held is None or held.data_sha != asked.data_sha:
            what = "does not have this version" if held is None else "has another content for this version"
            found.wrong("inconsistent", table, asked.version, names.history(table), f"{what}; {_FROM_GIT}")
        return (asked,)

    def _snapshots(
        self,
        found: Look,
        states: Mapping[str, TableState],
        versions: Mapping[str, tuple[Version, ...]],
        sizes: Mapping[str, int],
    ) -> None:
        """See that the document of each version is there and proves the version's id."""
        wanted = {names.snapshot(t, v.version): (t, v) for t, every in versions.items() for v in every}
        hashes = {t: _hashes(s.history) for t, s in states.items()}
        items = []
        for key, (table, version) in wanted.items():
            pinned = hashes[table].get(version.data_sha)
            if key not in sizes:
                found.wrong("missing", table, version.version, key, f"is missing; {_FROM_GIT}")
            elif (key, pinned) not in self._sound:
                items.append(Item(key, sizes[key], pinned))

        def read(item: Item) -> None:
            table, version = wanted[item.key]
            document = self._parsed(found, table, item.key, Metadata.from_json, version.version)
            if document is None:
                return
            verdict = self._documents.judged(version, document)
            other = None not in (document.payload_sha, item.sha256) and document.payload_sha != item.sha256
            if verdict.is_other or other:
                what = verdict.fault or "it names another SHA-256 of the payload than the history"
                found.wrong("damaged", table, version.version, item.key, f"{what}; {_FROM_GIT}")
                return
            self._accept(item, table, version, document, verdict)

        for _ in each(items, read, what="snapshots", on_progress=self._on_progress):
            pass

    def _accept(self, item: Item, table: str, version: Version, document: Metadata, verdict: Verdict) -> None:
        self._sound.add((item.key, item.sha256))
        if not verdict.proven:
            self._unproven.add(item.key)
        if document.size_bytes is not None:
            self._recorded_sizes.setdefault(_payload_key(table, version), set()).add(document.size_bytes)

    def _payloads(
        self,
        found: Look,
        states: Mapping[str, TableState],
        versions: Mapping[str, tuple[Version, ...]],
        sizes: Mapping[str, int],
    ) -> None:
        """See that payloads are there; read those whose size tells nothing good, and all at ``full``."""
        wanted = self._wanted_payloads(states, versions)
        items = []
        for key, pinned in wanted.items():
            size = sizes.get(key)
            found.payloads += 1
            found.bytes += size or 0
            odd = key in self._recorded_sizes and size not in self._recorded_sizes[key]
            if size is None:
                self._payload_wrong(found, "lost", key, pinned, "is missing")
            elif size == 0:
                self._payload_wrong(found, "altered", key, pinned, "is empty")
            elif odd and pinned.sha256 is None:
                recorded = min(self._recorded_sizes[key])
                self._payload_wrong(found, "altered", key, pinned, f"has {size} bytes, not {recorded}")
            elif (odd or self._depth == "full") and (key, pinned.sha256) not in self._sound:
                # R records the size of what it serialised, also where it keeps another object: bytes decide.
                items.append(Item(key, size, pinned.sha256))
        read = partial(self._judge, found, wanted, {t: s.history for t, s in states.items()})
        for _ in each(items, read, what="payloads", on_progress=self._on_progress):
            pass

    def _wanted_payloads(
        self, states: Mapping[str, TableState], versions: Mapping[str, tuple[Version, ...]]
    ) -> dict[str, Pinned]:
        """The payloads that must be there, with the versions that they are of."""
        found: dict[str, Pinned] = {}
        for table, state in states.items():
            current, hashes = state.current, _hashes(state.history)
            if state.metadata is not None and current is not None and state.metadata.size_bytes is not None:
                self._recorded_sizes.setdefault(_payload_key(table, current), set()).add(state.metadata.size_bytes)
            every = self._depth != "quick" or table in self._only
            of_content: dict[str, list[Version]] = {}
            for version in versions[table]:
                if every or (current is not None and version.data_sha == current.data_sha):
                    of_content.setdefault(_payload_key(table, version), []).append(version)
            for key, same in of_content.items():
                sha = hashes.get(same[0].data_sha)
                found[key] = Pinned(table, tuple(v.version for v in same), sha)
        return found

    def _judge(self, found: Look, wanted: Mapping[str, Pinned], histories: Mapping[str, History], item: Item) -> None:
        """Read one payload: whether it has the recorded bytes and, at ``full``, the content that its name says."""
        pinned, stored = wanted[item.key], find(self._store, item.key)
        if stored is None:
            self._payload_wrong(found, "lost", item.key, pinned, "is missing")
            return
        if item.sha256 not in (None, stored.sha256):
            what = f"has SHA-256 {stored.sha256[:_FIRST_BYTES]}..., not {str(item.sha256)[:_FIRST_BYTES]}..."
            self._payload_wrong(found, "altered", item.key, pinned, what)
            return
        if self._depth == "full":
            with self._judging:  # decodes one table at a time, whatever it takes
                told = partial(self._told, pinned, histories[pinned.table])
                verdict = tables.judge_payload(item.key, stored.data, told)
            if verdict.is_other:
                self._payload_wrong(found, "forged", item.key, pinned, f"is not what its name says: {verdict.fault}")
                return
            if not verdict.proven:
                self._unproven.add(item.key)
        self._sound.add((item.key, item.sha256))

    def _told(self, pinned: Pinned, history: History) -> Metadata | None:
        """The document of a version of this content; one of ours, if there is any."""
        entries = [v for v in history if v.version in pinned.versions]
        documents = [self._known(pinned.table, v) for v in entries]
        return next(iter(sorted((d for d in documents if d is not None), key=signed, reverse=True)), None)

    def _known(self, table: str, version: Version) -> Metadata | None:
        found = find(self._store, names.snapshot(table, version.version))
        try:
            return None if found is None else Metadata.from_json(found.data, names.snapshot(table, version.version))
        except FormatError:
            return None

    def _payload_wrong(self, found: Look, kind: str, key: str, pinned: Pinned, what: str) -> None:
        again = "restore it from a backup"
        if key.endswith(".parquet"):
            again += (
                ", or write the same data again" if kind == "lost" else ", or remove it and write the same data again"
            )
        for version in pinned.versions:
            found.wrong(kind, pinned.table, version, key, f"{what}: {again}")


def _lists(
    found: Look,
    manifest: Manifest,
    cuts: Cuts,
    states: Mapping[str, TableState | None],
    tables: Collection[str] | None,
) -> None:
    """What the manifest and the cuts say of tables, against what those say of themselves."""
    whole = {t: s for t, s in states.items() if s is not None}
    for table, state in whole.items():
        row = manifest.entries.get(table)
        # What a writer updates last may be behind; what is ahead of the table itself cannot be.
        ahead = row is not None and (
            row.version_count > len(state.history) or state.history.find(row.version or "") is None
        )
        kind, do = ("inconsistent", _FROM_GIT) if ahead else ("stale", "the next write, or project.mirror(), mends it")
        for what in row_faults(row, state):
            found.wrong(kind, table, None, names.MANIFEST_KEY, f"{what}; {do}")
    for name in cuts.reviews:
        if name in cuts:
            found.wrong("inconsistent", None, None, names.CUTS_KEY, f"has {name!r} for a cut and for a review mark")
    for what in altered_approvals(cuts):
        found.wrong("inconsistent", None, None, names.CUTS_KEY, what)
    for table, version, named in unknown_versions(cuts, whole):
        known_broken = table in states and table not in whole
        if not known_broken and (tables is None or table in tables):
            what = f"has it in {named}, and there is no such version; {_FROM_GIT}"
            found.wrong("inconsistent", table, version, names.CUTS_KEY, what)


def _hashes(history: History) -> dict[str, str]:
    """Content -> the recorded SHA-256 of its payload, as `History.payload_sha` finds it."""
    found: dict[str, str] = {}
    for version in history:
        if version.payload_sha:
            found.setdefault(version.data_sha, version.payload_sha)
    return found


def _payload_key(table: str, version: Version) -> str:
    return (names.set_payload if version.is_set else names.payload)(table, version.data_sha)
