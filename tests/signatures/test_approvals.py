"""Approvals of cuts: who signed which versions, what that holds in place, and what is refused before any effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.documents import record_id
from datom_core.project import editor_of
from datom_core.testing import Clock
from tests.long import long
from tests.signatures.conftest import ADA, GRACE, Keys, frame, git

Opened = Callable[[str, str | None], dc.Project]


def head(remote: Path) -> str:
    return git(remote, "rev-parse", "HEAD").strip()


def test_an_approval_is_one_signed_commit_that_repeats_its_record(study: dc.Project, remote: Path) -> None:
    commit = study.approve("2026-01", meaning="approved", reason="All queries are closed")
    assert commit == head(remote)
    raw = json.loads(git(remote, "show", "HEAD:.datom/cuts.json"))["approvals"][0]
    assert raw["id"] == record_id(raw)
    message = git(remote, "log", "-1", "--format=%B")
    assert json.dumps(raw, separators=(",", ":")) in message
    assert message.strip().endswith(f"Datom-Approval: {raw['id']}")
    assert git(remote, "log", "-1", "--format=%an <%ae>|%cn <%ce>").strip() == f"{ADA}|{ADA}"
    (found,) = dc.ProjectReader.open(study.store).approvals("2026-01")
    assert (found.meaning, found.reason, str(found.signer)) == ("approved", "All queries are closed", ADA)
    assert dict(found.versions) == dict(study.reader.cuts()["2026-01"])
    assert (found.stands, found.is_current, found.outdated) == (True, True, ())
    assert study.approve("2026-01", meaning="approved", reason="again") is None
    assert study.status().level
    assert study.validate("deep").ok
    assert study.verify_signatures().ok


def test_several_sign_mean_several_things_and_take_back_what_they_said(
    study: dc.Project, opened: Opened, keys: Keys
) -> None:
    study.allow_signer("grace@example.org", keys.public("grace"))
    grace = opened(GRACE, "grace")
    for project, meaning in ((study, "reviewed"), (grace, "reviewed"), (grace, "approved")):
        project.approve("2026-01", meaning=meaning, reason="done")
    ada = dc.ProjectReader.open(study.store).approvals()
    assert [(a.signer.name, a.meaning) for a in ada] == [
        ("Grace Hopper", "approved"),
        ("Grace Hopper", "reviewed"),
        ("Ada Lovelace", "reviewed"),
    ]
    grace.withdraw("2026-01", meaning="reviewed", reason="looked at the wrong listing")
    newest, *rest = study.reader.approvals()
    assert (newest.kind, newest.withdraws, newest.stands) == ("withdrawal", rest[1].id, False)
    assert [a.stands for a in rest] == [True, False, True], "nothing is erased"
    with pytest.raises(dc.NotFoundError, match=r"no such approval as locked"):
        study.withdraw("2026-01", meaning="locked", reason="x")
    assert study.verify_signatures().ok


def test_which_of_several_approvals_is_meant(study: dc.Project, opened: Opened, keys: Keys) -> None:
    study.allow_signer("grace@example.org", keys.public("grace"))
    study.cut("2026-01", {"dm": frame(4)})
    study.approve("2026-01", meaning="ok", reason="first")
    study.cut("2026-01", {"dm": frame(5)})
    study.approve("2026-01", meaning="ok", reason="second")
    newest, older = study.reader.approvals()
    assert (newest.outdated, older.outdated, older.stands, older.is_current) == ((), ("dm",), True, False)
    with pytest.raises(dc.InvalidInputError, match=rf"more than once: {newest.id[:12]}.*approval="):
        opened(GRACE, "grace").withdraw("2026-01", meaning="ok", reason="x")
    opened(GRACE, "grace").withdraw("2026-01", meaning="ok", reason="x", approval=older.id[:8])
    assert [a.stands for a in study.reader.approvals()] == [False, True, False]


def test_a_locked_cut_refuses_to_move_whoever_writes(study: dc.Project, opened: Opened, remote: Path) -> None:
    study.approve("2026-01", meaning="locked", reason="Database lock")
    before, objects = head(remote), {o.key for o in study.store.list()}
    other = opened(GRACE, None)
    moves: list[Callable[[], object]] = [
        lambda: other.write("dm", frame(9), cut="2026-01"),
        lambda: other.cut("2026-01", {"dm": frame(9), "ex": frame(2)}),
        lambda: other.write("lb", frame(1), cut="2026-01"),
        lambda: other.plan_write({"dm": frame(9)}, cut="2026-01"),
    ]
    for move in moves:
        with pytest.raises(dc.InvalidInputError, match=r"Locked.*'2026-01' by Ada Lovelace.*Database lock") as caught:
            move()
        assert (caught.value.cuts, caught.value.locks[0].meaning) == (("2026-01",), "locked")
    assert head(remote) == before
    assert {o.key for o in study.store.list()} == objects
    assert other.cut("2026-01", {"dm": frame(3), "ex": frame(2)}).commit_sha is None, "delivered again, unchanged"
    other.write("dm", frame(9))
    for dry in (True, False):
        with pytest.raises(dc.InvalidInputError, match="Locked"):
            other.record_cut("2026-01", ["dm"], dry_run=dry)
    other.write("dm", frame(10), cut="2026-02")
    with pytest.raises(dc.InvalidInputError, match="Locked"):
        study.decommission(confirm="STUDY_001", dry_run=True)
    study.withdraw("2026-01", meaning="locked", reason="A late query")
    assert other.record_cut("2026-01", ["dm"]) is not None
    assert study.decommission(confirm="STUDY_001", dry_run=True).dry_run


def by_hand(project: dc.Project, change: Callable[[dict[str, object]], object], signing: object = None) -> str:
    """A commit that somebody who may push makes past this package."""
    repo = editor_of(project).repo
    tip = repo.tip()
    assert tip is not None
    document = json.loads(repo.read(tip, [".datom/cuts.json"])[".datom/cuts.json"])
    change(document)
    files = {".datom/cuts.json": json.dumps(document).encode()}
    author = dc.Author("Ada Lovelace", "ada@example.org")
    key = None if signing is None else dc.SigningKey(signing)  # type: ignore[arg-type]
    at = editor_of(project).clock()
    record = document["approvals"][0] if document.get("approvals") else None  # type: ignore[index]
    message = f"By hand\n\nDatom-Approval: {record['id']}\n" if record else "By hand"
    return repo.publish(files, message, parent=tip, author=author, at=at, signing=key)


def forged_unlock(document: dict[str, object]) -> None:
    records: list[dict[str, object]] = document["approvals"]  # type: ignore[assignment]
    record = {**{k: v for k, v in records[0].items() if k != "id"}, "kind": "withdrawal", "withdraws": records[0]["id"]}
    records.insert(0, {"id": record_id(record), **record})


def moved(document: dict[str, Any]) -> None:
    """The cut stands for another version, as of now."""
    moves = next(iter(document["cuts"]["2026-01"]["tables"].values()))
    moves.insert(0, moves[0] | {"version": "0" * 64})


@pytest.mark.parametrize(
    "how", ["unsigned", pytest.param("a stranger's key", marks=long), "the lock taken out", "the cut moved"]
)
def test_a_lock_that_was_undone_by_hand_still_holds_and_verification_tells(
    study: dc.Project, opened: Opened, keys: Keys, how: str
) -> None:
    study.approve("2026-01", meaning="locked", reason="Database lock")
    change = {"the lock taken out": lambda document: document.update(approvals=[]), "the cut moved": moved}.get(
        how, forged_unlock
    )
    pushed = by_hand(opened(ADA, None), change, keys.stranger if how == "a stranger's key" else None)
    with pytest.raises(dc.InvalidInputError, match="Locked"):
        study.cut("2026-01", {"dm": frame(9)})
    report = study.verify_signatures()
    assert not report.ok
    told = " ".join(map(str, report.problems))
    expected = {
        "unsigned": f"The commit {pushed[:12]} is not signed, and brings the record",
        "a stranger's key": f"The commit {pushed[:12]} is signed with a key that was not allowed",
        "the lock taken out": "and is gone from .datom/cuts.json",
        "the cut moved": "was not withdrawn, and the cut was moved: ",
    }
    assert expected[how] in told


REFUSED: list[tuple[dict[str, object], type[Exception], str]] = [
    ({"cut": "2026-1"}, dc.NotFoundError, r"no cut '2026-1'; .*Did you mean '2026-01'"),
    ({"reason": " "}, dc.InvalidInputError, "Say why"),
    (
        {"reason": f"done\n\ndatom-approval: {'a' * 64}"},
        dc.InvalidInputError,
        "is only in commits that bring an approval",
    ),
    ({"meaning": ""}, dc.InvalidInputError, "A meaning is a word or a few"),
    ({"signing": "stranger"}, dc.AccessDeniedError, r"is not in .datom/allowed_signers"),
    ({"signing": "locked"}, dc.AccessDeniedError, "has a passphrase"),
    ({"author": GRACE}, dc.AccessDeniedError, "is allowed for ada@example.org, and the author is Grace"),
    ({"signing": 3}, dc.InvalidInputError, "not as int"),
]


def test_refused_before_any_effect(study: dc.Project, opened: Opened, remote: Path, keys: Keys) -> None:
    before = head(remote)
    for given, error, said in REFUSED:
        asked = {"cut": "2026-01", "meaning": "approved", "reason": "done", **given}
        if isinstance(asked.get("signing"), str):
            asked["signing"] = getattr(keys, str(asked["signing"]))
        with pytest.raises(error, match=said):
            study.approve(asked.pop("cut"), **asked)  # type: ignore[arg-type]
    with pytest.raises(dc.InvalidInputError, match="no key was given"):
        opened(ADA, None).approve("2026-01", meaning="approved", reason="done")
    for told in ({"message": "x\n\nDatom-Approval: 1"}, {"trailers": {"Datom-Approval": "1"}}):
        with pytest.raises(dc.InvalidInputError, match="is only in commits that bring an approval"):
            study.write("dm", frame(9), **told)  # type: ignore[arg-type]
    assert head(remote) == before
    assert not study.reader.approvals()


def test_a_clock_that_is_behind_is_refused(study: dc.Project, remote: Path, clock: Clock) -> None:
    study.write("dm", frame(7))
    before, now = head(remote), clock.now
    clock.now = now - timedelta(minutes=8)
    with pytest.raises(dc.InvalidInputError, match=r"clock says 20.*more than five minutes later"):
        study.approve("2026-01", meaning="approved", reason="done")
    assert head(remote) == before
    clock.now = now - timedelta(minutes=5)
    assert study.approve("2026-01", meaning="approved", reason="done")


def test_what_is_not_in_storage_is_not_approved(study: dc.Project, remote: Path) -> None:
    sha = study.reader.resolve("dm", study.reader.cuts()["2026-01"]["dm"]).data_sha
    study.store.delete(f"dm/{sha}.parquet")
    before = head(remote)
    with pytest.raises(dc.NotFoundError, match=r"The data of dm@\w{8} is not in"):
        study.approve("2026-01", meaning="approved", reason="done")
    assert head(remote) == before


def test_a_dry_run_checks_and_records_nothing(study: dc.Project, remote: Path, keys: Keys) -> None:
    before = head(remote)
    assert study.approve("2026-01", meaning="locked", reason="x", dry_run=True) is None
    assert study.allow_signer("grace@example.org", keys.public("grace"), dry_run=True) is None
    with pytest.raises(dc.NotFoundError):
        study.approve("none", meaning="locked", reason="x", dry_run=True)
    assert head(remote) == before


def test_approvals_that_the_branch_lost_are_named_and_recovered_and_hold_as_much_as_their_commits(
    study: dc.Project, remote: Path, opened: Opened
) -> None:
    before = head(remote)
    study.approve("2026-01", meaning="locked", reason="Database lock")
    git(remote, "update-ref", "HEAD", before)
    again = opened(ADA, "ada")
    parted = again.divergence()
    assert parted is not None
    assert parted.lost_approvals[0].startswith(f"2026-01: locked by {ADA}")
    assert "the approval of 2026-01: locked by" in str(parted)
    again.recover_versions()
    assert [a.meaning for a in again.reader.approvals()] == ["locked"]
    report = again.verify_signatures()
    assert "no signed commit brought it" in str(report.problems[0]), "the commit with the signature is still lost"
    with pytest.raises(dc.InvalidInputError, match="Locked"):
        again.cut("2026-01", {"dm": frame(9)})
