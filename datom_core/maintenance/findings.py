"""What is wrong with a project, judging by what git and storage showed. No effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from datom_core.common import names
from datom_core.errors import InvalidInputError
from datom_core.maintenance.consistency import disagreements
from datom_core.planning import (
    Depth,
    LostVersion,
    Pinned,
    Problem,
    ProjectState,
    StorageView,
    TableState,
    payload_key,
    pinned_payloads,
    projected_lists,
    readers_know,
    same_cuts,
)
from datom_core.tables import Verdict

_KNOWN = frozenset({names.MANIFEST_KEY, names.CUTS_KEY, names.GOVERNANCE_KEY, names.CLAIM_KEY, names.LINE_KEY})
_FIRST_BYTES = 16  # of a hash, in messages


@dataclass(frozen=True)
class Evidence:
    """What one look at a project showed.

    Attributes:
        depth: how closely it was examined.
        tip, state, files: the commit, its documents, and each of its files with the blob id.
        sizes: every object in storage, with its size.
        seen: the documents that were read from storage.
        faults: what is wrong with snapshots, by key.
        payload_sizes: sizes of payloads as recorded in snapshots, by key.
        digests: SHA-256 of the payloads that were hashed, by key; ``None`` for one that was gone.
        verdicts: what the payloads that were compared with their keys contain.
        recoverable: keys of faulty snapshots and lost payloads that git can give.
        diverged, lost: a line saying that storage shows a history which git lacks; and the versions in it.
    """

    depth: Depth
    tip: str
    state: ProjectState
    files: Mapping[str, str]
    sizes: Mapping[str, int]
    seen: StorageView
    faults: Mapping[str, str] = field(default_factory=dict)
    payload_sizes: Mapping[str, frozenset[int]] = field(default_factory=dict)
    digests: Mapping[str, str | None] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    recoverable: frozenset[str] = frozenset()
    diverged: str | None = None
    lost: tuple[LostVersion, ...] = ()

    @cached_property
    def payloads(self) -> dict[str, Pinned]:
        """The payloads that must be there, by key: the current ones; from ``deep`` on, all others too."""
        current = {payload_key(t, s.metadata): (t, s) for t, s in self.state.tables.items() if s.metadata is not None}
        pinned = pinned_payloads(self.state)
        # In a consistent project, every current payload is also a pinned one.
        found = {key: pinned.get(key) or Pinned(t, (), _recorded(s)) for key, (t, s) in current.items()}
        return found if self.depth == "quick" else {**found, **pinned}

    @cached_property
    def held(self) -> frozenset[str]:
        """Tables whose readers must keep the version they have until the current payload is there."""
        lacking = (
            t for t in absent_tables(self.state, self.sizes) if not readers_know(t, self.state.table(t), self.seen)
        )
        return frozenset(t for t in lacking if _current_key(self.state.table(t), t) not in self.recoverable)

    @cached_property
    def foreign(self) -> str | None:
        """The project whose manifest is in storage, if it is another one."""
        stored = self.seen.manifest()
        return None if stored is None or stored.project == self.state.manifest.project else stored.project

    def fixable(self, table: str | None = None) -> bool:
        """Whether documents can be restored: of this table, or of the project."""
        return self.ours and table not in self.held

    @property
    def ours(self) -> bool:
        """Whether we may put anything into storage: it shows this project, and this line of its history."""
        return self.foreign is None and self.diverged is None

    def was_projected(self, table: str, version: str) -> bool:
        """Whether storage ever had the version's documents, which follow its payload."""
        stored = self.seen.history(table)
        named = stored is not None and stored.find(version) is not None
        return named or names.snapshot(table, version) in self.sizes


Check = Callable[[Evidence], Iterable[Problem]]


def inspect(evidence: Evidence) -> tuple[Problem, ...]:
    """Everything wrong according to the evidence, in the order of `CHECKS`."""
    return tuple(problem for check in CHECKS for problem in check(evidence))


def absent_tables(state: ProjectState, sizes: Mapping[str, int]) -> list[str]:
    """Tables and sets whose current payload is not in storage."""
    return [t for t, s in state.tables.items() if s.metadata is not None and payload_key(t, s.metadata) not in sizes]


