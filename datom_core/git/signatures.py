"""What git says of commits and their signatures."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from datom_core.documents import Author
from datom_core.errors import NotFoundError
from datom_core.git.cache import CloneCache
from datom_core.git.signing import configuration

_FORMAT = "--format=%H%x00%P%x00%ct%x00%an%x00%ae%x00%cn%x00%ce%x00%G?%x00%GK%x00%B%x00"
_FIELDS = 10
# `git rev-list`, which no configuration of the user's changes, does not read what verifies signatures.
_LOG = ("log", "--encoding=UTF-8", "--no-show-signature", "--no-mailmap", "--no-notes", "--no-color", "--no-patch")
_UNSIGNED = "N"

T = TypeVar("T")


@dataclass(frozen=True)
class CommitSignature:
    """A commit, and what git says of its signature.

    Attributes:
        commit, parents: its id, and those of its parents.
        at: when it was made, as its committer's clock had it.
        author, committer: as it says.
        message: all of it.
        status: git's letter: G good, U good but of a key that was not among those given, B bad, N none, E, X, Y or R
            something about the key.
        key: fingerprint of the key, as far as git can tell.
    """

    commit: str
    parents: tuple[str, ...]
    at: datetime
    author: Author
    committer: Author
    message: str
    status: str
    key: str

    @property
    def signed(self) -> bool:
        return self.status != _UNSIGNED

    def trailer(self, name: str) -> str | None:
        """The value of the message's last line of that name."""
        found = [line.partition(": ")[2] for line in self.message.splitlines() if line.startswith(f"{name}: ")]
        return found[-1].strip() if found else None


class History(Protocol):
    """A repository whose whole history can be asked."""

    def with_history(self, operation: Callable[[CloneCache], T]) -> T:
        """As `GitRepo.whole`."""
        ...


def signed_commits(
    repo: History, keys: str, tip: str, *, among: Iterable[str] | None = None, saying: Sequence[str] = ()
) -> list[CommitSignature]:
    """The commits of the history of ``tip``, oldest first, with what git says of their signatures.

    Args:
        repo: the history.
        keys: the SSH keys that signed perhaps, in the format of ``allowed_signers``; when they were allowed is not
            asked.
        tip: a commit.
        among: only these commits, which nobody else need have yet.
        saying: only those whose message has all of these texts.

    Raises:
        NotFoundError: some are signed with SSH keys, and the program that verifies is not there.
        StorageError: the clone is damaged.
    """
    selection = [
        "--topo-order",
        "--reverse",
        "--all-match",
        "--fixed-strings",
        *(f"--grep={text}" for text in saying),
        tip,
    ]
    if among is not None:
        selection = ["--no-walk=unsorted", "--stdin"]
    stdin = None if among is None else "".join(f"{commit}\n" for commit in among).encode()
    with tempfile.NamedTemporaryFile("w", prefix="datom-keys-") as file:
        file.write(keys)
        file.flush()
        told = configuration({"gpg.ssh.allowedSignersFile": file.name, "gpg.ssh.program": "ssh-keygen"})
        out = repo.with_history(lambda cache: cache.run(*_LOG, _FORMAT, *selection, stdin=stdin, environment=told))
    parts = out.decode("utf-8", "replace").split("\0")
    found = [_read(parts[at : at + _FIELDS]) for at in range(0, len(parts) - 1, _FIELDS)]
    if any(c.signed for c in found) and shutil.which("ssh-keygen") is None:
        raise NotFoundError(
            "Verifying signatures needs the program ssh-keygen, which is not on this machine (PATH). Install it: "
            "`apt-get install openssh-client` on Debian and Ubuntu."
        )
    return found


@dataclass(frozen=True)
class Node:
    """A commit's place in the history: its parents, and when it was made."""

    parents: tuple[str, ...]
    at: datetime

    @property
    def parent(self) -> str | None:
        """The first of them."""
        return self.parents[0] if self.parents else None


def history_nodes(repo: History, tip: str) -> dict[str, Node]:
    """Every commit of the history of ``tip``, oldest first."""
    told = ("--topo-order", "--reverse", "--parents", "--timestamp")
    out = repo.with_history(lambda cache: cache.run("rev-list", *told, tip))
    rows = [line.split() for line in out.decode().splitlines()]
    return {r[1]: Node(tuple(r[2:]), datetime.fromtimestamp(int(r[0]), UTC)) for r in rows}


def commits_touching(repo: History, tip: str, path: str) -> list[str]:
    """The commits that changed a file, or removed it, oldest first; of merges, all that differ from a parent."""
    told = ("--full-history", "--topo-order", "--reverse", tip, "--", f":(top,literal){path}")
    return repo.with_history(lambda cache: cache.run("rev-list", *told)).decode().split()


def file_contents(repo: History, places: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """The contents of files, given as (commit, path); ``None`` for one that is not there."""
    return repo.with_history(lambda cache: cache.contents([f"{commit}:{path}" for commit, path in places]))


def _read(parts: list[str]) -> CommitSignature:
    head, parents, seconds, name, email, by, by_email, status, key, message = parts
    return CommitSignature(
        head.strip(),
        tuple(parents.split()),
        datetime.fromtimestamp(int(seconds), UTC),
        Author(name, email),
        Author(by, by_email),
        message,
        status,
        key,
    )
