"""Read a branch of a remote at a commit, and publish files on it in one commit."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from datom_core.documents import Author
from datom_core.errors import StorageError
from datom_core.git import ondisk
from datom_core.git.ancestry import Ancestry
from datom_core.git.answers import is_race, translated
from datom_core.git.authors import default_author
from datom_core.git.branches import DEFAULT_BRANCH, all_branches, check_branch, default_branch, tip_of
from datom_core.git.cache import CloneCache, GitFailedError, gitpython
from datom_core.git.commit_memory import CommitMemory
from datom_core.git.commits import commit_of
from datom_core.git.errors import LostRaceError
from datom_core.git.fetches import Fetches
from datom_core.git.file_history import Added, Changed, added, changed
from datom_core.git.push_log import log_push
from datom_core.git.remote import Remote, as_remote, local_path, redact, unshown
from datom_core.git.signing import SigningKey
from datom_core.git.streams import Makers
from datom_core.git.trees import FoundFiles, Question
from datom_core.git.turns import Turns

_ATTEMPTS = 3  # the clone may be deleted at any time, even while it is being remade

T = TypeVar("T")


class GitRepo:
    """One branch of a git remote. The remote is the only truth; there is nothing local to manage.

    Args:
        remote: URL, local path, or a `Remote` with a token; see `check_remote` for what is refused.
        branch: by default, the one that the remote's HEAD names.
        cache_dir: where clones are cached; by default the user's cache directory.
        signing: the key that signs every commit.

    Raises:
        InvalidInputError: not a remote, or not the name of a branch.
        NotFoundError: there is no git program, or only one that is too old.
    """

    remote = ""  # so that a half-made instance has a repr, for the traceback if making it fails
    _branch: str | None = None

    def __init__(
        self,
        remote: str | os.PathLike[str] | Remote,
        branch: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        signing: SigningKey | None = None,
    ) -> None:
        remote = unshown(remote)
        self._at, self.signing = as_remote(remote), signing
        self.remote = self._at.url
        gitpython()  # without a git program, nothing may be begun
        self._branch = check_branch(branch) if branch is not None else None
        self._cache = CloneCache(self.remote, branch or "", cache_dir)
        self._listings: dict[str, dict[str, str]] = {}
        self._at_hand: str | None = None
        self._memory = CommitMemory()
        self._fetches = Fetches(self._at, lambda: self.branch, self._cache)
        self._ancestry = Ancestry(self._cache, self._fetches)
        self._turns = Turns(self._cache.path.with_suffix(".turn"))
        self._projections = Turns(self._cache.path.with_suffix(".projection"))

    @property
    def at(self) -> Remote:
        """The remote, with its token."""
        return self._at

    @property
    def branch(self) -> str:
        """The branch to read and to publish to."""
        if self._branch is None:
            self._branch, _ = default_branch(self._at)
        return self._branch

    @property
    def is_local(self) -> bool:
        """Whether the remote is a path on this machine."""
        return local_path(self.remote) is not None

    def is_absent(self) -> bool:
        """Whether `create_if_local` would make a repository; see `ondisk.is_absent`."""
        return ondisk.is_absent(self.remote)

    def create_if_local(self) -> bool:
        """Make the repository where the remote is a path; see `ondisk.create`."""
        branch = self._branch or DEFAULT_BRANCH
        created = ondisk.create(self.remote, branch)
        if created:
            self._branch = branch  # as its HEAD names, so there is no need to ask
            self._cache.ensure(lambda git: None)  # nor is there anything to fetch
        return created

    def can_delete(self) -> bool:
        """Whether `delete` removes the repository: a bare one on this machine's disk."""
        return ondisk.can_delete(self.remote)

    def delete(self) -> None:
        """Remove the repository itself; see `ondisk.delete`."""
        ondisk.delete(self.remote)

    def other_branches(self) -> list[str]:
        """The remote's other branches, sorted."""
        return sorted(all_branches(self._at) - {self.branch})

    def tip(self) -> str | None:
        """The commit at the remote's branch now, with its files in the clone; ``None`` if there is none.

        Raises:
            NotFoundError, AccessDeniedError, StorageError: the remote does not exist, denies access, or is failing.
        """
        if self._branch is None:
            self._branch, found = default_branch(self._at)
        else:
            found = tip_of(self._at, self._branch)
        if found is None or found == self._at_hand:
            return found  # if the clone has been lost since, the next read makes it again
        self._at_hand = tip = self._healing(lambda: found if self._has(found) else self._fetches.newest())
        return tip

    def turn(self) -> contextlib.AbstractContextManager[None]:
        """Take a turn among the writers on this machine, from looking up the tip to publishing on top of it."""
        return self._turns.turn()

    def together(self, work: Callable[[bool], object]) -> None:
        """Run ``work`` on what was published, once for all writers on this machine that are waiting for it."""
        self._projections.together(work)

    def is_empty(self) -> bool:
        """Whether the remote has no branch at all."""
        return not all_branches(self._at)

    def files(self, commit: str) -> dict[str, str]:
        """Every file of the commit: path -> blob id."""
        known = self._listings.get(commit)
        if known is None:
            listing = self._healing(lambda: self._cache.run("ls-tree", "-r", "-z", "--full-tree", commit))
            rows = [row.split("\t", 1) for row in listing.decode("utf-8", "surrogateescape").split("\0") if row]
            known = {path: entry.split()[2] for entry, path in rows if entry.split()[1] == "blob"}
            # A commit never changes, so the listing of the current one is kept.
            self._listings = {commit: known}
        return known

    def read(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those ``paths`` that the commit has."""
        return self.find_files(commit, paths).files

    def find_files(self, commit: str, paths: Iterable[str]) -> FoundFiles:
        """As `read`, plus the names of the files at the top of the commit."""
        wanted = list(paths)
        remembered = self._memory.answer(commit, wanted)
        if remembered is not None:
            return remembered
        question = Question(commit, wanted)

        def fetch() -> FoundFiles:
            found = question.answered(self._cache.contents(question.objects))
            if found.lost:
                raise GitFailedError(f"the clone has lost {found.lost}")
            return found

        found = self._healing(fetch)
        self._memory = self._memory.and_read(commit, wanted, found)
        return found

    def revisions(self, commit: str, path: str) -> list[tuple[str, bytes]]:
        """Every state of a file up to the commit, oldest first: (commit, contents)."""

        def walk(cache: CloneCache) -> list[tuple[str, bytes]]:
            # Not `git log`: the user's configuration changes its output. And the whole history, because the simplified
            # one leaves out what a merge did not take over.
            out = cache.run(
                "rev-list", "--full-history", "--topo-order", "--reverse", commit, "--", f":(top,literal){path}"
            )
            commits = out.decode().split()
            contents = cache.contents([f"{sha}:{path}" for sha in commits])
            return [(sha, data) for sha, data in zip(commits, contents, strict=True) if data is not None]

        return self.with_history(walk)

    def added(self, commit: str, paths: Collection[str]) -> dict[str, Added]:
        """When and by whom the commit's files were added; if one was removed, when it came back."""
        return self.with_history(lambda cache: added(cache, commit, paths)) if paths else {}

    def changed(self, commit: str, path: str, trailer: str) -> list[Changed]:
        """The commits that changed a file, up to ``commit``, newest first, each with one of its trailers."""
        return self.with_history(lambda cache: changed(cache, commit, path, trailer))

    def root(self, commit: str) -> str:
        """The first commit of the branch's history, which identifies the repository under any URL."""
        found = self.with_history(lambda cache: cache.run("rev-list", "--max-parents=0", commit))
        return found.decode().split()[-1]

    def says(self, tip: str, text: str) -> bool:
        """Whether the message of a commit in the history of ``tip`` contains a text."""
        search = ("log", "-1", "--format=%H", "--fixed-strings", f"--grep={text}", tip)
        return bool(self.with_history(lambda cache: cache.run(*search)).strip())

    def contains(self, tip: str, commit: str) -> bool:
        """Whether the history of ``tip`` has the commit; the remote is asked only if the clone cannot tell.

        Raises:
            NotFoundError, AccessDeniedError, StorageError: the remote does not exist, denies access, or is failing.
        """
        return self._ancestry.surely_contains(tip, commit) or self._healing(
            lambda: self._ancestry.contains(tip, commit)
        )

    def surely_contains(self, tip: str, commit: str) -> bool:
        """As `contains`, without asking the remote: a yes is certain, a no is not."""
        return self._ancestry.surely_contains(tip, commit)

    def clone_holding(self, commit: str, since: str) -> Path | None:
        """The cached clone, if it could push a commit that the remote has lost on top of ``since``."""
        held = self._ancestry.leads(since, commit)
        return self._cache.path if held else None

    def publish(
        self,
        files: Mapping[str, bytes | None],
        message: str,
        *,
        parent: str | None,
        author: Author,
        at: datetime,
        committer: Author | None = None,
        signing: SigningKey | None = None,
        check: Callable[[str], object] = len,
    ) -> str:
        """Put files on the branch in one commit on top of ``parent``, and return its id.

        Args:
            files: path -> contents, or ``None`` to remove it; the parent's other files stay as they are.
            parent: the tip that the caller planned on; ``None`` starts the branch.
            author: who asked for it.
            at: time of the commit.
            committer: who makes it; by default, whom the git configuration names.
            signing: signs this one, instead of the repo's key.
            check: gets the commit before it is pushed, and may refuse it.

        Raises:
            LostRaceError: the branch is no longer at ``parent``.
            AccessDeniedError, StorageError: the remote refused, or could not be reached.
        """
        by = Makers(author, committer or default_author(), at)
        begun, key = time.monotonic(), signing or self.signing
        for attempt in range(1, _ATTEMPTS + 1):
            commit = self._healing(lambda: commit_of(self._cache, files, message, parent, by, key))
            check(commit)
            try:
                self._cache.run(
                    "-c", "push.pushOption=", "push", "--quiet", "--no-verify", "--no-signed",
                    "--", self.remote, f"{commit}:refs/heads/{self.branch}", to=self._at,
                )  # fmt: skip
            except GitFailedError as error:
                if self._arrived(error, commit, parent):
                    return commit
                if attempt == _ATTEMPTS or self._cache.is_sound():
                    raise translated(self._at, "push to", error.stderr) from error
                self._cache.discard()
            else:
                log_push(self.remote, self.branch, commit, files, attempt, time.monotonic() - begun)
                self._at_hand = commit
                self._memory = self._memory.published(commit, files, parent)
                self._ancestry.note(commit, parent)
                return commit
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _arrived(self, error: GitFailedError, commit: str, parent: str | None) -> bool:
        """Whether a failed push arrived after all.

        Raises:
            LostRaceError: it did not, because another one came first or is under way.
        """
        now = self.tip()
        if now is not None and self._contains(now, commit):
            return True
        where = redact(self.remote)
        if now != parent:
            raise LostRaceError(f"{where} moved past {(parent or 'nothing')[:8]}. Try again.") from error
        if is_race(error.stderr):
            said = redact(error.stderr)
            raise LostRaceError(
                f"{where} is being pushed to by another writer. Try again.", stuck_at=now or "", said=said
            ) from error
        return False

    def _has(self, commit: str) -> bool:
        try:
            self._cache.run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitFailedError:
            return False
        return True

    def _contains(self, tip: str, commit: str) -> bool:
        try:
            self._fetches.all()
        except GitFailedError:
            return False
        return self._ancestry.leads(commit, tip)

    def with_history(self, operation: Callable[[CloneCache], T]) -> T:
        """Run an operation on a clone with the whole history; if that is broken, remake it and run again."""

        def whole() -> T:
            self._fetches.all()
            return operation(self._cache)

        return self._healing(whole)

    def _healing(self, operation: Callable[[], T]) -> T:
        """Run an operation on the clone; if the clone is broken or gone, remake it and run again."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._fetches.ensure()
                if attempt > 1 and tip_of(self._at, self.branch) is not None:
                    self._fetches.newest()
                return operation()
            except (GitFailedError, OSError) as error:
                # Raises the real error if the remote is the trouble, not the clone.
                tip_of(self._at, self.branch)
                if attempt == _ATTEMPTS:
                    raise StorageError(
                        f"The cached clone of {redact(self.remote)} at {self._cache.path} cannot be used. "
                        f"Check the disk and its permissions. ({str(error)[:300]})"
                    ) from error
                self._cache.discard()
        raise AssertionError("unreachable: the last attempt returns or raises")

    def forget(self) -> None:
        """Remove the cached clone."""
        self._cache.discard()

    def __repr__(self) -> str:
        return f"GitRepo({redact(self.remote)!r}, branch={self._branch!r})"
