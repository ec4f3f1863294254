"""Each commit is told by what it changed in the documents, whatever its message says."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.auditing.conftest import ADA, GRACE, Clone, frame, told
from tests.conftest import GOLDEN
from tests.long import paired

ByHand = Callable[[dc.Project], Clone]


def test_a_life_in_order(store: dc.LocalStore, remote: Path, clock: Clock, tmp_path: Path) -> None:
    project = dc.Project.init("STUDY_001", store, remote=remote, clock=clock, author=ADA, schema=1)
    lie = "Initialize datom repository"  # messages decide nothing
    run = {"Dagster-Run": "r1", "Dagster-Job": "j1", "Dagster-Asset": "dm", "Dagster-Partition": "p1"}
    first = project.write("dm", frame(2), message=lie, trailers=run)
    second = project.write("dm", frame(3), message="Accept the history of main: no", author=GRACE)
    third = project.write("dm", frame(3), custom={"source": "EDC"})
    project.write("dm", frame(2), message="Back")
    project.cut("c1", {"dm": frame(2), "ex": frame(1)}, message="One")
    project.cut("c1", {"dm": frame(2), "ex": frame(2)}, message="Two")
    project.mark_reviewed("c1", message="Seen")
    project.upgrade()
    other = dc.LocalStore(tmp_path / "elsewhere")
    dc.migrate(project, other, message="The disk is full")
    project = dc.Project.open(other, remote=remote, clock=clock, author=ADA)
    trail = project.audit()
    assert told(trail) == [
        ("project", "created", None, None),
        ("write", "created", "dm", None),
        ("write", "created", "dm", None),
        ("write", "metadata_only", "dm", None),
        ("write", "reinstated", "dm", None),
        ("write", "created", "ex", None),
        ("cut", "recorded", "dm", "c1"),
        ("cut", "recorded", "ex", "c1"),
        ("write", "created", "ex", None),
        ("cut", "moved", "ex", "c1"),
        ("review", "reviewed", "dm", "c1"),
        ("review", "reviewed", "ex", "c1"),
        ("upgrade", "converted", None, None),
        ("move", "recorded", None, None),
    ]
    writes = [e for e in trail if e.kind == "write" and e.table == "dm"]
    ids = [first.version, second.version, third.version, first.version]
    assert [e.version for e in writes] == ids
    assert [e.previous for e in writes] == [None, *ids[:-1]]
    one = writes[0]
    assert (one.message, one.run, one.job, one.asset, one.partition) == (lie, "r1", "j1", "dm", "p1")
    assert (one.commit, one.recorded_at, str(one.author)) == (first.commit_sha, one.at, ADA)
    assert str(writes[1].author) == GRACE
    assert [e.message for e in trail if e.kind == "cut"] == ["One", "One", "Two"]
    (moved,) = (e for e in trail if e.action == "moved")
    old, new = project.reader.cuts()["c1"].recordings["ex"][::-1]
    assert (moved.previous, moved.version) == (old.version, new.version)
    assert trail[-1].detail == f"from {store.location} to {other.location}"
    assert {e.source for e in trail} == {"git"}
    assert [e.at for e in trail] == sorted(e.at for e in trail)


@pytest.fixture
def study(project: dc.Project) -> dc.Project:
    project.cut("c1", {"dm": frame(2), "ex": frame(1)})
    project.write("dm", frame(3))
    return project


def test_what_is_done_by_hand(study: dc.Project, by_hand: ByHand) -> None:
    clone, lie = by_hand(study), "Update dm"
    before = len(study.audit())
    clone.commit(lie, {"notes.md": "x", "README.md": "y"})
    clone.commit(lie, {})
    history = clone.read("dm/version_history.json")
    gone, kept = history[0], history[1]
    kept["author"] = {"name": "Nobody", "email": ""}
    clone.commit(lie, {"dm/version_history.json": json.dumps([kept])})
    cuts = clone.read(".datom/cuts.json")
    del cuts["cuts"]["c1"]["tables"]["ex"]
    clone.commit(lie, {".datom/cuts.json": json.dumps(cuts)})
    clone.commit(lie, {".datom/allowed_signers": "ada@example.org ssh-ed25519 AAAA\n"})
    clone.commit(lie, {".datom/allowed_signers": 'ada@example.org valid-before="20260101" ssh-ed25519 AAAA\n'})
    file = (clone.folder / ".datom/project.yaml").read_text()
    clone.commit(lie, {".datom/project.yaml": file + "decommissioned_at: '2026-02-01T00:00:00Z'\n"})
    trail = study.audit()[before:]
    in_git = [e for e in trail if e.source == "git"]
    assert [(e.kind, e.action, e.table) for e in in_git] == [
        ("other", "", None),
        ("other", "empty", None),
        ("alteration", "removed", "dm"),
        ("alteration", "rewritten", "dm"),
        ("alteration", "removed", "ex"),
        ("signers", "added", None),
        ("signers", "changed", None),
        ("decommission", "begun", None),
    ]
    assert (in_git[0].files, in_git[0].author.name) == (("README.md", "notes.md"), "Grace Hopper")
    assert [e.version for e in in_git[2:4]] == [gone["version"], kept["version"]]
    assert {e.message for e in in_git} == {lie}
    assert "valid-before" in in_git[6].detail
    # What was taken out of git, git said once: nothing in storage is unexplained.
    assert len(in_git) == len(trail)


@pytest.mark.parametrize(
    ("path", "damage"),
    paired(
        ["dm/version_history.json", "dm/metadata.json", ".datom/cuts.json", ".datom/manifest.json"],
        ["{", '[{"version": 7}]'],
    ),
)
def test_damage_in_the_middle_is_told_and_what_follows_is_compared_with_what_was_before(
    study: dc.Project, by_hand: ByHand, path: str, damage: str
) -> None:
    clone = by_hand(study)
    whole = (clone.folder / path).read_text()
    damaged = clone.commit("Oops", {path: damage})
    clone.commit("Mended", {path: whole})
    study.write("dm", frame(4))
    *_, bad, mended, last = study.audit()
    assert (bad.kind, bad.commit, bad.files) == ("unreadable", damaged, (path,))
    assert bad.detail.startswith("could not be read: ")
    assert (mended.kind, mended.files) == ("other", (path,)), "it says again what was said before"
    assert (last.kind, last.action, last.table) == ("write", "created", "dm")


def test_a_merge_is_told_by_what_neither_side_has(study: dc.Project, by_hand: ByHand) -> None:
    clone = by_hand(study)
    base = clone.git("rev-parse", "HEAD")
    study.write("ex", frame(5), message="On the line")
    clone.git("checkout", "-q", "-b", "side", base)
    clone.git("fetch", "-q", "origin")
    (clone.folder / "side.md").write_text("x")
    clone.git("add", "-A")
    clone.git("commit", "-q", "-m", "On the side")
    clone.git("merge", "-q", "--no-ff", "-m", "Clean", "origin/main")
    clone.git("push", "-q", "origin", "HEAD:main")
    *_, merge = study.audit()
    assert (merge.kind, merge.action, merge.files, merge.message) == ("other", "merge", (), "Clean")
    assert told(study.audit(table="ex", kind="write")) == [("write", "created", "ex", None)] * 2
    # A merge that keeps one side alone drops what the other recorded.
    base = clone.git("rev-parse", "HEAD")
    study.write("ex", frame(6), message="Lost")
    clone.git("fetch", "-q", "origin")
    (clone.folder / "side.md").write_text("y")
    clone.git("commit", "-qam", "More")
    clone.git("merge", "-q", "-s", "ours", "-m", "Mine", "origin/main")
    clone.git("push", "-q", "origin", "HEAD:main")
    lost = study.audit(storage=False)[-1]
    assert (lost.kind, lost.action, lost.table, lost.message) == ("alteration", "removed", "ex", "Mine")


def test_repairs(study: dc.Project, store: dc.LocalStore, by_hand: ByHand, clock: Clock) -> None:
    lost = study.reader.resolve("ex")
    store.delete(f"ex/{lost.data_sha}.parquet")
    other = dc.Project.open(store, remote=study.remote, clock=clock, compression="zstd")
    other.write("ex", frame(1), message="Put back")
    pinned = study.audit(kind="repair")
    assert [(e.action, e.table, e.version) for e in pinned] == [("pinned", "ex", lost.version)]
    assert str(lost.payload_sha) in pinned[0].detail
    clone = by_hand(study)
    back = clone.git("rev-parse", "HEAD")
    kept = study.write("dm", frame(7), message="Will be lost", author=GRACE)
    study.mark_reviewed("c1")
    clone.git("push", "-q", "--force", "origin", f"{back}:refs/heads/main")
    clock.now = clock.now.replace(month=3)
    assert [e.kind for e in study.audit(kind="unexplained")] == ["unexplained"] * 3  # a version, a mark of two tables
    study.recover_versions(author=ADA)
    found = study.audit(kind="repair")[1:]
    assert [(e.action, e.table) for e in found] == [("recovered", "dm"), ("recovered", "dm"), ("recovered", "ex")]
    assert (found[0].version, str(found[0].author)) == (kept.version, ADA)
    assert f"write first recorded by {GRACE} at " in found[0].detail
    assert not study.audit(kind="unexplained")
    study.write("dm", frame(8), message="Given up")
    clone.git("push", "-q", "--force", "origin", f"{back}:refs/heads/main")
    study.accept_history(reason="It was a test")
    (accepted,) = study.audit(kind="repair")[1:]
    assert (accepted.action, accepted.message.splitlines()[0]) == (
        "accepted",
        "Accept the history of main: It was a test",
    )


def test_a_signed_commit_names_its_key(study: dc.Project, by_hand: ByHand, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    fingerprint = subprocess.run(["ssh-keygen", "-lf", key], check=True, capture_output=True, text=True).stdout.split()[
        1
    ]
    signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}", "-c", "commit.gpgSign=true")
    by_hand(study).commit("Signed", {"README.md": "x"}, *signing)
    assert [e.signer for e in study.audit(author=fingerprint)] == [fingerprint]
    assert study.audit()[0].signer is None


def test_what_r_wrote(tmp_path: Path) -> None:
    remote = tmp_path / "solo.git"
    subprocess.run(["git", "clone", "-q", "--bare", GOLDEN / "solo/data-repo.bundle", remote], check=True)
    shutil.copytree(GOLDEN / "solo/storage", tmp_path / "moved")
    project = dc.Project.open(dc.LocalStore(tmp_path / "moved"), remote=remote, relocate=True)
    trail = project.audit()
    commits = subprocess.run(["git", "-C", remote, "rev-list", "HEAD"], check=True, capture_output=True, text=True)
    assert {e.commit for e in trail} == set(commits.stdout.split())
    assert len(trail) == len(commits.stdout.split()), "R writes a table in a commit; nothing is unexplained"
    assert {e.kind for e in trail} == {"project", "write", "move"}
    again = [e for e in trail if e.action == "reinstated"]
    assert [e.message for e in again] == ["Revert to month 1", "Back to month 6"], "of which R's history says nothing"
    by_id = {v.version: v for v in project.reader.history("dm")}
    assert by_id[str(again[0].version)].message == "Load dm through 2026-01-28"


def test_filters(study: dc.Project) -> None:
    assert told(study.audit(table="ex")) == [("write", "created", "ex", None), ("cut", "recorded", "ex", "c1")]
    assert told(study.audit(cut="c1", table=["dm", "no"])) == [("cut", "recorded", "dm", "c1")]
    at = [e.at for e in study.audit()]
    assert [e.at for e in study.audit(since=at[-1], until=at[-1])] == at[-1:]
    assert not study.audit(author="nobody")
    assert len(study.audit(author="TEST@")) == len(at)
    for bad in ({"kind": "wrote"}, {"kind": 7}, {"since": "never"}, {"author": 7}, {"table": {"dm": 1}}):
        with pytest.raises(dc.InvalidInputError):
            study.audit(**bad)  # type: ignore[arg-type]
    with pytest.raises(dc.InvalidInputError, match=r"Did you mean 'write'\?"):
        study.audit(kind="wirte")
    table = study.audit().to_arrow()
    assert table.column("author").to_pylist() == ["Test Author <test@example.org>"] * len(at)
    assert list(study.audit().to_pandas()["kind"]) == table.column("kind").to_pylist()
