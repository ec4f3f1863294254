"""Examine a project, and mend it: one look at git and storage, findings, repair, lines of history that parted.

Findings are made without effects; repairs go through the same steps as any write.
"""

from datom_core.maintenance.reconciliation import Reconciliation
from datom_core.maintenance.validation import validate

__all__ = [
    "Reconciliation",
    "validate",
]
