"""What rules about changes find: between a table and the version before it, a cut, or what was reviewed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import datom_core as dc
from datom_dagster.rules.changed_lines import changed_lines
from datom_dagster.rules.comparison import MASKED
from datom_dagster.rules.subject import Finding, Since, Subject, kind_of, rows_of

_NONE_BEFORE = "there is no version before"
_SUBJECTS = ("USUBJID", "SUBJID")


def max_rows_removed(subject: Subject) -> Finding:
    """Rows that are gone by their key; a row that only has another number or key is still there."""
    name, most, before = "max_rows_removed", subject.rules.max_rows_removed, subject.before
    try:
        changes = subject.changes
    except dc.InvalidInputError as error:
        return Finding(name, False, f"this cannot be compared with the version before: {error}")
    if before is None or changes is None or changes.before is None or most is None:
        return Finding(name, True, _NONE_BEFORE)
    if not changes.key.columns:
        return Finding(name, False, "no key tells the rows apart, so that nobody knows which are gone; declare one")
    rows, gone = changes.before.rows, changes.removed.num_rows + _lost_duplicates(changes)
    by = ", ".join(changes.key.columns)
    text = f"{gone:,} of {rows_of(rows)} of {before.what} are gone by {by}"
    if gone <= most * rows:
        return Finding(name, True, text)
    shown = changed_lines(changes, subject.examples, ("removed",))
    return Finding(name, False, f"{text}: {gone / rows:.1%}, and at most {most:.1%} may be", gone, shown)


def _lost_duplicates(changes: dc.TableChanges) -> int:
    """How many fewer rows have keys that occur more than once; nothing pairs those."""
    # By place: a column of the data may have the same name.
    sides = changes.duplicates.column(0)
    before = pc.sum(pc.equal(sides, "before")).as_py() or 0
    return max(2 * before - len(sides), 0)


def stable_subjects(subject: Subject) -> Finding:
    """Subjects that the version before has."""
    name, before = "stable_subjects", subject.before
    if before is None or before.table is None:
        return Finding(name, True, _NONE_BEFORE)
    then, now = before.table, subject.table
    column = next((c for c in _SUBJECTS if c in then.column_names and c in now.column_names), None)
    if column is None:
        return Finding(name, False, f"no column {' or '.join(_SUBJECTS)} in this version and in {before.what}")
    old, new = (_subjects(table.column(column)) for table in (then, now))
    gone = old.filter(pc.invert(pc.is_in(old, value_set=new))).sort()
    if not len(gone):
        return Finding(name, True, f"has the {len(old):,} subjects of {before.what}")
    hidden = column in subject.comparison.masked
    shown = tuple({column: MASKED if hidden else text} for text in gone.slice(0, subject.examples).to_pylist())
    text = f"{len(gone):,} of {len(old):,} subjects of {before.what} are gone"
    return Finding(name, False, text, len(gone), shown, unit="subjects that are gone")


def _subjects(column: pa.ChunkedArray) -> pa.Array:
    """Each subject once, as text; a missing one, or empty text, is none."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    texts = pc.unique(pa.array(dc.as_text(pc.unique(column).drop_null()), pa.string()))
    return texts.filter(pc.not_equal(texts, ""))


def stable_key(subject: Subject) -> Finding:
    """The types of the key's columns."""
    name, before, now = "stable_key", subject.before, subject.table.schema
    if before is None or before.schema is None:
        return Finding(name, True, _NONE_BEFORE)
    then, key = before.schema, subject.rules.key
    gone = [c for c in key if c not in now.names]
    new = [c for c in key if c in now.names and c not in then.names]
    retyped = [
        f"{c} ({then.field(c).type} → {now.field(c).type})"
        for c in key
        if c in now.names and c in then.names and kind_of(then.field(c).type) != kind_of(now.field(c).type)
    ]
    parts = [f"no column {', '.join(gone)}"] if gone else []
    parts += [f"{before.what} has no column {', '.join(new)}"] if new else []
    parts += [f"columns of the key of another kind than in {before.what}: {', '.join(retyped)}"] if retyped else []
    return Finding(name, not parts, "; ".join(parts) or f"{', '.join(key)} as in {before.what}")


