"""A GitHub with two users, an organization and nothing else."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from tests.frames import rendered
from tests.github.server import GitHubServer, github_server
from tests.patience import PATIENCE

#: Tries again at once, and waits for nothing: tests would wait for seconds otherwise.
HASTY: dict[str, Any] = {"retries": 2, "patience": 2, "seconds_between": 0, "timeout": PATIENCE}

#: Scopes for everything.
FULL = ["repo", "delete_repo"]

Connect = Callable[..., dc.GitHub]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    with github_server(tmp_path / "github") as server:
        yield server


@pytest.fixture
def connect(github: GitHubServer) -> Connect:
    """GitHub as the holder of a token sees it."""

    def build(token: dc.TokenSource, **options: Any) -> dc.GitHub:
        return dc.GitHub(token, github.api_url, **{**HASTY, **options})

    return build


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client wanted to wait between its tries; it does not."""
    noted: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", noted.append)
    return noted


@pytest.fixture
def alice(github: GitHubServer, connect: Connect) -> dc.GitHub:
    """GitHub for the user alice, who is an admin of the organization acme."""
    github.org("acme", {"alice": "admin", "bob": "read"})
    return connect(github.user("alice", FULL))


@pytest.fixture
def url(github: GitHubServer) -> str:
    """An empty private repository of an organization, in which bob may only read."""
    github.org("acme", {"alice": "write", "bob": "read"})
    github.add("acme/study")
    return f"{github.url}/acme/study.git"


def posts(server: GitHubServer) -> list[str]:
    """What the API was asked to make."""
    return [str(r) for r in server.requests if r.method == "POST" and "/api/" in r.path]


def told_by(error: BaseException) -> str:
    """Everything that an error shows to whoever prints, logs or pickles it, or renders it with all variables."""
    details = getattr(error, "details", {})
    trace = "".join(traceback.format_exception(error))
    return f"{error} {error!r} {details!r} {pickle.dumps(error)!r} {trace} {rendered(error)}"


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Everything that any logger was given."""
    return "\n".join(f"{record.getMessage()} {record.__dict__!r}" for record in caplog.records)
