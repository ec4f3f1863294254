"""Repositories on GitHub: made, found, deleted, and every way in which it says no."""

from __future__ import annotations

import logging
import pickle
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

import datom_core as dc
from tests.github.conftest import FULL, HASTY, Connect, logged, posts, told_by
from tests.github.server import GitHubServer


class TestRepositories:
    def test_whose_token_it_is(self, alice: dc.GitHub) -> None:
        assert alice.login() == "alice"

    @pytest.mark.parametrize("org", ["acme", None])
    def test_made_and_deleted(self, github: GitHubServer, connect: Connect, alice: dc.GitHub, org: str | None) -> None:
        host = connect(alice.token, org=org)
        made = host.create("study", description="a study")
        name = f"{org or 'alice'}/study"
        assert made.url == f"{github.url}/{name}.git"
        assert made.full_name == name
        assert (github.repositories[name].private, github.repositories[name].description) == (True, "a study")
        assert made.inspect() == dc.RepositoryInfo(name, f"{github.url}/{name}", True, "main", True)
        assert host.delete("study") is True
        assert github.repositories == {}
        assert host.delete("study") is False, "already gone"
        assert made.inspect() is None

    def test_public_when_asked_for(self, github: GitHubServer, alice: dc.GitHub) -> None:
        alice.create("study", private=False)
        assert github.repositories["alice/study"].private is False

    def test_one_is_named_without_a_request(self, github: GitHubServer, alice: dc.GitHub) -> None:
        repository = alice.repository("acme/study")
        assert isinstance(repository, dc.Remote)
        assert repository.url == f"{github.url}/acme/study.git"
        assert github.requests == []
        with pytest.raises(dc.InvalidInputError, match=r"Whose repository.*owner/study"):
            alice.repository("study")

    def test_an_empty_one_is_used(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.add("acme/Study")
        assert alice.create("acme/study").full_name == "acme/Study"
        assert posts(github) == []

    def test_who_may_not_create_uses_what_an_admin_made(self, github: GitHubServer, connect: Connect) -> None:
        github.org("acme", {"carol": "write"})
        github.add("acme/study")
        token = github.user("carol", permissions={"contents": "write"})
        assert connect(token).create("acme/study").full_name == "acme/study"

    def test_one_with_commits_is_not(self, github: GitHubServer, alice: dc.GitHub, store: dc.LocalStore) -> None:
        dc.Project.init("S", store, remote=alice.create("study"))
        with pytest.raises(dc.AlreadyExistsError, match=r"alice/study\.git is there already, and not empty") as caught:
            alice.create("study")
        assert caught.value.remote == f"{github.url}/alice/study.git"

    def test_nor_a_public_one_for_a_private_one(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.add("alice/study", private=False)
        with pytest.raises(dc.AlreadyExistsError, match="is there and public"):
            alice.create("study")
        assert alice.create("study", private=False).full_name == "alice/study"

    def test_a_name_that_is_taken_by_what_nobody_here_may_see(self, github: GitHubServer, connect: Connect) -> None:
        github.org("acme", {"dave": "admin"})
        github.add("acme/study").members.clear()
        with pytest.raises(dc.AlreadyExistsError, match="taken by a repository that the token may not see"):
            connect(github.user("dave")).create("acme/study")

    def test_one_that_was_renamed_is_another_one(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.add("alice/old")
        github.rename("alice/old", "alice/new")
        assert alice.repository("alice/old").inspect() is None
        assert alice.delete("old") is False
        assert list(github.repositories) == ["alice/new"], "deleting by the old name would have deleted it"
        assert alice.create("old").full_name == "alice/old"
        assert sorted(github.repositories) == ["alice/new", "alice/old"]

    def test_the_token_does_not_follow_to_another_host(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.clone_base = "https://evil.example.org"
        with pytest.raises(dc.AccessDeniedError, match=r"at https://evil\.example\.org.*not sent there"):
            alice.create("study")

    def test_it_is_pickled_with_the_source_of_the_token(self, github: GitHubServer, monkeypatch: Any) -> None:
        monkeypatch.setenv("STUDY_TOKEN", github.user("alice"))
        host = dc.GitHub(dc.EnvironmentToken("STUDY_TOKEN"), github.api_url, **HASTY)
        repository = pickle.loads(pickle.dumps(host.repository("alice/study")))
        assert repository.host.login() == "alice"
        assert repository.create().url == f"{github.url}/alice/study.git"


class TestRefusals:
    def test_a_token_that_is_not_accepted(self, github: GitHubServer, connect: Connect) -> None:
        token = github.user("alice")
        github.expire(token)
        for call in (connect(token).login, lambda: connect("unknown-token").create("alice/x")):
            with pytest.raises(dc.AccessDeniedError, match=r"wrong, revoked or expired.*Bad credentials"):
                call()

    @pytest.mark.parametrize(
        ("scopes", "permissions", "owner", "told"),
        [
            (["gist"], None, "alice", r"scopes gist; public_repo, repo is accepted, and `repo`.*404 Not Found"),
            ([], None, "alice", r"scopes none; .*`repo`"),
            (["read:org"], None, "acme", r"`repo` is what datom needs.*admin access to the organization"),
            ([], {"contents": "write"}, "alice", r'"Administration: read and write".*Resource not accessible'),
            ([], {"contents": "write"}, "acme", r'"Administration: read and write".*must have admitted the token'),
            (["repo"], None, "nobody-at-all", r"Not allowed to create nobody-at-all/study"),
        ],
    )  # fmt: skip
    def test_what_a_token_lacks_to_create(
        self, github: GitHubServer, connect: Connect, scopes: list[str], permissions: Any, owner: str, told: str
    ) -> None:
        github.org("acme", {"alice": "admin"})
        token = github.user("alice", scopes, permissions=permissions)
        with pytest.raises(dc.AccessDeniedError, match=told) as caught:
            connect(token).create(f"{owner}/study")
        assert (caught.value.action, caught.value.resource) == ("create", f"{owner}/study")

    @pytest.mark.parametrize(
        ("scopes", "permissions", "told"),
        [
            (["repo"], None, r"scopes repo; delete_repo is accepted.*Must have admin rights"),
            ([], {"contents": "write", "administration": "read"}, r'"Administration: read and write"'),
        ],
    )
    def test_what_a_token_lacks_to_delete(
        self, github: GitHubServer, connect: Connect, scopes: list[str], permissions: Any, told: str
    ) -> None:
        github.add("alice/study")
        with pytest.raises(dc.AccessDeniedError, match=told):
            connect(github.user("alice", scopes, permissions=permissions)).delete("alice/study")
        assert "alice/study" in github.repositories

    def test_not_found_though_it_is_there_is_not_gone(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.add("alice/study")
        github.fail(404, "DELETE ", message="Not Found")
        with pytest.raises(dc.AccessDeniedError, match="Not allowed to delete alice/study"):
            alice.delete("study")

    def test_what_github_calls_invalid(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.fail(422, "POST ", message="Visibility can't be private.")
        with pytest.raises(dc.InvalidInputError, match="Visibility can't be private"):
            alice.create("study")


class TestTrouble:
    def test_a_server_that_fails_for_a_moment(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.fail(502, "/user", times=2)
        assert alice.login() == "alice"

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_server_that_keeps_failing(self, github: GitHubServer, alice: dc.GitHub, status: int) -> None:
        github.fail(status, times=9)
        with pytest.raises(dc.StorageError, match=f"could not log in to .*{status}.*Try again"):
            alice.login()
        assert len(github.requests) == 1 + HASTY["retries"]

    def test_a_limit_that_ends_soon_is_waited_for(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.limit(1, "/user")
        github.slow_down(1, "/user")
        assert alice.login() == "alice"
        assert len(github.requests) == 3

    def test_the_secondary_limit_without_a_time(
        self, github: GitHubServer, connect: Connect, alice: dc.GitHub, pauses: list[float]
    ) -> None:
        github.slow_down(None, "/user", times=9)
        with pytest.raises(dc.StorageError, match="403"):
            connect(alice.token, patience=0.3).login()
        assert pauses == [0.3] * HASTY["retries"]

    @pytest.mark.parametrize("limit", ["limit", "slow_down"])
    def test_a_limit_that_ends_later_is_told(
        self, github: GitHubServer, alice: dc.GitHub, limit: str, pauses: list[float]
    ) -> None:
        getattr(github, limit)(1800)
        with pytest.raises(dc.StorageError, match=r"limit of requests is reached until 20\d\d-.* UTC") as caught:
            alice.create("study")
        assert pauses == [], "it is not waited for"
        wait = datetime.fromisoformat(caught.value.retry_at) - datetime.now(UTC)
        assert 1700 < wait.total_seconds() <= 1801

    def test_too_many_requests_by_status(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.fail(429, times=9)
        with pytest.raises(dc.StorageError, match="limit of requests"):
            alice.login()

    def test_an_answer_that_is_lost_after_the_repository_was_made(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.drop("POST ")
        assert alice.create("study").full_name == "alice/study"
        assert list(github.repositories) == ["alice/study"]
        assert len(posts(github)) == 2

    def test_connections_that_are_dropped(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.drop(times=9)
        with pytest.raises(dc.StorageError, match="Try again"):
            alice.login()

    def test_an_answer_that_takes_too_long(self, github: GitHubServer, connect: Connect, alice: dc.GitHub) -> None:
        github.hold(threading.Event(), times=9)
        with pytest.raises(dc.StorageError, match=r"timed out|Try again"):
            connect(alice.token, timeout=1, retries=0).login()

    def test_nobody_listens(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}/api/v3"
        with pytest.raises(dc.StorageError, match=r"refused.*Try again"):
            dc.GitHub("planted-token", url, **HASTY).login()

    def test_what_answers_is_no_api(self, github: GitHubServer, alice: dc.GitHub) -> None:
        github.fail(200, "/user", message="Welcome to the hotel's network")
        with pytest.raises(dc.StorageError, match=r"is not GitHub's API\. Check api_url"):
            alice.login()
        github.fail(200, "/repos/", message="Welcome to the hotel's network")
        with pytest.raises(dc.StorageError, match=r"is not GitHub's API\. Check api_url"):
            alice.create("alice/study")


class TestAddresses:
    @pytest.mark.parametrize(
        ("api_url", "url"),
        [
            (None, "https://github.com/o/r.git"),
            ("https://api.github.com/", "https://github.com/o/r.git"),
            ("https://ghe.example.org/api/v3", "https://ghe.example.org/o/r.git"),
            ("https://ghe.example.org:8443/api/v3/", "https://ghe.example.org:8443/o/r.git"),
            ("https://api.acme.ghe.com", "https://acme.ghe.com/o/r.git"),
            ("http://localhost:3000/api/v3", "http://localhost:3000/o/r.git"),
        ],
    )
    def test_where_the_repositories_of_an_api_are(self, api_url: str | None, url: str) -> None:
        assert dc.GitHub("planted-token", api_url).repository("o/r").url == url

    @pytest.mark.parametrize(
        ("api_url", "why"),
        [
            ("http://ghe.example.org/api/v3", "in the clear"),
            ("https://ghe.example.org", "https://ghe.example.org/api/v3"),
            ("https://github.com", "leave api_url out"),
            ("https://x:planted-token@ghe.example.org/api/v3", "more than host and path"),
            ("https://ghe.example.org/api/v3?token=planted-token", "more than host and path"),
            ("ftp://ghe.example.org/api/v3", "not an https URL"),
            ("ghe.example.org", "not an https URL"),
            ("https://ghe.example.org:x/", "not a URL"),
            (3, "not a URL"),
        ],
    )
    def test_what_is_no_api(self, api_url: Any, why: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=why) as caught:
            dc.GitHub("another-token", api_url)
        assert "planted-token" not in f"{caught.value} {caught.value.details!r}"

    @pytest.mark.parametrize("name", ["a b", "x.git", "..", "", "a/b/c", "-/x", "o/", "ü", "x" * 101, 3])
    def test_names_that_no_repository_has(self, name: Any) -> None:
        with pytest.raises(dc.InvalidInputError):
            dc.GitHub("planted-token", org="acme").repository(name)

    def test_a_repositorys_name_for_a_projects(self) -> None:
        named = {p: dc.GitHub.repository_name(p) for p in ("STUDY 001 (a)", "STUDY_001", "A-(b) (c)")}
        assert named == {"STUDY 001 (a)": "STUDY-001-a", "STUDY_001": "STUDY_001", "A-(b) (c)": "A--b-c"}


def test_the_token_is_nowhere(
    github: GitHubServer, connect: Connect, caplog: pytest.LogCaptureFixture, store: dc.LocalStore
) -> None:
    caplog.set_level(logging.DEBUG)
    token = github.user("alice", FULL)
    host = connect(lambda: token)
    remote = host.repository("alice/study")
    dc.Project.init("S", store, remote=remote, create_repo=True)
    errors = []
    for trouble in (
        lambda: github.fail(500, times=9, message=f"no {token}"),
        lambda: github.fail(400, message=f"no {token}"),
        lambda: github.limit(999),
        lambda: github.drop(times=9),
        lambda: github.expire(token),
    ):
        trouble()
        with pytest.raises(dc.DatomError) as caught:
            host.login()
        github._faults.clear()
        errors.append(caught.value)
    shown = f"{host!r} {remote!r} {host.token!r}" + "".join(
        f"{e} {e!r} {e.details!r} {pickle.dumps(e)!r}" for e in errors
    )
    assert token not in shown
    assert token not in "".join(told_by(e) for e in errors)
    assert "/api/v3/user" in logged(caplog), "PyGithub does log its requests"
    assert token not in logged(caplog)


def test_importing_datom_needs_nothing_of_its_optional_parts() -> None:
    parts = {"boto3", "git", "github", "keyring", "pandas", "polars", "pyreadstat", "requests"}
    code = f"import sys, datom_core; print(sorted({parts} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
