"""What a sensor remembers from tick to tick. Dagster lets users edit it, so it may be anything."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 64 * 2**20  # characters; a thousand tables with their cuts take a million or so


def remembered(cursor: str | None) -> Any:
    """The value of a sensor's cursor; ``None`` if there is none yet, or none of our sensors wrote it."""
    if not cursor or len(cursor) > _LONGEST:
        return None
    try:
        return json.loads(cursor)
    except (ValueError, RecursionError):
        return None
