"""What rules find in a table: pure, over whole columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import datom_core as dc
from datom_dagster.rules.change_rules import changes_since, locked, max_rows_removed, stable_key, stable_subjects
from datom_dagster.rules.spans import may_be_within
from datom_dagster.rules.subject import EXAMPLES, Before, Finding, Mask, Named, Subject, kind_of, rows_of
from datom_dagster.rules.table_rules import Range, TableRules, Value

_DAY = 10  # characters in a date


class _UnfitError(Exception):
    """A rule cannot be applied to a column of this type."""


def check_rules(
    table: pa.Table,
    rules: TableRules,
    before: Before | None,
    examples: int = EXAMPLES,
    *,
    name: str = "",
    named: Named | None = None,
    comparison: dc.ComparisonSettings | None = None,
    key: tuple[str, ...] = (),
) -> list[Finding]:
    """One finding per rule that was declared, in order.

    Args:
        table: as `datom_core.tables.normalisation` gives it.
        rules: what must hold.
        before: the previous version; ``None`` if there is none.
        examples: how many offending rows each finding shows.
        name: the table's name, which tells its domain.
        named: the states that rules ask for by name; those that are not there are not compared.
        comparison: how values are compared, and which no finding may show.
        key: columns that tell rows apart, where the rules declare none.
    """
    subject = Subject(name, table, rules, before, named or {}, comparison or dc.ComparisonSettings(), examples, key)
    return [_RULES[rule].find(subject) for rule in rules.declared]


def _key(subject: Subject) -> Finding:
    lacking = subject.lacking(subject.rules.key)
    if lacking:
        return Finding("key", False, f"no column {', '.join(lacking)}")
    missing = np.zeros(subject.table.num_rows, np.bool_)
    for name in subject.rules.key:
        missing |= _missing(subject.column(name))
    again = dc.repeated(subject.table.select(list(subject.rules.key)), subject.rules.key)
    bad = missing | again
    by = ", ".join(subject.rules.key)
    texts = [f"{rows_of(int(missing.sum()))} without {by}"] if missing.any() else []
    texts += [f"{rows_of(int(again.sum()))} share {by} with another"] if again.any() else []
    text = " and ".join(texts) or f"{by} tells all rows apart"
    return Finding("key", not bad.any(), text, int(bad.sum()), subject.shown(bad))


def _required(subject: Subject) -> Finding:
    lacking = subject.lacking(subject.rules.required)
    text = f"no column {', '.join(lacking)}" if lacking else f"has {', '.join(subject.rules.required)}"
    return Finding("required", not lacking, text)


def _allowed(subject: Subject) -> Finding:
    tests = {c: partial(_not_among, values=values) for c, values in subject.rules.allowed.items()}
    return _by_column(subject, "allowed", tests, "with a value that is not allowed")


def _ranges(subject: Subject) -> Finding:
    tests = {c: partial(_outside, ends=ends) for c, ends in subject.rules.ranges.items()}
    return _by_column(subject, "ranges", tests, "with a value out of range")


def _by_column(
    subject: Subject, name: str, tests: Mapping[str, Callable[[pa.ChunkedArray], Mask]], what: str
) -> Finding:
    """The finding of a rule that tests column by column."""
    texts: list[str] = []
    shown: list[dict[str, Any]] = []
    bad, offences = np.zeros(subject.table.num_rows, np.bool_), 0
    for column, test in tests.items():
        if subject.lacking([column]):
            texts.append(f"no column {column}")
            continue
        try:
            mask = test(subject.column(column)) & ~_missing(subject.column(column))
        except _UnfitError as error:
            texts.append(f"{column} is {subject.table.schema.field(column).type}, {error}")
            continue
        if mask.any():
            texts.append(f"{column}: {rows_of(int(mask.sum()))} {what}")
            shown += subject.shown(mask, column)
            bad |= mask
            offences += int(mask.sum())
    told = "; ".join(texts) or f"kept by {', '.join(tests)}"
    return Finding(name, not texts, told, int(bad.sum()), tuple(shown[: subject.examples]), offences)


def _max_row_drop(subject: Subject) -> Finding:
    most, before, now = subject.rules.max_row_drop, subject.before, subject.table.num_rows
    if before is None or before.rows is None or most is None:
        return Finding("max_row_drop", True, "there is no version before")
    lost = max(before.rows - now, 0)
    text = f"{now:,} rows after {before.rows:,} of {before.what}"
    if lost <= most * before.rows:
        return Finding("max_row_drop", True, text)
    part = lost / before.rows
    return Finding("max_row_drop", False, f"{text}: {part:.1%} are gone, and at most {most:.1%} may be")


def _stable_schema(subject: Subject) -> Finding:
    before = subject.before
    if before is None or before.schema is None:
        return Finding("stable_schema", True, "there is no version before")
    now = subject.table.schema
    gone = [name for name in before.schema.names if name not in now.names]
    retyped = [
        f"{f.name} ({f.type} → {now.field(f.name).type})"
        for f in before.schema
        if f.name in now.names and kind_of(f.type) != kind_of(now.field(f.name).type)
    ]
    parts = [f"columns gone since {before.what}: {', '.join(gone)}"] if gone else []
    parts += [f"columns of another kind than in {before.what}: {', '.join(retyped)}"] if retyped else []
    return Finding("stable_schema", not parts, "; ".join(parts) or f"has the columns of {before.what}")


@dataclass(frozen=True)
class _Rule:
    """How to check a rule, and what the rule asks for."""

    find: Callable[[Subject], Finding]
    asks: str


# Each is an attribute of `TableRules` with the same name; a new rule needs a line here, a function and that attribute.
_RULES = {
    "key": _Rule(_key, "The key is never missing, and tells all rows apart."),
    "required": _Rule(_required, "All columns that must be there are there."),
    "allowed": _Rule(_allowed, "Values are among those that are allowed."),
    "ranges": _Rule(_ranges, "Values are in their ranges."),
    "max_row_drop": _Rule(_max_row_drop, "Not too many rows are gone since the version before."),
    "stable_schema": _Rule(_stable_schema, "No column of the version before is gone, or of another kind."),
    "max_rows_removed": _Rule(max_rows_removed, "Not too many rows of the version before are gone, by their key."),
    "stable_subjects": _Rule(stable_subjects, "No subject of the version before is gone."),
    "stable_key": _Rule(stable_key, "No column of the key is of another kind than in the version before."),
    "locked": _Rule(locked, "Nothing differs from the cuts that lock the table, but for columns that may."),
    "changes_since": _Rule(changes_since, "Nothing changed since a cut, or since what was reviewed."),
}
#: What each rule asks for, in a sentence.
ASKED = {name: rule.asks for name, rule in _RULES.items()}


def _missing(data: pa.ChunkedArray) -> Mask:
    mask = data.is_null()
    return _mask(pc.or_(mask, pc.fill_null(pc.equal(data, ""), False)) if kind_of(data.type) == "text" else mask)


def _mask(found: pa.ChunkedArray) -> Mask:
    mask: Mask = pc.fill_null(found, False).to_numpy()
    return mask


def _not_among(data: pa.ChunkedArray, values: Sequence[Value]) -> Mask:
    kind, text = kind_of(data.type), isinstance(values[0], str)
    if kind not in (("text", "date") if text else ("number",)):
        raise _UnfitError(f"which is never one of {list(values)!r}")
    if kind == "date":
        data = data.cast(pa.string())
    elif kind == "number":
        # 1 equals 1.0, as in the content hash.
        data, values = _numbers(data, values)
    return ~_mask(pc.is_in(data, value_set=pa.array(values, data.type)))


def _numbers(data: pa.ChunkedArray, ends: Sequence[Any]) -> tuple[pa.ChunkedArray, list[Any]]:
    """The numbers to compare: integers if all of them are."""
    whole = all(isinstance(e, int) and abs(e) < 2**63 for e in ends if e is not None)
    if whole and (pa.types.is_integer(data.type) or pa.types.is_boolean(data.type)):
        return data.cast(pa.int64()), [None if e is None else int(e) for e in ends]
    small = data.cast(pa.uint8()) if pa.types.is_boolean(data.type) else data
    return small.cast(pa.float64(), safe=False), [None if e is None else float(e) for e in ends]


def _outside(data: pa.ChunkedArray, ends: Range) -> Mask:
    kind, dates = kind_of(data.type), any(isinstance(e, str) for e in ends)
    if kind not in (("text", "date", "time") if dates else ("number",)):
        raise _UnfitError(f"which is in no range of {'dates' if dates else 'numbers'}")
    if kind == "text":
        return _outside_in_text(data, ends)
    inside = np.ones(len(data), np.bool_)
    if kind == "number":
        data, (low, high) = _numbers(data, ends)
        for end, compare in ((low, pc.greater_equal), (high, pc.less_equal)):
            inside &= True if end is None else _mask(compare(data, pa.scalar(end, data.type)))
        return ~inside
    for end, compare in zip(ends, (pc.greater_equal, pc.less_equal), strict=True):
        inside &= True if end is None else _mask(_compare_moment(data, str(end), compare))
    return ~inside


def _compare_moment(data: pa.ChunkedArray, end: str, compare: Any) -> pa.ChunkedArray:
    """Compare dates and times with an end of a range; an end that is a date means the whole day."""
    if len(end) == _DAY or pa.types.is_date(data.type):
        day = date.fromisoformat(end[:_DAY])
        return compare(_utc(data).cast(pa.date32(), safe=False), pa.scalar(day, pa.date32()))
    return compare(_utc(data), pa.scalar(datetime.fromisoformat(end), pa.timestamp("us")))


def _utc(data: pa.ChunkedArray) -> pa.ChunkedArray:
    return data.cast(pa.timestamp(data.type.unit)) if pa.types.is_timestamp(data.type) else data


def _outside_in_text(data: pa.ChunkedArray, ends: Range) -> Mask:
    """Which of SDTM's dates and intervals are outside; a partial date such as 2014 is inside if any of it may be."""
    low, high = (None if e is None else datetime.fromisoformat(str(e)) for e in ends)
    if high is not None and len(str(ends[1])) == _DAY:
        high = datetime.combine(high, time.max)
    texts = data.combine_chunks().dictionary_encode()
    within = [text is not None and may_be_within(text, low, high) for text in texts.dictionary.to_pylist()]
    each = pc.take(pa.array([*within, False]), texts.indices.fill_null(len(within)))
    return ~_mask(pa.chunked_array([each]))
