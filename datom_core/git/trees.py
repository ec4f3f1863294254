"""What a commit holds at some paths, from one run of ``git cat-file``.

git says "missing" both for a file that a commit does not have and for one that a damaged clone has lost. To tell them
apart, the folders are queried as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FOLDER, _SUBMODULE = b"40000", b"160000"


@dataclass(frozen=True)
class FoundFiles:
    """An answer.

    Attributes:
        files: path -> contents, for the paths that the commit has.
        root_files: names of all files at the top.
        lost: paths that the commit has, but the clone has lost.
    """

    files: dict[str, bytes]
    root_files: frozenset[str]
    lost: list[str]


class Question:
    """Which objects to ask git for, and what its answers mean.

    Args:
        commit: its id.
        paths: of files, with ``/`` between folders.
    """

    def __init__(self, commit: str, paths: Iterable[str]) -> None:
        self._paths = list(dict.fromkeys(paths))
        # A folder comes after those that contain it.
        self._folders = sorted({folder for path in self._paths for folder in _above(path)})
        self._id_bytes = len(commit) // 2
        self.objects = [f"{commit}^{{tree}}", *(f"{commit}:{path}" for path in [*self._folders, *self._paths])]

    def answered(self, contents: Sequence[bytes | None]) -> FoundFiles:
        """Interpret the contents of `objects`, in their order."""
        answers = dict(zip(["", *self._folders, *self._paths], contents, strict=True))
        root = answers[""]
        if root is None:
            return FoundFiles({}, frozenset(), [""])
        folders, files, lost = {"": self._entries(root)}, {}, []
        for path in [*self._folders, *self._paths]:
            mode, content = self._mode(path, folders), answers[path]
            if mode in (None, _SUBMODULE):
                continue
            if content is None:
                lost.append(path)
            elif mode == _FOLDER:
                folders[path] = self._entries(content)
            else:
                files[path] = content
        wanted = {path: files[path] for path in self._paths if path in files}
        top = frozenset(name for name, mode in folders[""].items() if mode not in (_FOLDER, _SUBMODULE))
        return FoundFiles(wanted, top, lost)

    @staticmethod
    def _mode(path: str, folders: dict[str, dict[str, bytes]]) -> bytes | None:
        """The mode that the path has in its folder; ``None`` if it is not there."""
        folder, _, name = path.rpartition("/")
        return folders.get(folder, {}).get(name)

    def _entries(self, tree: bytes) -> dict[str, bytes]:
        """Names in a tree object with their modes: ``mode SP name NUL id``, repeated."""
        found: dict[str, bytes] = {}
        position = 0
        while position < len(tree):
            end = tree.index(b"\0", position)
            mode, _, name = tree[position:end].partition(b" ")
            found[name.decode("utf-8", "surrogateescape")] = mode
            position = end + 1 + self._id_bytes
        return found


def _above(path: str) -> list[str]:
    """The folders that contain a path."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]
