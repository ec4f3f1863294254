"""A review mark as the name of a state, and when its name has another meaning, too."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import datom_core as dc

KEY = ".metadata/cuts.json"


def frame(*ages: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{n}" for n in range(len(ages))], "AGE": ages})


@pytest.fixture
def study(project: dc.Project) -> dc.Project:
    project.cut("2026-01", {"dm": frame(40, 41), "ex": frame(1)})
    project.cut("2026-02", {"dm": frame(40, 42), "vs": frame(2)})
    project.mark_reviewed("2026-01")
    return project


def test_it_stands_for_a_state_on_either_side(study: dc.Project) -> None:
    found = study.reader.changes_between("reviewed", "2026-02")
    assert (found.before, found.after) == ("reviewed", "2026-02")
    assert {t: c.fate for t, c in found.items()} == {"dm": "changed", "ex": "went", "vs": "came"}
    before = found["dm"].before
    assert before is not None
    assert before.cut == "2026-01", "the cut at which the mark stands"
    back = study.reader.changes_between("2026-02", "reviewed")
    assert {t: c.fate for t, c in back.items()} == {"dm": "changed", "ex": "came", "vs": "went"}
    assert study.reader.changes("dm", "reviewed", "2026-02").by_column == {"AGE": 1}
    with pytest.raises(dc.NotFoundError, match="mark 'reviewed' does not hold vs; it holds dm, ex"):
        study.reader.changes("vs", "reviewed")
    with pytest.raises(dc.NotFoundError, match="Did you mean 'reviewed'"):
        study.reader.changes_between("review")


def test_a_mark_where_there_is_no_cut(project: dc.Project) -> None:
    project.write("dm", frame(40))
    project.mark_reviewed(versions=["dm"])
    project.write("dm", frame(41))
    assert list(project.reader.reviews()) == ["reviewed"]
    assert project.reader.changes_between("reviewed")["dm"].by_column == {"AGE": 1}
    assert project.status().level
    project.validate("deep")
    project.cut("2026-01", {"dm": frame(42)})
    assert list(project.reader.reviews()) == ["reviewed"]


def test_a_cut_that_moved_on_is_not_what_was_reviewed(study: dc.Project) -> None:
    study.cut("2026-01", {"dm": frame(50, 51)})
    found = study.reader.changes_between("reviewed", "2026-01")
    assert found["dm"].by_column == {"AGE": 2}
    before = found["dm"].before
    assert before is not None
    assert before.cut is None


def test_a_mark_that_begins_a_version(study: dc.Project) -> None:
    version = study.reader.resolve("dm").version
    study.mark_reviewed("2026-02", name=version[:6])
    with pytest.raises(dc.InvalidInputError, match=r"is the name of a review mark, and begins the version"):
        study.reader.changes("dm", version[:6])
    assert study.reader.changes_between(version[:6], "2026-02")["dm"].fate == "unchanged"


def test_a_name_that_an_earlier_release_gave_twice(study: dc.Project) -> None:
    stored = study.store.get(KEY)
    document = json.loads(stored.data)
    document["cuts"]["reviewed"] = document["cuts"]["2026-02"]
    study.store.replace(KEY, json.dumps(document).encode(), stored.etag)
    for ask in (lambda: study.reader.changes_between("reviewed"), lambda: study.reader.changes("dm", "reviewed")):
        with pytest.raises(dc.InvalidInputError, match="the name of a cut, and of a review mark"):
            ask()
    assert len(study.reader.read("dm", cut="reviewed")) == 2, "a cut that is asked for as one is one"
