"""Every commit of a branch in turn, with the files that it changed against each of its parents, read in bulk.

For some thousand commits at a time, one ``git diff-tree`` says what changed, and one ``git cat-file`` gives commits and
files as they are needed: memory stays the same however long a history is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, TypeVar

from datom_core.git.cache import CloneCache, GitFailedError
from datom_core.git.repo import GitRepo

T = TypeVar("T")

_AT_ONCE = 2_000  # commits
_HELD = 64 * 2**20  # bytes of files; what is needed again after that is read again
_FILE = b"100"  # mode of a plain file begins so


@dataclass(frozen=True)
class FileChange:
    """A file that a commit changed.

    Attributes:
        path: where it lies.
        before: its blob in each of the parents, ``None`` where there is none; a first commit has one such parent.
        after: its blob in the commit.
    """

    path: str
    before: tuple[str | None, ...]
    after: str | None


@dataclass(frozen=True)
class WalkedCommit:
    """A commit.

    Attributes:
        sha: its id.
        raw: the commit as git stores it.
        changes: its files that are not as in every parent, by path.
    """

    sha: str
    raw: bytes
    changes: tuple[FileChange, ...]


class Blobs:
    """Files by id; those of the present commit are at hand, and as many of earlier ones as fit."""

    def __init__(self, cache: CloneCache) -> None:
        self._cache = cache
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, blob: str) -> bytes:
        """The contents of a file.

        Raises:
            GitFailedError: the clone has lost it.
        """
        found = self._held.get(blob)
        if found is None:
            (found,) = self._cache.contents([blob])
            if found is None:
                raise GitFailedError(f"the clone has lost {blob}")
            self.put(blob, found)
        else:
            self._held.move_to_end(blob)
        return found

    def __contains__(self, blob: str) -> bool:
        return blob in self._held

    def put(self, blob: str, data: bytes) -> None:
        self._held[blob] = data
        self._bytes += len(data)

    def shrink(self) -> None:
        """Forget what was used longest ago."""
        while self._bytes > _HELD and self._held:
            self._bytes -= len(self._held.popitem(last=False)[1])


def walked(
    repo: GitRepo, tip: str, wanted: Callable[[str], bool], work: Callable[[Iterator[tuple[WalkedCommit, Blobs]]], T]
) -> T:
    """What ``work`` makes of every commit up to ``tip``, parents first, and of the files that it changed.

    ``wanted`` says of which paths the contents will be asked for. If the cached clone breaks, ``work`` begins anew.

    Raises:
        NotFoundError, AccessDeniedError, StorageError: the remote does not exist, denies access, or is failing.
    """
    return repo.with_history(lambda cache: work(_walk(cache, tip, wanted)))


def _walk(cache: CloneCache, tip: str, wanted: Callable[[str], bool]) -> Iterator[tuple[WalkedCommit, Blobs]]:
    lines = cache.run("rev-list", "--topo-order", "--reverse", "--parents", tip).decode().splitlines()
    blobs, rest = Blobs(cache), iter(lines)
    while batch := [line.split() for line in islice(rest, _AT_ONCE)]:
        yield from _batch(cache, blobs, batch, wanted)


def _batch(
    cache: CloneCache, blobs: Blobs, batch: Sequence[Sequence[str]], wanted: Callable[[str], bool]
) -> Iterator[tuple[WalkedCommit, Blobs]]:
    changes = {sha: _united(found) for sha, found in _differences(cache, batch)}
    needed, seen = [], set()
    for sha, *_ in batch:
        blobs_of = (b for c in changes[sha] if wanted(c.path) for b in (*c.before, c.after) if b is not None)
        new = [b for b in dict.fromkeys(blobs_of) if b not in seen and b not in blobs]
        seen.update(new)
        needed.append((sha, new))
    objects = "".join(f"{name}\n" for sha, new in needed for name in (sha, *new))
    with cache.streaming("cat-file", "--batch", "--buffer", stdin=objects.encode()) as out:
        for sha, new in needed:
            raw = _next(out)
            for blob in new:
                blobs.put(blob, _next(out))
            yield WalkedCommit(sha, raw, changes[sha]), blobs
            blobs.shrink()


def _differences(
    cache: CloneCache, batch: Sequence[Sequence[str]]
) -> Iterator[tuple[str, list[dict[str, tuple[str | None, str | None]]]]]:
    """Of each commit, the differences from each of its parents: path -> (blob there, blob here)."""
    asked = "".join(f"{sha} {parent}".rstrip() + "\n" for sha, *parents in batch for parent in parents or [""])
    out = cache.run(
        "diff-tree", "--stdin", "--root", "--always", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
        stdin=asked.encode(),
    )  # fmt: skip
    words = iter(out.decode("utf-8", "surrogateescape").split("\0"))
    word = next(words)
    for sha, *parents in batch:
        found = []
        for _ in parents or [""]:
            if word.strip() != sha:
                raise GitFailedError(f"git diff-tree told of {word[:80]!r} instead of {sha}")
            differences: dict[str, tuple[str | None, str | None]] = {}
            while (word := next(words)).startswith(":"):
                old_mode, new_mode, old, new, _ = word[1:].split()
                differences[next(words)] = (_blob(old_mode, old), _blob(new_mode, new))
            found.append(differences)
        yield sha, found


def _blob(mode: str, blob: str) -> str | None:
    return blob if mode.encode().startswith(_FILE) else None


def _united(found: Sequence[dict[str, tuple[str | None, str | None]]]) -> tuple[FileChange, ...]:
    paths = sorted({path for differences in found for path in differences})
    changes = []
    for path in paths:
        after = next(differences[path][1] for differences in found if path in differences)
        before = tuple(differences[path][0] if path in differences else after for differences in found)
        changes.append(FileChange(path, before, after))
    return tuple(changes)


def _next(out: BinaryIO) -> bytes:
    """The next object's contents."""
    header = out.readline().split()
    if len(header) != 3:
        raise GitFailedError(f"the clone has lost {b' '.join(header[:1]).decode()}")
    data = out.read(int(header[2]))
    out.read(1)
    return data
