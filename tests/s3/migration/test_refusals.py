"""Moves that are refused before anything was copied: places, projects and bytes that are not what they should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.s3.migration.looking import ELSEWHERE, Frame, Place, everything, git
from tests.s3.migration.test_broken_off import Killed, mortal


class TestRefusals:
    @pytest.mark.parametrize("bad", [{"message": " "}, {"author": "nobody"}, {"sunset_at": "soon"}])
    def test_what_cannot_be_recorded_before_anything_is_copied(
        self, project: dc.Project, place: Place, bad: dict[str, Any]
    ) -> None:
        target = place("local/b")
        with pytest.raises(dc.InvalidInputError):
            dc.migrate(project, target, **bad)
        assert list(target.list()) == []

    def test_the_same_place(self, project: dc.Project) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"lies in .* already"):
            dc.migrate(project, project.store)

    @pytest.mark.parametrize("alias", ["split", "link"])
    def test_one_folder_by_another_name(self, project: dc.Project, tmp_path: Path, alias: str) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "data")
        same = dc.LocalStore(tmp_path, "data") if alias == "split" else dc.LocalStore(tmp_path / "link")
        before = everything(project.reader)
        with pytest.raises(dc.InvalidInputError, match="already"):
            dc.migrate(project, same, delete_source=True)
        assert everything(project.reader) == before

    def test_one_place_that_nobody_could_tell(self, project: dc.Project, tmp_path: Path, remote: Path) -> None:
        """Two mounts of one disk, or two names of one server: what is written here shows there."""

        class Alias(dc.LocalStore):
            @property
            def location(self) -> dc.Location:
                return dc.Location("local", "/somewhere/else")

        before, head = everything(project.reader), git(remote, "rev-parse", "HEAD")
        alias = Alias(project.store.location.root)
        alias.delete(".metadata/manifest.json")  # else it would be seen as a copy of the project
        with pytest.raises((dc.InvalidInputError, dc.AlreadyExistsError)):
            dc.migrate(project, alias, delete_source=True)
        assert git(remote, "rev-parse", "HEAD") == head
        project.mirror()
        assert everything(project.reader) == before
        with pytest.raises(dc.InvalidInputError, match="are one place"):
            dc.migrate(project, alias, delete_source=True)
        assert everything(project.reader) == before

    def test_a_source_that_is_another_project(
        self, project: dc.Project, place: Place, remote: Path, tmp_path: Path, dm: Frame
    ) -> None:
        dc.migrate(project, place("s3/team"))
        other = dc.Project.init("STUDY_002", place("local/two"), remote=tmp_path / "two.git")
        other.write("dm", dm(2))
        before = everything(other.reader)
        moved = dc.Project.open(place("s3/team"), remote=remote)
        with pytest.raises(dc.InvalidInputError, match=r"holds the project 'STUDY_002'.*, not 'STUDY_001'"):
            dc.migrate(moved, place("s3/team"), source=other.store, delete_source=True)
        assert everything(other.reader) == before

    def test_a_namesake_without_tables(self, project: dc.Project, place: Place, tmp_path: Path) -> None:
        dc.Project.init("STUDY_001", place(ELSEWHERE), remote=tmp_path / "two.git")
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_001'"):
            dc.migrate(project, place(ELSEWHERE))

    def test_another_project(self, project: dc.Project, place: Place, tmp_path: Path) -> None:
        dc.Project.init("STUDY_002", place(ELSEWHERE), remote=tmp_path / "two.git")
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_002'"):
            dc.migrate(project, place(ELSEWHERE))

    def test_another_project_of_the_same_name(
        self, project: dc.Project, place: Place, tmp_path: Path, dm: Frame
    ) -> None:
        twin = dc.Project.init("STUDY_001", place(ELSEWHERE), remote=tmp_path / "two.git")
        twin.write("dm", dm(8))
        with pytest.raises(dc.AlreadyExistsError, match="with other versions of dm"):
            dc.migrate(project, place(ELSEWHERE))

    def test_objects_of_nobody_knows_whom(self, project: dc.Project, place: Place) -> None:
        place(ELSEWHERE).create("dm/x.parquet", b"?")
        with pytest.raises(dc.AlreadyExistsError, match="holds objects, but no datom project"):
            dc.migrate(project, place(ELSEWHERE))

    def test_another_migration_under_way(self, project: dc.Project, place: Place) -> None:
        place(ELSEWHERE).create(".metadata/claim.json", b'{"project": "other"}')
        for dry_run in (True, False):
            with pytest.raises(dc.AlreadyExistsError, match="is being filled by another"):
                dc.migrate(project, place(ELSEWHERE), dry_run=dry_run)

    def test_a_source_that_lacks_data(self, project: dc.Project, place: Place) -> None:
        entries = project.reader.history("dm")
        project.store.delete(f"dm/{entries[-1].data_sha}.parquet")
        with pytest.raises(dc.IntegrityError, match="lacks the data of 2 versions") as caught:
            dc.migrate(project, place(ELSEWHERE))
        lost = sorted(f"dm@{e.version[:8]}" for e in entries if e.data_sha == entries[-1].data_sha)
        assert list(caught.value.versions) == lost

    @pytest.mark.parametrize("end", ["s3/team", "local/b"])
    def test_a_source_whose_bytes_were_changed(
        self, project: dc.Project, place: Place, remote: Path, tmp_path: Path, end: str
    ) -> None:
        key = f"ex/{project.reader.resolve('ex').data_sha}.parquet"
        path = tmp_path / "data" / "datom" / key
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        head = git(remote, "rev-parse", "HEAD")
        with pytest.raises(dc.IntegrityError, match=key):
            dc.migrate(project, place(end))
        assert git(remote, "rev-parse", "HEAD") == head, "nothing was moved"

    def test_a_target_whose_bytes_were_changed(self, project: dc.Project, tmp_path: Path, remote: Path) -> None:
        """What an earlier attempt left behind is not trusted for its size."""
        target = dc.LocalStore(tmp_path / "t")
        mortal(6, target)
        with pytest.raises(Killed):
            dc.migrate(project, target)
        path = next((tmp_path / "t").rglob("*.parquet"))
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        head = git(remote, "rev-parse", "HEAD")
        with pytest.raises(dc.IntegrityError, match=path.name):
            dc.migrate(project, dc.LocalStore(tmp_path / "t"))
        assert git(remote, "rev-parse", "HEAD") == head, "nothing was moved"

    def test_too_little_space(self, project: dc.Project, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dc.LocalStore, "free_bytes", lambda _: 10)
        with pytest.raises(dc.InvalidInputError, match="10 bytes free"):
            dc.migrate(project, place("local/b"))

    def test_a_bad_option(self, project: dc.Project, place: Place) -> None:
        with pytest.raises(dc.InvalidInputError, match="verify is one of hash, size"):
            dc.migrate(project, place("local/b"), verify="maybe")  # type: ignore[arg-type]
        with pytest.raises(dc.InvalidInputError, match="must be an ObjectStore"):
            dc.migrate(project, "s3://bucket")  # type: ignore[arg-type]