def unlisted_tables(state: ProjectState, files: Iterable[str]) -> list[str]:
    """Folders in git with a table's documents that the manifest does not list."""
    paths = set(files)
    folders = (path.removesuffix("/metadata.json") for path in paths if path.endswith("/metadata.json"))
    found = (f for f in folders if names.history_file(f) in paths and _is_name(f))
    return sorted(f for f in found if f not in state.manifest.entries)


def odd_payloads(evidence: Evidence) -> list[str]:
    """Payloads in storage whose size differs from every recorded one.

    That proves nothing: R records the size of what it serialised itself, even if it keeps the object already there.
    """
    recorded = evidence.payload_sizes
    return [
        key for key in evidence.payloads if key in recorded and evidence.sizes.get(key, -1) not in (-1, *recorded[key])
    ]


def strangers(state: ProjectState, keys: Iterable[str]) -> tuple[str, ...]:
    """The keys that no version, document or name of the format explains."""
    explained = set(_KNOWN) | set(pinned_payloads(state))
    for table, at_tip in state.tables.items():
        explained |= {names.pointer(table), names.history(table), _current_key(at_tip, table)}
        explained |= {names.snapshot(table, v.version) for v in at_tip.history}
    return tuple(sorted(set(keys) - explained))


def _lists(e: Evidence) -> Iterator[Problem]:
    """The manifest and the cuts agree with git."""
    expected = projected_lists(e.state, e.seen, e.held)
    if e.foreign is not None:
        what = f"is of the project {e.foreign!r}: check root, prefix and server of the store. Nothing is put back there"
        yield Problem("foreign", None, None, names.MANIFEST_KEY, what, fixable=False)
        return
    stored = e.seen.manifest()
    same = stored is not None and dict(stored.raw) == dict(expected.manifest.raw)
    yield from _document(e, names.MANIFEST_KEY, None, stored is not None, same)
    if not same_cuts(expected.cuts, e.seen):
        yield from _document(e, names.CUTS_KEY, None, e.seen.cuts() is not None, same=False)


def _line(e: Evidence) -> Iterator[Problem]:
    """Storage shows nothing that is missing from git's history."""
    if e.foreign is not None:
        return
    if e.diverged is not None:
        yield Problem(
            "diverged", None, None, names.LINE_KEY, f"and the branch have parted: {e.diverged}", fixable=False
        )
        for version in e.lost:
            key = names.snapshot(version.table, version.version)
            what = f"is no longer in git (of {version.recorded_at}, by {version.author}: {version.message})"
            yield Problem("diverged", version.table, version.version, key, what, fixable=False)
    elif e.seen.documents.get(names.LINE_KEY) is not None:
        yield from _document(e, names.LINE_KEY, None, e.seen.line() is not None, same=True)
    elif any(_is_of_this_package(table) for table in e.state.tables.values()):
        yield from _document(e, names.LINE_KEY, None, readable=False, same=False)  # R leaves none


def _governance(e: Evidence) -> Iterator[Problem]:
    """Readers who only see storage are told of the project's register."""
    if e.state.governance is not None and e.foreign is None:
        stored = e.seen.governance()
        same = stored is not None and dict(stored.raw) == dict(e.state.governance.raw)
        yield from _document(e, names.GOVERNANCE_KEY, None, stored is not None, same)


def _documents(e: Evidence) -> Iterator[Problem]:
    """Every table's pointer and history are there, and from ``deep`` on agree with git."""
    for table, at_tip in e.state.tables.items():
        keys = (names.pointer(table), names.history(table))
        held = table in e.held
        if at_tip.metadata is None or (held and not any(key in e.sizes for key in keys)):
            continue  # storage never had it
        pointer, history = e.seen.pointer(table), e.seen.history(table)
        level = pointer is not None and dict(pointer.raw) == dict(at_tip.metadata.raw)
        yield from _document(e, keys[0], table, pointer is not None, held or level)
        level = history is not None and history.same_as(at_tip.history)
        yield from _document(e, keys[1], table, history is not None, held or level)


