"""Try again after a lost race: on top of the winner's work, and not at the same moment as the other losers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from datom_core.errors import ConflictError, StorageError
from datom_core.git import LostRaceError

if TYPE_CHECKING:
    from tenacity import RetryCallState

_log = logging.getLogger(__name__)

# How often to enter a race, for a branch or for a document: with sixteen writers of one table, twelve were not always
# enough. The pauses between grow to seconds.
_ATTEMPTS = 40
# When so many pushes in a row are rejected at the same tip, no other writer is to blame.
_STUCK = 8

T = TypeVar("T")


class _Stuck:
    """Stop when push after push is rejected at the same tip."""

    def __init__(self) -> None:
        self.tips: list[str | None] = []

    def __call__(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        self.tips.append(error.details.get("stuck_at") if isinstance(error, LostRaceError) else None)  # type: ignore[arg-type]
        last = self.tips[-_STUCK:]
        return len(last) == _STUCK and last[0] is not None and len(set(last)) == 1


def until_published(operation: Callable[[], T], on_retry: Callable[[int, str], None] | None = None) -> T:
    """Run ``operation`` until it does not lose the race.

    Args:
        operation: may run many times.
        on_retry: called before each retry with the number of the failed try and the cause; by default that is logged.

    Raises:
        StorageError: pushes are rejected though nobody else's arrive, as when a lock was left behind.
        LostRaceError: others were faster in every try.
    """
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

    often_enough, stuck = stop_after_attempt(_ATTEMPTS), _Stuck()
    try:
        return Retrying(
            retry=retry_if_exception_type(LostRaceError),
            stop=lambda state: often_enough(state) or stuck(state),
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
    """Run ``operation`` again after each `ConflictError`, up to the limit for races."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

    return Retrying(
        retry=retry_if_exception_type(ConflictError),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.02, max=2),
        before_sleep=_told(lambda attempt, cause: _log.debug("attempt %d: %s", attempt, cause)),
        reraise=True,
    )(operation)
