"""Which key a table gets, from where, and why not another one."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from datom_core.comparing import ComparisonSettings, KeyDecision, KeyOrigins, find_changes, resolve_key
from datom_core.comparing.classes import is_sequence
from datom_core.comparing.natural_keys import shipped
from datom_core.errors import InvalidInputError

LB = pa.table(
    {
        "STUDYID": ["S"] * 3,
        "DOMAIN": ["LB"] * 3,
        "USUBJID": ["1", "1", "2"],
        "LBSEQ": [1, 2, 1],
        "LBTESTCD": ["ALB", "ALT", "ALB"],
        "VISITNUM": [1.0, 1.0, 1.0],
        "LBDTC": ["2020-01-01"] * 3,
    }
)
NATURAL = ("STUDYID", "USUBJID", "LBTESTCD", "VISITNUM")


def key(before: Any = LB, after: Any = None, **origins: Any) -> KeyDecision:
    return resolve_key(before, before if after is None else after, **origins)


def test_an_explicit_key_is_taken_even_if_it_is_not_unique() -> None:
    assert key(given="USUBJID") == KeyDecision(("USUBJID",), "given", "The key USUBJID was given.")
    assert key(given=["USUBJID", "LBSEQ"], rules=["LBDTC"], data=("LBSEQ",)).columns == ("USUBJID", "LBSEQ")


def test_an_explicit_key_is_refused_with_all_that_is_wrong() -> None:
    after = LB.drop_columns(["LBSEQ"]).set_column(2, "USUBJID", pa.array([1, 1, 2]))
    with pytest.raises(InvalidInputError) as refused:
        key(LB, after, given=("LBSEQ", "USUBJID", "LBTESTCODE"))
    assert str(refused.value) == (
        "The key cannot tell rows apart: 'LBSEQ' is not in after; 'LBTESTCODE' is in neither table. Did you mean "
        "'LBTESTCD'?; 'USUBJID' is string before and int64 after."
    )
    empty = LB.set_column(2, "USUBJID", pa.array(["1", None, None]))
    with pytest.raises(InvalidInputError, match="2 rows of after have no value in any of its columns"):
        key(LB, empty, given="USUBJID")


@pytest.mark.parametrize("given", ["", (), ("A", "A"), 5, (1, 2), {"A": 1}], ids=str)
def test_what_is_no_key_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInputError):
        key(given=given)


def test_the_key_of_the_rules_comes_next() -> None:
    found = key(rules=("USUBJID",), data=("LBSEQ",))
    assert (found.columns, found.source, found.rejected) == (("USUBJID",), "rules", ())
    gone = key(rules=("USUBJID", "X"), data=("USUBJID", "LBSEQ"))
    assert (gone.columns, gone.source) == (("USUBJID", "LBSEQ"), "data")
    assert [(r.columns, r.source, r.reason) for r in gone.rejected] == [
        (("USUBJID", "X"), "rules", "does not fit: 'X' is in neither table")
    ]


def test_a_define_xml_gives_the_key_of_its_tables() -> None:
    keys = {"LB": ("USUBJID", "LBSEQ"), "AE": ("USUBJID",)}
    assert key(table="lb", data=keys).columns == ("USUBJID", "LBSEQ")
    assert "define.xml" in key(table="lb", data=keys).why
    assert key(table="vs", data=keys).source == "domain"


def sequenced(table: pa.Table, **places: str) -> pa.Table:
    fields = [f.with_metadata({"keySequence": places[f.name]}) if f.name in places else f for f in table.schema]
    return table.cast(pa.schema(fields))


def test_the_columns_own_metadata_gives_a_key() -> None:
    found = key(sequenced(LB, LBSEQ="2", USUBJID="1", LBDTC="x"))
    assert (found.columns, found.source) == (("USUBJID", "LBSEQ"), "data")
    newer = key(sequenced(LB, LBSEQ="2", USUBJID="1"), sequenced(LB, LBTESTCD="10", USUBJID="9"))
    assert newer.columns == ("USUBJID", "LBTESTCD")


def test_a_key_of_the_data_that_is_not_unique_is_passed_over() -> None:
    found = key(data=("USUBJID",))
    assert (found.columns, found.source) == (NATURAL, "domain")
    assert found.rejected[0].reason == "is not unique in before: 2 rows share it with another row"


def test_the_natural_key_of_a_domain_is_the_first_that_is_unique_in_both() -> None:
    found = key()
    assert (found.columns, found.source) == (NATURAL, "domain")
    assert found.why == (
        "The key STUDYID, USUBJID, LBTESTCD, VISITNUM is natural for LB (Laboratory Test Results): SDTMIG 3.4, section "
        "3.2.1, gives it as the example of this domain's key; it is unique in both versions."
    )
    unscheduled = pa.concat_tables([LB, LB.slice(0, 1).set_column(6, "LBDTC", pa.array(["2020-01-05"]))])
    dated = key(LB, unscheduled)
    assert dated.columns == (*NATURAL, "LBDTC")
    assert [r.reason for r in dated.rejected] == ["is not unique in after: 2 rows share it with another row"]


def test_whole_rows_are_compared_where_no_key_is_left() -> None:
    twice = pa.concat_tables([LB, LB.slice(0, 1)])
    found = key(LB, twice)
    assert (found.columns, found.source) == ((), "rows")
    assert {r.source for r in found.rejected} == {"domain"}
    unknown = key(pa.table({"A": [1]}), table="weather")
    assert unknown == KeyDecision(
        (), "rows", "No key was given, and none is known for this table, so whole rows are compared."
    )


def test_a_users_natural_keys_come_before_those_that_are_shipped() -> None:
    found = key(natural={"lb": [("NOTHING",), ("USUBJID", "LBTESTCD", "LBSPEC?")]})
    assert (found.columns, found.source) == (("USUBJID", "LBTESTCD"), "domain")
    assert found.rejected[0].reason == "does not fit: 'NOTHING' is in neither table"
    for wrong in ({"LB": "USUBJID"}, {"LB": ["USUBJID"]}, {"LB": [()]}, ["LB"]):
        with pytest.raises(InvalidInputError, match="natural_keys"):
            key(natural=wrong)


def test_ignored_columns_are_in_no_key_but_an_explicit_one() -> None:
    found = key(ignore=("VISITNUM",), rules=("VISITNUM",))
    assert found.columns == ("STUDYID", "USUBJID", "LBTESTCD")
    assert found.rejected[0].reason == "has VISITNUM, which is to be ignored"


def columns(*names: str, **constant: str) -> pa.Table:
    return pa.table({n: [f"{n}1", f"{n}2"] for n in names} | {n: [v, v] for n, v in constant.items()})


@pytest.mark.parametrize(
    ("table", "name", "expected"),
    [
        (columns("USUBJID", "LBTESTCD", "LBDTC"), "lb", ("USUBJID", "LBTESTCD")),
        (columns("USUBJID", "LBTESTCD"), "lb1", ("USUBJID", "LBTESTCD")),
        (columns("USUBJID", "LBTESTCD"), "lbch", ("USUBJID", "LBTESTCD")),
        (columns("USUBJID", "LBTESTCD"), "LB_central", ("USUBJID", "LBTESTCD")),
        (columns("USUBJID", "LBTESTCD", DOMAIN="LB"), "anything", ("USUBJID", "LBTESTCD")),
        (columns("USUBJID", "XBTESTCD", DOMAIN="XB"), "xb", ("USUBJID", "XBTESTCD")),
        (columns("USUBJID", "XETERM", DOMAIN="XE"), "xe", ("USUBJID", "XETERM")),
        (columns("USUBJID", "XITRT", DOMAIN="XI"), "xi", ("USUBJID", "XITRT")),
        (columns("USUBJID", "FATESTCD", "FAOBJ", DOMAIN="FACE"), "face", ("USUBJID", "FATESTCD", "FAOBJ")),
        (columns("USUBJID", "IDVAR", "IDVARVAL", "QNAM", RDOMAIN="LB"), "supplb", None),
        (columns("USUBJID", "PARAMCD", "AVISITN"), "adlb", ("USUBJID", "PARAMCD", "AVISITN")),
        (columns("USUBJID", "PARAMCD", "CNSR"), "adtte", ("USUBJID", "PARAMCD")),
        (columns("USUBJID", "AETERM", "ASTDT", DOMAIN="AE"), "adae", ("USUBJID", "AETERM", "ASTDT")),
        (columns("STUDYID", "USUBJID", "TRT01P"), "adsl", ("STUDYID", "USUBJID")),
        (columns("STUDYID", "TSPARMCD", "TSSEQ"), "ts", ("STUDYID", "TSPARMCD", "TSSEQ")),
        (columns("USUBJID", "LBTESTCD"), "weather", ()),
        (columns("USUBJID", "LBTESTCD"), "lbgold", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_tables_domain_is_told_by_its_columns_and_its_name(
    table: pa.Table, name: str, expected: tuple[str, ...] | None
) -> None:
    found = key(table, table=name)
    if expected is None:
        assert "SUPPQUAL" in found.why or found.rejected
    else:
        assert found.columns == expected


def test_a_number_in_a_key_is_explained() -> None:
    table = pa.table({"STUDYID": ["S", "S"], "TSPARMCD": ["A", "A"], "TSSEQ": [1, 2]})
    assert "TSSEQ is in it because the standard" in key(table, table="ts").why


def entries() -> list[tuple[str, dict[str, str]]]:
    known = shipped()
    return [
        (f"{part} {name}", each)
        for part in ("classes", "structures", "domains")
        for name, entry in known[part].items()
        for each in entry["keys"]
    ]


@pytest.mark.parametrize(("where", "entry"), entries())
def test_every_shipped_candidate_is_well_formed(where: str, entry: dict[str, str]) -> None:
    names = entry["columns"].split()
    code = where.split()[1]
    bare = [n.rstrip("?") for n in names]
    assert set(entry) == {"columns", "source"}
    assert len(bare) == len(set(bare))
    assert any(not n.endswith("?") for n in names)
    assert all(n.replace("--", "XX").isalnum() and n.isupper() for n in bare)
    assert not any(is_sequence(n.replace("--", "XX")) for n in bare) or code in ("TS", "OI")
    assert entry["source"].strip()
    if where.startswith("domains") and len(code) == 2:
        own = [n for n in bare if n[:2] == code and n not in ("TEVALID",)]
        assert own or code in ("DM", "SE", "SV", "SM", "CO", "IE", "TA", "TE", "TI", "TM", "TV", "OI")


def test_every_domain_of_the_guides_is_there() -> None:
    known = shipped()
    expected = (
        "CO DM SE SM SV AG CM EC EX ML PR SU AE BE CE DS DV HO MH BS CP CV DA DD EG FT GF IE IS LB MB MI MK MO MS NV "
        "OE PC PE PP QS RE RP RS SC SS TR TU UR VS FA SR TA TD TE TI TM TS TV OI RELREC RELSPEC RELSUB SUPPQUAL"
    )
    assert sorted(known["domains"]) == sorted(expected.split())
    assert set(known["structures"]) == {"ADSL", "BDS", "OCCDS", "ADTTE"}
    classes = {entry.get("class") for entry in known["domains"].values()} - {None}
    assert classes == set(known["classes"])


def test_a_comparison_finds_its_key_and_says_so() -> None:
    after = LB.set_column(6, "LBDTC", pa.array(["2020-01-02"] * 3))
    found = find_changes(LB, after, table="lb")
    assert (found.key, found.by_column) == (resolve_key(LB, after, table="lb"), {"LBDTC": 3})
    assert found.table == "lb"
    settings = ComparisonSettings(ignore=("VISITNUM",))
    assert find_changes(LB, after, table="lb", settings=settings).key.columns == ("STUDYID", "USUBJID", "LBTESTCD")
    given = find_changes(LB, after, table="lb", origins=KeyOrigins(given=("USUBJID", "LBSEQ")))
    assert given.key.source == "given"


def test_a_table_that_came_has_the_key_of_its_rows() -> None:
    assert find_changes(None, LB, table="lb").key.columns == NATURAL
    assert find_changes(LB, None, table="lb").key.columns == NATURAL


def test_a_key_that_is_unique_but_for_what_is_folded_is_not() -> None:
    table = pa.table({"STUDYID": ["S", "S"], "USUBJID": ["s1", "S1"], "AGE": [40, 41]})
    assert find_changes(table, table, table="dm").key.columns == ("STUDYID", "USUBJID")
    found = find_changes(table, table, table="dm", settings=ComparisonSettings(fold_case=("USUBJID",)))
    assert found.key.columns == ()
    assert found.key.rejected[0].reason == "is not unique in before: 2 rows share it with another row"
    assert (found.unchanged, found.fate) == (2, "unchanged")


@pytest.mark.parametrize(
    "origins",
    [{"rules": 5}, {"rules": [1]}, {"data": 5}, {"data": {"LB": 5}}, {"data": {"LB": ["LBSEQ", 1]}}, {"given": 5}],
    ids=str,
)
def test_what_is_no_key_is_refused_from_whatever_origin(origins: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="is one or more column names, each once; not"):
        key(table="lb", **origins)


def test_a_place_in_the_key_that_is_no_number_of_a_column_says_nothing() -> None:
    field = pa.field("A", pa.int64(), metadata={"keySequence": "9" * 5000})
    assert key(pa.table([pa.array([1])], schema=pa.schema([field]))).source == "rows"


def test_one_row_has_and_two_rows_have_no_value() -> None:
    table = pa.table({"A": ["x", None]})
    with pytest.raises(InvalidInputError, match="1 row of before has no value in any of its columns; 1 row of after"):
        key(table, given="A")
