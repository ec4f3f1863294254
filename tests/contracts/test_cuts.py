"""What cuts and writes of several tables promise, over every store and both schemas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.contracts.looking import Frame, commits, git, objects


class TestCuts:
    def test_one_commit_and_a_version_per_table(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.write("dm", dm(3))
        before = commits(remote)
        result = project.cut("2026-02-28", {"dm": dm(3), "ex": dm(4), "lb": dm(5)}, message="February")
        assert commits(remote) == before + 1
        assert {t: r.action for t, r in result.items()} == {"dm": "unchanged", "ex": "created", "lb": "created"}
        assert {r.commit_sha for r in result.values()} == {result.commit_sha} != {None}
        cut = project.reader.cuts()["2026-02-28"]
        assert dict(cut) == {t: r.version for t, r in result.items()}
        assert cut.recordings["dm"][0].message == "February"

    def test_repeating_a_cut_is_nothing(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.cut("c", {"dm": dm(3), "ex": dm(4)})
        before = commits(remote)
        again = project.cut("c", {"dm": dm(3), "ex": dm(4)})
        assert (again.commit_sha, commits(remote)) == (None, before)

    def test_a_cut_of_unchanged_data_is_a_commit_without_payload(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore
    ) -> None:
        project.write("dm", dm(3))
        before = objects(store)
        result = project.write("dm", dm(3), cut="lock")
        assert (result.action, result.cut, result.commit_sha is not None) == ("unchanged", "lock", True)
        after = objects(store)
        assert {k for k in after if after[k] != before.get(k)} == {
            ".metadata/cuts.json",
            ".metadata/line.json",
            ".metadata/manifest.json",
        }

    def test_delivering_an_old_cut_once_more_does_not_go_back_to_it(
        self, project: dc.Project, dm: Frame, remote: Path
    ) -> None:
        old = project.write("dm", dm(3), cut="february")
        project.write("dm", dm(5), cut="march")
        before = commits(remote)
        again = project.write("dm", dm(3), cut="february")
        assert (again.action, again.version, again.commit_sha) == ("unchanged", old.version, None)
        assert commits(remote) == before
        assert len(project.reader.read("dm")) == 5

    def test_a_cut_may_be_recorded_of_versions_that_exist(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        old = project.write("dm", dm(3))
        new = project.write("dm", dm(5), custom={"kept": True})
        ex = project.write("ex", dm(2))
        assert project.record_cut("lock", ["dm", "ex"]) is not None
        assert dict(project.reader.cuts()["lock"]) == {"dm": new.version, "ex": ex.version}
        commit = project.record_cut("dry-run", {"dm": old.version[:8], "ex": None}, message="for the board")
        assert commit == git(remote, "rev-parse", "HEAD").strip()
        assert dict(project.reader.cuts()["dry-run"]) == {"dm": old.version, "ex": ex.version}
        assert project.reader.resolve("dm").version == new.version
        assert project.record_cut("dry-run", {"dm": old.version}) is None
        with pytest.raises(dc.NotFoundError, match="no table 'lb'"):
            project.record_cut("dry-run", {"lb": None, "dm": new.version})
        assert project.status().level

    def test_table_by_table_is_the_same_cut(self, project: dc.Project, dm: Frame) -> None:
        one = project.write("dm", dm(3), cut="c")
        two = project.write("ex", dm(4), cut="c")
        assert dict(project.reader.cuts()["c"]) == {"dm": one.version, "ex": two.version}

    def test_a_later_cut_leaves_the_earlier_one(self, project: dc.Project, dm: Frame) -> None:
        for n in (3, 4, 5):
            project.write("dm", dm(n), cut=f"cut-{n}")
        assert list(project.reader.cuts()) == ["cut-3", "cut-4", "cut-5"]
        assert [len(project.reader.read("dm", cut=f"cut-{n}")) for n in (3, 4, 5)] == [3, 4, 5]

    def test_a_cut_delivered_again_moves_and_keeps_the_old_version(self, project: dc.Project, dm: Frame) -> None:
        old = project.write("dm", dm(3), cut="c", message="first")
        new = project.write("dm", dm(4), cut="c", message="corrected")
        recordings = project.reader.cuts()["c"].recordings["dm"]
        assert [(r.version, r.message) for r in recordings] == [(new.version, "corrected"), (old.version, "first")]
        assert len(project.reader.read("dm", cut="c")) == 4
        assert len(project.reader.read("dm", old.version)) == 3

    def test_what_a_cut_stood_for_on_a_day(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(2))
        project.write("dm", dm(3), cut="c")
        project.write("dm", dm(4), cut="c")
        now, then = (r.recorded_at for r in project.reader.cuts()["c"].recordings["dm"])
        assert len(project.reader.read("dm", cut="c", as_of=then)) == 3
        assert len(project.reader.read("dm", cut="c", as_of=now)) == 4
        with pytest.raises(dc.NotFoundError, match=rf"held no dm as of 2020-01-01.*first recorded at {then}"):
            project.reader.read("dm", cut="c", as_of="2020-01-01")

    def test_an_old_cut_written_late_does_not_lose_the_new_one(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(5), cut="march")
        project.write("dm", dm(3), cut="february")
        assert len(project.reader.read("dm", cut="march")) == 5
        assert len(project.reader.read("dm", cut="february")) == 3

    def test_one_bad_table_refuses_the_whole_cut(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        with pytest.raises(dc.UnsupportedColumnsError, match="ex"):
            project.cut("c", {"dm": dm(3), "ex": pd.DataFrame({"x": [[1]]})})
        assert commits(remote) == 1
        assert len(project.reader.list()) == 0


class TestWritingSeveral:
    def test_one_commit_without_a_cut(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        project.write("dm", dm(3))
        before = commits(remote)
        results = project.write_all({"dm": dm(3), "ex": dm(4), "lb": dm(5)}, custom={"ex": {"from": "EDC"}})
        assert commits(remote) == before + 1
        assert {t: r.action for t, r in results.items()} == {"dm": "unchanged", "ex": "created", "lb": "created"}
        assert git(remote, "log", "-1", "--format=%s").strip() == "Update dm, ex, lb"
        assert not project.reader.cuts()
        assert project.write_all({"dm": dm(3)})["dm"].commit_sha is None

    def test_all_or_none(self, project: dc.Project, dm: Frame, remote: Path) -> None:
        with pytest.raises(dc.UnsupportedColumnsError, match="ex"):
            project.write_all({"dm": dm(3), "ex": pd.DataFrame({"x": [[1]]})})
        with pytest.raises(dc.InvalidInputError, match=r"not to be written: \['lb'\]"):
            project.write_all({"dm": dm(3)}, custom={"lb": {}})
        with pytest.raises(dc.InvalidInputError, match="at least one table"):
            project.write_all({})
        assert commits(remote) == 1
