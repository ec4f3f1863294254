"""Wherever a secret comes from, a study is written, read, refused and handed to another process without showing it."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pandas as pd
import pytest

import datom_core as dc
from tests.end_to_end.story.witness import Witness
from tests.github.conftest import FULL, HASTY
from tests.github.server import GitHubServer, github_server
from tests.keyrings import drawer
from tests.long import sampled
from tests.s3.server import S3Server


def session_of(server: S3Server, bucket: str) -> dict[str, str]:
    """Keys for a while, with a session token, as the token service gives them."""
    given = server.role(f"sources-{bucket}")()
    assert given.session_token is not None
    return {
        "access_key": given.access_key,
        "secret_key": given.secret_key.reveal(),
        "session_token": given.session_token.reveal(),
    }


def from_the_environment(keys: dict[str, str], token: str, patch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    for name, value in keys.items():
        patch.setenv(f"STUDY_{name.upper()}", value)
    patch.setenv("STUDY_GITHUB", token)
    names = ("STUDY_ACCESS_KEY", "STUDY_SECRET_KEY", "STUDY_SESSION_TOKEN")
    return dc.EnvironmentCredentials(*names), dc.EnvironmentToken("STUDY_GITHUB")


def from_the_keyring(keys: dict[str, str], token: str, patch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    for name, value in {**keys, "token": token}.items():
        keyring.set_password("study", name, value)
    return dc.KeyringCredentials("study"), dc.KeyringToken("study")


def from_functions(keys: dict[str, str], token: str, patch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    return (lambda: keys), (lambda: token)


def given_outright(keys: dict[str, str], token: str, patch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    return dc.Credentials(**keys), token


SOURCES = [from_the_environment, from_the_keyring, from_functions, given_outright]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    with github_server(tmp_path / "github") as server:
        server.org("acme", {"kim": "admin"})
        yield server


@pytest.mark.parametrize("source", sampled(SOURCES, 2), ids=lambda f: f.__name__)
def test_no_source_of_a_secret_lets_it_show(
    source: Callable[..., tuple[Any, Any]],
    s3_server: S3Server,
    github: GitHubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("HOME", "TMPDIR"):
        (tmp_path / name.lower()).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).disabled = False  # which Dagster's database migrations switch on
    caplog.set_level(logging.DEBUG)
    bucket, token = s3_server.bucket(), github.user("kim", FULL)
    keys = session_of(s3_server, bucket)
    caplog.clear()  # the server's owner made those keys, which is not what is looked at
    secrets = {name: value for name, value in {**keys, "token": token}.items() if name != "access_key"}
    witness = Witness(secrets, tmp_path, s3_server, [bucket])
    with drawer(), witness.watching():
        credentials, who = source(keys, token, monkeypatch)
        a_study_is_written_and_read(witness, s3_server, github, bucket, credentials, who)
    assert len(caplog.records) > 100, "the logs were listened to"
    assert any(b"\0push\0" in command for command in witness.commands), "processes were watched"
    out, err = capfd.readouterr()
    assert witness.shown(caplog, out + err) == []


def a_study_is_written_and_read(
    witness: Witness, server: S3Server, github: GitHubServer, bucket: str, credentials: Any, token: Any
) -> None:
    host = witness.sees(dc.GitHub(token, github.api_url, "acme", **HASTY))
    store = witness.sees(server.store(bucket, "study", credentials=credentials))
    project = witness.sees(dc.Project.init("STUDY_001", store, remote=host.repository("study"), create_repo=True))
    for age in (40, 41):
        witness.sees(project.write("dm", pd.DataFrame({"USUBJID": ["01-001"], "AGE": [age]}), message="Extract"))
    reader = witness.sees(dc.ProjectReader.open(store, "STUDY_001"))
    assert [v.message for v in witness.sees(reader.history("dm"))] == ["Extract", "Extract"]
    assert reader.read("dm")["AGE"].tolist() == [41]
    assert witness.sees(project.validate("full")).ok
    refused(witness, lambda: dc.Project.open(store, remote=host.repository("elsewhere")))
    refused(witness, lambda: server.store("no-such-bucket", credentials=credentials).create("x", b"x"))
    refused(witness, lambda: project.write("dm", "no frame"))
    for thing in (store, reader, project, host):
        # What cannot be pickled without a secret is not pickled at all.
        try:
            witness.sees(pickle.dumps(thing))
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            witness.hears(error)


def refused(witness: Witness, attempt: Callable[[], object]) -> None:
    with pytest.raises(dc.DatomError) as error:
        attempt()
    witness.hears(error.value)
