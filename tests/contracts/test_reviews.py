"""What marks of review promise, over every store and both schemas."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.contracts.looking import Frame, commits, git, objects


@pytest.fixture
def study(project: dc.Project, dm: Frame) -> dc.Project:
    project.cut("2026-01", {"dm": dm(3), "ex": dm(2)})
    project.cut("2026-02", {"dm": dm(5), "ex": dm(2)})
    return project


def test_a_mark_is_one_commit_and_readers_see_it_without_git(
    study: dc.Project, remote: Path, store: dc.ObjectStore
) -> None:
    before, there = commits(remote), objects(store)
    commit = study.mark_reviewed("2026-01", message="No open queries", author="Ada Lovelace <ada@example.org>")
    assert (commits(remote), commit) == (before + 1, git(remote, "rev-parse", "HEAD").strip())
    assert git(remote, "log", "-1", "--format=%an %s").strip() == "Ada Lovelace No open queries"
    after = objects(store)
    assert {k for k in after if after[k] != there.get(k)} == {
        ".metadata/cuts.json",
        ".metadata/line.json",
        ".metadata/manifest.json",
    }
    reader = dc.ProjectReader.open(store)
    mark = reader.reviews()["reviewed"]
    assert (mark.cut, dict(mark)) == ("2026-01", dict(reader.cuts()["2026-01"]))
    assert (mark.latest.author.name, mark.latest.message) == ("Ada Lovelace", "No open queries")
    assert list(reader.cuts()) == ["2026-01", "2026-02"], "a mark is no cut"
    assert (reader.summary().cuts, study.status().cuts, study.status().level) == (2, 2, True)
    assert study.mark_reviewed("2026-01") is None


def test_what_changed_since(study: dc.Project, dm: Frame) -> None:
    study.mark_reviewed("2026-01")
    found = study.reader.changes_between("reviewed", "2026-02")
    assert {t: (c.fate, c.added.num_rows) for t, c in found.items()} == {"dm": ("changed", 2), "ex": ("unchanged", 0)}
    study.mark_reviewed("2026-02", message="again")
    assert study.reader.changes_between("reviewed", "2026-02")["dm"].fate == "unchanged"
    study.cut("2026-02", {"dm": dm(6)}, message="delivered once more")
    assert study.reader.changes_between("reviewed", "2026-02")["dm"].added.num_rows == 1
    assert study.reader.changes("dm", "reviewed").added.num_rows == 1
    assert [(m.cut, m.message) for m in study.reader.reviews()["reviewed"].moves] == [
        ("2026-02", "again"),
        ("2026-01", "Reviewed up to 2026-01"),
    ]


def test_refused_before_any_effect(study: dc.Project, dm: Frame, remote: Path, store: dc.ObjectStore) -> None:
    study.mark_reviewed("2026-02")
    before, there = commits(remote), objects(store)
    for said, call in {
        "recorded before that": lambda: study.mark_reviewed("2026-01"),
        "no cut '2026-03'": lambda: study.mark_reviewed("2026-03"),
        "name of a cut": lambda: study.mark_reviewed("2026-02", name="2026-01"),
        "cut, or versions": lambda: study.mark_reviewed("2026-02", versions=["dm"]),
        "at least one table": lambda: study.mark_reviewed(versions=[]),
        "message is empty": lambda: study.mark_reviewed("2026-02", name="x", message=" "),
        "author must look like": lambda: study.mark_reviewed("2026-02", name="x", author="Ada"),
        "name of a review mark": lambda: study.cut("reviewed", {"vs": dm(9)}),
        "'reviewed' is the name": lambda: study.record_cut("reviewed", ["dm"]),
    }.items():
        with pytest.raises(dc.DatomError, match=said):
            call()
    assert (commits(remote), objects(store)) == (before, there)


def test_what_is_lost_from_storage_comes_back(study: dc.Project, store: dc.ObjectStore) -> None:
    study.mark_reviewed("2026-02")
    marks = study.reader.reviews()["reviewed"].moves
    store.delete(".metadata/cuts.json")
    assert not study.reader.reviews()
    report = study.validate("deep", fix=True)
    assert {p.key for p in report.fixed} == {".metadata/cuts.json"}
    assert study.reader.reviews()["reviewed"].moves == marks


def test_a_moved_and_upgraded_project_keeps_its_marks(study: dc.Project, remote: Path, clock: Clock) -> None:
    study.mark_reviewed(versions={"dm": None}, name="medical")
    study.upgrade()
    target = dc.MemoryStore()
    dc.migrate(study, target)
    assert list(dc.ProjectReader.open(target).reviews()) == ["medical"]
    moved = dc.Project.open(target, remote=remote, clock=clock)
    assert moved.mark_reviewed("2026-02", name="medical") is not None
    moved.validate("full")
