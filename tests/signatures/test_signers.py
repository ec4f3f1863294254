"""Whose keys may sign: said by those who may, judged by the commit before, and verified by plain git as well."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.documents import Signers
from datom_core.project import editor_of
from datom_core.testing import Clock
from tests.evidence.making import Key, approve
from tests.long import long
from tests.signatures.conftest import ADA, GRACE, Keys, frame, git

Opened = Callable[[str, str | None], dc.Project]
FILE = ".datom/allowed_signers"


def push(project: dc.Project, files: dict[str, bytes | None], key: Path | None) -> str:
    """A commit past this package, signed or not."""
    repo, clock = editor_of(project).repo, editor_of(project).clock
    author = dc.Author("Mallory", "mallory@example.org")
    signing = None if key is None else dc.SigningKey(key)
    return repo.publish(files, "By hand", parent=repo.tip(), author=author, at=clock(), signing=signing)


def test_the_first_is_believed_and_later_ones_are_signed_by_one_that_may(
    study: dc.Project, opened: Opened, keys: Keys, remote: Path
) -> None:
    assert (
        git(remote, "show", f"HEAD:{FILE}")
        == f'ada@example.org namespaces="git" {keys.public("ada").rsplit(" ", 1)[0]}\n'
    )
    with pytest.raises(dc.AccessDeniedError, match="has signers, so that one of them must sign"):
        opened(GRACE, None).allow_signer("grace@example.org", keys.public("grace"))
    with pytest.raises(dc.AccessDeniedError, match=r"is not in .datom/allowed_signers"):
        opened(GRACE, "grace").allow_signer("grace@example.org", keys.public("grace"))
    commit = study.allow_signer("grace@example.org", Path(f"{keys.grace}.pub"), reason="Statistics")
    assert git(remote, "log", "-1", "--format=%B").strip().endswith("Statistics")
    assert study.allow_signer("grace@example.org", keys.public("grace")) is None
    with pytest.raises(dc.AlreadyExistsError, match=r"is allowed already, for grace@example\.org"):
        study.allow_signer("other@example.org", keys.public("grace"))
    assert [s.principal for s in study.signers()] == ["ada@example.org", "grace@example.org"]
    report = study.verify_signatures()
    assert report.ok
    assert (report.root, [(line.what, line.verdict) for line in report.lines if line.commit == commit]) == (
        git(remote, "log", "--format=%H", "--diff-filter=A", "--", FILE).strip(),
        [("signers", "good")],
    )


def test_a_revoked_key_signs_no_more_and_what_it_signed_still_counts(
    study: dc.Project, opened: Opened, keys: Keys, clock: Clock
) -> None:
    study.allow_signer("grace@example.org", keys.public("grace"))
    grace = opened(GRACE, "grace")
    grace.approve("2026-01", meaning="approved", reason="done")
    (fingerprint,) = [s.key for s in study.signers() if s.principal == "grace@example.org"]
    study.revoke_signer("grace@example.org", fingerprint, reason="Left the company")
    assert study.revoke_signer("grace@example.org", fingerprint) is None
    assert len(study.signers()) == 2, "no line is removed"
    with pytest.raises(dc.AccessDeniedError, match=r"might sign until 2026-.*, and no longer"):
        grace.approve("2026-01", meaning="locked", reason="done")
    with pytest.raises(dc.NotFoundError, match=r"ada@example.org has no key .*; allowed: ada@example.org SHA256:"):
        study.revoke_signer("ada@example.org", fingerprint)
    with pytest.raises(dc.InvalidInputError, match="is the last who may sign"):
        study.revoke_signer("ada@example.org", Path(f"{keys.ada}.pub"))
    push(study, {"note.txt": b"x"}, keys.grace)
    report = study.verify_signatures()
    assert report.ok, "an approval from before counts, and other commits need no signature"
    assert report.lines[-1].verdict == "expired"
    study.allow_signer("new@example.org", keys.public("stranger"), valid_after=clock.now + timedelta(days=1))
    with pytest.raises(dc.AccessDeniedError, match=r"may sign from 2026-.* on, and not yet"):
        opened("New <new@example.org>", "stranger").approve("2026-01", meaning="ok", reason="x")


def test_a_key_that_was_revoked_cannot_say_that_it_was_before(
    study: dc.Project, opened: Opened, keys: Keys, clock: Clock
) -> None:
    study.allow_signer("grace@example.org", keys.public("grace"))
    begun = clock.now
    study.revoke_signer("grace@example.org", keys.public("grace"), at=begun + timedelta(minutes=1))
    clock.now = begun + timedelta(minutes=30)
    study.write("dm", frame(8))
    lines = [*git_lines(study), f'mallory@example.org namespaces="git" {keys.public("stranger")}']
    clock.now = begun - timedelta(minutes=1)
    pushed = push(study, {FILE: "\n".join(lines).encode()}, keys.grace)
    report = study.verify_signatures()
    assert [str(p) for p in report.problems] == [
        f"The commit {pushed[:12]} changes who may sign, and says that it was made more than five minutes before its "
        "parent."
    ]


def git_lines(project: dc.Project) -> list[str]:
    return list(project.signers().lines)


@pytest.mark.parametrize("key", [None, pytest.param("stranger", marks=long), pytest.param("grace", marks=long)])
def test_nobody_lets_himself_in(study: dc.Project, opened: Opened, keys: Keys, key: str | None, clock: Clock) -> None:
    """A change past this package counts for nothing, not even with a later, honest one on top of it."""
    line = f'mallory@example.org namespaces="git" {keys.public("stranger")}'
    if key == "grace":
        study.allow_signer("grace@example.org", keys.public("grace"), valid_before=clock.now + timedelta(minutes=3))
        clock.now += timedelta(minutes=20)
    by = opened(ADA, None)
    pushed = push(by, {FILE: "\n".join([*git_lines(by), line]).encode()}, None if key is None else getattr(keys, key))
    mallory = opened("Mallory <mallory@example.org>", "stranger")
    mallory.approve("2026-01", meaning="locked", reason="mine")  # the file at the tip says that he may
    report = study.verify_signatures()
    said = {
        None: "is not signed",
        "stranger": "is signed with a key that was not allowed",
        "grace": "no longer allowed",
    }
    assert said[key] in str(report.problems[0])
    assert pushed[:12] in str(report.problems[0])
    assert "is signed with a key that was not allowed, and brings the record" in str(report.problems[1])
    study.allow_signer("eve@example.org", keys.public("locked"))
    assert len(study.verify_signatures().problems) == len(report.problems)
    verdicts = {line.commit: line.verdict for line in study.verify_signatures().lines}
    assert list(verdicts.values())[-1] == "good", "Ada's own change counts"


def test_taking_the_file_away_takes_nothing_away(study: dc.Project, opened: Opened) -> None:
    study.approve("2026-01", meaning="locked", reason="Database lock")
    pushed = push(opened(ADA, None), {FILE: None}, None)
    report = study.verify_signatures()
    assert [p.commit for p in report.problems] == [pushed]
    with pytest.raises(dc.InvalidInputError, match="Locked"):
        study.cut("2026-01", {"dm": frame(9)})


def merge(remote: Path, *parents: str, tree: str | None = None) -> str:
    """A commit that nobody signs, as the branch; with the files of the last of its parents, and made when that was."""
    at = git(remote, "log", "-1", "--format=%ct", parents[-1]).strip() if parents else "1000000000"
    who = {f"GIT_{role}_{what}": said for role in ("AUTHOR", "COMMITTER") for what, said in _mallory(at)}
    words = [word for parent in parents for word in ("-p", parent)] + [tree or f"{parents[-1]}^{{tree}}"]
    words = ["git", f"--git-dir={remote}", "commit-tree", "-m", "Merge", *words]
    made = subprocess.run(words, env=os.environ | who, check=True, capture_output=True, text=True).stdout.strip()
    git(remote, "update-ref", "refs/heads/main", made)
    return made


def _mallory(at: str) -> tuple[tuple[str, str], ...]:
    return ("NAME", "Mallory"), ("EMAIL", "mallory@example.org"), ("DATE", f"{at} +0000")


def test_a_branch_from_before_somebody_was_revoked(study: dc.Project, opened: Opened, keys: Keys, remote: Path) -> None:
    """Merged afterwards, it unlocks nothing, in whatever order its parents are named."""
    study.allow_signer("grace@example.org", keys.public("grace"))
    study.approve("2026-01", meaning="locked", reason="Database lock")
    lock = study.reader.approvals()[0].id
    fork = git(remote, "rev-parse", "HEAD").strip()
    study.revoke_signer("grace@example.org", keys.public("grace"))
    main = git(remote, "rev-parse", "HEAD").strip()
    at = int(git(remote, "log", "-1", "--format=%ct", fork))
    git(remote, "update-ref", "refs/heads/main", fork)
    hers = Key(keys.grace, dc.Author("Grace Hopper", "grace@example.org"))
    approve(remote, "2026-01", hers, at=at, kind="withdrawal", meaning="locked", withdraws=lock)
    by = git(remote, "rev-parse", "HEAD").strip()
    for parents in ((main, by), (by, main)):
        merge(remote, *parents)
        report = opened(ADA, None).verify_signatures()
        assert [line.verdict for line in report.lines if line.commit == by] == ["beside"]
        assert any(
            p.commit == by and "lies on a branch beside a change of who may sign" in str(p) for p in report.problems
        )
        with pytest.raises(dc.InvalidInputError, match="Locked"):
            opened(ADA, "ada").cut("2026-01", {"dm": frame(9)})
    # The second merge has the older list in its first parent.
    pushed = push(opened(ADA, None), {FILE: (keys.public("grace") + "\n").encode()}, keys.grace)
    assert any(
        p.commit == pushed and "was not allowed" in str(p) for p in opened(ADA, None).verify_signatures().problems
    )


def test_another_root_is_merged(study: dc.Project, opened: Opened, keys: Keys, remote: Path) -> None:
    """Whoever was allowed by no signer of this history approves and unlocks nothing."""
    study.approve("2026-01", meaning="locked", reason="Database lock")
    main = git(remote, "rev-parse", "HEAD").strip()
    line = f'mallory@example.org namespaces="git" {keys.public("stranger")}\n'
    blob = remote.parent / "line"
    blob.write_text(line)
    sha = git(remote, "hash-object", "-w", str(blob)).strip()
    tree = _with(remote, f"{main}^{{tree}}", sha)
    merge(remote, merge(remote, tree=tree), main, tree=tree)
    mallory = opened("Mallory <mallory@example.org>", "stranger")
    mallory.withdraw("2026-01", meaning="locked", reason="mine")
    with pytest.raises(dc.InvalidInputError, match="Locked"):
        mallory.cut("2026-01", {"dm": frame(9)})
    report = study.verify_signatures()
    assert report.root is None
    assert "changes who may sign, and is not signed" in str(report.problems[0])
    assert any("is signed with a key that was not allowed, and brings the record" in str(p) for p in report.problems)


def _with(remote: Path, tree: str, blob: str) -> str:
    """A tree whose list of signers is this blob."""
    env, told = os.environ | {"GIT_INDEX_FILE": str(remote / "by-hand")}, ""
    for words in (["read-tree", tree], ["update-index", "--cacheinfo", f"100644,{blob},{FILE}"], ["write-tree"]):
        told = subprocess.run(
            ["git", f"--git-dir={remote}", *words], env=env, check=True, capture_output=True, text=True
        ).stdout
    return told.strip()


def test_plain_git_says_the_same(study: dc.Project, keys: Keys, remote: Path, tmp_path: Path) -> None:
    commit = str(study.approve("2026-01", meaning="approved", reason="done"))
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(git(remote, "show", f"{commit}^:{FILE}"))
    verify = ["git", f"--git-dir={remote}", "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", commit]
    assert 'Good "git" signature for ada@example.org' in subprocess.run(verify, capture_output=True, text=True).stderr
    study.allow_signer("grace@example.org", keys.public("grace"))
    for at, code in (("2030-01-01", 0), ("2025-01-01", 1)):
        study.revoke_signer("ada@example.org", keys.public("ada"), at=at)
        allowed.write_text(git(remote, "show", f"HEAD:{FILE}"))
        assert "valid-before" in allowed.read_text()
        assert subprocess.run(verify, capture_output=True, check=False).returncode == code


def test_an_altered_signature_is_bad(study: dc.Project, remote: Path) -> None:
    study.write("dm", frame(7))
    raw = subprocess.run(["git", f"--git-dir={remote}", "cat-file", "commit", "HEAD"], capture_output=True, check=True)
    forged = raw.stdout.replace(b"Update dm", b"Update DM")
    made = subprocess.run(
        ["git", f"--git-dir={remote}", "hash-object", "-t", "commit", "-w", "--stdin"],
        input=forged, capture_output=True, check=True,
    )  # fmt: skip
    commit = made.stdout.decode().strip()
    git(remote, "update-ref", "HEAD", commit)
    report = study.verify_signatures()
    assert [str(p) for p in report.problems] == [f"The commit {commit[:12]} has a bad signature: it was altered."]


@pytest.mark.parametrize(
    ("principal", "key", "said"),
    [
        ("ada", "ada", "A signer is named by an address"),
        ("a@b *", "ada", "A signer is named by an address"),
        ("ada@example.org", "ssh-ed25519 AAAA", "is no SSH public key"),
        ("ada@example.org", "ssh-rsa {ed25519}", "is no SSH public key"),
        ("ada@example.org", "{private}", "This is a private key"),
    ],
)
def test_what_is_no_signer(project: dc.Project, keys: Keys, principal: str, key: str, said: str) -> None:
    text = keys.public("ada") if key == "ada" else key
    text = text.replace("{ed25519}", keys.public("ada").split()[1]).replace("{private}", keys.ada.read_text())
    with pytest.raises(dc.InvalidInputError, match=said) as caught:
        project.allow_signer(principal, text)
    assert keys.ada.read_text().splitlines()[2] not in str(caught.value)


def test_lines_that_are_not_ours_are_kept_and_allow_nobody(keys: Keys) -> None:
    key = keys.public("ada").rsplit(" ", 1)[0]
    lines = [
        "# a comment",
        f"*@example.org {key}",
        f'ada@example.org cert-authority,namespaces="git" {key}',
        f'ada@example.org namespaces="file" {key}',
        f'ada@example.org valid-after="20260101" {key}',
        f'ada@example.org namespaces="git",valid-after="20260101Z",valid-before="202602011200Z" {key} a comment',
        f"grace@example.org {keys.public('grace')}",
    ]
    found = Signers.of(lines)
    assert found.to_text().decode().splitlines() == lines
    assert [(s.principal, str(s.valid_after)[:16], str(s.valid_before)[:16], s.comment) for s in found] == [
        ("ada@example.org", "2026-01-01 00:00", "2026-02-01 12:00", "a comment"),
        ("grace@example.org", "None", "None", "grace"),
    ]
