"""Sets: versions of tables that belong together, with labels. No effects."""

from datom_core.sets.members import Member
from datom_core.sets.payload import SetPayload
from datom_core.sets.status import MemberState, MemberStatus, brought_level, member_states
from datom_core.sets.tags import Tags, carries, check_tags
from datom_core.sets.version_set import SetEdit, VersionSet

__all__ = [
    "Member",
    "MemberState",
    "MemberStatus",
    "SetEdit",
    "SetPayload",
    "Tags",
    "VersionSet",
    "brought_level",
    "carries",
    "check_tags",
    "member_states",
]
