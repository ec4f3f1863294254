"""Setting a mark of review: from the documents at the tip to those after."""

from __future__ import annotations

from typing import Any

import pytest

import datom_core as dc
from datom_core.maintenance.consistency import disagreements
from datom_core.planning import ProjectState, changed_files, plan_write
from datom_core.writing.document_edits import cut_recorded
from datom_core.writing.review_marks import marked_reviewed
from tests.unit.states import BEFORE, TIP, WHO, at, current_of, sha, table, written

OLD, NEW, AE = current_of(BEFORE, "dm").version, current_of(TIP, "dm").version, current_of(TIP, "ae").version
# dm is set back to what it was at first, and a cut recorded of that: later, though the version is the oldest.
AGAIN = written(TIP, table("dm", "a"), cut="c3", minute=3)


def marked(
    state: ProjectState,
    cut: str | None = None,
    versions: dict[str, str | None] | None = None,
    *,
    name: str = "reviewed",
    minute: int = 9,
    backwards: bool = False,
) -> ProjectState:
    return marked_reviewed(name, cut, versions or {}, WHO, "no queries", backwards=backwards)(state, at(minute))


def test_a_cut_is_marked_by_the_versions_that_it_stands_for() -> None:
    after = marked(TIP, "c1")
    mark = after.cuts.reviews["reviewed"]
    assert (mark.cut, dict(mark)) == ("c1", dict(TIP.cuts["c1"]))
    assert (mark.latest.author, mark.latest.message, mark.latest.recorded_at) == (WHO, "no queries", at(9))
    assert set(changed_files(TIP, after)) == {".datom/cuts.json", ".datom/manifest.json"}
    assert list(disagreements(after)) == []
    again = written(after, table("dm", "c"), cut="c1", minute=10)
    assert again.cuts["c1"]["dm"] != OLD, "delivered again"
    assert dict(again.cuts.reviews["reviewed"]) == dict(TIP.cuts["c1"]), "and not reviewed"
    assert dict(marked(again, "c1", minute=11).cuts.reviews["reviewed"]) == dict(again.cuts["c1"])


@pytest.mark.parametrize(
    ("versions", "expected"),
    [({"dm": None}, {"dm": NEW}), ({"dm": OLD[:8], "ae": None}, {"dm": OLD, "ae": AE})],
)
def test_versions_without_a_cut(versions: dict[str, str | None], expected: dict[str, str]) -> None:
    mark = marked(TIP, None, versions).cuts.reviews["reviewed"]
    assert (mark.cut, dict(mark)) == (None, expected)


def test_where_it_stands_already_is_no_edit() -> None:
    after = marked(TIP, "c1")
    assert marked(after, "c1", minute=10) is after
    assert marked(after, None, {"dm": OLD}, minute=10) is not after, "said otherwise, it is another review"


@pytest.mark.parametrize(
    ("state", "first", "then", "back"),
    [
        (TIP, ("c1", None), ("c2", None), False),
        (TIP, ("c2", None), ("c1", None), True),
        (AGAIN, ("c2", None), ("c3", None), False),
        (AGAIN, ("c3", None), ("c2", None), True),
        (AGAIN, ("c2", None), ("c1", None), True),
        (TIP, (None, {"dm": OLD}), (None, {"dm": NEW}), False),
        (TIP, (None, {"dm": NEW}), (None, {"dm": OLD}), True),
        (TIP, (None, {"dm": NEW}), (None, {"ae": None}), False),
        (TIP, ("c2", None), (None, {"dm": OLD, "ae": None}), True),
        (TIP, (None, {"dm": NEW}), ("c1", None), True),
        (AGAIN, (None, {"dm": NEW}), ("c3", None), False),
    ],
)
def test_going_back_has_to_be_said(state: ProjectState, first: Any, then: Any, back: bool) -> None:
    before = marked(state, *first)
    if back:
        with pytest.raises(dc.InvalidInputError, match=r"'reviewed' stands at .*Test Author.*backwards=True"):
            marked(before, *then)
    after = marked(before, *then, minute=10, backwards=back)
    assert [m.recorded_at for m in after.cuts.reviews["reviewed"].moves] == [at(10), at(9)]


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"cut": "c9"}, dc.NotFoundError, "no cut 'c9'"),
        ({"versions": {"dmm": None}}, dc.NotFoundError, "no table 'dmm'.*'dm'"),
        ({"versions": {"dm": sha("x")}}, dc.NotFoundError, "no version"),
        ({"cut": "c1", "name": "c2"}, dc.InvalidInputError, "name of a cut"),
        ({"cut": "c1", "name": " x"}, dc.InvalidInputError, "The mark name ' x' is not allowed"),
        ({"cut": "c1", "name": 5}, dc.InvalidInputError, "The mark name must be a string"),
    ],
)
def test_what_is_refused(asked: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        marked(TIP, **asked)


def test_a_cut_cannot_take_the_name_of_a_mark() -> None:
    after = marked(TIP, "c1")
    with pytest.raises(dc.InvalidInputError, match="review mark"):
        plan_write(after, [table("dm", "z")], "reviewed")
    with pytest.raises(dc.InvalidInputError, match="review mark"):
        cut_recorded("reviewed", {"dm": None}, WHO, "why")(after, at(10))
