"""No variable of a frame shows a token, whatever fails: error trackers render tracebacks with all variables."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import pandas as pd
import pytest
import requests

import datom_core as dc
from tests.frames import shown_in
from tests.github.conftest import HASTY, Connect
from tests.github.server import GitHubServer
from tests.keyrings import drawer

PLANTED = "ghp_plantedPLANTEDplanted0123456789"

pytestmark = pytest.mark.timeout(60)

FRAME = pd.DataFrame({"x": [1]})


def raised(use: Callable[[], object], kind: type[BaseException] = dc.DatomError) -> BaseException:
    with pytest.raises(kind) as caught:
        use()
    return caught.value


def as_text(token: str) -> Any:
    return token


def as_secret(token: str) -> Any:
    return dc.Secret(token)


def by_function(token: str) -> Any:
    return lambda: token


def by_partial(token: str) -> Any:
    """Whose own repr shows the token."""
    return functools.partial(str, token)


@pytest.mark.parametrize("source", [as_text, as_secret, by_function, by_partial])
class TestGit:
    def test_a_push_that_is_refused(
        self, github: GitHubServer, url: str, store: dc.LocalStore, source: Callable[[str], Any]
    ) -> None:
        token = github.user("alice")
        project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, source(token)))
        github.expire(token)
        error = raised(lambda: project.write("dm", FRAME), dc.AccessDeniedError)
        assert not shown_in(error, [token])

    def test_a_remote_that_is_not_there(
        self, github: GitHubServer, store: dc.LocalStore, source: Callable[[str], Any]
    ) -> None:
        token = github.user("alice")
        remote = dc.Remote(f"{github.url}/acme/nothing.git", source(token))
        assert not shown_in(raised(lambda: dc.Project.open(store, remote=remote)), [token])
        assert not shown_in(raised(lambda: dc.remote_head(remote)), [token])

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, RuntimeError])
    def test_what_nobody_expects_in_the_middle_of_a_command(
        self, github: GitHubServer, url: str, store: dc.LocalStore, source: Callable[[str], Any],
        monkeypatch: pytest.MonkeyPatch, kind: type[BaseException],
    ) -> None:  # fmt: skip
        token = github.user("alice")
        project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, source(token)))
        real = subprocess.Popen.communicate

        def broken(self: Any, *args: Any, **options: Any) -> Any:
            if any("push" in str(part) for part in self.args):
                real(self, *args, **options)
                raise kind("no more")
            return real(self, *args, **options)

        monkeypatch.setattr(subprocess.Popen, "communicate", broken)
        assert not shown_in(raised(lambda: project.write("dm", FRAME), kind), [token])

    def test_a_program_that_cannot_be_started(
        self, github: GitHubServer, url: str, store: dc.LocalStore, source: Callable[[str], Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        token = github.user("alice")
        project = dc.Project.init("STUDY_001", store, remote=dc.Remote(url, source(token)))
        monkeypatch.setattr("git.cmd.Git.GIT_PYTHON_GIT_EXECUTABLE", "/nowhere/git")
        error = raised(lambda: project.write("dm", FRAME))
        assert not shown_in(error, [token])


def answers(github: GitHubServer, connect: Connect) -> dict[str, Callable[[dc.GitHub], object]]:
    return {
        "create": lambda host: host.create("acme/study"),
        "delete": lambda host: host.delete("acme/study"),
        "inspect": lambda host: host.repository("acme/study").inspect(),
        "log in": lambda host: host.login(),
    }


@pytest.mark.parametrize("source", [as_text, by_partial])
@pytest.mark.parametrize("action", ["create", "delete", "inspect", "log in"])
class TestTheApi:
    def test_a_token_that_is_not_accepted(
        self, github: GitHubServer, connect: Connect, action: str, source: Callable[[str], Any]
    ) -> None:
        host = connect(source(PLANTED))
        assert not shown_in(raised(lambda: answers(github, connect)[action](host)), [PLANTED])

    def test_a_server_that_is_not_there(
        self, github: GitHubServer, connect: Connect, action: str, source: Callable[[str], Any]
    ) -> None:
        host = dc.GitHub(source(PLANTED), "http://127.0.0.1:9/api/v3", "acme", **HASTY)
        assert not shown_in(raised(lambda: answers(github, connect)[action](host)), [PLANTED])

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, KeyError, TypeError, RecursionError])
    def test_what_nobody_expects(
        self, github: GitHubServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, action: str,
        source: Callable[[str], Any], kind: type[BaseException],
    ) -> None:  # fmt: skip
        def broken(self: Any, request: Any, **options: Any) -> Any:
            assert PLANTED in request.headers["Authorization"]
            raise kind("no more")

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", broken)
        host = connect(source(PLANTED))
        expected = dc.StorageError if kind is RecursionError else kind
        assert not shown_in(raised(lambda: answers(github, connect)[action](host), expected), [PLANTED])


@pytest.mark.parametrize("body", ["[" * 100_000, '{"login": ' * 50_000, '{"login": ', "9" * 10_000, '{"login": 1e999}'])
def test_an_answer_that_is_none(
    github: GitHubServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    def answer(self: Any, request: Any, **options: Any) -> requests.Response:
        made = requests.Response()
        made.status_code, made._content, made.request, made.url = 200, body.encode(), request, request.url
        made.headers["content-type"] = "application/json"
        return made

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    error = raised(lambda: connect(PLANTED).login(), dc.StorageError)
    assert "is not GitHub's API" in str(error)
    assert not shown_in(error, [PLANTED])


def keep(token: str) -> str:
    keyring.set_password("study", "token", token)
    return token


MISTAKES: dict[str, Callable[[], object]] = {
    "a line's end in it": lambda: dc.Secret(f"{PLANTED}\n"),
    "bytes": lambda: dc.Secret(PLANTED.encode()),  # type: ignore[arg-type]
    "of a remote, with a line's end": lambda: dc.Remote("https://host/a.git", f"{PLANTED}\n"),
    "of a remote, as bytes": lambda: dc.Remote("https://host/a.git", PLANTED.encode()),  # type: ignore[arg-type]
    "of a remote, in a list": lambda: dc.Remote("https://host/a.git", [PLANTED]),  # type: ignore[arg-type]
    "of a remote, in a mapping": lambda: dc.Remote("https://host/a.git", {"token": PLANTED}),  # type: ignore[arg-type]
    "for a remote that takes none": lambda: dc.Remote("/a/path", PLANTED),
    "for a remote that is none": lambda: dc.Remote("ext::sh", PLANTED),
    "in the clear": lambda: dc.Remote("http://host/a.git", PLANTED),
    "of GitHub, with a line's end": lambda: dc.GitHub(f"{PLANTED}\n"),
    "of GitHub, as bytes": lambda: dc.GitHub(PLANTED.encode()),  # type: ignore[arg-type]
    "of GitHub, with another mistake": lambda: dc.GitHub(PLANTED, "ftp://x"),
    "of GitHub, for nobody": lambda: dc.GitHub(PLANTED, org="-"),
    "a function that gives bytes": lambda: dc.remote_head(dc.Remote("https://h.invalid/a", lambda: PLANTED.encode())),  # type: ignore[arg-type, return-value]
    "a function that gives a pair": lambda: dc.remote_head(dc.Remote("https://h.invalid/a", lambda: ("me", PLANTED))),  # type: ignore[arg-type, return-value]
    "a function that gives two lines": lambda: dc.remote_head(dc.Remote("https://h.invalid/a", lambda: f"{PLANTED}\n")),
    "from the keyring, two lines": lambda: (keep(f"{PLANTED}\nx"), dc.KeyringToken("study")()),
    "in a URL": lambda: dc.Remote(f"https://me:{PLANTED}@host/a.git"),
    "as a URL's user": lambda: dc.remote_head(f"https://{PLANTED}@host/a.git"),
    "in a URL's query": lambda: dc.check_remote(f"https://host/a.git?token={PLANTED}"),
    "of a short form": lambda: dc.check_remote(f"me:{PLANTED}@host:a.git"),
    "in the URL of an API": lambda: dc.GitHub(PLANTED, f"https://me:{PLANTED}@host/api/v3"),
    "in the query of an API": lambda: dc.GitHub(PLANTED, f"https://host/api/v3?token={PLANTED}"),
    "of ssh": lambda: dc.check_remote(f"ssh://me:{PLANTED}@host/a.git"),
    "in another kind of URL": lambda: dc.check_remote(f"ftp://me:{PLANTED}@host/a.git"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_with_a_token(name: str) -> None:
    with drawer():
        error = raised(MISTAKES[name], dc.InvalidInputError)
    assert not shown_in(error, [PLANTED])


@pytest.mark.parametrize("remote", [f"https://me:{PLANTED}@host/a.git", f"https://host/a.git?access_token={PLANTED}"])
def test_a_url_with_a_token_wherever_it_is_given(remote: str, store: dc.LocalStore, tmp_path: Path) -> None:
    for use in (
        lambda: dc.Project.init("STUDY_001", store, remote=remote),
        lambda: dc.Project.open(store, remote=remote),
        lambda: dc.Governance.init(store, remote=remote),
        lambda: dc.Governance.open(store, remote=remote),
        lambda: dc.Governance.of(store, remote),
        lambda: dc.GitHub(PLANTED).repository_at(remote),
    ):
        given: Callable[[], object] = use  # type: ignore[assignment]
        assert not shown_in(raised(given, dc.InvalidInputError), [PLANTED])


def test_the_environment_with_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDY_TOKEN", f"{PLANTED}\nx")
    assert not shown_in(raised(dc.EnvironmentToken("STUDY_TOKEN"), dc.InvalidInputError), [PLANTED])


def test_what_is_looked_for_would_be_found() -> None:
    """The test of these tests: a variable, a mapping, an object's inside, and its spelling as a header."""

    namespace: dict[str, Any] = {}
    exec(compile("def ours(held):\n    raise ValueError('no')\n", "/elsewhere/ours.py", "exec"), namespace)
    for held in (PLANTED, {"DATOM_TOKEN": PLANTED}, [PLANTED], functools.partial(str, PLANTED)):
        assert shown_in(raised(lambda held=held: namespace["ours"](held), ValueError), [PLANTED])  # type: ignore[misc]
    assert not shown_in(raised(lambda: namespace["ours"](dc.Secret(PLANTED)), ValueError), [PLANTED])
