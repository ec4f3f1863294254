"""Sets in memory: what R hashed is hashed alike, edits have no effects, and what no set may hold is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from datom_core.errors import FormatError, InvalidInputError, NotFoundError
from datom_core.sets import Member, SetPayload, VersionSet, brought_level, member_states

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def vectors(golden: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((golden / "sets.json").read_text())
    return found


def payload(*members: Member) -> SetPayload:
    return SetPayload.of("adam", "STUDY_001", members, {})


def test_r_set_is_read_hashed_and_written_byte_for_byte(vectors: dict[str, str]) -> None:
    read = SetPayload.from_json(vectors["golden_set_json"].encode(), "set.json")
    assert read.data_sha == vectors["golden_payload_data_sha"]
    assert read.to_json() == vectors["golden_set_json"].encode()
    assert hashlib.sha256(read.to_json()).hexdigest() == vectors["golden_document_sha"]
    assert [str(m) for m in read.members] == ["STUDY_001/adsl@7e21b0aa", "STUDY_001/dm@d0922fc7"]
    assert read.members[0].tags == {"domain": ("efficacy", "safety"), "type": ("output",)}
    alone = SetPayload((read.members[1].from_document({"id": read.members[1].to_json()["id"]}, "it"),), {})
    assert alone.data_sha == vectors["minimal_data_sha"]


def test_the_order_in_which_members_and_tags_are_given_means_nothing() -> None:
    one, two = Member("S", "lb", B, tags={"z": "1", "a": ["y", "x", "x"]}), Member("S", "dm", A)
    there, back = payload(one, two, one), payload(two, Member("S", "lb", B, tags={"a": ("x", "y"), "z": ["1"]}))
    assert there.to_json() == back.to_json()
    assert [m.name for m in there.members] == ["dm", "lb"]
    assert payload(one).data_sha != payload(one.tagged(None)).data_sha


def test_names_are_ordered_by_their_bytes_and_unicode_is_left_alone() -> None:
    composed, apart = (Member("S", "lb", A, tags={"k": text}) for text in ("\u00e9", "e\u0301"))
    assert payload(composed).data_sha != payload(apart).data_sha
    tags = payload(Member("S", "lb", A, tags={"\U0001f600": "1", "ﬁ": "2"})).members[0].tags
    assert list(tags) == ["ﬁ", "\U0001f600"]  # in UTF-16 it would be the other way round


def test_two_versions_of_one_table_may_be_members() -> None:
    assert len(payload(Member("S", "lb", A), Member("S", "lb", B)).members) == 2


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ((), "no members"),
        ((Member("S", "lb", A), Member("S", "lb", A, tags={"k": "v"})), "with different tags: S/lb@aaaaaaaa"),
        ((Member("STUDY_001", "adam", A, "set"),), "cannot be its own member"),
    ],
)
def test_what_no_set_may_hold(members: tuple[Member, ...], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        payload(*members)


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("input", "a mapping"),
        ({"": "x"}, "the name ''"),
        ({1: "x"}, "the name 1"),
        ({"k": ""}, "'k': '' is not text, or is empty"),
        ({"k": ["a", None]}, "'k': None"),
        ({"k": 3, "l": True}, "'l': True"),
        ({"k": {"a": "b"}}, "'k': {'a': 'b'}"),
        ({"k": "\ud800"}, "'k'"),
        ({"k": "a\0b"}, "'k'"),
        ({"k": [["a"]]}, "'k': \\['a'\\]"),
    ],
)
def test_tags_that_are_not_text_are_refused_by_name(tags: object, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Member("S", "lb", A, tags=tags)  # type: ignore[arg-type]


def test_a_label_without_a_value_is_left_out() -> None:
    assert Member("S", "lb", A, tags={"k": None, "l": [], "m": "x"}).tags == {"m": ("x",)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("S", "lb", "abc"), "64 hex digits"),
        (("S", "../lb", A), "not allowed"),
        (("", "lb", A), "project name"),
        (("S", "lb", A, "Set"), "a table or a set"),
    ],
)
def test_a_member_is_a_full_version(given: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Member(*given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "should hold an object"),
        ("{}", "'members' should be an array"),
        ('{"members": [3]}', "member 1"),
        ('{"members": [{"id": {"kind": "table", "name": "lb", "project": 3}}]}', "project, version"),
    ],
)
def test_a_document_that_is_no_set_is_refused(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        SetPayload.from_json(text.encode(), "set.json")


def test_what_other_writers_put_beside_is_read() -> None:
    member = {"id": {"kind": "table", "name": ["lb"], "project": "S", "version": "d0922fc7", "x": 1}, "tags": {"k": 3}}
    read = SetPayload.from_json(json.dumps({"members": [member], "more": {}}).encode(), "set.json")
    assert str(read.members[0]) == "S/lb@d0922fc7"
    assert read.members[0].tags == {"k": ()}


def test_edits_change_nothing_but_the_set_that_they_return() -> None:
    first = VersionSet.new("adam", "STUDY_001", {"purpose": "safety"})
    held = first.add(Member("S", "lb", A, tags={"type": "input"}), Member("S", "dm", B))
    moved = held.repoint("lb", C).drop("dm")
    assert (len(first), len(held), len(moved)) == (0, 2, 1)
    assert moved.find("lb").tags == {"type": ("input",)}
    assert moved.message().splitlines() == [
        "Update adam: add 2 members, repoint 1 member, drop 1 member",
        "",
        "- add S/lb@aaaaaaaa",
        "- add S/dm@bbbbbbbb",
        "- repoint S/lb@aaaaaaaa -> cccccccc",
        "- drop S/dm@bbbbbbbb",
    ]
    assert held.add(Member("S", "dm", B)) is held
    assert held.repoint("lb", A) is held
    assert VersionSet.new("adam", "STUDY_001").message() == "Update adam"


def test_members_are_found_by_name_project_tags_and_version() -> None:
    two = (Member("S", "lb", A, tags={"role": "baseline"}), Member("S", "lb", B, tags={"role": ["final", "lock"]}))
    held = VersionSet.new("adam", "X").add(*two, Member("T", "lb", A), Member("S", "dm", A))
    assert held.find("lb", tags={"role": "lock"}).version == B
    assert held.find("lb", project="S", version="aa").version == A
    with pytest.raises(InvalidInputError, match="3 members of adam are called 'lb'"):
        held.find("lb")
    with pytest.raises(NotFoundError, match="holds lb, dm"):
        held.find("l")
    with pytest.raises(NotFoundError):
        held.find("lb", tags={"role": ["baseline", "final"]})
    with pytest.raises(InvalidInputError, match="Say which members"):
        held.drop()
    assert len(held.drop(project="S")) == 1
    assert held.grouped("role") == {
        "baseline": (two[0],), "final": (two[1],), "lock": (two[1],), "untagged": held.members[2:],
    }  # fmt: skip
    assert [row["label"] for row in held.listed()] == ["role", "role", "role", None, None]


def test_other_tags_of_the_same_version_are_an_edit_of_their_own() -> None:
    held = VersionSet.new("adam", "X").add(Member("S", "lb", A, tags={"role": "baseline"}))
    with pytest.raises(InvalidInputError, match="Drop it first"):
        held.add(Member("S", "lb", A, tags={"role": "final"}))
    with pytest.raises(InvalidInputError, match=r"has S/lb@bbbbbbbb already"):
        held.add(Member("S", "lb", B)).repoint("lb", B, version=A)


def test_a_set_is_compared_with_what_is_current_and_follows_it() -> None:
    held = VersionSet.new("adam", "S").add(
        Member("S", "dm", A, tags={"type": "input"}), Member("S", "lb", A), Member("T", "ae", A), Member("S", "ex", A),
        Member("S", "vs", A), Member("S", "vs", B),
    )  # fmt: skip
    current = {n: ("table", v) for n, v in {"dm": B, "lb": A, "adsl": C, "mh": C, "vs": B}.items()}
    states = member_states(held, {"S": {**current, "adam": ("set", C)}}, "ad*")
    assert {(s.project, s.name, s.listed, s.status) for s in states} == {
        ("S", "dm", A, "changed"), ("S", "lb", A, "unchanged"), ("T", "ae", A, "not_checked"), ("S", "ex", A, "gone"),
        ("S", "vs", A, "ambiguous"), ("S", "vs", B, "ambiguous"), ("S", "adsl", None, "new"),
        ("S", "mh", None, "excluded"),
    }  # fmt: skip
    level = brought_level(held, states, {"type": "output"})
    assert level.find("dm").version == B
    assert level.find("dm").tags == {"type": ("input",)}
    assert level.find("adsl").tags == {"type": ("output",)}
    assert level.subject() == "Update adam: add 7 members, repoint 1 member"


def test_a_set_is_brought_to_hold_what_is_given_by_the_edits_that_lead_there() -> None:
    """Repointed where one version of a table follows one; dropped and added where that is not so."""
    held = VersionSet.new("adam", "P").add(
        Member("P", "dm", A, tags={"type": "input"}), Member("P", "ae", A), Member("P", "lb", A), Member("P", "lb", B)
    )
    wanted = (Member("P", "dm", B, tags={"type": "input"}), Member("P", "ae", A, tags={"x": "y"}), Member("P", "lb", C))
    made = held.to_hold(*wanted)
    assert made.members == wanted
    told = [str(edit) for edit in made.edits[len(held.edits) :]]
    assert told == [
        "- drop P/ae@aaaaaaaa",
        "- drop P/lb@aaaaaaaa",
        "- drop P/lb@bbbbbbbb",
        "- repoint P/dm@aaaaaaaa -> bbbbbbbb",
        "- add P/ae@aaaaaaaa",
        "- add P/lb@cccccccc",
    ]
    assert made.to_hold(*reversed(wanted)) == made, "the order means nothing"
    with pytest.raises(InvalidInputError, match="Drop it first"):
        held.to_hold(Member("P", "ae", A), Member("P", "ae", A, tags={"x": "y"}))
