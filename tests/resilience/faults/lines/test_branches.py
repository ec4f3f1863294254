"""A second branch never erases what storage shows; one that is followed is said with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.resilience.faults.lines.looking import LINE, everything, frame, git, line, reopened, set_back
from tests.resilience.faults.lines.test_set_back import VERBS


class TestBranches:
    @pytest.fixture
    def feature(self, study: dc.Project, tmp_path: Path, clock: Clock) -> dc.Project:
        git(Path(study.remote), "branch", "feature", "main")
        return reopened(study, tmp_path, clock, branch="feature")

    @pytest.mark.parametrize("verb", ["a new version", "what it has lost", "a cut of what is there", "mirror"])
    def test_a_second_branch_is_refused(
        self, verb: str, feature: dc.Project, study: dc.Project, tmp_path: Path
    ) -> None:
        before = everything(study)
        if verb == "what it has lost":  # here it is current, and nothing is to be done about it
            assert VERBS[verb](feature, tmp_path).action == "unchanged"
        else:
            with pytest.raises(dc.DivergedError, match=r"'main'.*'feature'"):
                VERBS[verb](feature, tmp_path)
        assert everything(study) == before
        assert study.write("dm", frame(9)).action == "created"

    def test_nor_when_it_went_its_own_way(self, feature: dc.Project, study: dc.Project) -> None:
        study.write("dm", frame(9), message="on main")
        with pytest.raises(dc.DivergedError) as caught:
            feature.write("dm", frame(8))
        assert [v.message for v in caught.value.lost] == ["on main"]
        assert len(study.reader.read("dm")) == 9

    def test_following_it_is_said_with_a_reason(self, feature: dc.Project, study: dc.Project) -> None:
        assert feature.accept_history(reason="main is retired") is not None
        assert feature.write("dm", frame(8)).action == "created"
        with pytest.raises(dc.DivergedError):
            study.write("dm", frame(9))
        assert len(study.reader.read("dm")) == 8

    def test_two_that_begin_at_once(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        """Both looked before either had projected: the one that comes second finds the other's commit there."""
        from datom_core.git import GitRepo

        study.store.delete(LINE)  # as an earlier release left it
        git(Path(study.remote), "branch", "feature", "main")
        feature = reopened(study, tmp_path, clock, branch="feature")
        real = GitRepo.publish

        def publish(self: GitRepo, *args: Any, **kwargs: Any) -> str:
            commit = real(self, *args, **kwargs)
            if self.branch == "feature":
                study.write("dm", frame(9), message="on main")
            return commit

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(GitRepo, "publish", publish)
            with pytest.raises(dc.DivergedError, match="'main'"):
                feature.write("dm", frame(8), message="on feature")
        assert [v.message for v in study.reader.history("dm")] == ["on main", "third", "second", "first"]
        assert study.validate("full").ok

    def test_a_renamed_default_branch_is_followed(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        remote = Path(study.remote)
        git(remote, "branch", "-m", "main", "trunk")
        git(remote, "symbolic-ref", "HEAD", "refs/heads/trunk")
        for use in (lambda: study.write("dm", frame(9)), study.status, study.mirror):
            with pytest.raises(dc.NotFoundError, match=r"no branch main; it has trunk\..*open the project again"):
                use()
        with pytest.raises(dc.NotFoundError, match="no branch main; it has trunk"):
            reopened(study, tmp_path, clock, branch="main")
        renamed = reopened(study, tmp_path, clock)
        assert renamed.status().level
        assert renamed.write("dm", frame(9)).action == "created"
        assert line(study)["branch"] == "trunk"
        assert renamed.validate("full").ok

    def test_but_not_when_it_was_set_back_on_the_way(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        remote = Path(study.remote)
        set_back(remote, 1)
        git(remote, "branch", "-m", "main", "trunk")
        git(remote, "symbolic-ref", "HEAD", "refs/heads/trunk")
        with pytest.raises(dc.DivergedError):
            reopened(study, tmp_path, clock).write("dm", frame(9))


class TestMoves:
    def test_the_new_place_has_a_line_and_the_old_one_is_emptied(
        self, study: dc.Project, tmp_path: Path, clock: Clock
    ) -> None:
        target = dc.LocalStore(tmp_path / "new")
        report = dc.migrate(study, target, delete_source=True)
        assert report.left == ()
        assert [*study.store.list()] == []
        moved = dc.Project.open(target, remote=study.remote, clock=clock)
        assert line(moved)["commit"] == git(Path(study.remote), "rev-parse", "main")
        assert moved.validate("full").strangers == ()
        set_back(Path(study.remote), 1)
        with pytest.raises((dc.InvalidInputError, dc.DivergedError, dc.ConflictError)):
            moved.write("dm", frame(9))

    def test_a_place_that_comes_back_is_an_older_one(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        target = dc.LocalStore(tmp_path / "new")
        dc.migrate(study, target)
        moved = dc.Project.open(target, remote=study.remote, clock=clock)
        moved.write("dm", frame(9), message="there")
        dc.migrate(moved, study.store)
        back = dc.Project.open(study.store, remote=study.remote, clock=clock)
        assert back.reader.history("dm")[0].message == "there"
        assert back.validate("full").ok

    def test_decommission_takes_it_along(self, study: dc.Project) -> None:
        study.decommission(confirm="STUDY_001")
        assert [*study.store.list()] == []
