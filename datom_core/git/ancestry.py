"""Which commits follow from which, judging by a cached clone and, if need be, by the whole history."""

from __future__ import annotations

from datom_core.git.cache import CloneCache, GitFailedError
from datom_core.git.fetches import Fetches

_REMEMBERED = 64


class Ancestry:
    """Answers whether one commit contains another.

    Args:
        cache: the clone.
        fetches: brings the whole history into the clone.
    """

    def __init__(self, cache: CloneCache, fetches: Fetches) -> None:
        self._cache, self._fetches = cache, fetches
        self._known: dict[tuple[str, str], None] = {}

    def knows(self, tip: str, commit: str) -> bool:
        """Whether it is already known that ``tip`` contains ``commit``."""
        return tip == commit or (tip, commit) in self._known

    def note(self, tip: str, commit: str | None) -> None:
        """Remember that ``tip`` contains ``commit``: that never changes."""
        if commit is not None:
            self._known[tip, commit] = None
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]

    def surely_contains(self, tip: str, commit: str) -> bool:
        """Whether the clone as it is shows that ``tip`` contains ``commit``. A yes is certain, a no is not."""
        if not self.knows(tip, commit) and self.leads(commit, tip):
            self.note(tip, commit)
        return self.knows(tip, commit)

    def leads(self, commit: str, tip: str) -> bool:
        """Whether the clone as it is leads from ``commit`` to ``tip``. A yes is certain, a no is not."""
        try:
            self._cache.run("merge-base", "--is-ancestor", commit, tip)
        except GitFailedError:
            return False
        return True

    def contains(self, tip: str, commit: str) -> bool:
        """Whether the history of ``tip``, a commit in the clone, has ``commit``.

        Raises:
            GitFailedError: the clone is broken, so its no means nothing.
        """
        found = self.surely_contains(tip, commit)
        if not found and self._cache.is_shallow():
            self._fetches.all()
            found = self.surely_contains(tip, commit)
        if not found and not self._cache.is_sound():
            raise GitFailedError("the clone has lost a part of the history")
        return found
