"""What comes back, what is told and what moves, over every store and both schemas."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from tests.contracts.looking import Frame, commits, git, objects


class TestRepair:
    """Nothing changed, but something is missing: it is put back, and the result says so."""

    @pytest.mark.parametrize(
        "key",
        [
            "dm/{data_sha}.parquet",
            "dm/.metadata/{version}.json",
            "dm/.metadata/version_history.json",
            "dm/.metadata/metadata.json",
            ".metadata/manifest.json",
            ".metadata/cuts.json",
        ],
    )
    def test_a_missing_object(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path, key: str
    ) -> None:
        project.write("ex", dm(2))
        result = project.write("dm", dm(3), cut="c")
        before, head = objects(store), commits(remote)
        store.delete(key.format(version=result.version, data_sha=result.data_sha))
        again = project.write("dm", dm(3), cut="c")
        assert (again.action, again.version) == ("repaired", result.version)
        assert objects(store) == before
        assert commits(remote) == head
        assert project.write("dm", dm(3), cut="c").action == "unchanged"

    @pytest.mark.parametrize("key", ["dm/.metadata/metadata.json", ".metadata/manifest.json"])
    def test_a_damaged_document(self, project: dc.Project, dm: Frame, store: dc.ObjectStore, key: str) -> None:
        project.write("dm", dm(3))
        before = objects(store)
        stored = store.get(key)
        store.replace(key, stored.data[: len(stored.data) // 2], stored.etag)
        assert project.write("dm", dm(3)).action == "repaired"
        assert objects(store) == before

    def test_a_payload_of_an_old_version_comes_back_with_a_revert(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore
    ) -> None:
        old = project.write("dm", dm(3))
        project.write("dm", dm(4))
        store.delete(f"dm/{old.data_sha}.parquet")
        with pytest.raises(dc.NotFoundError, match="Writing the same data again puts it back"):
            project.reader.read("dm", old.version)
        assert project.write("dm", dm(3)).action == "created"
        assert len(project.reader.read("dm", old.version)) == 3

    def test_a_payload_that_comes_back_with_other_bytes_is_recorded_anew(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path
    ) -> None:
        first = project.write("dm", dm(3))
        tagged = project.write("dm", dm(3), custom={"a": 1})
        store.delete(f"dm/{first.data_sha}.parquet")
        # Equal content, other bytes: a category is stored as a dictionary.
        again = project.write("dm", dm(3).astype({"SEX": "category"}), custom={"a": 1})
        assert (again.action, again.version, again.commit_sha is not None) == ("repaired", tagged.version, True)
        assert "written anew" in git(remote, "log", "-1", "--format=%s")
        for version in (first.version, tagged.version, None):
            assert len(project.reader.read("dm", version)) == 3
        pins = {project.reader.metadata("dm", v).payload_sha for v in (first.version, tagged.version)}
        assert pins == {project.reader.metadata("dm").payload_sha}
        assert project.mirror().written == ()

    def test_a_payload_that_is_there_already_is_used_as_it_is(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore
    ) -> None:
        data_sha = dc.hash_table(dm(3)).data_sha
        other = dc.Project.init("OTHER", dc.MemoryStore(), remote=Path(project.remote).with_name("o.git"))
        other.write("dm", dm(3).astype({"SEX": "category"}))
        bytes_there = other.store.get(f"dm/{data_sha}.parquet").data
        store.create(f"dm/{data_sha}.parquet", bytes_there)
        assert project.write("dm", dm(3)).action == "created"
        assert store.get(f"dm/{data_sha}.parquet").data == bytes_there
        assert len(project.reader.read("dm")) == 3

    def test_a_stranger_under_a_payloads_key_is_refused(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path
    ) -> None:
        key = f"dm/{dc.hash_table(dm(3)).data_sha}.parquet"
        store.create(key, b"<html>not a table</html>")
        with pytest.raises(dc.IntegrityError, match="remove it"):
            project.write("dm", dm(3))
        assert commits(remote) == 1

    def test_mirror_rebuilds_all_but_payloads(self, project: dc.Project, dm: Frame, store: dc.ObjectStore) -> None:
        for n in (2, 3, 2, 4):
            project.write("dm", dm(n), cut=f"c{n}")
        project.write("ex", dm(2))
        before = objects(store)
        for key in before:
            if not key.endswith(".parquet"):
                store.delete(key)
        report = project.mirror()
        assert set(report.written) == {k for k in before if not k.endswith(".parquet")}
        assert objects(store) == before
        assert project.mirror().written == ()
        assert project.status().level

    def test_a_store_that_holds_nothing_of_the_project(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, remote: Path
    ) -> None:
        project.write("dm", dm(3))
        head = git(remote, "rev-parse", "HEAD")
        for found in list(store.list()):
            store.delete(found.key)
        with pytest.raises(dc.NotFoundError, match="holds nothing of STUDY_001, which has 1 tables"):
            project.write("dm", dm(4))
        assert list(store.list()) == []
        assert git(remote, "rev-parse", "HEAD") == head
        project.mirror()
        assert project.write("dm", dm(3)).action == "repaired"

    @pytest.mark.parametrize("left", [b"", b"{}", b"[]", b"[{}]"])
    @pytest.mark.parametrize("document", ["version_history", "snapshot"])
    def test_an_emptied_document_is_no_unchanged_write(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, document: str, left: bytes
    ) -> None:
        version = project.write("dm", dm(3)).version
        key = f"dm/.metadata/{version if document == 'snapshot' else document}.json"
        store.delete(key)
        store.create(key, left)
        assert project.write("dm", dm(3)).action == "repaired"
        assert project.reader.history("dm")[0].version == version
        assert project.reader.metadata("dm", version).rows == 3

    def test_status_says_what_lags(self, project: dc.Project, dm: Frame, store: dc.ObjectStore) -> None:
        result = project.write("dm", dm(3))
        project.write("ex", dm(3))
        store.delete("ex/.metadata/metadata.json")
        store.delete(f"dm/{result.data_sha}.parquet")
        status = project.status()
        assert (status.behind, status.waiting, status.level) == (("ex",), ("dm",), False)


class TestValidation:
    """The kinds of damage are in tests/resilience/faults/validation; here, every store tells them alike."""

    def test_what_is_told_and_what_is_put_right(
        self, project: dc.Project, dm: Frame, store: dc.ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
        old, new = project.write("dm", dm(2), cut="first"), project.write("dm", dm(3), cut="first")
        before = objects(store)
        for level in ("quick", "deep", "full"):
            assert project.validate(level).objects == len(before)  # type: ignore[arg-type]
        lost, altered = f"dm/{old.data_sha}.parquet", f"dm/{new.data_sha}.parquet"
        snapshot = f"dm/.metadata/{old.version}.json"
        store.delete(lost)
        store.replace(altered, b"x" * store.head(altered).size, store.get(altered).etag)  # type: ignore[union-attr]
        stored = store.get(snapshot)
        store.replace(snapshot, b"{", stored.etag)
        store.delete(".metadata/cuts.json")
        store.create("dm/notes.txt", b"")
        with pytest.raises(
            dc.IntegrityError, match=r"dm@.*: dm/.*parquet is missing: restore it from a backup"
        ) as told:
            project.validate("full", fix=True)
        report = told.value.report
        assert {(p.kind, p.key) for p in report.problems} == {("lost", lost), ("altered", altered)}
        assert {(p.kind, p.key) for p in report.fixed} == {("damaged", snapshot), ("missing", ".metadata/cuts.json")}
        assert report.strangers == ("dm/notes.txt",)
        after = objects(store)
        assert {k: v for k, v in before.items() if k not in (lost, altered)} == {
            k: v for k, v in after.items() if k not in (altered, "dm/notes.txt")
        }


class TestMoving:
    @pytest.mark.parametrize("pair", [("local", 1), ("local with prefix", 2)], indirect=True)
    def test_relocate_records_the_new_place(self, project: dc.Project, dm: Frame, remote: Path, tmp_path: Path) -> None:
        project.write("dm", dm(3))
        root = Path(project.store.location.root)
        root.rename(tmp_path / "moved")
        new = dc.LocalStore(tmp_path / "moved", project.store.location.prefix)
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.Project.open(new, remote=remote)
        assert str(root) in str(caught.value)
        assert str(tmp_path / "moved") in str(caught.value)
        moved = dc.Project.open(new, remote=remote, relocate=True)
        assert moved.write("dm", dm(3)).action == "unchanged"
        assert len(dc.Project.open(new, remote=remote).reader.read("dm")) == 3
        root.mkdir()
        with pytest.raises(dc.ConflictError, match=str(tmp_path / "moved")):
            project.write("dm", dm(4))

    def test_relocate_to_a_place_without_the_project(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(dc.NotFoundError, match="no datom project"):
            dc.Project.open(dc.LocalStore(tmp_path / "empty"), remote=remote, relocate=True)
        assert commits(remote) == 1
