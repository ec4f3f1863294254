"""Compare two states of a table: find the key, pair the rows, name every difference.

Pure: tables come in, values go out. Nothing here knows of storage or git, or writes a report.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.comparing.changes import (
        ColumnChange,
        ComparisonSettings,
        Fate,
        KeyDecision,
        KeySource,
        RejectedKey,
        Side,
        StudyChanges,
        TableChanges,
    )
    from datom_core.comparing.comparison import find_changes
    from datom_core.comparing.define_xml import keys_of_define
    from datom_core.comparing.engine import compare_tables
    from datom_core.comparing.keys import resolve_key
    from datom_core.comparing.origins import KeyLike, KeyOrigins, NaturalKeys
    from datom_core.comparing.settings_check import checked_settings
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "changes": (
                "ColumnChange ComparisonSettings Fate KeyDecision KeySource RejectedKey Side StudyChanges TableChanges"
            ),
            "comparison": "find_changes",
            "define_xml": "keys_of_define",
            "engine": "compare_tables",
            "keys": "resolve_key",
            "origins": "KeyLike KeyOrigins NaturalKeys",
            "settings_check": "checked_settings",
        },
    )

__all__ = [
    "ColumnChange",
    "ComparisonSettings",
    "Fate",
    "KeyDecision",
    "KeyLike",
    "KeyOrigins",
    "KeySource",
    "NaturalKeys",
    "RejectedKey",
    "Side",
    "StudyChanges",
    "TableChanges",
    "checked_settings",
    "compare_tables",
    "find_changes",
    "keys_of_define",
    "resolve_key",
]
