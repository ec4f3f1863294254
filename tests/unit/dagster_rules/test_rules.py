"""Rules: what can be declared, and what they find in a table."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

import datom_core as dc
from datom_dagster import TableRules
from datom_dagster.rules.rule_results import Before, Finding, check_rules


def only(table: dict[str, Any], before: Before | None = None, **rules: Any) -> Finding:
    (found,) = check_rules(dc.normalise(pa.table(table)), TableRules(**rules), before)
    return found


class TestDeclarations:
    def test_are_plain_values_and_come_back(self) -> None:
        rules = TableRules(
            key=["USUBJID"],  # type: ignore[arg-type]
            required=("AGE",),
            allowed={"SEX": ("F", "M")},
            ranges={"DTC": (date(2026, 1, 1), None), "AGE": (0, 120)},  # type: ignore[dict-item]
            max_row_drop=0,
            stable_schema=True,
        )
        text = json.dumps(rules.to_json())
        assert TableRules.from_json(text) == TableRules.from_json(json.loads(text)) == rules
        assert rules.ranges["DTC"] == ("2026-01-01", None)
        assert rules.declared == ("key", "required", "allowed", "ranges", "max_row_drop", "stable_schema")
        assert pickle.loads(pickle.dumps(rules)) == rules
        assert (TableRules().to_json(), TableRules().declared) == ({}, ())

    def test_every_offender_is_named(self) -> None:
        with pytest.raises(dc.InvalidInputError) as caught:
            TableRules(
                key=("a", "a"),
                required=(1,),  # type: ignore[arg-type]
                allowed={"b": (), "c": (None,), "d": ("x", 1), "n": (float("nan"),)},  # type: ignore[arg-type]
                ranges={
                    "e": (None, None),
                    "f": (2, 1),
                    "g": ("soon", None),
                    "h": (1, "2026-01-01"),
                    "i": (1,),
                    "j": (True, 2),
                },  # type: ignore[arg-type,dict-item]
                max_row_drop=1.5,
                stable_schema="yes",  # type: ignore[arg-type]
            )
        said = str(caught.value)
        for name in ("key", "required", *(f"allowed['{c}']" for c in "bcdn"), *(f"ranges['{c}']" for c in "efghij")):
            assert f"- {name}" in said
        assert "- max_row_drop" in said
        assert "- stable_schema" in said

    @pytest.mark.parametrize("document", ["{", [], 3, '{"keys": ["a"]}', {"allowed": ["a"]}, {"ranges": {"": [1, 2]}}])
    def test_documents_of_something_else(self, document: Any) -> None:
        with pytest.raises(dc.InvalidInputError):
            TableRules.from_json(document)


class TestKeys:
    def test_that_are_missing_or_shared(self) -> None:
        found = only({"k": ["a", "b", "a", None, ""], "n": [1, 1, 1, 1, 1]}, key=("k", "n"))
        assert (found.passed, found.count) == (False, 4)
        assert found.text == "2 rows without k, n and 2 rows share k, n with another"
        assert [r["row"] for r in found.rows] == [1, 3, 4, 5]
        assert found.rows[0] == {"row": 1, "k": "a", "n": "1"}

    def test_that_hold(self) -> None:
        assert only({"k": ["a", "a"], "n": [1, 2]}, key=("k", "n")).passed
        assert only({"k": [1]}, key=("k", "n")) == Finding("key", False, "no column n")


def test_columns_that_must_be_there() -> None:
    assert only({"a": [1]}, required=("a",)).passed
    assert only({"a": [1]}, required=("a", "b", "c")).text == "no column b, c"


@pytest.mark.parametrize(
    ("values", "allowed", "offending"),
    [
        (["F", "M", None, "", "x"], ("F", "M"), [5]),
        (pa.array(["F", "x"]).dictionary_encode(), ("F",), [2]),
        ([1, 2, None], (1,), [2]),
        ([1.0, 1.5, float("nan")], (1, 2), [2, 3]),
        ([1, 2], (1.0, 2.5), [2]),
        ([True, False], (True,), [2]),
        ([date(2026, 1, 1), date(2026, 1, 2)], ("2026-01-01",), [2]),
    ],
)
def test_allowed_values(values: Any, allowed: Any, offending: list[int]) -> None:
    found = only({"v": values}, allowed={"v": allowed})
    assert ([r["row"] for r in found.rows], found.count, found.passed) == (offending, len(offending), False)
    assert found.rows[0]["column"] == "v"


@pytest.mark.parametrize(
    ("values", "allowed"), [(["1"], (1,)), ([1], ("1",)), ([datetime(2026, 1, 1, tzinfo=UTC)], ("x",))]
)
def test_allowed_values_of_another_type_are_kept_by_nothing(values: Any, allowed: Any) -> None:
    found = only({"v": values}, allowed={"v": allowed, "w": allowed})
    assert not found.passed
    assert "which is never one of" in found.text
    assert "no column w" in found.text


@pytest.mark.parametrize(
    ("values", "ends", "offending"),
    [
        ([-1, 0, 120, 121, None], (0, 120), [1, 4]),
        ([0.5, 1.0, float("nan"), float("inf")], (1, None), [1, 3]),
        ([1, 2], (None, 1.5), [2]),
        ([2**53 + 1], (None, 2**53), [1]),
        ([date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 1)], ("2026-01-01", "2026-01-31"), [1, 3]),
        (pa.array([-1, 0, 86399, 86400], pa.timestamp("s")), ("1970-01-01", "1970-01-01"), [1, 4]),
        ([datetime(2026, 1, 1, 9, tzinfo=UTC)] * 2, ("2026-01-01T09:00:01", None), [1, 2]),
        (pa.array([0, 3600], pa.timestamp("s", "Europe/Berlin")), ("1970-01-01T00:30", None), [1]),
        # SDTM's dates: as far as they are known.
        (["2014", "2014-02", "2014-02-01T10:30", "2013", "2014-01", "", None], ("2014-02-01", None), [4, 5]),
        (["2014", "2014-02", "2014-02-01T10:30", "2014-02-02", "2015"], (None, "2014-02-01"), [4, 5]),
        (["2014---15", "2013---15", "--02-01", "2014-02-01T-:30", "2013-12-01T-:30"], ("2014-01-01", None), [2, 5]),
        (["UNK", "01FEB2014", "2014-02-01"], ("2014-01-01", None), [1, 2]),
        (["2012-02-30", "2012-02-29", "2012-02-28T99"], ("2012-01-01", None), [1, 3]),
        (["2003-12-15T13:-:17", "2003-12-01/2003-12-10", "P1D", "-----T07:15"], ("2003-12-10", "2003-12-31"), [3]),
        (["2003-12-01/2003-12-10", "2003-12-01/P30D", "2003---15"], ("2003-12-16", "2003-12-31"), [1, 3]),
        (pa.array(["2003-12-15", None, "2004"]).dictionary_encode(), ("2004-01-01", None), [1]),
        (["2003-12-15T23:30-05:00", "2003-12-15T23:59:59.9"], (None, "2003-12-15"), [1]),
    ],
)  # fmt: skip
def test_ranges(values: Any, ends: Any, offending: list[int]) -> None:
    found = only({"v": values}, ranges={"v": ends})
    assert ([r["row"] for r in found.rows], found.count) == (offending, len(offending))
    assert found.passed == (not offending)


@pytest.mark.parametrize(("values", "ends"), [(["a"], (1, 2)), ([1], ("2026-01-01", None))])
def test_ranges_of_another_type_hold_nothing(values: Any, ends: Any) -> None:
    assert "in no range of" in only({"v": values}, ranges={"v": ends}).text


@pytest.mark.parametrize(("rows", "passed"), [(10, True), (9, True), (8, False), (20, True)])
def test_rows_that_are_gone(rows: int, passed: bool) -> None:
    found = only({"a": range(rows)}, Before("version 1a", 10), max_row_drop=0.1)
    assert found.passed is passed
    assert only({"a": range(1)}, None, max_row_drop=0.1).text == "there is no version before"
    assert not only({"a": range(9)}, Before("version 1a", 10), max_row_drop=0).passed


def test_columns_that_go_or_change_their_kind() -> None:
    schema = pa.schema({"a": pa.int32(), "b": pa.string(), "c": pa.string(), "d": pa.date32()})
    now = {"a": [1.5], "b": pa.array(["x"]).dictionary_encode(), "c": [1], "new": [1]}
    found = only(now, Before("version 1a", 1, schema), stable_schema=True)
    assert found.text == (
        "columns gone since version 1a: d; columns of another kind than in version 1a: c (string → int64)"
    )
    assert only({"a": [1]}, Before("version 1a", 1, pa.schema({"a": pa.float64()})), stable_schema=True).passed


def test_examples_are_bounded_and_texts_hold_no_value() -> None:
    table = dc.normalise(pa.table({"k": ["secret"] * 100, "v": ["secret"] * 100}))
    rules = TableRules(key=("k",), allowed={"v": ("x",)}, ranges={"v": ("2026-01-01", None)})
    for found in check_rules(table, rules, None, 3):
        assert (len(found.rows), found.count) == (3, 100)
        assert "secret" not in found.text
    assert all(not found.rows for found in check_rules(table, rules, None, 0))