def locked(subject: Subject) -> Finding:
    """What differs from the cuts that hold the table for good, but for columns that may."""
    found = [
        _unchanged("locked", subject, subject.named[("locked", cut)], allowed)
        for cut, allowed in subject.rules.locked.items()
        if ("locked", cut) in subject.named
    ]
    rows = tuple(row for f in found for row in f.rows)[: subject.examples] if _alike(found) else found[0].rows
    return Finding(
        "locked",
        all(f.passed for f in found),
        "; ".join(f.text for f in found) or "no cut to compare with",
        sum(f.count for f in found),
        rows,
        sum(f.offences or 0 for f in found),
        "differences",
    )


def _alike(found: Sequence[Finding]) -> bool:
    """Whether the rows of several findings have the same columns, so that one table shows them."""
    return len({tuple(row) for f in found for row in f.rows[:1]}) < 2


def changes_since(subject: Subject) -> Finding:
    """What changed since a cut, or since what somebody has reviewed, as the asset compares."""
    since = subject.named.get(("changes_since", subject.rules.changes_since or ""))
    if since is None:
        return Finding("changes_since", True, "nothing to compare with")
    return _unchanged("changes_since", subject, since, None)


def _unchanged(name: str, subject: Subject, since: Since, allowed: Sequence[str] | None) -> Finding:
    if since.told is not None or since.table is None:
        return Finding(name, since.passed, since.told or "")
    try:
        changes = subject.changes_from(since.table, ignore=allowed)
    except dc.InvalidInputError as error:
        return Finding(name, False, f"this cannot be compared with {since.what}: {error}")
    texts = list(_differences(changes, allowed or ()))
    by = f" (by {', '.join(changes.key.columns)})" if changes.key.columns else ""
    if not texts:
        but = f", but for {', '.join(allowed)}" if allowed else ""
        return Finding(name, True, f"is as in {since.what}{but}")
    shown = changed_lines(changes, subject.examples)
    count = changes.changed + sum(
        rows.num_rows for rows in (changes.removed, changes.added, changes.renumbered, changes.rekeyed)
    )
    lines = count - changes.changed + changes.cells.num_rows
    return Finding(name, False, f"since {since.what}: {', '.join(texts)}{by}", count, shown, lines, unit="differences")


def _differences(changes: dc.TableChanges, allowed: Collection[str]) -> Iterator[str]:
    """What of the content differs, in words without values; labels and formats are no content."""
    counted = (
        (changes.removed.num_rows, "removed"),
        (changes.added.num_rows, "added"),
        (changes.changed, "changed"),
        (changes.renumbered.num_rows, "renumbered"),
        (changes.rekeyed.num_rows, "with another key"),
    )
    yield from (f"{rows_of(count)} {what}" for count, what in counted if count)
    if not _same_duplicates(changes.duplicates, allowed):
        yield "other rows with duplicate keys"
    if changes.reordered:
        yield "rows in another order"
    for names, what in ((changes.columns_removed, "removed"), (changes.columns_added, "added")):
        named = [c for c in names if c not in allowed]
        if named:
            yield f"columns {what}: {', '.join(named)}"
    retyped = [c.column for c in changes.columns_changed if not c.comparable and c.column not in allowed]
    if retyped:
        yield f"columns of another kind: {', '.join(retyped)}"


def _same_duplicates(duplicates: pa.Table, allowed: Collection[str]) -> bool:
    """Whether both sides have the same rows with repeated keys, in the same order."""
    places: list[Any] = [
        place for place, name in enumerate(duplicates.column_names) if place == 1 or (place > 1 and name not in allowed)
    ]
    sides = (duplicates.filter(pc.equal(duplicates.column(0), side)).select(places) for side in ("before", "after"))
    before, after = sides
    return bool(before.equals(after))
