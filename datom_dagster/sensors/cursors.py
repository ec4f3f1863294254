"""What a sensor remembers from look to look. Dagster shows it to be edited, so that it may be anything."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 64 * 2**20  # characters; a thousand tables with their cuts take one


def remembered(cursor: str | None) -> Any:
    """The value of a sensor's cursor; ``None`` when there is none yet, or one that no sensor of ours wrote."""
    if not cursor or len(cursor) > _LONGEST:
        return None
    try:
        return json.loads(cursor)
    except (ValueError, RecursionError):
        return None
