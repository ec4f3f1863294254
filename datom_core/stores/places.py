"""Whether two locations are one place."""

from __future__ import annotations

import os

from datom_core.documents import Location


def same_place(one: Location, other: Location) -> bool:
    """Whether both locations name one namespace. Folders may be reached by different paths (links)."""
    if (one.backend, one.prefix) != (other.backend, other.prefix):
        return False
    if one.backend == "local":
        return os.path.realpath(one.root) == os.path.realpath(other.root)
    return one.root == other.root and (one.region or None) == (other.region or None)
