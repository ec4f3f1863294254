"""A remote over HTTP: git's own server program behind a small server on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.git_http import PASSWORD, GitServer, bare_repository, served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "served"
    root.mkdir()
    for name, branch in (("study.git", "trunk"), ("other.git", "main")):
        bare_repository(root / name, branch)
    with served(root) as server:
        yield server


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


def test_the_whole_way_over_http(server: GitServer, store: dc.LocalStore, tmp_path: Path) -> None:
    url = server.url("study.git")
    project = dc.Project.init("STUDY_001", store, remote=url)
    assert project.branch == "trunk", "what the empty remote's HEAD names, so that R can clone it"
    first = project.write("dm", frame(2), message="über HTTP")
    other = dc.Project.open(store, remote=url, cache_dir=tmp_path / "another machine")
    other.write("ex", frame(1))
    project.write("dm", frame(3))
    assert {t.name: t.versions for t in project.reader.list()} == {"dm": 2, "ex": 1}
    assert len(project.reader.read("dm", first.version)) == 2
    log = subprocess.run(
        ["git", "-C", server.root / "study.git", "log", "--format=%s"], capture_output=True, text=True
    ).stdout
    assert log.splitlines() == ["Update dm", "Update ex", "über HTTP", "Initialize datom repository"]


def test_a_remote_that_asks_for_a_password(
    server: GitServer, store: dc.LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.mode = "password"
    with pytest.raises(dc.AccessDeniedError, match="Not allowed to read"):
        dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    helper = tmp_path / "askpass"
    helper.write_text(f'#!/bin/sh\ncase "$1" in User*) echo writer ;; *) echo {PASSWORD} ;; esac\n')
    helper.chmod(0o700)
    monkeypatch.setenv("GIT_ASKPASS", str(helper))
    project = dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    project.write("dm", frame(2))
    assert PASSWORD not in repr(project)
    cached = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert cached
    assert not [p for p in cached if PASSWORD.encode() in p.read_bytes()]


def test_a_remote_that_may_only_be_read(server: GitServer, store: dc.LocalStore) -> None:
    project = dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    project.write("dm", frame(2))
    server.mode = "read only"
    with pytest.raises(dc.AccessDeniedError, match="Not allowed to push to"):
        project.write("dm", frame(3))
    assert len(project.reader.read("dm")) == 2
    server.mode = "open"
    assert project.write("dm", frame(3)).action == "created"


def test_a_remote_that_fails_for_a_while(server: GitServer, store: dc.LocalStore) -> None:
    project = dc.Project.init("STUDY_001", store, remote=server.url("study.git"))
    server.mode = "broken"
    with pytest.raises(dc.StorageError, match="503"):
        project.write("dm", frame(2))
    server.mode = "open"
    assert project.write("dm", frame(2)).action == "created"


def test_a_repository_that_the_server_does_not_have(server: GitServer, store: dc.LocalStore) -> None:
    with pytest.raises(dc.NotFoundError, match="no git repository at"):
        dc.Project.open(store, remote=server.url("nowhere.git"))
