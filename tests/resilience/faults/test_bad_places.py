"""Stores and remotes that are not there, are another's or say no: which error, and what is left in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import datom_core as dc
from tests.long import long
from tests.resilience.faults.by_hand import Frame, edit, git


class TestPlaces:
    def test_a_store_that_is_not_there(self, project: dc.Project, tmp_path: Path, remote: Path) -> None:
        nowhere = dc.LocalStore(tmp_path / "nowhere")
        with pytest.raises(dc.NotFoundError, match="is not there"):
            dc.ProjectReader.open(nowhere, "STUDY_001")
        with pytest.raises(dc.NotFoundError, match="is not there"):
            dc.Project.open(nowhere, remote=remote)

    def test_a_path_in_place_of_a_store(self, tmp_path: Path, remote: Path) -> None:
        for call in (
            lambda: dc.ProjectReader.open(str(tmp_path), "S"),  # type: ignore[arg-type]
            lambda: dc.Project.open(str(tmp_path), remote=remote),  # type: ignore[arg-type]
            lambda: dc.Project.init("S", tmp_path, remote=remote),  # type: ignore[arg-type]
        ):
            with pytest.raises(dc.InvalidInputError, match="LocalStore"):
                call()

    def test_a_store_without_a_project(self, tmp_path: Path) -> None:
        with pytest.raises(dc.NotFoundError, match="holds no datom project"):
            dc.ProjectReader.open(dc.LocalStore(tmp_path), "STUDY_001")

    def test_a_store_with_another_project(self, project: dc.Project, store: dc.LocalStore) -> None:
        with pytest.raises(dc.NotFoundError, match="holds the project 'STUDY_001', not 'STUDY_002'"):
            dc.ProjectReader.open(store, "STUDY_002")

    def test_another_store_than_the_recorded_one(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        other = dc.LocalStore(tmp_path / "other")
        (tmp_path / "other").mkdir()
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.Project.open(other, remote=remote)
        assert str(project.store.location) in str(caught.value)
        assert str(other.location) in str(caught.value)
        assert "relocate=True" in str(caught.value)

    @pytest.mark.parametrize("url", ["{tmp}/nowhere.git", "file://{tmp}/nowhere.git"])
    def test_a_remote_that_is_not_there(self, store: dc.LocalStore, tmp_path: Path, url: str) -> None:
        with pytest.raises(dc.NotFoundError, match="no git repository at"):
            dc.Project.open(store, remote=url.format(tmp=tmp_path))

    def test_a_server_that_is_not_there(self, store: dc.LocalStore) -> None:
        with pytest.raises(dc.StorageError, match="Failed to connect"):
            dc.Project.open(store, remote="http://127.0.0.1:9/x.git")

    def test_an_empty_remote(self, store: dc.LocalStore, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--bare", tmp_path / "empty.git"], check=True)
        with pytest.raises(dc.NotFoundError, match="is empty: there is no project yet"):
            dc.Project.open(store, remote=tmp_path / "empty.git")

    @pytest.fixture
    def source_code(self, tmp_path: Path) -> Path:
        remote = tmp_path / "code.git"
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", remote], check=True)
        edit(remote, tmp_path / "code", lambda folder: (folder / "main.py").write_text("print()"))
        return remote

    def test_a_remote_that_holds_something_else(self, store: dc.LocalStore, source_code: Path) -> None:
        head = git(source_code, "rev-parse", "main")
        with pytest.raises(dc.NotFoundError, match=r"holds no datom project.*main\.py"):
            dc.Project.open(store, remote=source_code)
        with pytest.raises(dc.AlreadyExistsError, match="is not empty and holds no datom project"):
            dc.Project.init("S", store, remote=source_code)
        assert git(source_code, "rev-parse", "main") == head
        assert list(store.list()) == []

    def test_a_remote_of_another_project(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_001'"):
            dc.Project.init("STUDY_002", dc.LocalStore(tmp_path / "two"), remote=remote)
        assert not (tmp_path / "two").exists()

    def test_a_folder_that_is_no_repository(self, store: dc.LocalStore, tmp_path: Path) -> None:
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "x.txt").write_text("x")
        with pytest.raises(dc.AlreadyExistsError, match="not a git repository"):
            dc.Project.init("S", store, remote=tmp_path / "files")

    def test_a_namespace_with_other_objects(self, tmp_path: Path) -> None:
        store = dc.LocalStore(tmp_path / "s")
        store.create("dm/x.parquet", b"x")
        with pytest.raises(dc.AlreadyExistsError, match="holds objects but no datom project"):
            dc.Project.init("S", store, remote=tmp_path / "r.git")
        assert not (tmp_path / "r.git").exists()

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("https://user:planted-secret@example.org/x.git", "carries credentials"),
            ("https://planted-secret@example.org/x.git", "carries credentials"),
            ("ext::sh -c planted-secret", "transport helper"),
            ("ftp://example.org/x.git", "not accepted"),
            ("--upload-pack=touch /tmp/x", "not a URL"),
            ("", "needs the URL"),
        ],
    )
    def test_remotes_that_are_never_used(self, store: dc.LocalStore, url: str, message: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=message) as caught:
            dc.Project.init("S", store, remote=url)
        if "ext::" not in url:
            assert "planted-secret" not in str(caught.value)
            assert "planted-secret" not in repr(caught.value.details)

    def test_bad_branch(self, store: dc.LocalStore, tmp_path: Path) -> None:
        with pytest.raises(dc.InvalidInputError, match="branch"):
            dc.Project.init("S", store, remote=tmp_path / "r.git", branch="--force")

    def test_a_work_tree_cannot_be_pushed_to(self, store: dc.LocalStore, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--initial-branch=main", tmp_path / "tree"], check=True)
        with pytest.raises(dc.AccessDeniedError, match="checked out branch"):
            dc.Project.init("S", store, remote=tmp_path / "tree", branch="main")

    def test_a_hook_that_says_no(self, project: dc.Project, remote: Path, dm: Frame) -> None:
        hook = remote / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'protected branch: ask for a review' >&2\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(dc.AccessDeniedError, match="ask for a review"):
            project.write("dm", dm(3))
        hook.unlink()
        assert project.write("dm", dm(3)).action == "created"

    @long  # `test_no_git` has it
    def test_without_a_git_program_reading_works_and_writing_says_what_is_missing(
        self, project: dc.Project, store: dc.LocalStore, remote: Path, dm: Frame
    ) -> None:
        project.write("dm", dm(3))
        script = f"""
import datom_core as dc
store = dc.LocalStore({store.location.root!r})
assert len(dc.ProjectReader.open(store, "STUDY_001").read("dm")) == 3
try:
    dc.Project.open(store, remote={str(remote)!r})
except dc.NotFoundError as error:
    assert "git program" in str(error), error
else:
    raise AssertionError("opened without git")
"""
        import sys

        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT")} | {"PATH": "/nonexistent"}
        subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, env=environment)
