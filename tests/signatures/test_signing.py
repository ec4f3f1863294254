"""Commits are signed by git's own means, with a key that is named, and nobody is ever asked for anything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.frames import rendered
from tests.signatures.conftest import ADA, PASSPHRASE, Keys, frame, git


def good(remote: Path, keys: Keys, tmp_path: Path) -> list[str]:
    """What git itself says of each commit, given Ada's key alone; newest first."""
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ada@example.org {keys.public('ada')}\n")
    return git(remote, "-c", f"gpg.ssh.allowedSignersFile={allowed}", "log", "--format=%G?").split()


def test_every_commit_of_a_project_is_signed(
    store: dc.LocalStore, remote: Path, clock: Clock, keys: Keys, tmp_path: Path
) -> None:
    project = dc.Project.init("S", store, remote=remote, clock=clock, author=ADA, signing=keys.ada)
    project.write("dm", frame(3), message="Erster\n\nmit Zeilen  \n", trailers={"Dagster-Run": "1"})
    project.record_cut("2026-01", ["dm"])
    project.mark_reviewed("2026-01")
    moved = dc.migrate(project, dc.LocalStore(tmp_path / "new"))
    assert moved.commit_sha is not None
    assert good(remote, keys, tmp_path) == ["G"] * 5
    raw = git(remote, "log", "-1", "--skip=3", "--format=%an <%ae>|%cn|%at|%B")
    assert raw.startswith("Ada Lovelace <ada@example.org>|Test Author|1767225"), "as without a signature"
    assert "Erster\n\nmit Zeilen  \n\n\nDagster-Run: 1\n" in raw
    config = git(remote, "config", "--list")
    clones = [p.read_text() for p in Path(os.environ["XDG_CACHE_HOME"]).rglob("config")]
    assert clones, "there is a clone"
    assert all(str(keys.ada) not in text for text in (config, *clones)), "no key in any configuration"


