"""Storage shows one line of history: a remote that was set back never erases what it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.long import sampled
from tests.resilience.faults.lines.looking import everything, frame, git, put_line, reopened, set_back


def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "lb.csv").write_text("USUBJID,N\n01,1\n")
    return folder


VERBS: dict[str, Callable[[dc.Project, Path], Any]] = {
    "a new version": lambda p, _: p.write("dm", frame(9)),
    "what the branch has": lambda p, _: p.write("dm", frame(2)),
    "what it has lost": lambda p, _: p.write("dm", frame(4)),
    "another table": lambda p, _: p.write("vs", frame(1)),
    "several": lambda p, _: p.write_all({"vs": frame(1), "dm": frame(9)}),
    "a cut": lambda p, _: p.cut("c9", {"dm": frame(2)}),
    "a cut of what is there": lambda p, _: p.record_cut("c9", ["dm"]),
    "a review": lambda p, _: p.mark_reviewed("c1"),
    "a sync": lambda p, tmp: p.sync(drop(tmp)),
    "mirror": lambda p, _: p.mirror(),
    "a move": lambda p, tmp: dc.migrate(p, dc.LocalStore(tmp / "new")),
}


@pytest.mark.parametrize(
    ("verb", "clone"),
    sampled([*((verb, "same process") for verb in VERBS), ("a new version", "new clone"), ("mirror", "new clone")], 2),
)
def test_a_remote_that_was_set_back_is_not_projected(
    verb: str, clone: str, study: dc.Project, tmp_path: Path, clock: Clock
) -> None:
    """The issue's example: two versions vanished from storage's history without a word, and the write said created."""
    third, second = study.reader.history("dm")[:2]
    was = set_back(Path(study.remote), 2)
    project = study if clone == "same process" else reopened(study, tmp_path, clock)
    before = everything(study)
    with pytest.raises(dc.DivergedError) as caught:
        VERBS[verb](project, tmp_path)
    error = caught.value
    assert everything(study) == before
    assert [(v.version, v.message, v.commit_sha) for v in error.lost] == [
        (third.version, "third", was),
        (second.version, "second", git(Path(study.remote), "rev-parse", f"{was}~1")),
    ]
    assert (error.recorded_branch, error.recorded_commit, error.branch) == ("main", was, "main")
    assert error.commit == git(Path(study.remote), "rev-parse", "main")
    for said in (third.version, second.version, "'c2', 'c3'", "recover_versions()", "accept_history(reason", was[:12]):
        assert said in str(error)
    # Readers go on as before.
    assert len(project.reader.read("dm")) == 4
    assert len(project.reader.read("dm", cut="c2")) == 3
    assert project.status().diverged
    assert not project.status().level


def test_trying_again_is_not_advised() -> None:
    assert issubclass(dc.DivergedError, dc.IntegrityError)
    assert not issubclass(dc.DivergedError, (dc.ConflictError, dc.StorageError))


def test_validate_names_what_was_lost_and_fixes_nothing(study: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
    third, second = study.reader.history("dm")[:2]
    set_back(Path(study.remote), 2)
    before = everything(study)
    for fix in (False, True):
        with pytest.raises(dc.IntegrityError) as caught:
            study.validate("deep", fix=fix)
        problems = [p for p in caught.value.report.problems if p.kind == "diverged"]
        assert [p.version for p in problems] == [None, third.version, second.version]
        assert not any(p.fixable for p in caught.value.report.problems)
        assert "\n" not in str(problems[0])
        assert str(caught.value).count("recover_versions()") == 1
        assert everything(study) == before


def test_the_usual_write_asks_the_remote_no_more_than_before(
    study: dc.Project, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new clone holds one commit: that is enough as long as storage is level with it."""
    from datom_core.git.fetches import Fetches

    def never(self: Fetches) -> None:
        raise AssertionError("the whole history was fetched")

    monkeypatch.setattr(Fetches, "all", never)
    project = reopened(study, tmp_path, clock)
    for n in (6, 7):
        assert project.write("dm", frame(n)).action == "created"
    study.write("dm", frame(8))
    assert project.write("dm", frame(9)).action == "created"


def test_a_new_clone_gets_the_history_when_storage_lags_behind(study: dc.Project, tmp_path: Path, clock: Clock) -> None:
    put_line(study, commit=git(Path(study.remote), "rev-parse", "main~2"))
    assert reopened(study, tmp_path, clock).write("dm", frame(9)).action == "created"


def test_who_is_overtaken_plans_again_and_asks_for_no_history(
    study: dc.Project, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our looks at the branch and at storage, another machine wrote: storage shows a commit after our tip."""
    from datom_core.git.fetches import Fetches
    from datom_core.publishing.projector import Projector

    project, real, overtaken = reopened(study, tmp_path, clock), Projector.view_storage, []

    def look(self: Projector, *args: Any, **kwargs: Any) -> Any:
        if self.repo.remote == project.remote and not overtaken:
            overtaken.append(True)
            study.write("ae", frame(5))
        return real(self, *args, **kwargs)

    def never(self: Fetches) -> None:
        raise AssertionError("the whole history was fetched")

    monkeypatch.setattr(Fetches, "all", never)
    monkeypatch.setattr(Projector, "view_storage", look)
    assert project.write("dm", frame(9)).action == "created"
    assert [v.message for v in study.reader.history("ae")] == ["Update ae", "events"]
