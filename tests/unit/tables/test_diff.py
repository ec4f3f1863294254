"""The difference between two tables, row by row, against one that is told the long way round."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import datom_core as dc
from tests.long import examples

NUMBERS = st.sampled_from([None, 0.0, -0.0, 1.0, 2.5, math.nan, math.inf])
TEXTS = st.sampled_from([None, "", "a", "b", "ä"])
ROW = st.tuples(st.sampled_from(["s1", "s2", "s3", None, ""]), st.integers(0, 2), NUMBERS, TEXTS)
TABLES = st.lists(ROW, min_size=1, max_size=8)
NAMES = ("USUBJID", "SEQ", "N", "T")
KEY = ("USUBJID", "SEQ")


def table(rows: list[tuple[Any, ...]], *, odd: bool) -> pa.Table:
    """The rows in Arrow; ``odd``: of other types of the same families, in chunks."""
    kinds = (pa.string(), pa.int64(), pa.float64(), pa.string())
    if odd:
        kinds = (pa.dictionary(pa.int32(), pa.string()), pa.float64(), pa.float64(), pa.large_string())
    columns = [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    made = pa.table(columns, names=NAMES)
    return pa.concat_tables([made.slice(0, 1), made.slice(1)]) if odd else made


def same(value: Any) -> Any:
    """A value that equals itself, and nothing that the hash tells from it."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    return ("missing",) if value is None else ("text", value) if isinstance(value, str) else value


def alike(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(map(same, row)) for row in rows]


def by_key(rows: list[tuple[Any, ...]]) -> dict[Any, tuple[Any, ...]]:
    return {row[:2]: row for row in alike(rows)}


@given(TABLES, TABLES, st.booleans())
@settings(max_examples=examples(150))
def test_whole_rows_are_compared_as_often_as_they_are_there(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], odd: bool
) -> None:
    found = dc.diff(table(before, odd=False), table(after, odd=odd), examples=100)
    old, new = Counter(alike(before)), Counter(alike(after))
    assert (found.removed, found.added) == ((old - new).total(), (new - old).total())
    assert Counter(alike(rows_of(found.removed_rows))) == old - new
    assert Counter(alike(rows_of(found.added_rows))) == new - old
    if not found.added and not found.removed:
        assert found.reordered == (alike(before) != alike(after))
    assert (found.changed, found.columns_retyped) == (None, ())


@given(TABLES, TABLES, st.booleans())
@settings(max_examples=examples(150))
def test_with_a_key_changed_rows_are_told(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], odd: bool
) -> None:
    before, after = (
        [next(r for r in t if r[:2] == k) for k in dict.fromkeys(r[:2] for r in t)] for t in (before, after)
    )
    found = dc.diff(table(before, odd=False), table(after, odd=odd), KEY, examples=100)
    old, new = by_key(before), by_key(after)
    changed = {k: [n for n, a, b in zip(NAMES, old[k], new[k], strict=True) if a != b] for k in old if k in new}
    changed = {k: columns for k, columns in changed.items() if columns}
    assert (found.removed, found.added, found.changed) == (len(old.keys() - new), len(new.keys() - old), len(changed))
    assert found.columns_changed == dict(Counter(c for columns in changed.values() for c in columns))
    told = [[cell.column for cell in row.cells] for row in found.changed_rows]
    assert told == [changed[k] for k in old if k in changed]
    assert [r[:2] for r in alike(rows_of(found.removed_rows))] == [k for k in old if k not in new]
    assert [r[:2] for r in alike(rows_of(found.added_rows))] == [k for k in new if k not in old]
    common = [k for k in old if k in new]
    assert found.reordered == (common != [k for k in new if k in old])


