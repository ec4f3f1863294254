"""Try again after a lost race: on what the winner made, at a time that is not the loser's neighbour's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity.stop import stop_base

from datom_core.errors import ConflictError, StorageError
from datom_core.git import LostRaceError

_log = logging.getLogger(__name__)

# How often a race is entered, for a branch or for a document: among sixteen writers of one table, twelve were not
# always enough. The pauses between grow to seconds.
_ATTEMPTS = 40
# Pushes that are turned down so often in a row at one and the same tip lose to nobody.
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


def until_published(operation: Callable[[], T], on_retry: Callable[[int, str], None] | None = None) -> T:
    """Run ``operation`` until it does not lose a race.

    Args:
        operation: may be run many times.
        on_retry: is told which try failed, and why, before the next one; by default that is logged.

    Raises:
        StorageError: pushes are turned down though nobody else's arrive, as with a lock that was left behind.
        LostRaceError: others were faster every time.
    """
    try:
        return Retrying(
            retry=retry_if_exception_type(LostRaceError),
            stop=stop_after_attempt(_ATTEMPTS) | _Stuck(),
            wait=wait_random_exponential(multiplier=0.05, max=3),
            before_sleep=_told(on_retry or _log_retry),
            reraise=True,
        )(operation)
    except LostRaceError as error:
        if error.details.get("stuck_at") is None:
            raise
        raise StorageError(
            "The remote keeps turning down pushes although nobody else's arrive; a lock may have been left behind in "
            f"it. (git: {error.details.get('said')})"
        ) from error


def _told(on_retry: Callable[[int, str], None]) -> Callable[[RetryCallState], None]:
    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        on_retry(state.attempt_number, str(error))

    return before_sleep


def _log_retry(attempt: int, cause: str) -> None:
    _log.warning("attempt %d failed, trying again: %s", attempt, cause, extra={"datom": {"attempt": attempt}})


def while_conflicting(operation: Callable[[], T]) -> T:
    """Run ``operation`` again after each `ConflictError`, as often as a race is entered at most."""
    return Retrying(
        retry=retry_if_exception_type(ConflictError),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.02, max=2),
        before_sleep=_told(lambda attempt, cause: _log.debug("attempt %d: %s", attempt, cause)),
        reraise=True,
    )(operation)
