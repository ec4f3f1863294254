"""Remotes, branches, environments and histories as they are found in the wild."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.resilience.faults.by_hand import edit, git

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def two_branches(remote: Path) -> Path:
    """A remote whose HEAD names a branch that nobody ever pushed."""
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=trunk", remote], check=True)
    return remote


class TestBranches:
    def test_the_only_branch_is_the_one_when_head_names_none(
        self, store: dc.LocalStore, two_branches: Path, dm: Frame
    ) -> None:
        dc.Project.init("S", store, remote=two_branches, branch="study").write("dm", dm(2))
        found = dc.Project.open(store, remote=two_branches)
        assert found.status().branch == "study"
        assert found.write("dm", dm(3)).action == "created"

    def test_of_several_branches_one_must_be_named(self, store: dc.LocalStore, two_branches: Path, dm: Frame) -> None:
        dc.Project.init("S", store, remote=two_branches, branch="study").write("dm", dm(2))
        git(two_branches, "branch", "copy", "study")
        with pytest.raises(dc.NotFoundError, match=r"it has copy, study\. Say which one with branch="):
            dc.Project.open(store, remote=two_branches)
        assert dc.Project.open(store, remote=two_branches, branch="study").write("dm", dm(3)).action == "created"

    def test_an_empty_remotes_head_names_the_branch_that_is_pushed(
        self, store: dc.LocalStore, two_branches: Path, dm: Frame
    ) -> None:
        dc.Project.init("S", store, remote=two_branches).write("dm", dm(2))
        assert git(two_branches, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/trunk"]

    @pytest.mark.parametrize(
        "branch", ["", " ", "a b", "a..b", "-x", "refs/heads/main", "HEAD", "@", "x.lock", "a~1", "a:b", "x/", "a\n"]
    )
    def test_names_that_no_branch_can_have(self, store: dc.LocalStore, remote: Path, branch: str) -> None:
        with pytest.raises(dc.InvalidInputError, match="cannot be the name of a branch"):
            dc.Project.init("S", store, remote=remote, branch=branch)
        assert not remote.exists()


class TestRemotes:
    @pytest.mark.parametrize(
        "url",
        [
            "https://planted-secret@example.org/x.git\n",
            "https://example.org/x.git?token=planted-secret",
            "https://example.org/x.git#planted-secret",
            "ssh://git:planted-secret@example.org/x.git",
            "https://user:plan@ted@planted-secret@example.org/x.git",
            "oauth2:planted-secret@example.org:x.git",
            "git@planted-secret@example.org:x.git",
        ],
    )
    def test_credentials_in_any_form_are_refused_and_not_repeated(self, store: dc.LocalStore, url: str) -> None:
        for call in (dc.Project.init, lambda _name, *a, **k: dc.Project.open(*a, **k)):
            with pytest.raises(dc.InvalidInputError) as caught:
                call("S", store, remote=url)
            assert "planted-secret" not in f"{caught.value} {caught.value.details!r} {caught.value!r}"

    def test_a_file_url_with_escapes(self, store: dc.LocalStore, tmp_path: Path, dm: Frame) -> None:
        url = f"file://{tmp_path}/my%20remote.git"
        dc.Project.init("S", store, remote=url).write("dm", dm(2))
        assert (tmp_path / "my remote.git" / "HEAD").exists()
        assert len(dc.Project.open(store, remote=tmp_path / "my remote.git").reader.read("dm")) == 2

    def test_not_a_remote_at_all(self, store: dc.LocalStore) -> None:
        with pytest.raises(dc.InvalidInputError, match="URL or a path, not int"):
            dc.Project.open(store, remote=3)  # type: ignore[arg-type]


def test_a_lock_that_was_left_behind_is_named_and_nothing_is_lost(project: dc.Project, remote: Path, dm: Frame) -> None:
    project.write("dm", dm(2))
    lock = remote / "refs" / "heads" / "main.lock"
    lock.touch()
    with pytest.raises(dc.StorageError, match=r"a lock may have been left behind.*main\.lock"):
        project.write("dm", dm(3))
    assert len(project.reader.read("dm")) == 2
    lock.unlink()
    assert project.write("dm", dm(3)).action == "created"


class TestEnvironments:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("GIT_DIR", "{tmp}/elsewhere/.git"),
            ("GIT_WORK_TREE", "{tmp}/elsewhere"),
            ("GIT_INDEX_FILE", "{tmp}/elsewhere/index"),
            ("GIT_OBJECT_DIRECTORY", "{tmp}/elsewhere/objects"),
            ("GIT_NAMESPACE", "other"),
            ("GIT_LITERAL_PATHSPECS", "1"),
        ],
    )
    def test_what_a_hook_of_another_repository_sets_changes_nothing(
        self, project: dc.Project, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dm: Frame,
        name: str, value: str,
    ) -> None:  # fmt: skip
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
        project.write("dm", dm(2))
        result = project.write("dm", dm(3))
        monkeypatch.delenv(name)
        assert git(remote, "rev-parse", "main").strip() == result.commit_sha
        assert len(project.reader.history("dm")) == 2
        assert project.mirror().written == ()
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_options_for_pushes_of_the_users_own_are_not_sent(
        self, project: dc.Project, tmp_path: Path, dm: Frame
    ) -> None:
        with (tmp_path / "gitconfig").open("a") as config:
            config.write("[push]\n\tgpgSign = true\n\tpushOption = ci.skip\n[commit]\n\tgpgSign = true\n")
        assert project.write("dm", dm(2)).action == "created"

    @pytest.mark.parametrize(
        ("environment", "author"),
        [
            ({}, "Ada admin Lovelace <ada@example.org>"),
            ({"GIT_AUTHOR_NAME": "Run <1>"}, "Run 1 <ada@example.org>"),
            ({"GIT_AUTHOR_NAME": "Run", "GIT_AUTHOR_EMAIL": "run@example.org"}, "Run <run@example.org>"),
            ({"GIT_AUTHOR_NAME": " ", "GIT_AUTHOR_EMAIL": ""}, "Ada admin Lovelace <ada@example.org>"),
        ],
        ids=["configured", "half in the environment", "in the environment", "nothing in the environment"],
    )
    def test_the_author_is_the_one_that_git_would_take_cleaned_as_git_cleans_it(
        self, store: dc.LocalStore, remote: Path, tmp_path: Path, dm: Frame, monkeypatch: pytest.MonkeyPatch,
        environment: dict[str, str], author: str,
    ) -> None:  # fmt: skip
        (tmp_path / "gitconfig").write_text('[user]\n\tname = "Ada <admin> Lovelace"\n\temail = "<ada@example.org>"\n')
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        project = dc.Project.init("S", store, remote=remote)
        assert str(project.write("dm", dm(2)).recording.author) == author
        assert git(remote, "log", "-1", "--format=%an <%ae>").strip() == author


def test_a_history_with_merges_is_told_whole(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path, dm: Frame
) -> None:
    """A colleague merges another line with `-s ours`: what it held is still a commit that somebody may ask for."""
    first = project.write("dm", dm(2))
    folder = tmp_path / "clone"
    edit(remote, folder, lambda path: (path / "NOTES.md").write_text("x"))
    second = project.write("dm", dm(3))

    def run(*args: str) -> None:
        subprocess.run(["git", "-C", folder, *args], check=True, capture_output=True)

    run("fetch", "-q")
    run("checkout", "-q", "-b", "side", "HEAD")
    (folder / "NOTES.md").write_text("y")
    run("commit", "-qam", "on the side")
    run("checkout", "-q", "main")
    run("reset", "-q", "--hard", "origin/main")
    run("merge", "-q", "--no-edit", "-m", "Merge side", "side")
    run("push", "-q", "origin", "main")
    third = project.write("dm", dm(4))
    for info in list(store.list()):
        if "/.metadata/" in info.key:
            store.delete(info.key)
    project.mirror()
    assert [v.version for v in project.reader.history("dm")] == [r.version for r in (third, second, first)]
    assert [v.commit_sha for v in project.reader.history("dm")] == [r.commit_sha for r in (third, second, first)]
    assert project.status().level
