"""Compare two states of a table by a key that is decided."""

from __future__ import annotations

from dataclasses import replace

from datom_core.common import did_you_mean
from datom_core.comparing import classes as rows
from datom_core.comparing.changes import ComparisonSettings, KeyDecision, Side, TableChanges
from datom_core.comparing.columns import attributes_changed, columns_changed, columns_renamed
from datom_core.comparing.prepared import Prepared
from datom_core.comparing.results import Results, by_column
from datom_core.comparing.settings_check import check_settings, checked_settings
from datom_core.comparing.values import Values
from datom_core.documents import Version
from datom_core.errors import InvalidInputError
from datom_core.tables import TableSide, TwoTables


def compare_tables(
    before: object | None,
    after: object | None,
    *,
    table: str = "",
    key: KeyDecision,
    settings: ComparisonSettings | None = None,
    versions: tuple[Version | None, Version | None] = (None, None),
    cuts: tuple[str | None, str | None] = (None, None),
    same_columns: frozenset[str] = frozenset(),
) -> TableChanges:
    """Everything that changed from one state of a table to another.

    Two values are equal when the content hash takes them for equal: 1 and 1.0, -0.0 and 0.0, any two NaN, text and
    categories; a missing value equals a missing value, and nothing else. What ``settings`` fold is equal in every
    respect; a tolerance counts between rows that the key pairs.

    Args:
        before, after: tables as `hash_table` takes them, also without rows; ``None`` for a table that came or went.
        table: its name.
        key: how rows are told apart; without columns whole rows are compared.
        settings: how values are compared.
        versions, cuts: what the two states are, for `Side`.
        same_columns: columns with equal column hashes: they are not compared where rows are paired in place.

    Raises:
        InvalidInputError: names all settings that cannot be; the key has a column that is not in both tables, or is
            of another type in one; several columns have the same name.
        UnsupportedColumnsError: a column has no content hash.
    """
    settings = checked_settings(settings)
    return compare(Prepared(before, after, settings), table, key, settings, versions, cuts, same_columns)


def compare(
    prepared: Prepared,
    table: str,
    key: KeyDecision,
    settings: ComparisonSettings,
    versions: tuple[Version | None, Version | None],
    cuts: tuple[str | None, str | None],
    same_columns: frozenset[str],
) -> TableChanges:
    """As `compare_tables`, of tables that are prepared."""
    tables = prepared.tables
    _check_key(tables, key.columns)
    check_settings(settings, tables, key.columns)
    values = Values(tables, settings, same_columns, known=prepared.values)
    renames = len(tables.both) < min(len(tables.before.names), len(tables.after.names))
    by_key = bool(key.columns)
    found = rows.by_key(values, key.columns, distinct=renames) if by_key else rows.by_row(values, distinct=renames)
    results = Results(tables, key.columns, found)
    cells, typed = results.cells()
    subject, by_subject = results.by_subject()
    changes = TableChanges(
        table=table,
        fate="came" if prepared.came else "went" if prepared.went else "unchanged",
        before=None if prepared.came else _side(tables.before, versions[0], cuts[0]),
        after=None if prepared.went else _side(tables.after, versions[1], cuts[1]),
        key=key,
        settings=settings,
        unchanged=len(found.unchanged),
        changed=len(found.changed),
        reordered=found.reordered,
        columns_added=tuple(c for c in tables.after.names if c not in tables.before.tags),
        columns_removed=tuple(c for c in tables.before.names if c not in tables.after.tags),
        columns_renamed=columns_renamed(tables, found.distinct),
        columns_changed=columns_changed(tables),
        attributes_changed=attributes_changed(tables),
        by_column=by_column(found.differing),
        subject=subject,
        cells=cells,
        typed=typed,
        added=results.added(),
        removed=results.removed(),
        renumbered=results.renumbered(),
        rekeyed=results.rekeyed(),
        duplicates=results.duplicates(),
        by_subject=by_subject,
    )
    return replace(changes, fate="changed") if changes.fate == "unchanged" and _differs(changes, found) else changes


def _differs(changes: TableChanges, found: rows.Classes) -> bool:
    """Whether anything changed. Rows with repeated keys count when they are not the same ones in the same order."""
    of_columns = (changes.columns_added, changes.columns_removed, changes.columns_changed, changes.attributes_changed)
    of_rows = (changes.added, changes.removed, changes.renumbered, changes.rekeyed)
    differs = changes.changed or changes.reordered or found.duplicates.differ
    return bool(differs) or any(map(len, of_columns)) or any(map(len, of_rows))


def _side(side: TableSide, version: Version | None, cut: str | None) -> Side:
    return Side(side.table.num_rows, tuple(side.names), version, cut)


def _check_key(tables: TwoTables, key: tuple[str, ...]) -> None:
    """
    Raises:
        InvalidInputError: names every column of the key that is not on both sides, or of two families of types.
    """
    problems = [
        f"{c!r} is not in {which}{did_you_mean(c, side.names)}"
        for c in key
        for side, which in tables.sides
        if c not in side.tags
    ]
    problems += [f"{r.column!r} is {r.before} before and {r.after} after" for r in tables.retyped if r.column in key]
    if len(set(key)) != len(key):
        problems.append(f"it names a column twice: {', '.join(key)}")
    if problems:
        raise InvalidInputError(f"The key cannot tell rows apart: {'; '.join(problems)}.", key=key)
