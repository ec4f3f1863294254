"""What git's answers mean for a writer."""

from __future__ import annotations

from datom_core.errors import ConflictError


class LostRaceError(ConflictError):
    """Another writer published first; nothing was published. Plan again on the new tip.

    ``details["stuck_at"]`` is the tip if a push was rejected though nobody else's arrived.
    """
