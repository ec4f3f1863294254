"""What git programs read and write in bulk: a commit for ``fast-import``, the answers of ``cat-file --batch``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from datom_core.documents import Author


@dataclass(frozen=True)
class Makers:
    """Who asked for a commit, who makes it, and when."""

    author: Author
    committer: Author
    at: datetime

    @property
    def when(self) -> str:
        """The time as git writes it."""
        return f"{int(self.at.timestamp())} {self.at.strftime('%z') or '+0000'}"

    def lines(self) -> str:
        """As a commit holds them."""
        return "".join(
            f"{role} {who.name} <{who.email}> {self.when}\n"
            for role, who in (("author", self.author), ("committer", self.committer))
        )


def commit_stream(ref: str, files: Mapping[str, bytes | None], message: str, parent: str | None, by: Makers) -> bytes:
    """One commit at ``ref``, for ``git fast-import``, which replies with its id.

    Args:
        files: path -> contents, or ``None`` to remove it.
        parent: the commit it is made on, if any.
        by: who, and when.
    """
    text = message.encode()
    lines = [f"commit {ref}\nmark :1\n{by.lines()}data {len(text)}\n".encode(), text, b"\n"]
    if parent is not None:
        lines.append(f"from {parent}\n".encode())
    for path, data in files.items():
        if data is None:
            lines.append(f"D {path}\n".encode())
            continue
        lines += [f"M 100644 inline {path}\ndata {len(data)}\n".encode(), data, b"\n"]
    lines.append(b"get-mark :1\ndone\n")
    return b"".join(lines)


def batch_contents(out: bytes, count: int) -> list[bytes | None]:
    """The contents of ``count`` objects from ``git cat-file --batch``; ``None`` for one that does not exist."""
    contents: list[bytes | None] = []
    position = 0
    for _ in range(count):
        end = out.index(b"\n", position)
        header = out[position:end].split()
        if header[-1] == b"missing":
            contents.append(None)
            position = end + 1
            continue
        size = int(header[-1])
        contents.append(out[end + 1 : end + 1 + size])
        position = end + 2 + size
    return contents
