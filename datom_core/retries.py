"""Try again after a lost race: on what the winner made, at a time that is not the loser's neighbour's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity.stop import stop_base

from datom_core.errors import ConflictError, StorageError
from datom_core.git import LostRaceError

_ATTEMPTS = 40
_STUCK = 8

T = TypeVar("T")


class _Stuck(stop_base):
    """Stop when push after push was turned down at one and the same tip."""

    def __init__(self) -> None:
        self.tips: list[str | None] = []

    def __call__(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        self.tips.append(error.details.get("stuck_at") if isinstance(error, LostRaceError) else None)  # type: ignore[arg-type]
        last = self.tips[-_STUCK:]
        return len(last) == _STUCK and last[0] is not None and len(set(last)) == 1


def until_published(operation: Callable[[], T]) -> T:
    """Run ``operation`` until it does not lose a race.

    Raises:
        StorageError: pushes are turned down though nobody else's arrive, as with a lock that was left behind.
        LostRaceError: others were faster every time.
    """
    try:
        return Retrying(
            retry=retry_if_exception_type(LostRaceError),
            stop=stop_after_attempt(_ATTEMPTS) | _Stuck(),
            wait=wait_random_exponential(multiplier=0.05, max=3),
            reraise=True,
        )(operation)
    except LostRaceError as error:
        if error.details.get("stuck_at") is None:
            raise
        raise StorageError(
            "The remote keeps turning down pushes although nobody else's arrive; a lock may have been left behind in "
            f"it. (git: {error.details.get('said')})"
        ) from error


def while_conflicting(operation: Callable[[], T], *, attempts: int) -> T:
    """Run ``operation`` again after each `ConflictError`, ``attempts`` times in all."""
    return Retrying(
        retry=retry_if_exception_type(ConflictError),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.02, max=2),
        reraise=True,
    )(operation)
