"""Examine a project, and mend it: one look at git and storage, findings, repair, lines of history that parted.

A finding is decided without effects; what mends goes the way of every write.
"""

from datom_core.maintenance.findings import Depth
from datom_core.maintenance.reconciliation import Reconciliation
from datom_core.maintenance.validation import validate

__all__ = [
    "Depth",
    "Reconciliation",
    "validate",
]
