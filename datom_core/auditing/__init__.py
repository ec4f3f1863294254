"""Everything that ever happened to a project, as one table: from git, or as far as storage tells.

What happened is decided by what each commit changed in the project's documents, never by what its message says.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.auditing.events import EVERYTHING, AuditEvent, AuditFilter, AuditKind, AuditTrail
    from datom_core.auditing.trail import mirrored_events, project_trail, register_events, storage_trail
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "events": "AuditEvent AuditFilter AuditKind AuditTrail EVERYTHING",
            "trail": "mirrored_events project_trail register_events storage_trail",
        },
    )

__all__ = [
    "EVERYTHING",
    "AuditEvent",
    "AuditFilter",
    "AuditKind",
    "AuditTrail",
    "mirrored_events",
    "project_trail",
    "register_events",
    "storage_trail",
]
