"""Fetch from the remote into the cached clone: its newest commit, or the whole history."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from datom_core.git.cache import CloneCache, Git, GitFailedError
from datom_core.git.remote import Remote
from datom_core.git.turns import Turns


class Fetches:
    """Fetches one branch.

    Args:
        at: the remote.
        branch: returns its branch; called when needed.
        cache: the clone.
    """

    def __init__(self, at: Remote, branch: Callable[[], str], cache: CloneCache) -> None:
        self._at, self._branch, self._cache = at, branch, cache
        self._turns = Turns(cache.path.with_suffix(".fetch"))

    def ensure(self) -> None:
        """Make sure there is a clone; a new one holds only the newest commit, however long the history."""
        self._cache.ensure(self._begin)

    def newest(self) -> str:
        """Fetch the newest commit, with those that link it to what the clone has; returns its id."""
        ref = self._cache.new_ref()
        # git gives up if the border of a shallow clone moves during a fetch.
        with self._turns.turn() if self._cache.is_shallow() else contextlib.nullcontext():
            self._cache.run(*self._command(ref, "--update-shallow"), to=self._at)
        return self._cache.run("rev-parse", "--verify", f"{ref}^{{commit}}").decode().strip()

    def all(self) -> None:
        """Make sure the clone has the whole history."""
        if not self._cache.is_shallow():
            return
        with self._turns.turn():
            if self._cache.is_shallow():  # another process may have been faster
                self._cache.run(*self._command(self._cache.new_ref(), "--unshallow"), to=self._at)

    def _begin(self, git: Git) -> None:
        # An empty remote has no commit, and not every server can do this; the next read reports what is wrong.
        with contextlib.suppress(GitFailedError):
            git(self._command(self._cache.new_ref(), "--depth=1"), to=self._at)

    def _command(self, ref: str, *how: str) -> list[str]:
        quietly = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
        return ["fetch", *quietly, *how, "--", self._at.url, f"+refs/heads/{self._branch()}:{ref}"]
