"""What a commit is known to hold without asking git: what was read of it, or was just published in it.

A commit never changes, so this is no copy that could be out of date. A writer reads after each of its commits what it
has put there itself; that costs no program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from datom_core.git.trees import FoundFiles

_MOST = 1 << 24  # bytes of contents; histories of a thousand tables would fill the memory of a small container


@dataclass(frozen=True)
class CommitMemory:
    """Some files of one commit.

    Attributes:
        commit: its id; ``""`` when nothing is known of any.
        files: path -> contents, or ``None`` if the commit lacks it.
        root_files: names of all files at the top.
        whole: whether ``files`` has all that there is, so that the commit lacks every other path.
    """

    commit: str = ""
    files: Mapping[str, bytes | None] = field(default_factory=dict, repr=False)
    root_files: frozenset[str] = frozenset()
    whole: bool = False

    def answer(self, commit: str, paths: Iterable[str]) -> FoundFiles | None:
        """What the commit holds at these paths; ``None`` if git has to be asked."""
        wanted = list(paths)
        if commit != self.commit or not (self.whole or all(path in self.files for path in wanted)):
            return None
        found = {path: self.files.get(path) for path in wanted}
        return FoundFiles({p: data for p, data in found.items() if data is not None}, self.root_files, [])

    def and_read(self, commit: str, paths: Iterable[str], found: FoundFiles) -> CommitMemory:
        """Also what git answered."""
        read = {path: found.files.get(path) for path in paths}
        known = self.files if commit == self.commit else {}
        return _small_enough(CommitMemory(commit, {**known, **read}, found.root_files))

    def published(self, commit: str, files: Mapping[str, bytes | None], parent: str | None) -> CommitMemory:
        """What is known of a commit that puts ``files`` on top of its parent."""
        if parent is None:
            return _small_enough(CommitMemory(commit, dict(files), _top(files), whole=True))
        if parent != self.commit:
            return CommitMemory()
        gone = {path for path, data in files.items() if data is None}
        top = (self.root_files - gone) | _top(files)
        return _small_enough(CommitMemory(commit, {**self.files, **files}, top, self.whole))


def _small_enough(memory: CommitMemory) -> CommitMemory:
    size = sum(len(data) for data in memory.files.values() if data is not None)
    return memory if size <= _MOST else CommitMemory()


def _top(files: Mapping[str, bytes | None]) -> frozenset[str]:
    return frozenset(path for path, data in files.items() if data is not None and "/" not in path)
