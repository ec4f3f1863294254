"""What settings allow and refuse, and what is told of columns and of the table itself."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest

from datom_core.comparing import (
    ColumnChange,
    ComparisonSettings,
    KeyDecision,
    TableChanges,
    compare_tables,
    find_changes,
)
from datom_core.errors import InvalidInputError


def compared(
    before: Any, after: Any, settings: ComparisonSettings | None = None, key: tuple[str, ...] = ("K",)
) -> TableChanges:
    tables = [pa.table(t) if isinstance(t, dict) else t for t in (before, after)]
    return compare_tables(*tables, key=KeyDecision(key, "given", ""), settings=settings)


def numbers(*values: float | None) -> dict[str, Any]:
    return {"K": list(range(len(values))), "V": pa.array(values, pa.float64())}


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        (ComparisonSettings(), 6),
        (
            ComparisonSettings(absolute={"V": 0.1}),
            5,
        ),  # 1.0 and 1.1 are 0.1 apart, though their doubles are a little more
        (ComparisonSettings(absolute={"V": 10}), 4),
        (ComparisonSettings(relative={"V": 0.1}), 4),
        (ComparisonSettings(absolute={"V": 0.5}, relative={"V": 0.05}), 4),
        (ComparisonSettings(relative={"V": 1}), 4),
    ],
    ids=str,
)
def test_numbers_within_a_tolerance_are_equal(settings: ComparisonSettings, changed: int) -> None:
    before = numbers(1.0, 100.0, None, math.nan, math.inf, 1.0, math.nan)
    after = numbers(1.1, 105.0, 1.0, 1.0, 1.0, None, math.nan)
    assert compared(before, after, settings).by_column["V"] == changed


def test_a_tolerance_holds_for_integers_and_across_types() -> None:
    before, after = {"K": [1, 2], "V": [10, 20]}, {"K": [1, 2], "V": [10.4, 20.6]}
    assert compared(before, after, ComparisonSettings(absolute={"V": 0.5})).cells["before"].to_pylist() == ["20"]


def test_text_is_folded_when_asked_to() -> None:
    before = {"K": ["a", "b", "c"], "V": ["Mild", " very  mild ", ""]}
    after = {"K": ["a", "b", "c"], "V": ["MILD", "very mild", None]}
    assert compared(before, after).by_column == {"V": 3}
    assert compared(before, after, ComparisonSettings(fold_case=("V",))).by_column == {"V": 2}
    assert compared(before, after, ComparisonSettings(fold_blanks=("V",))).by_column == {"V": 2}
    assert compared(before, after, ComparisonSettings(fold_case=("V",), fold_blanks=("V",))).by_column == {"V": 1}


def test_a_key_is_folded_as_well() -> None:
    found = compared(
        {"K": ["A "], "V": [1]}, {"K": ["a"], "V": [2]}, ComparisonSettings(fold_case=("K",), fold_blanks=("K",))
    )
    assert found.cells.to_pylist() == [{"K": "A ", "column": "V", "before": "1", "after": "2"}]


def test_ignored_columns_are_not_compared_in_any_way() -> None:
    before = {"K": [1, 2], "V": [1, 2], "T": ["x", "y"]}
    found = compared(before, {"K": [1, 3], "V": [1, 2], "T": ["z", "z"]}, ComparisonSettings(ignore=("T",)))
    assert (found.unchanged, len(found.rekeyed), found.by_column) == (1, 1, {})
    assert compared(before, before | {"T": ["z", "z"]}, ComparisonSettings(ignore=("T",))).fate == "unchanged"


def test_all_settings_that_cannot_be_are_refused_at_once() -> None:
    table = {"K": [1], "V": [1.0], "T": ["x"], "D": pa.array([0], pa.date32()), "B": [True]}
    settings = ComparisonSettings(
        absolute={"V": -1, "T": 1, "Z": 1, "K": 1, "B": 1},
        relative={"V": math.nan, "D": 0.1},
        fold_case=("V",),
        fold_blanks=("D", "TT"),
        ignore=("K", "v"),
        masked=("nothing",),
    )
    with pytest.raises(InvalidInputError) as refused:
        compared(table, table, settings)
    text = str(refused.value)
    for part in (
        "absolute: neither table has a column 'Z'",
        "absolute: the tolerance of 'V' is a number from 0, not -1",
        "absolute: 'T' is string in before; only numbers",
        "absolute: 'B' is bool in before; only numbers",
        "relative: the tolerance of 'V' is a number from 0, not nan",
        "relative: 'D' is date32[day] in before; only numbers",
        "fold_case: 'V' is double in before; only text",
        "fold_blanks: 'D' is date32[day] in before; only text",
        "fold_blanks: neither table has a column 'TT'",
        "ignore: neither table has a column 'v'. Did you mean 'V'?",
        "ignore: 'K' is in the key",
        "tolerance: 'K' is in the key",
        "masked: neither table has a column 'nothing'",
    ):
        assert part in text


@pytest.mark.parametrize("name", ["fold_case", "fold_blanks", "ignore", "masked"])
def test_a_name_alone_is_no_list_of_names(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name}: give column names in a tuple"):
        compared({"K": [1]}, {"K": [1]}, ComparisonSettings(**{name: "K"}))  # type: ignore[arg-type]


def test_a_tolerance_is_a_number() -> None:
    with pytest.raises(InvalidInputError, match="is a number, not 'x'"):
        compared(numbers(1), numbers(1), ComparisonSettings(absolute={"V": "x"}))  # type: ignore[dict-item]


def field(name: str, kind: pa.DataType, **said: str) -> pa.Field:
    return pa.field(name, kind, metadata=said or None)


def of_schema(fields: list[pa.Field], **said: str) -> pa.Table:
    return pa.schema(fields, metadata=said or None).empty_table()


def test_types_labels_formats_and_the_table_itself() -> None:
    before = of_schema(
        [
            field("K", pa.int32(), label="Key", length="8"),
            field("N", pa.int64()),
            field("C", pa.dictionary(pa.int32(), pa.string())),
            field("T", pa.timestamp("us", "UTC"), format="E8601DT."),
        ],
        name="AE", label="Adverse Events", pandas="{}", r="x",
    )  # fmt: skip
    after = of_schema(
        [
            field("K", pa.int64(), label="The key", length="8", origin="CRF"),
            field("C", pa.string()),
            field("N", pa.string()),
            field("T", pa.timestamp("us", "Asia/Tokyo")),
        ],
        name="AE", label="Events", pandas="[]",
    )  # fmt: skip
    found = compared(before, after)
    assert found.columns_changed == (
        ColumnChange("K", "type", "int32", "int64"),
        ColumnChange("K", "label", "Key", "The key"),
        ColumnChange("K", "origin", None, "CRF"),
        ColumnChange("N", "type", "int64", "string", comparable=False),
        ColumnChange("C", "type", "category", "string"),
        ColumnChange("T", "type", "timestamp[us, tz=UTC]", "timestamp[us, tz=Asia/Tokyo]"),
        ColumnChange("T", "format", "E8601DT.", None),
    )
    assert found.attributes_changed == (
        ColumnChange("", "label", "Adverse Events", "Events"),
        ColumnChange("", "order of columns", "K, N, C, T", "K, C, N, T"),
    )
    assert found.fate == "changed"


def test_a_column_of_another_family_is_not_compared() -> None:
    found = compared({"K": [1], "V": [1], "W": [1]}, {"K": [1], "V": ["1"], "W": [2]})
    assert (found.by_column, found.columns_changed[0].comparable) == ({"W": 1}, False)
    big = compared({"K": [1], "V": [2**40]}, {"K": [1], "V": [1.0]})
    assert (big.by_column, big.columns_changed[0].comparable) == ({}, False)


@pytest.mark.parametrize(
    ("old", "new", "renamed"),
    [
        ({"A": ["x", "y"]}, {"B": ["x", "y"]}, {"A": "B"}),
        ({"A": [1, 2]}, {"B": [1.0, 2.0]}, {"A": "B"}),
        ({"A": ["x", "y"]}, {"B": ["x", "z"]}, {}),
        ({"A": ["1", "2"]}, {"B": [1, 2]}, {}),
        ({"A": pa.nulls(2, pa.string())}, {"B": pa.nulls(2, pa.string())}, {}),
        ({"A": ["x", "y"]}, {"B": ["x", "y"], "C": ["x", "y"]}, {}),
        ({"A": ["x", "y"], "D": ["x", "y"]}, {"B": ["x", "y"]}, {}),
        ({"A": ["x", "y"], "D": [None, 1]}, {"B": [None, 1], "C": ["x", "y"]}, {"A": "C", "D": "B"}),
    ],
    ids=["text", "numbers", "other values", "other kinds", "all missing", "two after", "two before", "two"],
)
def test_columns_with_the_same_values_may_have_been_renamed(
    old: dict[str, Any], new: dict[str, Any], renamed: dict[str, str]
) -> None:
    found = compared({"K": [1, 2]} | old, {"K": [1, 2]} | new)
    assert found.columns_renamed == renamed
    assert (found.columns_removed, found.columns_added) == (tuple(old), tuple(new))
    # In whole rows, too, with the rows in another order.
    turned = pa.table({"K": [1, 2]} | new).take(pa.array([1, 0]))
    assert compared({"K": [1, 2]} | old, turned, key=()).columns_renamed == renamed


def test_only_rows_that_are_paired_tell_of_a_renaming() -> None:
    found = compared({"K": [1, 2], "A": ["x", "y"]}, {"K": [1, 3], "B": ["x", "z"]})
    assert found.columns_renamed == {"A": "B"}
    assert compared({"K": [1], "A": ["x"]}, {"K": [2], "B": ["x"]}).columns_renamed == {}


@pytest.mark.parametrize(
    ("before", "after", "tolerance", "equal"),
    [
        (0.3, 0.1 + 0.2, 0.0, False),
        (0.3, 0.1 + 0.2, 1e-9, True),
        (2**53, 2**53 + 1, 0, False),
        (2**53, 2**53 + 1, 1, True),
        (2**53, 2**53 + 2, 1, False),
        (2**62, 2**62 + 3, 2, False),
        (-(2**62), 2**62, 2**62, False),
        (-(2**63) + 1, 2**63 - 1, 2**64, True),
    ],
)
def test_a_tolerance_is_meant_exactly(before: float, after: float, tolerance: float, equal: bool) -> None:
    tables = [{"K": [1, 2], "V": [v, w]} for v, w in ((before, None), (after, None))]
    found = compared(*tables, ComparisonSettings(absolute={"V": tolerance}))
    assert (found.by_column == {}) is equal


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_a_tolerance_has_no_effect_on_whole_rows_in_whatever_order(order: list[int]) -> None:
    after = pa.table({"K": [1, 2, 3], "V": [1.01, 2.0, 3.0]}).take(order)
    found = compared({"K": [1, 2, 3], "V": [1.0, 2.0, 3.0]}, after, ComparisonSettings(absolute={"V": 0.1}), key=())
    assert (found.unchanged, len(found.added), len(found.removed)) == (2, 1, 1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("V", "settings are a ComparisonSettings, not 'V'"),
        (ComparisonSettings(absolute=5), "absolute: give a mapping from column to tolerance, not 5"),  # type: ignore[arg-type]
        (ComparisonSettings(relative=["V"]), "relative: give a mapping"),  # type: ignore[arg-type]
        (ComparisonSettings(absolute={1: 1}), "absolute: 1 is no column name"),  # type: ignore[dict-item]
        (ComparisonSettings(ignore=None), "ignore: give column names in a tuple, not None"),  # type: ignore[arg-type]
        (ComparisonSettings(ignore=([],)), r"ignore: \[\] is no column name"),  # type: ignore[arg-type]
        (ComparisonSettings(masked=(1,)), "masked: 1 is no column name"),  # type: ignore[arg-type]
        (ComparisonSettings(ignore=("K", "V")), "ignore: these are all columns that can be compared"),
    ],
)
def test_settings_of_another_form_are_refused(settings: Any, said: str) -> None:
    table = pa.table({"K": [1], "V": [1]})
    for compare in (
        lambda: compare_tables(table, table, key=KeyDecision((), "rows", ""), settings=settings),
        lambda: find_changes(table, table, settings=settings),
    ):
        with pytest.raises(InvalidInputError, match=said):
            compare()
