"""The verbs on a bucket and on GitHub: rights told apart, and no secret shown anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import datom_core as dc
from tests.command.conftest import Datom, Ran
from tests.github.server import github_server
from tests.s3.server import S3Server

Keys = Callable[[str, dc.Credentials], list[str]]


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    return s3_server.bucket()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, s3_server: S3Server) -> Keys:
    """Puts credentials into variables, and gives the options that name them."""

    def name(who: str, credentials: dc.Credentials) -> list[str]:
        monkeypatch.setenv(f"{who}_KEY", credentials.access_key)
        monkeypatch.setenv(f"{who}_SECRET", credentials.secret_key.reveal())
        named = ["--access-key-env", f"{who}_KEY", "--secret-key-env", f"{who}_SECRET"]
        return [*named, "--endpoint-url", s3_server.endpoint]

    return name


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_project_in_a_bucket(datom: Datom, here: Path, bucket: str, keys: Keys, s3_server: S3Server) -> None:
    where = f"s3://{bucket}/trials/one"
    owner = keys("OWNER", s3_server.owner)
    assert datom("preflight", where, *owner, "--write").code == 0
    assert datom("init", "STUDY_001", "--storage", where, "--remote", "history.git", *owner).code == 0
    (here / "dm.csv").write_text("USUBJID,AGE\n01-001,41\n")
    assert datom("write", "dm", "dm.csv", "--json").json()["tables"][0]["action"] == "created"
    assert [t["name"] for t in datom("list", "--json").json()["tables"]] == ["dm"]
    checks = {c["what"]: c["result"] for c in datom("preflight", "--json").json()["checks"]}
    assert (checks["can read"], "can write" in checks) == ("yes", False)

    # What the policies print is what a reader then needs, and all that he has.
    store = s3_server.store(bucket, "trials/one")
    printed = json.loads(datom("policy").out)
    assert printed == dc.iam_policy(store, "reader")
    assert json.loads(datom("policy", "--writer", "--below").out) == dc.iam_policy(store, "writer", scope="prefix")
    answer = datom("policy", "--mover", "--json").json()
    assert (answer["role"], answer["policy"]) == ("mover", dc.iam_policy(store, "mover"))
    reader = keys("READER", s3_server.user(printed))
    nobody = keys("NOBODY", s3_server.user())
    assert datom("preflight", where, *reader).code == 0
    denied = datom("preflight", where, *reader, "--write", "--json")
    assert (denied.code, [c["what"] for c in denied.json()["checks"] if c["denied"]]) == (4, ["can write"])
    assert datom("preflight", where, *nobody).code == 4
    (here / "reader").mkdir()
    assert datom("use", where, *reader, "--remote", "history.git", "--file", "reader/datom.toml").code == 0
    (here / "dm.csv").write_text("USUBJID,AGE\n01-001,42\n")
    refused = datom("write", "dm", "dm.csv", "-p", "reader/datom.toml")
    assert (refused.code, "s3:PutObject" in refused.err) == (4, True)
    assert datom("use", where, *nobody, "--file", "nobody.toml").code == 4
    assert not (here / "nobody.toml").exists()

    # To a disk and back.
    assert datom("migrate", "disk").code == 0
    assert datom("list").code == 0
    assert datom("migrate", f"s3://{bucket}/trials/two", *owner).code == 0
    assert [t["name"] for t in datom("list", "--json").json()["tables"]] == ["dm"]


def test_no_secret_shows_whatever_goes_wrong(
    datom: Datom,
    here: Path,
    bucket: str,
    keys: Keys,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    owner = keys("OWNER", s3_server.owner)
    wrong = dc.Credentials(s3_server.owner.access_key, "planted/secret+key/that/nobody/may/see00")
    false = keys("FALSE", wrong)
    where = f"s3://{bucket}/one"
    with github_server(here.parent / "github") as github:
        github.org("acme", {"alice": "admin", "bob": "read"})
        alice, bob = github.user("alice", ["repo", "delete_repo"]), github.user("bob")
        monkeypatch.setenv("ALICE", alice)
        monkeypatch.setenv("BOB", bob)
        monkeypatch.setenv("TWISTED", f"{bob}\nX-Injected: 1")
        study = ["--remote", f"{github.url}/acme/study.git", "--github-api-url", github.api_url]
        (here / "dm.csv").write_text("USUBJID\n01\n")
        ran = [
            datom("init", "S", "--storage", where, *owner, *study, "--token-env", "ALICE", "--create-repo", "-v"),
            datom("write", "dm", "dm.csv", "-v", "--json"),
            datom("use", "-v"),
            datom("use", "--json"),
            datom("preflight", "--write", "-v"),
            datom("policy", "--json"),
            datom("use", where, *false, *study, "--token-env", "ALICE", "--file", "a.toml", "-v"),
            datom("use", where, *owner, *study, "--token-env", "BOB", "--file", "bob.toml", "-v"),
            datom("write", "dm2", "dm.csv", "-p", "bob.toml", "-v"),
            datom("use", where, *owner, *study, "--token-env", "TWISTED", "--file", "a.toml", "-v", "--json"),
            datom("use", where, *owner, *study, "--token-env", "MISSING", "--file", "a.toml", "-v"),
            # Secrets where names belong, as people paste them.
            datom("use", where, *owner, *study, "--token-env", alice, "--file", "a.toml", "-v"),
            datom("use", where, "--access-key-env", "OWNER_KEY", "--secret-key-env", wrong.secret_key.reveal(), "-v"),
            datom(
                "init", "S", "--storage", "x", "--remote", f"https://x:{alice}@h/y", "--file", "a.toml", "-v", "--json"
            ),
            datom("use", f"s3://k:{alice}@b/c", "--file", "a.toml", "-v"),
            datom("decommission", "--confirm", "S", "-v"),
        ]
    codes = [r.code for r in ran]
    assert codes == [0, 0, 0, 0, 0, 0, 4, 0, 4, 2, 2, 2, 2, 2, 2, 0], [(r.code, r.err[-300:]) for r in ran]
    told = {f"run {i}": f"{r.out}{r.err}" for i, r in enumerate(ran)}
    told |= {str(f): f.read_text() for f in here.rglob("*.toml")}
    told["log"] = "\n".join(
        f"{r.getMessage()} {r.exc_text or ''}" for r in caplog.records if r.name.startswith("datom")
    )
    secrets = [alice, bob, s3_server.owner.secret_key.reveal(), wrong.secret_key.reveal()]
    assert [(name, secret[:6]) for name, text in told.items() for secret in secrets if secret in text] == []
    assert sum(".toml" in name for name in told) == 2
    assert not [r for r in ran if "Traceback" in r.err]


def test_a_mistaken_address_ends_at_once(datom: Datom, here: Path) -> None:
    ran: list[Ran] = [datom("preflight", where, "--profile", "p") for where in ("s3://", "http://b", "s3:b")]
    assert [r.code for r in ran] == [2, 2, 2]
