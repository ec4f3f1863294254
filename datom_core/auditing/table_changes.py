"""What a commit did to a table: its history and the document of its current version, taken together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from datom_core.auditing.histories import Entry, HistoryChanges, compare_histories
from datom_core.auditing.pointers import Pointer, Pointers
from datom_core.auditing.readings import Readings, Texts
from datom_core.auditing.stories import Story, of_entry, of_reinstatement
from datom_core.common import names
from datom_core.documents import Metadata
from datom_core.errors import FormatError
from datom_core.git import FileChange


class TableChanges:
    """Tells what each commit did to its tables, from the first one on."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._pointers = Pointers()
        self._histories: dict[str, str | None] = {}  # by table: its history's blob, as of the last commit

    def stories(self, table: str, changes: Mapping[str, FileChange]) -> list[Story]:
        """What happened to a table, in the order in which the documents tell it."""
        paths = (names.metadata_file(table), names.history_file(table), names.set_file(table))
        metadata, history = (changes.get(path) for path in paths[:2])
        found, unread = self._history(table, history)
        before, after, odd = self._current(table, metadata, found)
        told = list(_told(table, found, before[0] if before else None))
        told += _moved(table, metadata, before, after, told)
        known = tuple(path for path in paths if path in changes) if told else ()
        return [*(replace(story, files=known) for story in told), *unread, *odd]

    def _history(self, table: str, history: FileChange | None) -> tuple[HistoryChanges, list[Story]]:
        found = HistoryChanges()

        def compare(before: Texts, after: bytes | None) -> list[Story]:
            nonlocal found
            found = compare_histories(before, after, names.history_file(table))
            return []

        unread = self._readings.compared(history, compare)
        if history is not None:
            self._histories[table] = self._readings.readable(history.path, history.after)
        return found, unread

    def _current(
        self, table: str, metadata: FileChange | None, found: HistoryChanges
    ) -> tuple[list[Pointer | None], Pointer | None, list[Story]]:
        """What was current in each parent, and is now."""
        if metadata is None:
            return [], None, []
        before = [self._pointer(table, metadata, blob) for blob in metadata.before]
        try:
            self._learn(metadata, [*reversed(found.added), *(entry for entry, _, _ in found.again)])
            return before, self._pointer(table, metadata, metadata.after), []
        except FormatError as error:
            return before, None, [self._readings.unreadable(metadata, error)]

    def _learn(self, metadata: FileChange, entries: list[Entry]) -> None:
        """Where one entry is new, a document of the same content describes it: its id need not be computed.

        Raises:
            FormatError: the document cannot be read.
        """
        text = self._readings.text(metadata.path, metadata.after)
        if text is None or metadata.after is None or not entries:
            return
        data_sha = Metadata.from_json(text, metadata.path).data_sha
        same = [entry for entry in entries if entry.get("data_sha") == data_sha]
        if len(same) == len(entries) == 1:
            self._pointers.learn(metadata.after, Pointer(same[0]["version"], data_sha))

    def _pointer(self, table: str, metadata: FileChange, blob: str | None) -> Pointer | None:
        read, history = self._readings, self._histories.get(table)
        return self._pointers.find(
            read.readable(metadata.path, blob),
            lambda: read.text(metadata.path, blob),
            lambda: read.text(names.history_file(table), history),
            metadata.path,
        )


def _told(table: str, found: HistoryChanges, before: Pointer | None) -> Iterator[Story]:
    """What the history alone tells."""
    for entry in found.added:
        data_sha = str(entry.get("data_sha"))
        same = before is not None and before.data_sha == data_sha
        yield of_entry(table, entry, before and before.version, same_data=same)
        before = Pointer(entry["version"], data_sha)
    for entry, at, told in found.again:
        # R's own revert left no trace in the history; a later write adds its time, and nothing else of it.
        silent = told is None and before is not None and before.version == entry["version"]
        story = of_reinstatement(table, entry, at, told, before and before.version)
        yield replace(story, silent=silent)
        before = Pointer(entry["version"], str(entry.get("data_sha")))
    for entry, old in found.pinned:
        now = entry.get("parquet_sha") or entry.get("document_sha")
        yield Story("repair", "pinned", table, entry["version"], detail=f"bytes were {old}, and are {now}")
    for entry in found.removed:
        detail = "a version is gone from the history"
        yield replace(_of_entry(table, entry), kind="alteration", action="removed", detail=detail)
    for entry in found.rewritten:
        detail = "the history says something else of this version"
        yield replace(_of_entry(table, entry), kind="alteration", action="rewritten", detail=detail)


def _moved(
    table: str,
    metadata: FileChange | None,
    before: list[Pointer | None],
    after: Pointer | None,
    told: list[Story],
) -> Iterator[Story]:
    """What the document of the current version tells beyond the history: R sets a version back in it alone."""
    was = before[0].version if before and before[0] else None
    if metadata is not None and metadata.after is None and was is not None:
        yield Story("alteration", "removed", table, was, detail=f"the table {table} is gone")
    if after is None or any(p is None or p.version == after.version for p in before):
        return
    if not any(s.version == after.version and s.kind == "write" for s in told):
        yield Story("write", "reinstated", table, after.version, previous=was)


def _of_entry(table: str, entry: Entry) -> Story:
    return replace(of_entry(table, entry, None, same_data=False), message=None, author=None, recorded_at=None)
