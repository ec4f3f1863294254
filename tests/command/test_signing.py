"""The verbs that sign, by a study's owner with a key of her own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.command.conftest import Datom, Study


def test_a_study_is_approved_locked_and_unlocked_by_the_command(datom: Datom, study: Study) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    me = ("--author", "Ada Müller <ada@example.org>")
    why = ("--meaning", "locked", "--reason", "Database lock")
    assert datom("approve", "2026-01", *why, *me).code == 2
    ran = datom("approve", "2026-01", *why, *me, "--key", "key")
    assert (ran.code, "datom signers allow" in ran.err) == (4, True)
    settings = Path("datom.toml")
    settings.write_text(settings.read_text() + '\n[signing]\nkey = "key"\n')
    allowed = datom("signers", "allow", "ada@example.org", "key.pub", "--reason", "Owner", *me, "--json").json()
    assert [s["principal"] for s in allowed["signers"]] == ["ada@example.org"]
    assert datom("signers", "show", "--json").json()["signers"] == allowed["signers"]
    assert datom("approve", "2026-01", *why, *me, "--dry-run", "--json").json()["commit"] is None
    done = datom("approve", "@2026-01", *why, *me, "--json").json()
    (line,) = done["approvals"]
    assert (line["cut"], line["meaning"], line["stands"], line["outdated"]) == ("2026-01", "locked", True, [])
    assert datom("cuts", "--json").json()["approvals"] == done["approvals"]
    shown = datom("cuts", "2026-01").out
    assert "Database lock" in shown
    assert "stands" in shown
    Path("dm.csv").write_text("USUBJID,AGE\n01-001,99\n")
    ran = datom("write", "dm", "dm.csv", "--cut", "2026-01", *me)
    assert ran.code == 2
    assert "datom withdraw '2026-01' --meaning locked --reason ..." in ran.err
    checked = datom("verify", "--json").json()["signatures"]
    assert (checked["problems"], checked["good"]) == ([], 2)
    assert datom("withdraw", "2026-01", "--meaning", "locked", "--reason", "late query", *me).code == 0
    assert datom("write", "dm", "dm.csv", "--cut", "2026-01", *me).code == 0
    assert "of 5 good" not in datom("verify").out
    assert datom("signers", "revoke", "ada@example.org", "key.pub", *me).code == 2
    assert datom("approve", "2026-01", *why, *me, "--time-stamp", "http://localhost").code == 2


def test_verify_ends_with_5_where_an_approval_was_forged(datom: Datom, study: Study) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    me = ("--author", "Ada Müller <ada@example.org>", "--key", "key")
    assert datom("signers", "allow", "ada@example.org", "key.pub", *me).code == 0
    assert datom("approve", "2026-01", "--meaning", "approved", "--reason", "done", *me).code == 0
    clone = ["git", "-c", "user.name=Mallory", "-c", "user.email=m@example.org", "-C", "clone"]
    subprocess.run(["git", "clone", "-q", "history.git", "clone"], check=True)
    cuts = Path("clone/.datom/cuts.json")
    cuts.write_text(cuts.read_text().replace('"reason": "done"', '"reason": "none"'))
    subprocess.run([*clone, "commit", "-qam", "forged"], check=True)
    subprocess.run([*clone, "push", "-q"], check=True)
    ran = datom("verify")
    assert ran.code == 5
    assert "was altered: its id is not that of what it says" in ran.out
