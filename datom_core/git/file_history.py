"""How the files of a branch came to be, commit by commit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from datom_core.documents import Author
from datom_core.git.cache import CloneCache


@dataclass(frozen=True)
class Added:
    """How a file came to be.

    Attributes:
        commit: the commit that added it.
        author, at: who made that commit, and when.
    """

    commit: str
    author: Author
    at: datetime


@dataclass(frozen=True)
class Changed:
    """A commit that changed a file.

    Attributes:
        commit, at: which one, and when it was made.
        trailer: the value of the trailer that was asked for, if its message has one.
    """

    commit: str
    at: datetime
    trailer: str | None


def changed(cache: CloneCache, commit: str, path: str, trailer: str) -> list[Changed]:
    """As `GitRepo.changed`, from a clone with the whole history."""
    out = cache.run(
        "rev-list", "--full-history", "--topo-order", "--no-merges", "--encoding=UTF-8",
        f"--format=%at%x00%(trailers:key={trailer},valueonly,separator=%x20)", commit, "--", f":(top,literal){path}",
    )  # fmt: skip
    lines = out.decode("utf-8", "replace").split("\n")[:-1]
    told = [(line.split()[1], *said.split("\0", 1)) for line, said in zip(lines[::2], lines[1::2], strict=True)]
    return [Changed(sha, datetime.fromtimestamp(int(at), UTC), value.strip() or None) for sha, at, value in told]


def added(cache: CloneCache, commit: str, paths: Collection[str]) -> dict[str, Added]:
    """As `GitRepo.added`, from a clone with the whole history."""
    out = cache.run(
        "rev-list", "--full-history", "--topo-order", "--no-merges", "--encoding=UTF-8",
        "--format=%an%x00%ae%x00%at", commit, "--", *(f":(top,literal){path}" for path in paths),
    )  # fmt: skip
    lines = out.decode("utf-8", "replace").splitlines()
    commits = {line.split()[1]: told.split("\0") for line, told in zip(lines[::2], lines[1::2], strict=True)}
    changes = cache.run(
        "diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", "--diff-filter=A", "--name-only",
        stdin="".join(f"{sha}\n" for sha in commits).encode(),
    )  # fmt: skip
    found: dict[str, Added] = {}
    sha = ""
    for word in changes.decode("utf-8", "surrogateescape").split("\0"):
        if word in commits:
            sha = word
        elif word in paths and word not in found:  # the newest commits come first
            name, email, seconds = commits[sha]
            found[word] = Added(sha, Author(name, email), datetime.fromtimestamp(int(seconds), UTC))
    return found
