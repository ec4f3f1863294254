"""The document of a line: missing, damaged, of somebody with rights to storage alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.resilience.faults.lines.looking import (
    HISTORY,
    LINE,
    Fuses,
    everything,
    frame,
    git,
    line,
    put_line,
    reopened,
    set_back,
)
from tests.resilience.faults.test_cut_points import FusedStore, Killed


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
