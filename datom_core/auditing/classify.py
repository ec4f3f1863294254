"""What each commit did, by what it changed in the project's documents, whatever its message says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from datom_core.auditing.commits import read_commit
from datom_core.auditing.cut_changes import compare_cuts
from datom_core.auditing.events import AuditEvent
from datom_core.auditing.members import Members, differing, members_of
from datom_core.auditing.project_changes import (
    SIGNERS_FILE,
    compare_governance,
    compare_manifests,
    compare_project_files,
    compare_signers,
)
from datom_core.auditing.readings import Compare, Readings, Texts
from datom_core.auditing.stories import Story, of_cut
from datom_core.auditing.table_changes import TableChanges
from datom_core.common import names
from datom_core.documents import parse_object
from datom_core.git import Blobs, FileChange, WalkedCommit

_OF_PROJECT: dict[str, Compare] = {
    names.PROJECT_FILE: compare_project_files,
    names.MANIFEST_FILE: compare_manifests,
    names.GOVERNANCE_FILE: compare_governance,
    SIGNERS_FILE: compare_signers,
}
_OF_TABLES = frozenset({"metadata.json", "version_history.json"})


def is_document(path: str) -> bool:
    """Whether a file of the repository says something about the project."""
    return path in _OF_PROJECT or path == names.CUTS_FILE or _table_of(path) is not None


class Classifier:
    """Tells what each commit of a history did, from the first one on.

    Attributes:
        keys: what storage may say as well (`Story.key`).
    """

    def __init__(self) -> None:
        self.keys: set[tuple[object, ...]] = set()
        self._readings = Readings()
        self._tables = TableChanges(self._readings)
        self._cuts: tuple[bytes, Members | None] = (b"", None)

    def events(self, commit: WalkedCommit, blobs: Blobs) -> list[AuditEvent]:
        """What happened in a commit: at least one event."""
        self._readings.of(blobs)
        found = list(self._stories({c.path: c for c in commit.changes}))
        self.keys.update(story.key for story in found)
        header = read_commit(commit.sha, commit.raw)
        stories = [story for story in found if not story.silent]
        rest = _unexplained(commit, found)
        if rest or not stories:
            stories.append(_other(commit, rest, accepted=header.says_accepted))
        return [story.in_commit(header) for story in stories]

    def _stories(self, changes: Mapping[str, FileChange]) -> Iterator[Story]:
        for path, compare in _OF_PROJECT.items():
            yield from self._readings.compared(changes.get(path), compare)
        for table in dict.fromkeys(table for path in changes if (table := _table_of(path)) is not None):
            yield from self._tables.stories(table, changes)
        yield from self._readings.compared(changes.get(names.CUTS_FILE), self._compare_cuts)

    def _compare_cuts(self, before: Texts, after: bytes | None) -> list[Story]:
        path = names.CUTS_FILE
        texts = [*before, after]
        members = [self._members_of(text) for text in texts]
        known = [m for m in members if m is not None]
        *was, now = (
            differing(known, path)
            if len(known) == len(texts)
            else [{} if text is None else parse_object(text, path) for text in texts]
        )
        facts, more = compare_cuts(was, now, path)
        stories = [replace(of_cut(fact), files=(path,)) for fact in facts]
        return stories if not more else [*stories, Story("other", files=(path,), detail="fields of another release")]

    def _members_of(self, text: bytes | None) -> Members | None:
        """As it was taken apart for the commit before, where it is the same."""
        if text is not None and self._cuts[0] is not text:
            self._cuts = (text, members_of(text))
        return {} if text is None else self._cuts[1]


def _table_of(path: str) -> str | None:
    folder, _, name = path.rpartition("/")
    return folder if name in _OF_TABLES and names.is_name(folder) else None


def _unexplained(commit: WalkedCommit, stories: Sequence[Story]) -> list[str]:
    """Files that differ from those of every parent, and of which no story tells."""
    if any(story.kind == "project" for story in stories):
        return []  # whatever a project begins with
    told = {path for story in stories for path in story.files}
    if stories:
        told.add(names.MANIFEST_FILE)  # which every write counts anew
    return [c.path for c in commit.changes if c.path not in told and c.after not in c.before]


def _other(commit: WalkedCommit, files: Sequence[str], *, accepted: bool) -> Story:
    if files:
        return Story("other", files=tuple(files))
    if commit.changes:
        return Story("other", "merge", detail="takes over what its parents have")
    if accepted:
        # It changes nothing: what was given up stands in its message, and nowhere else.
        return Story("repair", "accepted", detail="storage follows this history, whatever else it had shown")
    return Story("other", "empty", detail="changes nothing")
