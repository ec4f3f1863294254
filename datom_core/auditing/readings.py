"""The documents of a commit and of its parents, also where one of them cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from datom_core.auditing.stories import Story
from datom_core.common import names
from datom_core.errors import FormatError
from datom_core.git import Blobs, FileChange

Texts = Sequence[bytes | None]
#: What a document was in each parent, and is now -> what that tells.
Compare = Callable[[Texts, bytes | None], list[Story]]


class Readings:
    """Reads documents. What cannot be read is told once, and what comes after it is compared with what was before."""

    def __init__(self) -> None:
        self._blobs: Blobs | None = None
        self._instead: dict[tuple[str, str], str | None] = {}

    def of(self, blobs: Blobs) -> None:
        """Read from these, from here on."""
        self._blobs = blobs

    def text(self, path: str, blob: str | None) -> bytes | None:
        """A file, or the last one before it that could be read."""
        found = self.readable(path, blob)
        assert self._blobs is not None
        return None if found is None else self._blobs[found]

    def readable(self, path: str, blob: str | None) -> str | None:
        """The blob of that file."""
        while blob is not None and (path, blob) in self._instead:
            blob = self._instead[path, blob]
        return blob

    def compared(self, change: FileChange | None, compare: Compare) -> list[Story]:
        """What a comparison of a file tells, or that the file cannot be read."""
        if change is None:
            return []
        try:
            return compare([self.text(change.path, b) for b in change.before], self.text(change.path, change.after))
        except FormatError as error:
            return [self.unreadable(change, error)]

    def unreadable(self, change: FileChange, error: FormatError) -> Story:
        """That a file cannot be read as this commit left it."""
        before = self.readable(change.path, change.before[0])
        if change.after is not None and change.after != before:
            self._instead[change.path, change.after] = before
        table = change.path.rpartition("/")[0]
        return Story(
            "unreadable",
            table=table if names.is_name(table) else None,
            files=(change.path,),
            detail=f"could not be read: {' '.join(str(error).split())}",
        )
