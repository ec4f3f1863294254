"""Storage shows one line of history: a remote that was set back, or another branch, never erases what it shows."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from tests.conftest import Clock
from tests.faults.test_cut_points import Fuse, FusedStore, Killed
from tests.r_colleague import RColleague

LINE = ".metadata/line.json"
HISTORY = "dm/.metadata/version_history.json"


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)], "AGE": range(40, 40 + n)})


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout.strip()


def set_back(remote: Path, commits: int, branch: str = "main") -> str:
    """As after a force-push; the commit that was there."""
    was = git(remote, "rev-parse", branch)
    git(remote, "update-ref", f"refs/heads/{branch}", f"{branch}~{commits}")
    return was


def everything(project: dc.Project) -> tuple[dict[str, bytes], str]:
    objects = {o.key: bytes(project.store.get(o.key).data) for o in project.store.list()}
    return objects, git(Path(project.remote), "show-ref")


def line(project: dc.Project) -> dict[str, Any]:
    return dict(json.loads(bytes(project.store.get(LINE).data)))


def put_line(project: dc.Project, **fields: Any) -> None:
    project.store.replace(LINE, json.dumps({**line(project), **fields}).encode(), project.store.get(LINE).etag)


@pytest.fixture
def study(project: dc.Project) -> dc.Project:
    """Three versions of dm in three cuts, and one of ae that came second."""
    project.write("dm", frame(2), message="first", cut="c1")
    project.write("ae", frame(1), message="events")
    project.write("dm", frame(3), message="second", cut="c2")
    project.write("dm", frame(4), message="third", cut="c3")
    return project


@pytest.fixture(params=["same process", "new clone"])
def writer(request: pytest.FixtureRequest, study: dc.Project, tmp_path: Path, clock: Clock) -> dc.Project:
    """Who writes after the remote was set back: with a clone that has all of it, or one that is made afterwards."""
    return study if request.param == "same process" else reopened(study, tmp_path, clock)


def reopened(study: dc.Project, tmp_path: Path, clock: Clock, **options: Any) -> dc.Project:
    options = {"cache_dir": tmp_path / "elsewhere", **options}
    return dc.Project.open(study.store, remote=study.remote, clock=clock, **options)


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
    "a sync": lambda p, tmp: p.sync(drop(tmp)),
    "mirror": lambda p, _: p.mirror(),
    "a move": lambda p, tmp: dc.migrate(p, dc.LocalStore(tmp / "new")),
}


@pytest.mark.parametrize(
    ("verb", "clone"),
    [*((verb, "same process") for verb in VERBS), ("a new version", "new clone"), ("mirror", "new clone")],
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
        assert "recover_versions()" in str(caught.value)
        assert everything(study) == before


class TestBringingBack:
    def test_by_pushing_from_the_clone_that_the_error_names(self, study: dc.Project) -> None:
        was = set_back(Path(study.remote), 2)
        with pytest.raises(dc.DivergedError) as caught:
            study.write("dm", frame(9))
        command = str(caught.value).split("this machine can: ")[1].split(")")[0]
        subprocess.run(shlex.split(command), check=True, capture_output=True)
        assert git(Path(study.remote), "rev-parse", "main") == was
        assert study.status().level
        assert study.write("dm", frame(9)).action == "created"
        assert [v.message for v in study.reader.history("dm")] == ["Update dm", "third", "second", "first"]

    def test_from_storage(self, writer: dc.Project, study: dc.Project) -> None:
        told, cuts = [*study.reader.history("dm")], study.reader.cuts()
        set_back(Path(study.remote), 2)
        recovered = writer.recover_versions(author="Rescuer <r@example.org>")
        assert [v.message for v in recovered] == ["third", "second"]
        history = [*study.reader.history("dm")]
        assert [(v.version, v.timestamp, v.author, v.message, v.payload_sha) for v in history] == [
            (v.version, v.timestamp, v.author, v.message, v.payload_sha) for v in told
        ]
        assert {n: dict(c) for n, c in study.reader.cuts().items()} == {n: dict(c) for n, c in cuts.items()}
        assert [len(study.reader.read("dm", version=v.version)) for v in history] == [4, 3, 2]
        report = writer.validate("full")
        assert (report.versions, report.strangers) == (4, ())
        assert writer.status().level
        # Git alone gives everything back again, the documents of each version included.
        for info in list(study.store.list()):
            if not info.key.endswith(".parquet"):
                study.store.delete(info.key)
        writer.mirror()
        assert [len(study.reader.read("dm", version=v.version)) for v in history] == [4, 3, 2]
        assert study.reader.metadata("dm", history[1].version).version() == history[1].version
        log = git(Path(study.remote), "log", "--format=%an %s", "main")
        assert log.splitlines()[1:3] == ["Rescuer third", "Rescuer second"]
        assert writer.recover_versions() == ()
        assert writer.write("dm", frame(4)).action == "unchanged"

    def test_a_table_that_the_branch_does_not_know_any_more(self, study: dc.Project) -> None:
        set_back(Path(study.remote), 4)
        with pytest.raises(dc.DivergedError) as caught:
            study.write("lb", frame(1))
        assert sorted((v.table, v.message) for v in caught.value.lost) == [
            ("ae", "events"), ("dm", "first"), ("dm", "second"), ("dm", "third")
        ]  # fmt: skip
        study.recover_versions()
        assert sorted(t.name for t in study.reader.list()) == ["ae", "dm"]
        assert study.validate("full").ok

    def test_that_a_version_was_current_again(self, study: dc.Project) -> None:
        study.write("dm", frame(2), message="back to the first")
        set_back(Path(study.remote), 1)
        with pytest.raises(dc.DivergedError):
            study.write("ae", frame(2))
        study.recover_versions()
        assert len(study.reader.read("dm")) == 2
        assert study.reader.history("dm")[2].reinstatements[0].message == "back to the first"
        assert study.validate("full").ok

    def test_beside_what_others_recorded_since(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        told = [v.version for v in study.reader.history("dm")]
        set_back(Path(study.remote), 2)
        donor = dc.Project.init("STUDY_001", dc.MemoryStore(), remote=tmp_path / "donor.git", clock=clock)
        colleague = RColleague(Path(study.remote), tmp_path / "r")
        payload = colleague.push_version_of("lb", donor, 3)
        study.store.create(f"lb/{dc.hash_table(donor.reader.read('lb')).data_sha}.parquet", payload)
        with pytest.raises(dc.DivergedError):
            study.mirror()
        study.recover_versions()
        assert [v.version for v in study.reader.history("dm")] == told
        assert len(study.reader.read("lb")) == 3
        assert study.validate("full").ok

    def test_beside_another_version_of_the_same_table(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        """An older release goes on from where the remote was set back to, in a store of its own."""
        told = [v.version for v in study.reader.history("dm")]
        set_back(Path(study.remote), 2)
        ahead = Elsewhere(study, tmp_path, clock)
        other = ahead.write(frame(7), "meanwhile")
        with pytest.raises(dc.DivergedError):
            study.mirror()
        study.recover_versions()
        assert [v.version for v in study.reader.history("dm")] == [other, *told]
        assert len(study.reader.read("dm")) == 7
        assert study.validate("full").ok

    def test_nothing_is_recorded_when_a_payload_is_gone_or_another(self, study: dc.Project) -> None:
        third, second = study.reader.history("dm")[:2]
        set_back(Path(study.remote), 2)
        study.store.delete(f"dm/{second.data_sha}.parquet")
        key = f"dm/{third.data_sha}.parquet"
        study.store.replace(key, bytes(study.store.get(key).data) + b"x", study.store.get(key).etag)
        before = everything(study)
        with pytest.raises(dc.IntegrityError, match=r"(?s)2 versions cannot.*is missing.*other bytes") as caught:
            study.recover_versions()
        assert not isinstance(caught.value, dc.DivergedError)
        assert everything(study) == before
        assert study.accept_history(reason="the data is lost") is not None
        assert study.write("dm", frame(3)).action == "created"

    def test_broken_off_anywhere(self, study: dc.Project, tmp_path: Path, clock: Clock, fuses: Fuses) -> None:
        told = [v.version for v in study.reader.history("dm")]
        for cut_point in range(1, 30):
            set_back(Path(study.remote), 1)
            fuse = fuses(cut_point)
            fused = dc.Project.open(FusedStore(study.store, fuse), remote=study.remote, clock=clock)
            try:
                fused.recover_versions()
            except Killed:
                finished = False
            else:
                finished = True
            fuses(10**9)
            if not finished and study.status().diverged:
                with pytest.raises(dc.DivergedError):
                    study.write("ae", frame(5))
            study.recover_versions()
            study.mirror()
            assert [v.version for v in study.reader.history("dm")] == told
            assert study.validate("deep").ok
            if finished:
                return
        raise AssertionError("it never came to its end")


Fuses = Callable[[int], Fuse]


@pytest.fixture
def fuses(monkeypatch: pytest.MonkeyPatch) -> Fuses:
    """Every push burns the fuse, too."""
    from datom_core.git import GitRepo

    real = GitRepo.publish

    def install(left: int) -> Fuse:
        fuse = Fuse(left)

        def publish(self: GitRepo, *args: Any, **kwargs: Any) -> str:
            return str(fuse.burn(lambda: real(self, *args, **kwargs)))

        monkeypatch.setattr(GitRepo, "publish", publish)
        return fuse

    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
    return install


class Elsewhere:
    """A writer that knows nothing of the line, and whose projection never arrives."""

    def __init__(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        self.study, self.clone = study, tmp_path / "other"
        subprocess.run(["git", "clone", "-q", study.remote, self.clone], check=True)
        self.donor = dc.Project.init("STUDY_001", dc.MemoryStore(), remote=tmp_path / "donor.git", clock=clock)
        clock.now += timedelta(minutes=2)

    def write(self, data: pd.DataFrame, message: str) -> str:
        result = self.donor.write("dm", data, message=message)
        key = f"dm/{result.data_sha}.parquet"
        self.study.store.create(key, self.donor.store.get(key).data)
        source = Path(self.donor.remote)
        entry = json.loads(git(source, "show", "HEAD:dm/version_history.json"))[0]
        path = self.clone / "dm/version_history.json"
        path.write_text(json.dumps([entry, *json.loads(path.read_text())]))
        (self.clone / "dm/metadata.json").write_text(git(source, "show", "HEAD:dm/metadata.json"))
        rows = json.loads(git(source, "show", "HEAD:.datom/manifest.json"))["artifacts"]
        manifest = json.loads((self.clone / ".datom/manifest.json").read_text())
        manifest["artifacts"]["dm"] = {**rows["dm"], "version_count": len(json.loads(path.read_text()))}
        (self.clone / ".datom/manifest.json").write_text(json.dumps(manifest))
        for command in (("commit", "-qam", message), ("push", "-q")):
            subprocess.run(["git", "-C", self.clone, *command], check=True, capture_output=True)
        return result.version


class TestAccepting:
    def test_the_loss_with_a_reason(self, writer: dc.Project, study: dc.Project) -> None:
        third, second = study.reader.history("dm")[:2]
        was = set_back(Path(study.remote), 2)
        commit = writer.accept_history(reason="Recorded into the wrong study.\nTicket 7", author="Boss <b@example.org>")
        remote = Path(study.remote)
        assert commit == git(remote, "rev-parse", "main")
        message = git(remote, "log", "-1", "--format=%an%n%B", commit)
        for said in ("Boss", "Recorded into the wrong study.", "Ticket 7", was, third.version, second.version, "'c3'"):
            assert said in message
        assert [v.message for v in study.reader.history("dm")] == ["first"]
        assert list(study.reader.cuts()) == ["c1"]
        assert line(study)["let_go"] == {"dm": sorted([second.version, third.version])}
        # What was given up is no longer shown, and still there.
        assert study.store.head(f"dm/{third.data_sha}.parquet") is not None
        assert study.store.head(f"dm/.metadata/{third.version}.json") is not None
        assert writer.status().level
        assert writer.validate("full").ok
        assert writer.accept_history(reason="again") is None
        assert writer.write("dm", frame(9)).action == "created"

    @pytest.mark.parametrize("reason", ["", "  \n", None])
    def test_not_without(self, reason: Any, study: dc.Project) -> None:
        set_back(Path(study.remote), 2)
        before = everything(study)
        with pytest.raises(dc.InvalidInputError, match="why"):
            study.accept_history(reason=reason)
        assert everything(study) == before

    def test_a_version_that_was_given_up_may_come_again_and_be_lost_again(self, study: dc.Project) -> None:
        third = study.reader.history("dm")[0].version
        set_back(Path(study.remote), 1)
        study.accept_history(reason="a mistake")
        assert study.write("dm", frame(4)).version == third
        set_back(Path(study.remote), 1)
        with pytest.raises(dc.DivergedError) as caught:
            study.write("dm", frame(8))
        assert [v.version for v in caught.value.lost] == [third]

    def test_broken_off_anywhere(self, study: dc.Project, clock: Clock, fuses: Fuses) -> None:
        for cut_point in range(1, 30):
            study.write("dm", frame(4), message="to be lost", custom={"n": cut_point})
            set_back(Path(study.remote), 1)
            fuse = fuses(cut_point)
            fused = dc.Project.open(FusedStore(study.store, fuse), remote=study.remote, clock=clock)
            try:
                fused.accept_history(reason="a test")
            except Killed:
                finished = False
            else:
                finished = True
            fuses(10**9)
            study.accept_history(reason="a test")
            study.mirror()
            assert [v.message for v in study.reader.history("dm")] == ["third", "second", "first"]
            assert study.validate("deep").ok
            if finished:
                return
        raise AssertionError("it never came to its end")

    def test_a_history_that_was_rewritten_without_a_loss(self, study: dc.Project, tmp_path: Path) -> None:
        remote = Path(study.remote)
        tree, parent = git(remote, "rev-parse", "main^{tree}"), git(remote, "rev-parse", "main~1")
        ours = ("-c", "user.name=X", "-c", "user.email=x@y.z")
        git(remote, "update-ref", "refs/heads/main", git(remote, *ours, "commit-tree", tree, "-p", parent, "-m", "new"))
        with pytest.raises(dc.DivergedError, match="No version is lost") as caught:
            study.write("dm", frame(9))
        assert caught.value.lost == ()
        study.accept_history(reason="a commit message held a name")
        assert study.write("dm", frame(9)).action == "created"
        assert study.validate("full").ok


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
        with pytest.raises(dc.NotFoundError, match="no branch main"):
            study.write("dm", frame(9))
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


class TestStorageWithoutALine:
    """R, and earlier releases, leave none."""

    def test_the_first_write_begins_one(self, study: dc.Project) -> None:
        study.store.delete(LINE)
        assert study.status().level
        with pytest.raises(dc.IntegrityError) as caught:  # ours have one, R's have none
            study.validate("full")
        assert [(p.kind, p.key, p.fixable) for p in caught.value.report.problems] == [("missing", LINE, True)]
        commit = study.write("dm", frame(9)).commit_sha
        assert line(study) == {"schema_version": 1, "branch": "main", "commit": commit}

    @pytest.mark.parametrize("manifest", ["there", "lost"])
    def test_unless_storage_shows_more(self, manifest: str, study: dc.Project) -> None:
        third = study.reader.history("dm")[0]
        study.store.delete(LINE)
        set_back(Path(study.remote), 1)
        if manifest == "lost":
            study.store.delete(".metadata/manifest.json")
        before = everything(study)
        for verb in (lambda: study.write("ae", frame(2)), study.mirror):
            with pytest.raises(dc.DivergedError) as caught:
                verb()
            assert [v.version for v in caught.value.lost] == [third.version]
        assert everything(study) == before
        study.recover_versions()
        assert [v.message for v in study.reader.history("dm")] == ["third", "second", "first"]

    def test_a_table_or_a_cut_that_the_branch_has_lost(self, study: dc.Project) -> None:
        study.record_cut("lock", ["dm"])
        study.store.delete(LINE)
        set_back(Path(study.remote), 1)
        with pytest.raises(dc.DivergedError, match="'lock'"):
            study.write("ae", frame(2))
        set_back(Path(study.remote), 3)
        with pytest.raises(dc.DivergedError) as caught:
            study.write("dm", frame(9))
        assert {v.table for v in caught.value.lost} == {"ae", "dm"}
        study.recover_versions()
        assert list(study.reader.cuts()) == ["c1", "c2", "c3", "lock"]
        assert study.validate("full").ok

    def test_one_that_says_less_than_storage_shows(self, study: dc.Project) -> None:
        """R projected a commit that the line does not name, and the remote was set back to the one that it names."""
        put_line(study, commit=git(Path(study.remote), "rev-parse", "main~1"))
        set_back(Path(study.remote), 1)
        with pytest.raises(dc.DivergedError) as caught:
            study.write("dm", frame(9))
        assert [v.message for v in caught.value.lost] == ["third"]

    def test_an_entry_without_its_document_is_damage(self, study: dc.Project) -> None:
        history = json.loads(bytes(study.store.get(HISTORY).data))
        forged = [{**history[0], "version": "f" * 64, "data_sha": "e" * 64}, *history]
        study.store.replace(HISTORY, json.dumps(forged).encode(), study.store.get(HISTORY).etag)
        study.mirror()
        assert [v.message for v in study.reader.history("dm")] == ["third", "second", "first"]


class TestTheDocument:
    DAMAGED = (b"", b"{", b"[]", b'{"schema_version": 1}', b'{"branch": "main", "commit": "--all"}')

    @pytest.mark.parametrize("data", DAMAGED)
    def test_damaged(self, data: bytes, study: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
        study.store.replace(LINE, data, study.store.get(LINE).etag)
        with pytest.raises(dc.FormatError, match="fix=True"):
            study.write("dm", frame(9))
        with pytest.raises(dc.IntegrityError) as caught:
            study.validate()
        assert [(p.kind, p.key, p.fixable) for p in caught.value.report.problems] == [("damaged", LINE, True)]
        assert [p.key for p in study.validate(fix=True).fixed] == [LINE]
        assert line(study)["commit"] == git(Path(study.remote), "rev-parse", "main")
        assert study.write("dm", frame(9)).action == "created"

    def test_damaged_and_set_back(self, study: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
        study.store.replace(LINE, b"{", study.store.get(LINE).etag)
        set_back(Path(study.remote), 1)
        before = everything(study)
        with pytest.raises(dc.IntegrityError, match="third"):
            study.validate(fix=True)
        with pytest.raises(dc.DivergedError, match="third"):
            study.mirror()
        assert everything(study) == before

    def test_a_commit_that_nobody_knows(self, study: dc.Project) -> None:
        """Somebody with rights to the storage alone cannot make writers go back, only make them stop and ask."""
        put_line(study, commit="1" * 40)
        with pytest.raises(dc.DivergedError, match=r"was altered.*No version is lost"):
            study.write("dm", frame(9))
        study.accept_history(reason="somebody played with storage")
        assert study.write("dm", frame(9)).action == "created"

    def test_a_newer_schema(self, study: dc.Project) -> None:
        put_line(study, schema_version=2)
        for verb in (lambda: study.write("dm", frame(9)), study.mirror, lambda: study.accept_history(reason="x")):
            with pytest.raises(dc.FormatError, match="schema"):
                verb()

    def test_fields_of_others_survive(self, study: dc.Project) -> None:
        put_line(study, note="kept")
        study.write("dm", frame(9))
        assert line(study)["note"] == "kept"

    def test_it_is_written_before_anything_is_shown(self, study: dc.Project, clock: Clock, fuses: Fuses) -> None:
        """A crash after any effect leaves storage showing nothing that the line does not name."""
        for cut_point in range(1, 20):
            fuse = fuses(cut_point)
            fused = dc.Project.open(FusedStore(study.store, fuse), remote=study.remote, clock=clock)
            try:
                fused.write("dm", frame(5), custom={"n": cut_point})
            except Killed:
                pass
            else:
                return
            shown = {v.commit_sha for v in study.reader.history("dm")}
            for commit in shown:
                git(Path(study.remote), "merge-base", "--is-ancestor", str(commit), line(study)["commit"])
            fuses(10**9)
            study.write("ae", frame(2), custom={"n": cut_point})  # nobody is refused because of it
        raise AssertionError("it never came to its end")


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


class TestWhatStorageAloneSays:
    """Whoever may write to storage alone can neither take versions away nor have them recorded."""

    def test_that_versions_were_given_up(self, study: dc.Project) -> None:
        lost = [v.version for v in study.reader.history("dm")[:2]]
        set_back(Path(study.remote), 2)
        put_line(study, commit=git(Path(study.remote), "rev-parse", "main"), let_go={"dm": lost})
        with pytest.raises(dc.DivergedError) as caught:
            study.write("dm", frame(9))
        assert {v.version for v in caught.value.lost} >= {v for v in lost if v}

    def test_that_there_was_a_version(self, study: dc.Project, store: dc.LocalStore) -> None:
        head, real = git(Path(study.remote), "rev-parse", "main"), study.reader.history("dm")[0]
        forged, held = "a" * 64, store.get(HISTORY)
        history = json.loads(bytes(held.data))
        key = f"dm/.metadata/{real.version}.json"
        snapshot = {**json.loads(bytes(store.get(key).data)), "datom_version": "0.1.1", "custom": None}
        store.create(f"dm/.metadata/{forged}.json", json.dumps(snapshot).encode())
        store.replace(HISTORY, json.dumps([{**history[0], "version": forged}, *history]).encode(), held.etag)
        with pytest.raises(dc.DivergedError):
            study.write("dm", frame(9))
        with pytest.raises(dc.IntegrityError, match="it is the document of the version"):
            study.recover_versions()
        assert git(Path(study.remote), "rev-parse", "main") == head

    def test_a_second_branch_takes_nothing_away(self, study: dc.Project, tmp_path: Path, clock: Clock) -> None:
        git(Path(study.remote), "branch", "dev", "main~1")
        dev = reopened(study, tmp_path, clock, branch="dev")
        for act in (lambda: dev.write("dm", frame(9)), dev.recover_versions):
            with pytest.raises(dc.DivergedError, match="Two branches over one store"):
                act()
        assert study.write("dm", frame(9)).action == "created"
