"""What a branch has lost is brought back from storage, or let go with a reason; broken off anywhere, too."""

from __future__ import annotations

import json
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.r_colleague import RColleague
from tests.resilience.faults.lines.looking import Fuses, everything, frame, git, line, set_back
from tests.resilience.faults.test_cut_points import FusedStore, Killed


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

    def test_a_review_that_the_branch_has_lost(self, writer: dc.Project, study: dc.Project) -> None:
        study.mark_reviewed("c1", message="January")
        study.mark_reviewed("c3", message="March")
        moves = study.reader.reviews()["reviewed"].moves
        set_back(Path(study.remote), 1)
        with pytest.raises(dc.DivergedError, match="the review marks 'reviewed'") as caught:
            writer.mark_reviewed("c2")
        assert caught.value.lost_marks == ("reviewed",)
        assert writer.recover_versions() == ()
        assert study.reader.reviews()["reviewed"].moves == moves
        assert (writer.status().level, writer.validate("full").versions) == (True, 4)

    def test_a_review_that_is_let_go(self, writer: dc.Project, study: dc.Project) -> None:
        study.mark_reviewed("c1")
        set_back(Path(study.remote), 1)
        writer.accept_history(reason="Set by mistake")
        assert "- the review mark 'reviewed'" in git(Path(study.remote), "log", "-1", "--format=%B", "main")
        assert not study.reader.reviews()

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
        assert "what is lost" not in str(caught.value)
        assert "accept_history(reason=...)" in str(caught.value)
        assert caught.value.lost == ()
        study.accept_history(reason="a commit message held a name")
        assert study.write("dm", frame(9)).action == "created"
        assert study.validate("full").ok