@given(TABLES, TABLES)
@settings(max_examples=examples(100))
def test_nothing_differs_exactly_where_the_content_hash_is_the_same(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    old, new = table(before, odd=False), table(after, odd=True)
    found = dc.diff(old, new)
    nothing = not (found.added or found.removed or found.reordered)
    assert nothing == (dc.hash_table(old).data_sha == dc.hash_table(new).data_sha)


def rows_of(found: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in found.to_pylist()]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (pa.array([date(2026, 1, 1)]), pa.array([date(2026, 1, 2)]), ("2026-01-01", "2026-01-02")),
        (pa.array([2932897], pa.int32()).cast(pa.date32()), pa.nulls(1, pa.date32()), ("10000-01-01", None)),
        (
            pa.array([datetime(2026, 1, 1, 9, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            pa.array([datetime(2026, 1, 1, 10, tzinfo=UTC)], pa.timestamp("ms", "UTC")),
            ("2026-01-01 09:00:00.000000Z", "2026-01-01 10:00:00.000Z"),
        ),
        (pa.array([timedelta(seconds=1)]), pa.array([timedelta(seconds=2)]), ("1 s", "2 s")),
        (pa.array([True]), pa.array([False]), ("true", "false")),
        (pa.array(["x"]).dictionary_encode(), pa.array([""]), ("x", "")),
        (pa.array([2**40]), pa.array([2**53 + 1]), ("1099511627776", "9007199254740993")),
        (pa.array([1]), pa.array([2**53 + 1]), ("1", "9007199254740993")),
        (pa.array([1.0]), pa.array([math.nan]), ("1", "nan")),
    ],
)
def test_each_kind_of_value_is_told_as_text(old: pa.Array, new: pa.Array, text: tuple[str, str | None]) -> None:
    found = dc.diff(pa.table({"k": ["a"], "v": old}), pa.table({"k": ["a"], "v": new}), "k")
    assert found.changed_rows == (dc.ChangedRow(("a",), (dc.CellChange("v", *text),)),)
    assert dc.diff(pa.table({"k": ["a"], "v": old}), pa.table({"k": ["a"], "v": old}), "k").changed == 0


def test_times_of_another_unit_are_the_same_times() -> None:
    moments = [datetime(2026, 1, 1, 9, 30, tzinfo=UTC), None]
    units = [pa.table({"k": [1, 2], "t": pa.array(moments, pa.timestamp(unit))}) for unit in ("s", "us")]
    assert str(dc.diff(*units, "k")) == "the same rows"


class TestColumns:
    def test_come_go_and_change_their_type(self) -> None:
        before = pa.table({"k": [1, 2], "gone": [1, 2], "n": [1, 2], "m": [1, 2]})
        after = pa.table({"k": [1, 2], "n": ["1", "2"], "new": ["x", "y"], "m": [1.0, 3.0]})
        found = dc.diff(before, after, "k")
        assert (found.columns_added, found.columns_removed) == (("new",), ("gone",))
        assert found.columns_retyped == (dc.Retyped("n", "int64", "string"),)
        assert found.columns_changed == {"m": 1}
        assert str(found) == (
            "1 row changed by k; columns added: new; columns removed: gone; columns retyped: n (int64 → string)"
        )

    def test_large_whole_numbers_that_became_floats_are_of_another_type(self) -> None:
        found = dc.diff(pa.table({"k": [1], "n": [2**40]}), pa.table({"k": [1], "n": [float(2**40)]}), "k")
        assert [r.column for r in found.columns_retyped] == ["n"]

    def test_tables_without_a_common_column_have_no_common_row(self) -> None:
        found = dc.diff(pa.table({"a": [1, 2]}), pa.table({"b": [1]}))
        assert (found.added, found.removed, str(found)) == (
            1, 2, "1 row added, 2 removed; columns added: b; columns removed: a",
        )  # fmt: skip


class TestKeys:
    @pytest.mark.parametrize("key", [(), ("k", "k"), (1,)])
    def test_that_are_none(self, key: Any) -> None:
        with pytest.raises(dc.InvalidInputError, match="column names, each once"):
            dc.diff(pa.table({"k": [1]}), pa.table({"k": [1]}), key)

    def test_that_are_missing_or_of_another_type_are_named_all_at_once(self) -> None:
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.diff(pa.table({"k": [1], "a": [1]}), pa.table({"k": ["1"], "b": [1]}), ("k", "a", "b"))
        for said in ("'a' is not in after", "'b' is not in before", "'k' is int64 before and string after"):
            assert said in str(caught.value)

    def test_duplicates_are_named_and_bounded(self) -> None:
        unique = pa.table({"k": [f"s{i}" for i in range(9)]})
        twice = pa.table({"k": [f"s{i % 8}" for i in range(16)] + ["s0"]})
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.diff(unique, twice, "k")
        assert "rows of after apart: s0 (3 times); s1 (2 times)" in str(caught.value)
        assert ", and 3 more" in str(caught.value)
        assert caught.value.duplicates == (("s0",), ("s1",), ("s2",), ("s3",), ("s4",))
        with pytest.raises(dc.InvalidInputError, match="rows of before apart"):
            dc.diff(twice, unique, "k")

    def test_columns_of_one_name_are_refused(self) -> None:
        with pytest.raises(dc.InvalidInputError, match="Several columns are called 'k'"):
            dc.diff(pa.table([[1], [2]], names=["k", "k"]), pa.table({"k": [1]}))


def test_examples_are_bounded_and_counts_are_not() -> None:
    before = pa.table({"k": range(100), "v": range(100)})
    after = pa.table({"k": range(50, 150), "v": [0] * 100})
    found = dc.diff(before, after, "k", examples=3)
    assert (found.added, found.removed, found.changed) == (50, 50, 50)
    assert [len(t) for t in (found.added_rows, found.removed_rows, found.changed_rows)] == [3, 3, 3]
    assert [row.key for row in found.changed_rows] == [("50",), ("51",), ("52",)]
    assert found.removed_rows.column("k").to_pylist() == [0, 1, 2]


def test_many_rows() -> None:
    n = 300_000
    before = pa.table(
        {
            "id": [f"S{i:07d}" for i in range(n)],
            "seq": np.arange(n) % 7,
            **{f"v{i}": np.arange(n) * 0.5 for i in range(6)},
        }
    )
    after = before.slice(1).set_column(
        2, "v0", pa.array(np.where(np.arange(1, n) % 1000 == 0, -1.0, np.arange(1, n) * 0.5))
    )
    found = dc.diff(before, after, ("id", "seq"))
    assert (found.removed, found.added, found.changed) == (1, 0, 299)
