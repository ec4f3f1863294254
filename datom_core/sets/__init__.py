"""Sets: versions of tables that belong together, with labels. No effects."""

from datom_core.sets.members import Member
from datom_core.sets.payload import SetPayload
from datom_core.sets.tags import check_tags
from datom_core.sets.version_set import SetEdit, VersionSet

__all__ = ["Member", "SetEdit", "SetPayload", "VersionSet", "check_tags"]