def test_no_command_has_the_key_among_its_arguments(
    store: dc.LocalStore, remote: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    import git as gitpython

    ran, execute = [], gitpython.Git.execute

    def noted(self: object, command: list[str], *args: object, **kwargs: object) -> object:
        ran.append(command)
        return execute(self, command, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(gitpython.Git, "execute", noted)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.email")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "other@example.org")
    dc.Project.init("S", store, remote=remote, signing=keys.ada)
    assert any("commit-tree" in command for command in ran)
    assert not [c for c in ran if any(str(keys.ada) in word for word in c)]


def test_a_public_key_is_signed_with_by_its_agent(
    store: dc.LocalStore, remote: Path, keys: Keys, tmp_path: Path, agent: None
) -> None:
    with pytest.raises(dc.AccessDeniedError, match=r"The agent does not hold .* ssh-add"):
        dc.Project.init("S", store, remote=remote, signing=dc.SigningKey(f"key::{keys.public('ada')}"))
    assert not remote.exists()
    subprocess.run(["ssh-add", "-q", keys.ada], check=True)
    alone = tmp_path / "alone.pub"
    alone.write_text(keys.public("ada"))
    project = dc.Project.init("S", store, remote=remote, signing=alone)
    dc.Project.open(store, remote=remote, signing=dc.SigningKey(f"key::{keys.public('ada')}")).write("dm", frame(1))
    assert good(remote, keys, tmp_path) == ["G", "G"]
    assert project.name == "S"


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    socket = tmp_path_factory.mktemp("a") / "s"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert process.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    ("key", "error", "said"),
    [
        ("locked", dc.AccessDeniedError, "has a passphrase, and nobody is asked for it here. Load it into the agent"),
        ("missing", dc.NotFoundError, "There is no key at"),
        ("away", dc.AccessDeniedError, "is with an agent, and none is there"),
        ("no key", dc.AccessDeniedError, "does not sign with"),
        ("no program", dc.NotFoundError, "Signing needs the program ssh-keygen"),
    ],
)
def test_a_key_that_does_not_sign_is_refused_before_any_effect(
    store: dc.LocalStore,
    remote: Path,
    keys: Keys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    error: type[dc.DatomError],
    said: str,
) -> None:
    given: dict[str, object] = {
        "locked": keys.locked,
        "missing": tmp_path / "missing",
        "away": f"key::{keys.public('grace')}",
        "no key": tmp_path / "no key",
        "no program": keys.ada,
    }
    (tmp_path / "no key").write_text("nothing of the kind")
    if key == "no program":
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(error, match=said) as caught:
        dc.Project.init("S", store, remote=remote, signing=given[key])  # type: ignore[arg-type]
    assert not remote.exists()
    assert not list(store.list())
    assert PASSPHRASE not in rendered(caught.value)


def test_a_key_that_is_locked_later_stops_the_write_and_a_retry_completes_it(
    store: dc.LocalStore, remote: Path, clock: Clock, keys: Keys, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_bytes(keys.ada.read_bytes())
    key.chmod(0o600)
    project = dc.Project.init("S", store, remote=remote, clock=clock, signing=key)
    key.unlink()
    with pytest.raises(dc.NotFoundError, match="There is no key at"):
        project.write("dm", frame(2))
    assert len(git(remote, "log", "--format=%h").split()) == 1
    key.write_bytes(keys.ada.read_bytes())
    key.chmod(0o600)
    assert project.write("dm", frame(2)).action == "created"
    assert good(remote, keys, tmp_path) == ["G", "G"]


def test_a_private_key_in_the_place_of_its_path_is_refused_and_not_shown(keys: Keys) -> None:
    text = keys.ada.read_text()
    secret = text.splitlines()[2]
    for give in (lambda: dc.SigningKey(text), lambda: dc.SigningKey("key::" + text)):
        with pytest.raises(dc.InvalidInputError, match="private key itself") as caught:
            give()
        assert secret not in str(caught.value)
    with pytest.raises(dc.InvalidInputError, match="not as int"):
        dc.SigningKey(3)  # type: ignore[arg-type]
    with pytest.raises(dc.InvalidInputError, match="format is one of"):
        dc.SigningKey("k", format="pgp")


def test_the_key_that_git_is_configured_with(
    store: dc.LocalStore, remote: Path, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(dc.InvalidInputError, match="git is not configured to sign"):
        dc.SigningKey.from_git()
    config = Path(os.environ["GIT_CONFIG_GLOBAL"])
    config.write_text(config.read_text() + f"[user]\n signingkey = {keys.ada}.pub\n[gpg]\n format = ssh\n")
    found = dc.SigningKey.from_git()
    assert (found.key, found.format) == (f"{keys.ada}.pub", "ssh")
    dc.Project.init("S", store, remote=remote, signing=found)
    assert good(remote, keys, tmp_path) == ["G"]


def test_openpgp_signs_commits_and_no_approvals(
    store: dc.LocalStore, remote: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "ada@example.org", "ed25519", "sign"]
    subprocess.run(make, check=True, capture_output=True)
    config = Path(os.environ["GIT_CONFIG_GLOBAL"])
    config.write_text(config.read_text() + "[user]\n signingkey = ada@example.org\n")
    try:
        key = dc.SigningKey.from_git()
        project = dc.Project.init("S", store, remote=remote, author=ADA, signing=key)
        assert git(remote, "log", "--format=%G?").split() == ["G"]
        project.cut("2026-01", {"dm": frame(1)})
        with pytest.raises(dc.InvalidInputError, match="knows SSH keys alone"):
            project.approve("2026-01", meaning="approved", reason="ok")
        assert [line.verdict for line in project.verify_signatures().lines] == ["other key", "other key"]
        with pytest.raises(dc.AccessDeniedError, match=r"gpg does not sign with nobody@example\.org"):
            dc.SigningKey("nobody@example.org", "openpgp").ready()
    finally:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=False)
