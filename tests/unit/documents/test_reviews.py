"""Marks of review inside cuts.json: read, set, held back and united, without anything of others getting lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

import datom_core as dc
from datom_core.documents import Author, Cuts, ReviewMove

WHO = Author("Ada", "ada@example.org")
ONE, TWO = "1" * 64, "2" * 64


def move(version: str = ONE, at: str = "2026-01-02T00:00:00Z", cut: str | None = "c1", **more: str) -> ReviewMove:
    return ReviewMove({"dm": version, **more}, at, WHO, "looked at", cut)


def document(**fields: Any) -> bytes:
    return json.dumps({"schema_version": 1, "cuts": {}, **fields}).encode()


def test_a_mark_is_read_as_it_was_written_and_is_no_cut() -> None:
    cuts = Cuts().with_recordings("c1", {"dm": ONE}, at="2026-01-01T00:00:00Z", author=WHO, message="")
    cuts = cuts.with_review("reviewed", move()).with_review("reviewed", move(TWO, "2026-02-01T00:00:00Z", None))
    read = Cuts.from_json(cuts.to_json(), "cuts.json")
    mark = read.reviews["reviewed"]
    assert (dict(mark), mark.cut, mark.latest.recorded_at) == ({"dm": TWO}, None, "2026-02-01T00:00:00Z")
    assert [(m.versions["dm"], m.cut, m.author, m.message) for m in mark.moves] == [
        (TWO, None, WHO, "looked at"),
        (ONE, "c1", WHO, "looked at"),
    ]
    assert (list(read), len(read), list(read.reviews)) == (["c1"], 1, ["reviewed"])
    assert "reviewed" in repr(read.reviews)
    assert "reviewed" not in repr(read)
    assert read.with_recordings("c1", {"dm": TWO}, at="2026-03-01T00:00:00Z", author=WHO, message="").reviews[
        "reviewed"
    ]


def test_a_document_without_marks_stays_as_it_is() -> None:
    assert dict(Cuts().reviews) == {}
    assert "reviews" not in Cuts().limited_to({}).raw
    assert "reviews" not in Cuts().united(Cuts(), {}).raw
    assert dict(Cuts.from_json(document(reviews=None), "cuts.json").reviews) == {}


def test_unknown_fields_stay() -> None:
    entry = {"versions": {"dm": ONE}, "recorded_at": "2026-01-01T00:00:00Z", "signed": True}
    cuts = Cuts.from_json(document(reviews={"mine": [entry]}, later=[1]), "cuts.json").with_review("mine", move(TWO))
    assert cuts.raw["later"] == [1]
    assert cuts.raw["reviews"]["mine"][1] == entry
    assert cuts.reviews["mine"].moves[1].author.name == "unknown"


@pytest.mark.parametrize(
    ("reviews", "said"),
    [
        ([], "'reviews' should be dict"),
        ({"mine": {"versions": {}}}, "array of objects"),
        ({"mine": []}, "'mine': it was never set"),
        ({"mine": [{}]}, "'versions' is missing"),
        ({"mine": [{"versions": {}, "recorded_at": "x"}]}, "at least one table"),
        ({"mine": [{"versions": {"dm": "../x"}, "recorded_at": "x"}]}, "64 lower-case hex digits"),
        ({"mine": [{"versions": {"dm": ONE}}]}, "'recorded_at' is missing"),
        ({"mine": [{"versions": {"dm": ONE}, "recorded_at": "x", "cut": 5}]}, "'cut' should be str"),
    ],
)
def test_what_is_no_mark(reviews: Any, said: str) -> None:
    with pytest.raises(dc.FormatError, match=said):
        Cuts.from_json(document(reviews=reviews), "cuts.json")


def test_a_name_has_one_meaning() -> None:
    cut = Cuts().with_recordings("c1", {"dm": ONE}, at="2026-01-01T00:00:00Z", author=WHO, message="")
    with pytest.raises(dc.InvalidInputError, match="'c1' is the name of a cut"):
        cut.with_review("c1", move())
    marked = cut.with_review("mine", move())
    with pytest.raises(dc.InvalidInputError, match="'mine' is the name of a review mark"):
        marked.check_new_cut("mine")
    marked.check_new_cut("c1")
    with pytest.raises(dc.NotFoundError, match=r"no review mark 'min'; there are 'mine'. Did you mean 'mine'"):
        marked.reviews.find("min")


def test_a_move_to_what_readers_cannot_reach_is_held_back_whole() -> None:
    marks = Cuts().with_review("mine", move(ONE)).with_review("mine", move(TWO, ae=ONE)).with_review("new", move(TWO))
    shown = marks.limited_to({"dm": frozenset({ONE})})
    assert {name: [dict(m.versions) for m in r.moves] for name, r in shown.reviews.items()} == {"mine": [{"dm": ONE}]}
    assert marks.limited_to({"ae": frozenset({ONE})}).raw == marks.raw


def test_the_marks_of_two_documents() -> None:
    common = Cuts().with_review("mine", move(ONE, "2026-01-01T00:00:00Z"))
    ours = common.with_review("mine", move(TWO, "2026-03-01T00:00:00Z"))
    theirs = common.with_review("mine", move(TWO, "2026-02-01T00:00:00Z", "c2")).with_review("other", move("3" * 64))
    united = ours.united(theirs, {"dm": {ONE, TWO}})
    assert [m.recorded_at[5:7] for m in united.reviews["mine"].moves] == ["03", "02", "01"]
    assert list(united.reviews) == ["mine"], "git has not the version of the other"
    assert ours.united(ours, {"dm": {ONE, TWO}}).raw == ours.raw