def _document(e: Evidence, key: str, table: str | None, readable: bool, same: bool) -> Iterator[Problem]:
    kind = what = None
    if key not in e.sizes:
        kind, what = "missing", "is missing"
    elif e.sizes[key] == 0:
        kind, what = "damaged", "is empty"
    elif key in e.seen.documents and not readable:
        kind, what = "damaged", "cannot be read"
    elif key in e.seen.documents and not same:
        kind, what = "stale", "says something else than git"
    if kind is not None:
        later = "; it can be put back once the current data is there" if table in e.held else ""
        yield Problem(kind, table, None, key, f"{what}{later}", e.fixable(table))


def _snapshots(e: Evidence) -> Iterator[Problem]:
    """Every version's snapshot is there, and from ``deep`` on belongs to it."""
    for table, at_tip in e.state.tables.items():
        for version in at_tip.history:
            key = names.snapshot(table, version.version)
            if key not in e.sizes:
                kind, what = "missing", "is missing"
            elif e.sizes[key] == 0:
                kind, what = "damaged", "is empty"
            elif key in e.faults:
                kind, what = "damaged", e.faults[key]
            else:
                continue
            if table in e.held and not e.was_projected(table, version.version):
                continue
            given = key in e.recoverable
            lost = "" if given else "; git does not have it either: restore it from a backup"
            yield Problem(kind, table, version.version, key, f"{what}{lost}", given and e.fixable(table))


def _payloads(e: Evidence) -> Iterator[Problem]:
    """Every payload is there; those that were read are what was recorded, and what their names say."""
    odd = set(odd_payloads(e))
    for key, pinned in e.payloads.items():
        size, actual = e.sizes.get(key), e.digests.get(key, pinned.sha256)
        again = "restore it from a backup"
        if key.endswith(".parquet"):
            again += (
                ", or write the same data again" if size is None else ", or remove it and write the same data again"
            )
        if size is None or (actual is None and key in e.digests):
            yield from _gone(e, key, pinned, again)
            continue
        kind, verdict = "altered", e.verdicts.get(key)
        if size == 0:
            what = "is empty"
        elif actual != pinned.sha256:
            what = f"has SHA-256 {str(actual)[:_FIRST_BYTES]}..., not {str(pinned.sha256)[:_FIRST_BYTES]}..."
        elif pinned.sha256 is None and key in odd:
            what = f"has {size} bytes, not {sorted(e.payload_sizes[key])[0]}"
        elif verdict is not None and verdict.is_other:
            kind, what = "forged", f"is not what its name says, though nothing else was recorded: {verdict.fault}"
        else:
            continue
        for version in pinned.versions or (None,):
            yield Problem(kind, pinned.table, version, key, f"{what}: {again}", fixable=False)


def _gone(e: Evidence, key: str, pinned: Pinned, again: str) -> Iterator[Problem]:
    given = key in e.recoverable
    advice = "" if given else f": {again}"
    for version in pinned.versions or (None,):
        if version is None or e.was_projected(pinned.table, version):
            yield Problem("lost", pinned.table, version, key, f"is missing{advice}", given and e.ours)
        else:
            what = f"is not uploaded yet (R pushes before it uploads), or lost{advice}"
            yield Problem("waiting", pinned.table, version, key, what, given and e.ours)


def _consistency(e: Evidence) -> Iterable[Problem]:
    """The documents in git agree with one another (from ``deep`` on)."""
    return () if e.depth == "quick" else disagreements(e.state)


#: The checks. Each looks at nothing but the evidence; add one for governance here.
CHECKS: tuple[Check, ...] = (_consistency, _lists, _line, _governance, _documents, _snapshots, _payloads)


def _is_of_this_package(table: TableState) -> bool:
    return table.metadata is not None and str(table.metadata.raw.get("datom_version")).startswith("py-")


def _is_name(folder: str) -> bool:
    try:
        names.check_name(folder)
    except InvalidInputError:
        return False
    return True


def _recorded(at_tip: TableState) -> str | None:
    return None if at_tip.metadata is None else at_tip.metadata.payload_sha


def _current_key(at_tip: TableState, table: str) -> str:
    return "" if at_tip.metadata is None else payload_key(table, at_tip.metadata)
