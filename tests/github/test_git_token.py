"""git logs in with a token that is nowhere to be seen and goes to no other host."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from tests.github.conftest import logged, told_by
from tests.github.server import GitHubServer, github_server

Frame = Callable[[int], pd.DataFrame]


def files_below(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_whole_way(github: GitHubServer, url: str, store: dc.LocalStore, tmp_path: Path, dm: Frame) -> None:
    remote = dc.Remote(url, token=github.user("alice"))
    project = dc.Project.init("STUDY_001", store, remote=remote)
    project.write("dm", dm(2))
    other = dc.Project.open(store, remote=remote, cache_dir=tmp_path / "another machine")
    other.write("ex", dm(1))
    project.write("dm", dm(3))
    assert {t.name: t.versions for t in project.reader.list()} == {"dm": 2, "ex": 1}
    assert project.remote == url, "the text, as before"
    log = github.git("acme/study", "log", "--format=%s")
    assert log.split("\n")[:4] == ["Update dm", "Update ex", "Update dm", "Initialize datom repository"]
    assert {(r.scheme, r.token) for r in github.requests if r.status == 200} == {("Basic", "alice#1")}


def test_every_command_that_talks_to_the_remote_gets_it_and_no_other(
    github: GitHubServer, url: str, store: dc.LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dm: Frame
) -> None:
    real, log = shutil.which("git"), tmp_path / "commands"
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "${{DATOM_GIT_TOKEN:+with}} $*" >> {log}\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    remote = dc.Remote(url, token=github.user("alice"))
    dc.Project.init("STUDY_001", store, remote=remote).write("dm", dm(2))
    dc.Project.open(store, remote=remote, cache_dir=tmp_path / "other").write("dm", dm(3))
    lines = log.read_text().splitlines()
    talking = [line for line in lines if url in line.split()]
    assert talking
    assert all(line.startswith("with ") and "credential.helper=" in line for line in talking)
    assert {c for c in ("ls-remote", "clone", "fetch", "push") if any(f" {c} " in line for line in talking)} == {
        "ls-remote", "clone", "fetch", "push"
    }  # fmt: skip
    local = [line for line in lines if line not in talking]
    assert any("fast-import" in line for line in local)
    assert not [line for line in local if line.startswith("with ") or "credential" in line]


def test_it_stays_nowhere(
    github: GitHubServer, url: str, store: dc.LocalStore, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, dm: Frame,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("git.cmd.Git.GIT_PYTHON_TRACE", "full")
    token = github.user("alice")
    remote = dc.Remote(url, token=token)
    project = dc.Project.init("STUDY_001", store, remote=remote)
    project.write("dm", dm(2))
    dc.Project.open(store, remote=remote, cache_dir=tmp_path / "other cache").write("ex", dm(2))
    assert "push" in logged(caplog)
    assert token not in logged(caplog)
    assert token not in f"{remote!r} {remote} {project!r}"
    assert (tmp_path / "cache").exists()
    assert token.encode() not in files_below(tmp_path)
    config = subprocess.run(["git", "config", "--list"], capture_output=True, text=True).stdout
    assert token not in config
    assert "credential" not in config


def test_it_is_in_no_processs_arguments(github: GitHubServer, url: str, store: dc.LocalStore, dm: Frame) -> None:
    token = github.user("alice")
    project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=token))
    seen: set[bytes] = set()
    done, watched = threading.Event(), threading.Event()

    def pushes() -> bool:
        return any(b"push" in line and url.encode() in line for line in seen)

    def watch() -> None:
        while not done.is_set():
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(process.read_bytes())
            if pushes() and any(b"remote-http" in line for line in seen):
                watched.set()
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    github.hold(watched, "receive-pack", times=2)
    project.write("dm", dm(2))
    done.set()
    watcher.join()
    assert pushes(), "the push was watched"
    assert any(b"remote-http" in line for line in seen)
    assert not [line for line in seen if token.encode() in line]


@pytest.mark.parametrize("redact", ["0", "1", None])
def test_traces_do_not_show_it(
    github: GitHubServer, url: str, store: dc.LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    redact: str | None, dm: Frame,
) -> None:  # fmt: skip
    token = github.user("alice")
    traces = tmp_path / "traces"
    traces.mkdir()
    for name in ("GIT_TRACE", "GIT_TRACE_CURL", "GIT_TRACE_PACKET", "GIT_TRACE_SETUP", "GIT_TRACE2_EVENT"):
        monkeypatch.setenv(name, str(traces / name))
    monkeypatch.setenv("GIT_CURL_VERBOSE", "1")
    monkeypatch.setenv("GIT_TRACE2_ENV_VARS", "DATOM_GIT_TOKEN,PATH")
    if redact is not None:
        monkeypatch.setenv("GIT_TRACE_REDACT", redact)
    project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=token))
    project.write("dm", dm(2))
    github.expire(token)
    with pytest.raises(dc.AccessDeniedError) as caught:
        project.write("dm", dm(3))
    written = files_below(traces)
    assert b"credential" in written, "git did trace"
    basic = b"Z2l0Omdoc"  # "git:gh" in base64
    assert token.encode() not in written
    assert basic not in written
    assert token not in told_by(caught.value)
    assert basic.decode() not in told_by(caught.value)


def test_a_redirect_to_another_host_does_not_carry_it(
    github: GitHubServer, url: str, store: dc.LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, program = tmp_path / "asked", tmp_path / "askpass"
    program.write_text(f"#!/bin/sh\necho something | tee -a {asked}\n")
    program.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(program))
    remote = dc.Remote(url, token=github.user("alice"))
    with github_server(tmp_path / "elsewhere") as elsewhere:
        elsewhere.add("acme/study")
        for host in ("127.0.0.1", "localhost"):
            github.repositories["acme/study"].moved_to = f"http://{host}:{elsewhere.server_port}/acme/study.git"
            with pytest.raises(dc.AccessDeniedError):
                dc.Project.init("STUDY_001", store, remote=remote)
        assert elsewhere.requests, "git did follow"
        assert {r.token for r in elsewhere.requests} == {None}
    assert not asked.exists(), "nor is the user asked for a password there"


def test_helpers_and_prompts_of_the_users_are_left_out(
    github: GitHubServer, url: str, store: dc.LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dm: Frame
) -> None:
    """Such a helper would store the token, and be asked for another one."""
    log, helper = tmp_path / "asked", tmp_path / "helper"
    helper.write_text(f'#!/bin/sh\necho "$0 $*" >> {log}\ncat >> {log}\necho username=x\necho password=wrong\n')
    helper.chmod(0o755)
    with (tmp_path / "gitconfig").open("a") as config:
        config.write(f'[credential]\n\thelper = {helper}\n[credential "{github.url}"]\n\thelper = {helper} host\n')
        config.write(f"[core]\n\taskPass = {helper}\n")
    monkeypatch.setenv("GIT_ASKPASS", str(helper))
    monkeypatch.setenv("SSH_ASKPASS", str(helper))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "credential.helper")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(helper))
    token = github.user("alice")
    project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=token))
    project.write("dm", dm(2))
    github.expire(token)
    with pytest.raises(dc.AccessDeniedError):
        project.write("dm", dm(3))
    assert not log.exists()


def test_a_function_is_asked_for_each_command(github: GitHubServer, url: str, store: dc.LocalStore, dm: Frame) -> None:
    """So that a token which lives for an hour is enough for a run of a day."""
    given: list[str] = []

    def fresh() -> str:
        for token in given:
            github.expire(token)
        given.append(github.user("alice"))
        return given[-1]

    project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=fresh))
    project.write("dm", dm(2))
    assert len(given) > 4
    assert github.git("acme/study", "rev-list", "--count", "main").strip() == "2"


class TestRefusals:
    def test_an_expired_token(self, github: GitHubServer, url: str, store: dc.LocalStore) -> None:
        token = github.user("alice")
        github.expire(token)
        with pytest.raises(
            dc.AccessDeniedError, match=r"127\.0\.0\.1 does not accept.*wrong, revoked or expired.*`repo`"
        ):
            dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=token))

    def test_a_user_who_may_only_read(self, github: GitHubServer, url: str, store: dc.LocalStore, dm: Frame) -> None:
        dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=github.user("alice"))).write("dm", dm(2))
        reading = dc.Project.open(store, remote=dc.Remote(url, token=github.user("bob")))
        with pytest.raises(dc.AccessDeniedError, match=r"push to .*scope `repo`.*Contents: read and write") as caught:
            reading.write("dm", dm(3))
        assert "denied to bob" in str(caught.value)
        assert len(reading.reader.read("dm")) == 2

    def test_a_fine_grained_token_that_may_only_read(
        self, github: GitHubServer, url: str, store: dc.LocalStore
    ) -> None:
        token = github.user("alice", permissions={"contents": "read"})
        with pytest.raises(
            dc.AccessDeniedError, match=r"Contents: read and write.*Write access to repository not gran"
        ):
            dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=token))

    @pytest.mark.parametrize("scopes", [["repo"], ["public_repo"], []])
    def test_a_repository_that_the_token_may_not_see(
        self, github: GitHubServer, url: str, store: dc.LocalStore, scopes: list[str]
    ) -> None:
        token = github.user("mallory", scopes)
        with pytest.raises(dc.NotFoundError, match="hides a private repository from a token without access"):
            dc.Project.open(store, remote=dc.Remote(url, token=token))

    def test_a_protected_branch(self, github: GitHubServer, url: str, store: dc.LocalStore, dm: Frame) -> None:
        project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=github.user("alice")))
        github.protect("acme/study")
        with pytest.raises(dc.AccessDeniedError, match=r"A rule of the host protects the branch.*GH006") as caught:
            project.write("dm", dm(2))
        assert "scope" not in str(caught.value), "the token is not the trouble"

    def test_no_token(self, url: str, store: dc.LocalStore) -> None:
        with pytest.raises(dc.AccessDeniedError, match="Not allowed to read"):
            dc.Project.open(store, remote=url)

    def test_a_host_that_repeats_the_token(
        self, github: GitHubServer, url: str, store: dc.LocalStore, caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch, dm: Frame,
    ) -> None:  # fmt: skip
        """It is kept by nobody but the function, so that only the command itself knows it as a secret."""
        caplog.set_level(logging.DEBUG)
        monkeypatch.setattr("git.cmd.Git.GIT_PYTHON_TRACE", "full")
        token = github.user("alice")
        project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, token=lambda: token))
        hook = github.repositories["acme/study"].folder / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho no {token} here\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(dc.AccessDeniedError, match=r"no \*\*\*\* here") as caught:
            project.write("dm", dm(2))
        assert token not in told_by(caught.value)
        assert "here" in logged(caplog)
        assert token not in logged(caplog)
