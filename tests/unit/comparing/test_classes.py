"""Every row of two tables is in exactly one class, by rules that are told one by one."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pytest

from datom_core.comparing import ComparisonSettings, KeyDecision, TableChanges, compare_tables
from datom_core.errors import InvalidInputError
from tests.comparing.truth import check_sums


def compared(before: Any, after: Any, *key: str, **more: Any) -> TableChanges:
    tables = [pa.table(t) if isinstance(t, dict) else t for t in (before, after)]
    found = compare_tables(*tables, key=KeyDecision(key, "given" if key else "rows", ""), **more)
    if tables[0] is not None and tables[1] is not None:
        check_sums(found)
    return found


def counts(found: TableChanges) -> dict[str, int]:
    """What there is of each class."""
    all_of = {
        "unchanged": found.unchanged, "changed": found.changed, "cells": len(found.cells), "added": len(found.added),
        "removed": len(found.removed), "renumbered": len(found.renumbered), "rekeyed": len(found.rekeyed),
        "duplicates": len(found.duplicates),
    }  # fmt: skip
    return {what: n for what, n in all_of.items() if n}


def ae(*rows: tuple[str, int, str | None, str | None]) -> pa.Table:
    names = ("USUBJID", "AESEQ", "AETERM", "AESEV")
    kinds = (pa.string(), pa.int64(), pa.string(), pa.string())
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table([pa.array(list(c), k) for c, k in zip(columns, kinds, strict=True)], names=names)


BEFORE = ae(("1", 1, "cough", "MILD"), ("1", 2, "rash", "MILD"), ("2", 1, "cough", "MILD"))


def test_equal_tables_are_unchanged() -> None:
    found = compared(BEFORE, BEFORE, "USUBJID", "AETERM")
    assert (counts(found), found.fate) == ({"unchanged": 3}, "unchanged")


def test_a_row_that_is_inserted_renumbers_those_below_it() -> None:
    after = ae(("1", 1, "ache", "MILD"), ("1", 2, "cough", "MILD"), ("1", 3, "rash", "MILD"), ("2", 1, "cough", "MILD"))
    by_number = compared(BEFORE, after, "USUBJID", "AESEQ")
    by_term = compared(BEFORE, after, "USUBJID", "AETERM")
    whole = compared(BEFORE, after)
    for found in (by_number, by_term, whole):
        assert counts(found) == {"unchanged": 1, "renumbered": 2, "added": 1}
        assert found.renumbered.select(["AESEQ before", "AESEQ after"]).to_pylist() == [
            {"AESEQ before": 1, "AESEQ after": 2},
            {"AESEQ before": 2, "AESEQ after": 3},
        ]
    assert by_number.renumbered.column_names == ["USUBJID", "AESEQ", "AETERM", "AESEQ before", "AESEQ after"]
    assert by_term.renumbered.column_names == ["USUBJID", "AETERM", "AESEQ before", "AESEQ after"]
    assert whole.renumbered.column_names == ["USUBJID", "AETERM", "AESEQ before", "AESEQ after"]


def test_a_row_that_is_deleted_renumbers_those_below_it() -> None:
    found = compared(BEFORE, ae(("1", 1, "rash", "MILD"), ("2", 1, "cough", "MILD")), "USUBJID", "AESEQ")
    assert counts(found) == {"unchanged": 1, "renumbered": 1, "removed": 1}
    assert found.removed["AETERM"].to_pylist() == ["cough"]


def test_rows_that_are_alike_are_not_told_to_be_renumbered() -> None:
    before = ae(("1", 1, "cough", "MILD"), ("1", 2, "cough", "MILD"))
    after = ae(("1", 3, "cough", "MILD"), ("1", 4, "cough", "MILD"))
    assert counts(compared(before, after, "USUBJID", "AESEQ")) == {"removed": 2, "added": 2}


def test_a_number_and_a_value_that_change_are_a_change() -> None:
    found = compared(BEFORE, ae(("1", 5, "cough", "SEVERE"), *[]), "USUBJID", "AETERM")
    assert found.by_column == {"AESEQ": 1, "AESEV": 1}
    assert found.cells.to_pylist() == [
        {"USUBJID": "1", "AETERM": "cough", "column": "AESEQ", "before": "1", "after": "5"},
        {"USUBJID": "1", "AETERM": "cough", "column": "AESEV", "before": "MILD", "after": "SEVERE"},
    ]
    assert found.typed["AESEQ"].to_pylist() == [{"USUBJID": "1", "AETERM": "cough", "before": 1, "after": 5}]


def test_repeated_keys_never_pair_by_the_order_of_rows() -> None:
    after = ae(("1", 1, "cough", "SEVERE"), ("1", 2, "rash", "MILD"), ("1", 3, "cough", "MILD"), ("2", 1, "x", None))
    found = compared(BEFORE, after, "USUBJID", "AETERM")
    assert counts(found) == {"unchanged": 1, "duplicates": 3, "removed": 1, "added": 1}
    assert found.duplicates.to_pylist() == [
        {"side": "before", "group": 1, "USUBJID": "1", "AESEQ": 1, "AETERM": "cough", "AESEV": "MILD"},
        {"side": "after", "group": 1, "USUBJID": "1", "AESEQ": 1, "AETERM": "cough", "AESEV": "SEVERE"},
        {"side": "after", "group": 1, "USUBJID": "1", "AESEQ": 3, "AETERM": "cough", "AESEV": "MILD"},
    ]


@pytest.mark.parametrize(("severity", "fate"), [("MILD", "unchanged"), ("SEVERE", "changed")])
def test_repeated_keys_change_a_table_only_if_their_rows_do(severity: str, fate: str) -> None:
    twice = ae(("1", 1, "cough", "MILD"), ("1", 2, "cough", "MILD"))
    found = compared(twice, ae(("1", 1, "cough", "MILD"), ("1", 2, "cough", severity)), "USUBJID", "AETERM")
    assert (counts(found), found.fate) == ({"duplicates": 4}, fate)


def test_duplicates_of_columns_with_two_types_stand_in_one() -> None:
    before = {
        "K": pa.array([1, 1], pa.int32()),
        "N": [1, 2],
        "C": pa.array(["a", "b"]).dictionary_encode(),
        "T": [1, 2],
    }
    after = {"K": pa.array([1], pa.int64()), "N": [1.5], "C": ["a"], "T": ["x"]}
    found = compared(before, after, "K").duplicates
    assert found.select(["K", "N", "C", "T"]).to_pydict() == {
        "K": [1, 1, 1], "N": [1.0, 2.0, 1.5], "C": ["a", "b", "a"], "T": ["1", "2", "x"],
    }  # fmt: skip


def test_a_row_whose_key_changed_is_a_candidate() -> None:
    after = ae(("1", 1, "cough", "MILD"), ("1", 2, "RASH", "MILD"), ("2", 1, "cough", "MILD"))
    found = compared(BEFORE, after, "USUBJID", "AETERM")
    assert counts(found) == {"unchanged": 2, "rekeyed": 1}
    assert found.rekeyed.to_pylist() == [
        {"USUBJID before": "1", "USUBJID after": "1", "AETERM before": "rash", "AETERM after": "RASH"}
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"K": [1, 2], "V": ["a", "a"]}, {"K": [1, 3], "V": ["a", "a"]}),
        ({"K": [1, 2], "V": ["a", None]}, {"K": [1, 3], "V": ["a", None]}),
        ({"K": [1, 2], "V": ["a", "b"]}, {"K": [3, 4, 1], "V": ["b", "b", "a"]}),
        ({"K": [1, 2]}, {"K": [1, 3]}),
    ],
    ids=["another row is alike", "no value", "two may be meant", "nothing but a key"],
)
def test_a_row_that_could_be_any_is_no_candidate(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = counts(compared(before, after, "K"))
    assert (found.get("rekeyed"), found["removed"]) == (None, 1)


def test_a_subject_with_another_name_keeps_its_rows() -> None:
    before = {"USUBJID": ["1", "1", "2"], "T": ["a", "b", "a"], "V": [1, 2, 3]}
    after = {"USUBJID": ["1", "1", "02"], "T": ["a", "b", "a"], "V": [1, 2, 3]}
    assert counts(compared(before, after, "USUBJID", "T")) == {"unchanged": 2, "rekeyed": 1}


def test_a_row_of_the_same_subject_is_preferred() -> None:
    before = {"USUBJID": ["1", "2"], "T": ["a", "a"], "V": [7, 7]}
    after = {"USUBJID": ["1", "2"], "T": ["b", "b"], "V": [7, 7]}
    found = compared(before, after, "USUBJID", "T")
    assert found.rekeyed["USUBJID before"].to_pylist() == found.rekeyed["USUBJID after"].to_pylist() == ["1", "2"]


def test_without_a_key_a_row_counts_as_often_as_it_is_there() -> None:
    found = compared({"V": [1, 1, 1, 2]}, {"V": [2, 1, 1, 3]})
    assert counts(found) == {"unchanged": 3, "removed": 1, "added": 1}
    assert found.reordered


def test_the_order_of_rows_counts() -> None:
    found = compared(BEFORE, BEFORE.take(pa.array([2, 0, 1])), "USUBJID", "AETERM")
    assert (found.reordered, found.fate, counts(found)) == (True, "changed", {"unchanged": 3})
    shorter = compared(BEFORE, BEFORE.slice(1), "USUBJID", "AETERM")
    assert not shorter.reordered


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (pa.array([1, 2]), pa.array([1.0, 2.0])),
        (pa.array([0.0, math.nan]), pa.array([-0.0, math.nan])),
        (pa.array(["a", None]), pa.array(["a", None]).dictionary_encode()),
        (pa.array(["a", None]), pa.array(["a", None], pa.large_string())),
        (pa.array([True, False]), pa.array([1, 0])),
        (pa.array([1, None], pa.int32()), pa.array([1, None], pa.int64())),
        (pa.array([0, 1], pa.duration("s")), pa.array([0, 1000], pa.duration("ms"))),
        (pa.array([date(2020, 1, 1), None]), pa.array([date(2020, 1, 1), None], pa.date64())),
        (pa.array([1], pa.timestamp("s", "UTC")), pa.array([10**6], pa.timestamp("us", "Asia/Tokyo"))),
        (pa.array([time(1, 2)], pa.time32("s")), pa.array([time(1, 2)], pa.time64("us"))),
        (pa.array([2**40, 1]), pa.array([2**40, 1], pa.uint64())),
        (pa.nulls(2), pa.array([None, None], pa.bool_())),
    ],
    ids=str,
)
def test_values_are_equal_as_the_content_hash_says(old: pa.Array, new: pa.Array) -> None:
    key = list(range(len(old)))
    assert counts(compared({"K": key, "V": old}, {"K": key, "V": new}, "K")) == {"unchanged": len(old)}
    # The same as a key, and in whole rows.
    assert counts(compared({"K": old, "V": key}, {"K": new, "V": key}))["unchanged"] == len(old)


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        (pa.array([1.0]), pa.array([None], pa.float64()), ("1", None)),
        (pa.array([math.nan]), pa.array([None], pa.float64()), ("nan", None)),
        (pa.array([""]), pa.array([None], pa.string()), ("", None)),
        (pa.array(["a"]).dictionary_encode(), pa.array(["b"]), ("a", "b")),
        (pa.array([timedelta(seconds=90)]), pa.array([timedelta(seconds=90.5)]), ("90 s", "90.5 s")),
        (pa.array([date(2020, 1, 1)]), pa.array([date(2020, 1, 2)]), ("2020-01-01", "2020-01-02")),
        (
            pa.array([datetime(2020, 1, 1, tzinfo=UTC)]),
            pa.array([datetime(2020, 1, 2, tzinfo=UTC)]),
            ("2020-01-01 00:00:00.000000Z", "2020-01-02 00:00:00.000000Z"),
        ),
        (pa.array([2**40]), pa.array([2**40 + 1]), (str(2**40), str(2**40 + 1))),
        (pa.array([0.1], pa.float32()), pa.array([0.1]), ("0.10000000149011612", "0.1")),
        (pa.array([True]), pa.array([False]), ("true", "false")),
    ],
    ids=str,
)
def test_each_change_is_a_cell_as_value_and_as_text(old: pa.Array, new: pa.Array, texts: tuple[str, str]) -> None:
    found = compared({"K": ["k"], "V": old}, {"K": ["k"], "V": new}, "K")
    assert found.cells.to_pylist() == [{"K": "k", "column": "V", "before": texts[0], "after": texts[1]}]
    typed = found.typed["V"]
    assert str(typed["before"].to_pylist()) == str(old.to_pylist())
    assert (typed["before"].type, typed["after"].type) == (
        pa.dictionary(pa.int32(), pa.string()) if pa.types.is_dictionary(old.type) else old.type,
        new.type,
    )


def test_missing_values_in_a_key_are_values() -> None:
    before = {"A": ["x", None, None], "B": [1.0, 1.0, math.nan], "V": [1, 2, 3]}
    after = {"A": ["x", None, None], "B": [1.0, 1.0, math.nan], "V": [1, 2, 4]}
    found = compared(before, after, "A", "B")
    assert counts(found) == {"unchanged": 2, "changed": 1, "cells": 1}


@pytest.mark.parametrize("key", [("USUBJID", "AETERM"), ()])
def test_tables_without_rows(key: tuple[str, ...]) -> None:
    assert counts(compared(ae(), ae(), *key)) == {}
    assert counts(compared(ae(), BEFORE, *key)) == {"added": 3}
    assert counts(compared(BEFORE, ae(), *key)) == {"removed": 3}


def test_tables_without_a_common_column_have_no_common_row() -> None:
    found = compared({"A": [1, 2]}, {"B": [1, 2]})
    assert counts(found) == {"removed": 2, "added": 2}
    assert (found.columns_added, found.columns_removed, found.columns_renamed) == (("B",), ("A",), {})


def test_tables_that_came_or_went() -> None:
    came, went = compared(None, BEFORE, "USUBJID", "AETERM"), compared(BEFORE, None)
    assert (came.fate, came.before, counts(came), came.columns_added) == ("came", None, {"added": 3}, ())
    assert (went.fate, went.after, counts(went), went.columns_changed) == ("went", None, {"removed": 3}, ())
    with pytest.raises(InvalidInputError, match="nothing to compare"):
        compared(None, None)


def test_subjects_are_counted() -> None:
    after = ae(("1", 1, "cough", "SEVERE"), ("1", 2, "itch", None), ("3", 1, "cough", "MILD"))
    found = compared(BEFORE, after, "USUBJID", "AETERM")
    assert found.subject == "USUBJID"
    assert [tuple(r.values()) for r in found.by_subject.to_pylist()] == [
        ("1", 1, 1, 1, 1, 0, 0, 0),
        ("2", 0, 1, 0, 0, 0, 0, 0),
        ("3", 1, 0, 0, 0, 0, 0, 0),
    ]
    assert compared({"A": [1]}, {"A": [2]}).by_subject.num_rows == 0


@pytest.mark.parametrize("rows", [10, 1_500, 30_000])
def test_gathered_rows_are_the_same_however_they_are_gathered(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices for few runs, one by one for many; in batches and in threads for large tables."""
    monkeypatch.setattr("datom_core.comparing.values._BATCH", 700)
    monkeypatch.setattr("datom_core.comparing.values._SMALL", 100_000)
    before = pa.table({"K": range(rows), "T": [f"t{i % 97}" for i in range(rows)], "N": [i / 7 for i in range(rows)]})
    before = pa.concat_tables([before.slice(0, rows // 3), before.slice(rows // 3)])
    kept = [i for i in range(rows) if i % 5]
    after = before.take(pa.array(kept))
    numbers = after["N"].to_pylist()
    numbers[3], numbers[-1] = -1.0, math.nan
    after = after.set_column(2, "N", pa.array(numbers))
    found = compared(before, after, "K")
    assert counts(found) == {"unchanged": len(kept) - 2, "changed": 2, "cells": 2, "removed": rows - len(kept)}
    assert found.cells["K"].to_pylist() == [kept[3], kept[-1]]


def test_columns_that_are_known_to_be_the_same_are_not_compared_in_place() -> None:
    before, after = {"K": [1, 2], "V": [1, 2], "W": [1, 2]}, {"K": [1, 2], "V": [1, 3], "W": [1, 3]}
    told = frozenset({"K", "V"})  # a lie about V, to see that it is believed
    assert compared(before, after, "K", same_columns=told).by_column == {"W": 1}
    moved = {"K": [2, 1], "V": [1, 2], "W": [2, 1]}
    assert compared(before, moved, "K", same_columns=frozenset({"V"})).by_column == {"V": 2}


def test_tables_with_two_columns_of_one_name_are_refused() -> None:
    twice = pa.table([[1], [2]], names=["A", "A"])
    with pytest.raises(InvalidInputError, match="Several columns are called 'A'"):
        compared(twice, twice)


def test_a_key_that_is_not_in_both_tables_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'K' is not in after.*'L' is not in before"):
        compared({"K": [1]}, {"L": [1]}, "K", "L")


def test_the_settings_are_those_that_were_given() -> None:
    settings = ComparisonSettings(masked=("AESEV",))
    assert compared(BEFORE, BEFORE, "USUBJID", "AETERM", settings=settings).settings is settings


def test_duplicates_whose_integers_no_double_holds_are_told_as_text() -> None:
    old, new = {"K": [1, 1], "V": [2**53 + 1, 5]}, {"K": [1], "V": [5.5]}
    found = compared(old, new, "K")
    assert found.duplicates["V"].to_pylist() == ["9007199254740993", "5", "5.5"]
    assert compared({"K": [1, 1], "V": [4, 5]}, new, "K").duplicates["V"].to_pylist() == [4.0, 5.0, 5.5]
