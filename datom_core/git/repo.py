"""Read a branch of a remote at a commit, and publish files on it in one commit."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from datom_core.documents import Author
from datom_core.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    StorageError,
)
from datom_core.git.cache import CloneCache, GitFailedError, configured, run_anywhere
from datom_core.git.remote import check_remote, is_race, local_path, redact, translated

DEFAULT_BRANCH = "main"
DEFAULT_AUTHOR = Author("datom", "datom@noreply")

T = TypeVar("T")


@dataclass(frozen=True)
class Commit:
    """One commit: id, author, time (with offset) and the whole message."""

    sha: str
    author: Author
    time: datetime
    message: str


class LostRaceError(ConflictError):
    """Another writer published first; nothing was published. Plan again on the new tip."""


class GitRepo:
    """One branch of a git remote. The remote is the only truth; nothing local has to be managed.

    Args:
        remote: URL or local path; see `check_remote` for what is refused.
        branch: defaults to the branch that the remote's HEAD names.
        cache_dir: where clones are cached; by default the user's cache directory.
    """

    def __init__(
        self,
        remote: str | os.PathLike[str],
        branch: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self.remote = check_remote(remote)
        if branch is not None and (not branch or branch.startswith("-") or not branch.isprintable()):
            raise InvalidInputError(f"{branch!r} cannot be the name of a branch.")
        self._branch = branch
        self._cache = CloneCache(self.remote, branch or "", cache_dir)
        self._listings: dict[str, dict[str, str]] = {}

    @property
    def branch(self) -> str:
        """The branch that is read and published to."""
        if self._branch is None:
            self._branch = self._default_branch()
        return self._branch

    def create_if_local(self) -> bool:
        """Make a bare repository at a local path where nothing is yet; whether one was made.

        Raises:
            AlreadyExistsError: the path holds files that are not a git repository.
        """
        path = local_path(self.remote)
        if path is None or (path.exists() and not path.is_dir()):
            return False
        if path.is_dir() and any(path.iterdir()):
            if (path / ".git").exists() or ((path / "HEAD").exists() and (path / "objects").is_dir()):
                return False
            raise AlreadyExistsError(f"{path} holds files that are not a git repository. Choose another path.")
        branch = self._branch or DEFAULT_BRANCH
        try:
            path.mkdir(parents=True, exist_ok=True)
            run_anywhere("--git-dir", str(path), "init", "--quiet", "--bare", f"--initial-branch={branch}")
        except (OSError, GitFailedError) as error:
            raise StorageError(f"Could not create a git repository at {path}: {error}") from error
        return True

    def tip(self) -> str | None:
        """The commit at the remote's branch now, with its files at hand; ``None`` when there is none.

        Raises:
            NotFoundError, AccessDeniedError, StorageError: the remote is not there, not open, or failing.
        """
        found = self._ls_remote(f"refs/heads/{self.branch}").get(f"refs/heads/{self.branch}")
        if found is None:
            return None
        return self._healing(lambda: found if self._has(found) else self._fetch())

    def files(self, commit: str) -> dict[str, str]:
        """Every file of the commit: path -> blob id."""
        if commit not in self._listings:
            listing = self._healing(lambda: self._cache.run("ls-tree", "-r", "-z", "--full-tree", commit))
            rows = [row.split("\t", 1) for row in listing.decode("utf-8", "surrogateescape").split("\0") if row]
            # A commit never changes, so the listing of the one at hand is kept.
            self._listings = {commit: {path: e.split()[2] for e, path in rows if e.split()[1] == "blob"}}
        return self._listings[commit]

    def read(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those ``paths`` that the commit has."""
        blobs = self.files(commit)
        wanted = {path: blobs[path] for path in paths if path in blobs}
        contents = self._healing(lambda: self._blobs(list(wanted.values())))
        return dict(zip(wanted, contents, strict=True))

    def revisions(self, commit: str, path: str) -> list[tuple[str, bytes]]:
        """Every state of a file up to the commit, oldest first: (commit, contents)."""

        def walk() -> list[tuple[str, bytes]]:
            out = self._cache.run("log", "--reverse", "--format=%H", commit, "--", f":(top,literal){path}")
            shas = out.decode().split()
            listings = [self._cache.run("ls-tree", "-z", sha, "--", path) for sha in shas]
            found = [(sha, row.split()[2].decode()) for sha, row in zip(shas, listings, strict=True) if row]
            return list(zip([sha for sha, _ in found], self._blobs([blob for _, blob in found]), strict=True))

        return self._healing(walk)

    def log(self, commit: str, limit: int) -> list[Commit]:
        """The newest commits up to ``commit``, newest first."""
        fields = "%H%x00%an%x00%ae%x00%aI%x00%B%x00%x00"
        out = self._healing(lambda: self._cache.run("log", f"-{limit}", f"--format={fields}", commit))
        records = [r.lstrip("\n").split("\0") for r in out.decode("utf-8", "replace").split("\0\0") if r.strip()]
        return [
            Commit(sha, Author(name, email), datetime.fromisoformat(when), message.strip())
            for sha, name, email, when, message in records
        ]

    def publish(
        self, files: Mapping[str, bytes], message: str, *, parent: str | None, author: Author, at: datetime
    ) -> str:
        """Put files on the branch in one commit on top of ``parent`` and return its id.

        Args:
            files: path -> contents; other files of the parent stay as they are.
            parent: the tip that the caller planned on; ``None`` starts the branch.
            at: time of the commit.

        Raises:
            LostRaceError: the branch is not at ``parent`` any more.
            AccessDeniedError, StorageError: the remote refused, or could not be reached.
        """
        commit = self._healing(lambda: self._commit(files, message, parent, author, at))
        try:
            self._cache.run("push", "--quiet", "--no-verify", "--", self.remote, f"{commit}:refs/heads/{self.branch}")
        except GitFailedError as error:
            self._judge(error, commit, parent)
        return commit

    def _judge(self, error: GitFailedError, commit: str, parent: str | None) -> None:
        """Return when a failed push arrived all the same, else raise what it means."""
        stderr = error.stderr
        now = self.tip()
        if now is not None and self._contains(now, commit):
            return
        if now != parent or is_race(stderr):
            raise LostRaceError(f"{redact(self.remote)} moved past {(parent or 'nothing')[:8]}. Try again.") from error
        if not self._cache.is_sound():
            self._cache.discard()
        raise translated(self.remote, "push to", stderr) from error

    def _commit(
        self, files: Mapping[str, bytes], message: str, parent: str | None, author: Author, at: datetime
    ) -> str:
        ref = self._cache.new_ref()
        offset = at.strftime("%z") or "+0000"
        who = f"{author.name} <{author.email}> {int(at.timestamp())} {offset}"
        text = message.encode()
        lines = [f"commit {ref}\nmark :1\nauthor {who}\ncommitter {who}\ndata {len(text)}\n".encode(), text, b"\n"]
        if parent is not None:
            lines.append(f"from {parent}\n".encode())
        for path, data in files.items():
            lines += [f"M 100644 inline {path}\ndata {len(data)}\n".encode(), data, b"\n"]
        lines.append(b"get-mark :1\ndone\n")
        return self._cache.run("fast-import", "--quiet", "--done", stdin=b"".join(lines)).decode().strip()

    def _blobs(self, blobs: list[str]) -> list[bytes]:
        if not blobs:
            return []
        out = self._cache.run("cat-file", "--batch", stdin="".join(f"{b}\n" for b in blobs).encode())
        contents, position = [], 0
        for blob in blobs:
            end = out.index(b"\n", position)
            header = out[position:end].split()
            if len(header) != 3:
                raise GitFailedError(f"object {blob} is missing")
            size = int(header[2])
            contents.append(out[end + 1 : end + 1 + size])
            position = end + 2 + size
        return contents

    def _has(self, commit: str) -> bool:
        self._cache.ensure()
        try:
            self._cache.run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitFailedError:
            return False
        return True

    def _contains(self, tip: str, commit: str) -> bool:
        try:
            self._cache.run("merge-base", "--is-ancestor", commit, tip)
        except GitFailedError:
            return False
        return True

    def _fetch(self) -> str:
        self._cache.ensure()
        ref = self._cache.new_ref()
        self._cache.run(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
            "--", self.remote, f"+refs/heads/{self.branch}:{ref}",
        )  # fmt: skip
        return self._cache.run("rev-parse", "--verify", f"{ref}^{{commit}}").decode().strip()

    def _healing(self, operation: Callable[[], T]) -> T:
        """Run an operation on the clone; when the clone is broken or gone, make it anew and run it again."""
        try:
            self._cache.ensure()
            return operation()
        except (GitFailedError, OSError) as error:
            # Raises the true error when the remote, not the clone, is the trouble.
            branches = self._ls_remote(f"refs/heads/{self.branch}")
            try:
                self._cache.discard()
                self._cache.ensure()
                if branches:
                    self._fetch()
                return operation()
            except (GitFailedError, OSError):
                raise StorageError(
                    f"The cached clone of {redact(self.remote)} at {self._cache.path} cannot be used. "
                    f"Check the disk and its permissions. ({str(error)[:300]})"
                ) from error

    def _default_branch(self) -> str:
        """What the remote's HEAD names; of an empty remote, what it will name once something is pushed."""
        named = next(iter(self._ls_remote("HEAD", symbolic=True)), None)
        if named is not None:
            return named.removeprefix("ref: refs/heads/")
        with tempfile.TemporaryDirectory(prefix="datom-") as folder:
            try:
                # A clone is the one command that learns the name of a branch which does not exist yet.
                run_anywhere("clone", "--quiet", "--bare", "--template=", "--", self.remote, f"{folder}/empty.git")
                head = run_anywhere("--git-dir", f"{folder}/empty.git", "symbolic-ref", "HEAD")
            except GitFailedError:
                return DEFAULT_BRANCH
        return head.decode().strip().removeprefix("refs/heads/")

    def _ls_remote(self, pattern: str, *, symbolic: bool = False) -> dict[str, str]:
        """What the remote calls ``pattern``: ref -> commit, or with ``symbolic`` target -> ref."""
        options = ["--symref"] if symbolic else []
        try:
            out = run_anywhere("ls-remote", "--quiet", *options, "--", self.remote, pattern)
        except GitFailedError as error:
            raise translated(self.remote, "read", error.stderr) from error
        rows = [line.split("\t") for line in out.decode("utf-8", "replace").splitlines()]
        if symbolic:
            return {target: ref for target, ref in rows if target.startswith("ref: ")}
        return {ref: sha for sha, ref in rows}

    def __repr__(self) -> str:
        return f"GitRepo({redact(self.remote)!r}, branch={self._branch!r})"


def default_author() -> Author:
    """The author of the user's git configuration, else `DEFAULT_AUTHOR`."""
    name, email = configured("user.name"), configured("user.email")
    return Author(name or DEFAULT_AUTHOR.name, email or DEFAULT_AUTHOR.email) if name or email else DEFAULT_AUTHOR
