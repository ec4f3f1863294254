"""The sentences of a report, the same in every form that a person reads."""

from __future__ import annotations

from collections.abc import Iterable

from datom_core.comparing import ColumnChange, KeyDecision, KeySource, Side, TableChanges
from datom_core.reports.counts import Counts
from datom_core.reports.lines import Kind
from datom_core.reports.masking import Masking

#: For each kind of rows: its sign, one word, its heading, and what the heading means.
KINDS: dict[Kind, tuple[str, str, str, str]] = {
    "changed": ("~", "changed", "Changed values", "The row is on both sides, with another value."),
    "added": ("+", "added", "Added rows", "Only after."),
    "removed": ("−", "removed", "Removed rows", "Only before."),
    "renumbered": ("#", "renumbered", "Renumbered rows", "The same row with another sequence number."),
    "rekeyed": (
        "≈",
        "rekeyed",
        "Rows with another key",
        "Everything but the key is equal: perhaps the same row. No data can prove it.",
    ),
    "duplicate": (
        "=",
        "duplicate",
        "Duplicate keys",
        "Rows whose key occurs more than once; they are not compared, as nothing says which belongs to which.",
    ),
}

FATES = {"changed": "changed", "unchanged": "unchanged", "came": "new table", "went": "table is gone"}
SIGNS = {"changed": "~", "unchanged": "=", "came": "+", "went": "−"}
SOURCES: dict[KeySource, str] = {
    "given": "given with the call",
    "rules": "from the rules of the table",
    "data": "from the metadata of the data",
    "domain": "a natural key of the domain",
    "rows": "whole rows",
}
NOTHING = "Nothing changed."
_NONE = "(none)"
NO_TABLES = "There are no tables in either state."


def number(count: int, one: str, many: str = "") -> str:
    """``1 row``, ``1,234 rows``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def what_changed(changes: TableChanges, counts: Counts) -> str:
    """What became of a table, in one sentence of counts."""
    if changes.fate == "came":
        return f"New table with {number(counts.rows_after, 'row')}."
    if changes.fate == "went":
        return f"The table is gone; it had {number(counts.rows_before, 'row')}."
    if changes.fate == "unchanged":
        return NOTHING
    told = [
        (counts.cells, f"{number(counts.cells, 'value')} changed in {number(counts.changed, 'row')}"),
        (counts.added, f"{number(counts.added, 'row')} added"),
        (counts.removed, f"{number(counts.removed, 'row')} removed"),
        (counts.renumbered, f"{number(counts.renumbered, 'row')} renumbered"),
        (counts.rekeyed, f"{number(counts.rekeyed, 'row')} with another key"),
        (counts.duplicates, f"{number(counts.duplicates, 'row')} with duplicate keys"),
        (counts.columns, f"{number(counts.columns, 'change')} of columns or labels"),
        (changes.reordered, "rows in another order"),
    ]
    return f"{', '.join(text for many, text in told if many) or 'Other metadata'}.".capitalize()


def key_used(key: KeyDecision) -> str:
    """The key, and where it comes from."""
    if not key.columns:
        return "none; whole rows are compared, so that a changed row is one removed and one added"
    return f"{', '.join(key.columns)} ({SOURCES[key.source]})"


def rejections(key: KeyDecision, masking: Masking) -> list[str]:
    """The keys that were tried before, each with the reason why it was not taken."""
    return [f"{', '.join(r.columns)} ({SOURCES[r.source]}) {masking.reason(r)}" for r in key.rejected]


def settings_told(changes: TableChanges) -> list[str]:
    """What was not compared exactly, one sentence each; none by default."""
    settings = changes.settings
    where = "" if changes.key.columns else ", where a key pairs rows: it has no effect on whole rows"
    told = [f"{c}: equal within {t!r}{where}" for c, t in sorted(settings.absolute.items())]
    told += [f"{c}: equal within a part of {t!r} of the value{where}" for c, t in sorted(settings.relative.items())]
    for columns, meaning in (
        (settings.fold_case, "upper and lower case are taken for equal"),
        (settings.fold_blanks, "blanks are taken for equal, however many"),
        (settings.ignore, "not compared"),
    ):
        told += [f"{', '.join(columns)}: {meaning}"] if columns else []
    return told


def column_changes(changes: TableChanges, masking: Masking) -> list[tuple[str, str, str, str]]:
    """Every change of columns, and of the table itself: column, what, before, after."""
    rows = [(c, "column added", _NONE, c) for c in changes.columns_added]
    rows += [(c, "column removed", c, _NONE) for c in changes.columns_removed]
    rows += [(old, "perhaps renamed", old, new) for old, new in changes.columns_renamed.items()]
    for change in changes.columns_changed:
        before, after = _sides(change, masking)
        what = change.what if change.comparable else f"{change.what} (values cannot be compared)"
        rows.append((change.column, what, before, after))
    for change in changes.attributes_changed:
        rows.append((f"(the table) {change.column}".strip(), change.what, *_sides(change, masking)))
    return rows


def _sides(change: ColumnChange, masking: Masking) -> tuple[str, str]:
    before, after = masking.property(change)
    return (_NONE if before is None else before, _NONE if after is None else after)


def side_facts(side: Side | None) -> list[tuple[str, str]]:
    """A state of a table: which version, by whom, when, why."""
    if side is None:
        return [("state", "no such table")]
    version = side.version
    shape = [("rows", f"{side.rows:,}"), ("columns", f"{len(side.columns):,}")]
    cut = [("cut", side.cut)] if side.cut else []
    if version is None:
        return [*cut, *shape, ("version", "none: a data frame")]
    return [
        *cut,
        ("recorded", moment(version.timestamp)),
        ("author", str(version.author)),
        ("message", version.message or _NONE),
        *([] if version.provenance is None else version.provenance.facts().items()),
        *shape,
        ("version", version.version),
        ("commit", version.commit_sha or "not known"),
    ]


def sides_facts(changes: TableChanges) -> list[tuple[str, str, str]]:
    """The facts about both states: fact, before, after."""
    before, after = dict(side_facts(changes.before)), dict(side_facts(changes.after))
    facts = sorted({*before, *after}, key=[*after, *before].index)
    return [(fact, before.get(fact, ""), after.get(fact, "")) for fact in facts]


def moment(timestamp: str | None) -> str:
    """A time for a person; it is in UTC, as documents are."""
    if timestamp is None:
        return "not known"
    return timestamp.replace("T", " ").removesuffix("Z") + " UTC" if timestamp.endswith("Z") else timestamp


def some_of(shown: int, count: int, what: str) -> str:
    """``20 of 313 values``; all of them need no "of"."""
    return f"{shown:,} of {count:,} {what}"


def and_more(names: Iterable[str], most: int) -> str:
    """The first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


#: Headings of the counts by subject.
SUBJECT_FIGURES = {
    "added": "Rows added",
    "removed": "Rows removed",
    "changed": "Rows changed",
    "cells": "Values changed",
    "renumbered": "Rows renumbered",
    "rekeyed": "Rows with another key",
    "duplicates": "Rows with duplicate keys",
}
