"""Keys, made once, and a project whose first signer is Ada."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock

ADA, GRACE = "Ada Lovelace <ada@example.org>", "Grace Hopper <grace@example.org>"
PASSPHRASE = "correct horse battery staple"


@dataclass(frozen=True)
class Keys:
    """Private keys; the public ones lie beside them. ``locked`` has a passphrase."""

    ada: Path
    grace: Path
    stranger: Path
    locked: Path

    def public(self, name: str) -> str:
        return Path(f"{getattr(self, name)}.pub").read_text().strip()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ada", "grace", "stranger", "locked"):
        passphrase = PASSPHRASE if name == "locked" else ""
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", folder / name], check=True
        )
    return Keys(*(folder / name for name in ("ada", "grace", "stranger", "locked")))


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def study(store: dc.LocalStore, remote: Path, clock: Clock, keys: Keys) -> dc.Project:
    """Ada's project: two cuts, and she may sign."""
    project = dc.Project.init("STUDY_001", store, remote=remote, clock=clock, author=ADA, signing=keys.ada)
    project.allow_signer("ada@example.org", keys.public("ada"), reason="Head of data management")
    project.cut("2026-01", {"dm": frame(3), "ex": frame(2)})
    return project


@pytest.fixture
def opened(study: dc.Project, store: dc.LocalStore, remote: Path, clock: Clock, keys: Keys):  # type: ignore[no-untyped-def]
    """Opens the same project as somebody else."""

    def open_as(author: str, key: str | None) -> dc.Project:
        signing = None if key is None else getattr(keys, key)
        return dc.Project.open(store, remote=remote, clock=clock, author=author, signing=signing)

    return open_as


def frame(rows: int) -> object:
    import pyarrow as pa

    return pa.table({"id": list(range(rows))})


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", f"--git-dir={remote}", *args], check=True, capture_output=True, text=True).stdout
