"""Find the key of a table, and compare its two states by it."""

from __future__ import annotations

from datom_core.common import needing
from datom_core.comparing.changes import ComparisonSettings, TableChanges
from datom_core.comparing.origins import KeyOrigins
from datom_core.comparing.settings_check import checked_settings
from datom_core.documents import Version


def find_changes(
    before: object | None,
    after: object | None,
    *,
    table: str = "",
    origins: KeyOrigins | None = None,
    settings: ComparisonSettings | None = None,
    versions: tuple[Version | None, Version | None] = (None, None),
    cuts: tuple[str | None, str | None] = (None, None),
    same_columns: frozenset[str] = frozenset(),
) -> TableChanges:
    """As `resolve_key` and then `compare_tables`, without looking at a column of the key twice.

    Raises:
        InvalidInputError: as both.
        UnsupportedColumnsError: a column has no content hash.
        MissingPackageError: numpy is not installed.
    """
    with needing("Comparing tables", "compare"):
        from datom_core.comparing.engine import compare
        from datom_core.comparing.keys import decide
        from datom_core.comparing.prepared import Prepared

    settings = checked_settings(settings)
    prepared = Prepared(before, after, settings)
    key = decide(prepared, table, origins or KeyOrigins(ignore=tuple(settings.ignore)))
    return compare(prepared, table, key, settings, versions, cuts, same_columns)
