"""Rules about changes: what they find between two states, what they name, and what they hide."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

import datom_core as dc
from datom_dagster import TableRules
from datom_dagster.rules.rule_results import check_rules
from datom_dagster.rules.subject import Before, Finding, Named, Since

KEY = ("USUBJID", "AESEQ")


def ae(**columns: Any) -> pa.Table:
    made: dict[str, Any] = {
        "USUBJID": ["s1", "s1", "s2", "s3"],
        "AESEQ": [1, 2, 1, 1],
        "AETERM": ["HEADACHE", "NAUSEA", "FALL", "RASH"],
        "AESEV": ["MILD"] * 4,
    }
    return dc.normalise(pa.table({**made, **columns}))


def only(
    now: pa.Table,
    then: pa.Table | None,
    named: Named | None = None,
    *,
    examples: int = 20,
    masked: Any = (),
    **rules: Any,
) -> Finding:
    before = None if then is None else Before("version 1a", then.num_rows, then.schema, then)
    comparison = dc.ComparisonSettings(masked=masked)
    found = check_rules(now, TableRules(**rules), before, examples, name="ae", named=named, comparison=comparison)
    return found[-1]


class TestRowsRemoved:
    @pytest.mark.parametrize(("most", "passed"), [(0.25, True), (0.24, False), (0, False)])
    def test_the_part_that_is_gone_by_key(self, most: float, passed: bool) -> None:
        # One row went and one came, so that their number is the same.
        now = pa.concat_tables([ae().slice(1), ae(AETERM=["COUGH"] * 4, USUBJID=["s9"] * 4).slice(0, 1)])
        found = only(now, ae(), key=KEY, max_rows_removed=most)
        assert found.passed == passed
        assert "1 of 4 rows of version 1a are gone by USUBJID, AESEQ" in found.text
        if not passed:
            assert found.rows == (
                {"what": "removed", "USUBJID": "s1", "AESEQ": "1", "column": "", "before": "", "after": ""},
            )

    def test_a_row_under_another_number_is_not_gone(self) -> None:
        assert only(ae(AESEQ=[3, 4, 2, 2]), ae(), key=KEY, max_rows_removed=0).passed

    def test_rows_that_share_a_key_are_counted(self) -> None:
        then = ae(USUBJID=["s1"] * 4, AESEQ=[1] * 4)
        assert only(then, then, key=KEY, max_rows_removed=0).passed
        found = only(then.slice(2), then, key=KEY, max_rows_removed=0.1)
        assert (found.passed, found.count) == (False, 2)

    def test_a_key_that_is_known_for_the_domain_or_none(self) -> None:
        vs = pa.table({"USUBJID": ["a", "b"], "VSTESTCD": ["HR", "HR"], "DOMAIN": ["VS", "VS"]})
        assert "gone by USUBJID, VSTESTCD" in only(vs.slice(1), vs, max_rows_removed=0.9).text
        odd = pa.table({"x": [1, 2]})
        found = only(odd.slice(1), odd, max_rows_removed=0.9)
        assert (found.passed, "declare one" in found.text) == (False, True)


def test_settings_that_fit_no_column_fail_what_compares_by_them() -> None:
    rules = TableRules(key=KEY, max_rows_removed=0, stable_subjects=True, changes_since="lock")
    found = check_rules(
        ae(),
        rules,
        Before("version 1a", 4, ae().schema, ae()),
        name="ae",
        named={("changes_since", "lock"): Since("the cut lock", table=ae())},
        comparison=dc.ComparisonSettings(ignore=("AETREM",)),
    )
    assert [f.passed for f in found] == [True, False, True, False]
    assert all("AETREM" in f.text for f in found if not f.passed)


class TestSubjects:
    def test_one_that_disappeared_is_named(self) -> None:
        found = only(ae().slice(0, 3), ae(), stable_subjects=True)
        assert (found.passed, found.count, found.rows) == (False, 1, ({"USUBJID": "s3"},))
        assert found.text == "1 of 3 subjects of version 1a are gone"
        assert found.part == "all 1 subjects that are gone"

    def test_new_subjects_and_lost_rows_are_no_matter(self) -> None:
        assert only(ae(USUBJID=["s1", "s2", "s3", "s4"]), ae(), stable_subjects=True).passed
        assert only(
            ae(USUBJID=["s1", None, "s2", "s3"]), ae(USUBJID=["s1", None, "s2", "s3"]), stable_subjects=True
        ).passed

    def test_subjects_of_another_type_are_compared_as_text(self) -> None:
        then = ae().set_column(0, "USUBJID", ae().column(0).dictionary_encode())
        assert only(ae(), then, stable_subjects=True).passed

    def test_without_a_column_of_subjects(self) -> None:
        odd = pa.table({"x": [1]})
        found = only(odd, odd, stable_subjects=True)
        assert (found.passed, found.text) == (False, "no column USUBJID or SUBJID in this version and in version 1a")


class TestKey:
    @pytest.mark.parametrize(
        ("now", "said"),
        [
            (ae(AESEQ=["1", "2", "1", "1"]), "of another kind than in version 1a: AESEQ (int64 → string)"),
            (ae().drop_columns(["AESEQ"]), "no column AESEQ"),
            (ae(AESEQ=[1.0, 2.0, 1.0, 1.0]), None),
            (ae(AESEV=[1, 2, 3, 4]), None),
        ],
    )
    def test_its_types(self, now: pa.Table, said: str | None) -> None:
        found = only(now, ae(), key=KEY, stable_key=True)
        assert found.passed == (said is None)
        assert said is None or said in found.text

    def test_a_column_that_the_version_before_does_not_have(self) -> None:
        found = only(ae(), ae().drop_columns(["AESEQ"]), key=KEY, stable_key=True)
        assert (found.passed, found.text) == (False, "version 1a has no column AESEQ")


LOCKED = {("locked", "lock"): Since("the cut lock", table=ae())}


class TestLocked:
    @pytest.mark.parametrize(
        ("now", "said"),
        [
            (ae(AETERM=["HEADACHE", "NAUSEA", "FALL", "ITCH"]), "1 row changed"),
            (ae().slice(1), "1 row removed"),
            (ae(AESEQ=[3, 2, 1, 1]), "1 row renumbered"),
            (ae(USUBJID=["s1", "s1", "s2", "s8"]), "1 row with another key"),
            (ae().append_column("AEOUT", pa.array(["R"] * 4)), "columns added: AEOUT"),
            (ae().drop_columns(["AETERM"]), "columns removed: AETERM"),
            (ae(AETERM=[1, 2, 3, 4]), "columns of another kind: AETERM"),
            (ae().take([3, 2, 1, 0]), "rows in another order"),
            (ae(AESEV=["SEVERE"] * 4), None),
            (ae().drop_columns(["AESEV"]), None),
            (ae(AESEV=[1, 2, 3, 4]), None),
            (ae().replace_schema_metadata({"label": "Adverse Events"}), None),
        ],
    )
    def test_anything_but_what_may_change(self, now: pa.Table, said: str | None) -> None:
        found = only(now, None, LOCKED, key=KEY, locked={"lock": ("AESEV",)})
        assert found.passed == (said is None), found.text
        assert (said or "is as in the cut lock, but for AESEV") in found.text

    def test_rows_that_share_a_key_differ(self) -> None:
        then = ae(USUBJID=["s1"] * 4, AESEQ=[1] * 4)
        lock = {("locked", "lock"): Since("the cut lock", table=then)}
        assert only(then, None, lock, key=KEY, locked="lock").passed
        other = then.set_column(2, "AETERM", pa.array(["HEADACHE", "NAUSEA", "FALL", "ITCH"]))
        found = only(other, None, lock, key=KEY, locked="lock")
        assert (found.passed, "other rows with duplicate keys" in found.text) == (False, True)
        assert only(other, None, lock, key=KEY, locked={"lock": "AETERM"}).passed

    def test_the_rows_are_shown(self) -> None:
        now = ae(AETERM=["HEADACHE", "VOMIT", "FALL", "RASH"], AESEQ=[1, 2, 5, 1]).slice(0, 3)
        found = only(now, None, LOCKED, key=KEY, locked="lock")
        assert found.rows == (
            {"what": "removed", "USUBJID": "s3", "AESEQ": "1", "column": "", "before": "", "after": ""},
            {
                "what": "changed",
                "USUBJID": "s1",
                "AESEQ": "2",
                "column": "AETERM",
                "before": "NAUSEA",
                "after": "VOMIT",
            },
            {"what": "renumbered", "USUBJID": "s2", "AESEQ": "1", "column": "AESEQ", "before": "1", "after": "5"},
        )
        assert found.part == "all 3 differences"
        assert len(only(now, None, LOCKED, key=KEY, locked="lock", examples=2).rows) == 2
        assert only(now, None, LOCKED, key=KEY, locked="lock", examples=0).rows == ()

    def test_tolerances_do_not_count(self) -> None:
        now = ae(AESEV=["mild"] * 4)
        comparison = dc.ComparisonSettings(fold_case=("AESEV",))
        for rule in ("locked", "changes_since"):
            named = {(rule, "lock"): Since("the cut lock", table=ae())}
            (found,) = check_rules(
                now, TableRules(**{rule: "lock"}), None, name="ae", named=named, comparison=comparison
            )
            assert found.passed == (rule == "changes_since")


class TestSince:
    def test_what_is_known_without_comparing(self) -> None:
        for passed in (True, False):
            named = {("changes_since", "reviewed"): Since("reviewed", "there is no such mark", passed)}
            found = only(ae(), None, named, changes_since="reviewed")
            assert (found.passed, found.text) == (passed, "there is no such mark")

    def test_nothing_to_compare_with(self) -> None:
        for rules in ({"changes_since": "x"}, {"locked": "x"}, {"stable_subjects": True}, {"max_rows_removed": 0}):
            assert only(ae(), None, **rules).passed


@pytest.mark.parametrize("masked", [("AETERM",), ("USUBJID",), ("AETREM",)])
def test_masked_values_are_hidden(masked: tuple[str, ...]) -> None:
    secret = ae(AETERM=["SECRET", "SECRET", "NONE", "SECRET"], USUBJID=["SECRET1", "SECRET1", "SECRET2", "SECRET3"])
    now = ae(AETERM=["SECRET2", "OTHER", "SECRET", "SECRET"], USUBJID=["SECRET1", "SECRET1", "SECRET2", "SECRET4"])
    named = {(r, "lock"): Since("the cut lock", table=secret) for r in ("locked", "changes_since")}
    rules = TableRules(
        key=KEY,
        allowed={"AETERM": ("A",)},
        max_rows_removed=0,
        stable_subjects=True,
        locked="lock",
        changes_since="lock",
    )
    before = Before("version 1a", 4, secret.schema, secret)
    comparison = dc.ComparisonSettings(masked=masked)
    for found in check_rules(now, rules, before, name="ae", named=named, comparison=comparison):
        values = [row[c] for row in found.rows for c in masked if c in row]
        values += [
            row.get(k) for row in found.rows if row.get("column") in masked for k in ("value", "before", "after")
        ]
        assert "SECRET" not in json.dumps(values) + found.text
        assert found.rows == () or masked != ("AETREM",), "it may be misspelt"
        assert found.passed == (found.name == "key"), found


class TestDeclarations:
    def test_are_plain_values_and_come_back(self) -> None:
        rules = TableRules(
            key=KEY, max_rows_removed=0, stable_subjects=True, stable_key=True, locked="lock", changes_since="reviewed"
        )
        assert rules.locked == {"lock": ()}
        assert TableRules.from_json(json.dumps(rules.to_json())) == rules
        names = ("key", "max_rows_removed", "stable_subjects", "stable_key", "locked", "changes_since")
        assert rules.declared == names
        assert rules.names == ("lock", "reviewed")
        assert TableRules(locked={"lock": "AESEV"}) == TableRules(locked={"lock": ["AESEV"]})  # type: ignore[dict-item]

    def test_every_offender_is_named(self) -> None:
        with pytest.raises(dc.InvalidInputError) as caught:
            TableRules(
                max_rows_removed=1.5,
                stable_subjects="yes",  # type: ignore[arg-type]
                stable_key=True,
                locked={" ": ("A",), "lock": 3},  # type: ignore[dict-item]
                changes_since=7,  # type: ignore[arg-type]
            )
        for said in (
            "max_rows_removed",
            "stable_subjects",
            "stable_key needs",
            "locked[' ']",
            "locked['lock']",
            "changes_since",
        ):
            assert f"- {said}" in str(caught.value)
        with pytest.raises(dc.InvalidInputError, match="locked is a cut"):
            TableRules(locked=3)  # type: ignore[arg-type]
