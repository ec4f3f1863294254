"""The audit table as far as storage's documents tell it: each says who, when and why, and none says what else was done.

Times order the events, as storage has no other order across its documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from datom_core.auditing.cut_changes import facts_of
from datom_core.auditing.histories import Entry, read_entries, told_of
from datom_core.auditing.project_changes import compare_governance
from datom_core.auditing.stories import Story, of_cut, of_entry, of_reinstatement
from datom_core.common import names
from datom_core.documents import History, Line, Manifest, Metadata, Version, parse_object
from datom_core.errors import FormatError, NotFoundError
from datom_core.storage import ObjectStore, find

T = TypeVar("T")

_READERS = 16  # documents that are fetched at a time: a bucket far away takes long for each


def stories_in_storage(store: ObjectStore) -> list[Story]:
    """Every event that storage tells, in order of time.

    Raises:
        NotFoundError: the store holds no project.
        AccessDeniedError, StorageError: it cannot be read.
    """
    manifest = _read(store, names.MANIFEST_KEY, Manifest.from_json)
    if manifest is None:
        raise NotFoundError(
            f"{store.location} holds no datom project ({names.MANIFEST_KEY} is missing). Check root and prefix."
        )
    found: list[Story] = []
    tables = [] if isinstance(manifest, Story) else [t for t in manifest.entries if names.is_name(t)]
    found += [manifest] if isinstance(manifest, Story) else []
    with ThreadPoolExecutor(_READERS, thread_name_prefix="datom-audit") as pool:
        for stories in pool.map(lambda table: list(_table(store, table)), tables):
            found += stories
    found += _document(store, names.CUTS_KEY, _cuts)
    found += _document(store, names.GOVERNANCE_KEY, lambda data, _: compare_governance([None], data))
    return sorted(found, key=lambda story: story.recorded_at or "")


def given_up(store: ObjectStore) -> frozenset[tuple[str, str]]:
    """Versions (table, version) that storage says were given up when a history was accepted."""
    line = _read(store, names.LINE_KEY, Line.from_json)
    held = line.let_go if isinstance(line, Line) else {}
    return frozenset((table, version) for table, versions in held.items() for version in versions)


def _read(store: ObjectStore, key: str, parse: Callable[[bytes, str], T]) -> T | Story | None:
    """A document; that it cannot be read; or ``None`` if it is not there."""
    found = find(store, key)
    if found is None:
        return None
    try:
        return parse(bytes(found.data), f"{key} in {store.location}")
    except FormatError as error:
        table = key.partition("/")[0]
        told = f"could not be read: {' '.join(str(error).split())}"
        return Story("unreadable", table=table if names.is_name(table) else None, files=(key,), detail=told)


def _document(store: ObjectStore, key: str, tell: Callable[[bytes, str], list[Story]]) -> list[Story]:
    found = _read(store, key, tell)
    return [] if found is None else [found] if isinstance(found, Story) else found


def _cuts(data: bytes, source: str) -> list[Story]:
    return [of_cut(fact) for fact in facts_of(parse_object(data, source), source)]


def _table(store: ObjectStore, table: str) -> Iterator[Story]:
    """When each version became current, oldest first."""
    key = names.history(table)
    history = _read(store, key, lambda data, source: (History.from_json(data, source), read_entries(data, source)))
    current = _read(store, names.pointer(table), Metadata.from_json)
    yield from (found for found in (history, current) if isinstance(found, Story))
    if history is None or isinstance(history, Story):
        return
    parsed, raw = history
    if not isinstance(current, Metadata):
        yield from (of_entry(table, entry, None, same_data=False) for entry in reversed(raw))
        return
    try:
        yield from _in_turn(table, parsed, {entry["version"]: entry for entry in reversed(raw)}, current)
    except FormatError as error:
        yield Story("unreadable", table=table, files=(key,), detail=f"could not be read: {error}")


def _in_turn(table: str, history: History, entries: dict[str, Entry], current: Metadata) -> Iterator[Story]:
    before: Version | None = None
    seen = set()
    for version, recording in history.recordings(current, table):
        entry = entries[version.version]
        previous = None if before is None else before.version
        if version.version not in seen:
            same = before is not None and before.data_sha == version.data_sha
            yield of_entry(table, entry, previous, same_data=same)
        else:
            told = told_of(entry, recording.recorded_at)
            story = of_reinstatement(table, entry, recording.recorded_at, told, previous)
            # What R set back only the pointer says, and git says it by a commit.
            yield replace(story, silent=recording.recorded_at not in version.reinstated_at)
        seen.add(version.version)
        before = version
