"""What the product itself signs is what the recipe proves: signers, approvals, a withdrawal, the seal."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import datom_core as dc
from tests.evidence.conftest import Made
from tests.evidence.making import ADA, Key, study, verify

GRACE = dc.Author("Grace Hopper", "grace@example.org")


@pytest.fixture
def keys(made: Made, tmp_path: Path) -> tuple[Key, Key]:
    return made.key, Key.made(tmp_path / "keys", GRACE)


@pytest.fixture
def signed(tmp_path: Path, keys: tuple[Key, Key]) -> dc.Project:
    """Two signers; the first cut is approved by both, locked by one, and one approval is withdrawn."""
    ada, grace = keys
    project = study(tmp_path / "study")
    project.allow_signer(ADA.email, ada.path.with_suffix(".org.pub"), signing=ada.path, author=ADA)
    project.allow_signer(GRACE.email, grace.path.with_suffix(".org.pub"), signing=ada.path, author=ADA)
    project.approve("2026-01", meaning="approved", reason="No open queries", signing=ada.path, author=ADA)
    project.approve("2026-01", meaning="approved", reason="Seen", signing=grace.path, author=GRACE)
    project.approve("2026-01", meaning="locked", reason="Interim analysis", signing=grace.path, author=GRACE)
    project.withdraw("2026-01", meaning="approved", reason="One was open", signing=ada.path, author=ADA)
    return project


def test_the_recipe_proves_it(signed: dc.Project, keys: tuple[Key, Key], made: Made, tmp_path: Path) -> None:
    ada, grace = keys
    seal = dc.SigningKey(ada.path)
    bag = signed.evidence(tmp_path / "bag", cut="2026-01", seal=seal)
    checked = verify(made.machine, bag.path)
    assert (checked.code, checked.failures) == (0, []), checked.out + checked.err
    assert all(key.fingerprint in checked.out for key in (ada, grace))
    held = (bag.path / "data/approvals.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[1:4] for line in held] == [
        ["withdrawal", "2026-01", "approved"], ["approval", "2026-01", "locked"], ["approval", "2026-01", "approved"],
        ["approval", "2026-01", "approved"],
    ]  # fmt: skip
    audit = (bag.path / "data/audit.tsv").read_text()
    assert all(what in audit for what in ("\tlock\t", "\tsigners\t", "\twithdrawal\t", "Interim analysis", GRACE.email))
    assert len(json.loads((bag.path / "data/prov.json").read_text())["entity"]) > 2
    again = signed.evidence(tmp_path / "again", cut="2026-01", seal=seal)
    assert again.digest == bag.digest


def test_an_approval_that_git_never_saw_signed_is_found(signed: dc.Project, made: Made, tmp_path: Path) -> None:
    project = dc.Project.open(signed.store, remote=signed.remote, author=GRACE, cache_dir=tmp_path / "other")
    project.write("dm", pa.table({"USUBJID": ["01-009"]}))
    bag = project.evidence(tmp_path / "bag", cut="2026-01")
    assert verify(made.machine, bag.path).code == 0  # an unsigned write is none that had to be signed
    path = bag.path / "data/approvals.tsv"
    path.write_text(path.read_text().replace("locked", "lucked"))
    assert any("approvals.tsv" in line for line in verify(made.machine, bag.path).failures)


def test_a_key_that_cannot_seal_is_refused_before_anything(signed: dc.Project, tmp_path: Path) -> None:
    with pytest.raises(dc.NotFoundError, match="no key"):
        signed.evidence(tmp_path / "bag", cut="2026-01", seal=dc.SigningKey(tmp_path / "nosuch"))
    with pytest.raises(dc.InvalidInputError, match="seal is"):
        signed.evidence(tmp_path / "bag", cut="2026-01", seal="key")  # type: ignore[arg-type]
    with pytest.raises(dc.InvalidInputError, match="SSH key"):
        signed.evidence(tmp_path / "bag", cut="2026-01", seal=dc.SigningKey("0123ABCD", "openpgp"))
    assert not list(tmp_path.glob("bag*"))
