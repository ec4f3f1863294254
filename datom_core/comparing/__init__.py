"""Compare two states of a table: find the key, pair the rows, name every difference.

Pure: tables come in, values go out. Nothing here knows of storage or git, or writes a report.
"""

from datom_core.comparing.changes import (
    ColumnChange,
    Fate,
    KeyDecision,
    KeySource,
    RejectedKey,
    Settings,
    Side,
    StudyChanges,
    TableChanges,
)
from datom_core.comparing.engine import compare_tables

__all__ = [
    "ColumnChange",
    "Fate",
    "KeyDecision",
    "KeySource",
    "RejectedKey",
    "Settings",
    "Side",
    "StudyChanges",
    "TableChanges",
    "compare_tables",
]
