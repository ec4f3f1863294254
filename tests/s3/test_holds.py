"""Legal holds in a bucket with object lock, and what refuses to remove what is held."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.s3.proxy import Fault, Proxy
from tests.s3.server import S3Server

HOUR = pd.DataFrame({"USUBJID": ["01-1"]})
LATER = pd.DataFrame({"USUBJID": ["01-1", "01-2"]})


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """radosgw does not know conditional writes where versions are kept, and says so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not know conditional writes.*")
        yield


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    return s3_server.bucket(ObjectLockEnabledForBucket=True)


@pytest.fixture
def study(store: dc.S3Store, remote: Path, clock: Clock) -> dc.Project:
    project = dc.Project.init("STUDY_001", store, remote=remote, clock=clock)
    project.cut("lock", {"dm": HOUR, "ae": HOUR})
    project.write("dm", LATER)
    return project


def keys_of(study: dc.Project, cut: str) -> list[str]:
    versions = [(t, study.reader.resolve(t, v)) for t, v in study.reader.cuts()[cut].items()]
    both = [(f"{t}/{v.data_sha}.parquet", f"{t}/.metadata/{v.version}.json") for t, v in versions]
    return sorted(key for pair in both for key in pair)


def statuses(s3_server: S3Server, store: dc.S3Store) -> dict[str, str]:
    """Held or not, as the server itself says."""
    found = {}
    for info in store.list():
        head: Any = s3_server.s3.head_object(Bucket=store.bucket, Key=store.key(info.key))
        found[info.key] = head.get("ObjectLockLegalHoldStatus", "OFF")
    return found


def test_what_is_approved_is_held(
    study: dc.Project, store: dc.S3Store, s3_server: S3Server, denied: Callable[..., dc.S3Store], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    study.allow_signer(study.author.email, tmp_path / "key.pub", signing=key)
    study.approve("lock", meaning="reviewed", reason="Seen", signing=key)
    assert "ON" not in statuses(s3_server, store).values()
    may_not = dc.Project.open(denied("PUT", "legal-hold"), remote=study.remote)
    with pytest.warns(dc.HoldWarning, match="s3:PutObjectLegalHold"):
        assert may_not.approve("lock", meaning="locked", reason="Database lock", signing=key)
    assert study.reader.approvals("lock")[0].meaning == "locked"
    assert study.approve("lock", meaning="locked", reason="Database lock", signing=key) is None
    assert [k for k, held in statuses(s3_server, store).items() if held == "ON"] == keys_of(study, "lock")


def test_a_cut_is_held_once_and_writing_goes_on(study: dc.Project, store: dc.S3Store, s3_server: S3Server) -> None:
    keys = keys_of(study, "lock")
    seen = study.hold("lock", dry_run=True)
    assert (seen.held, list(seen.free), seen.complete) == ((), keys, False)
    held = study.hold("lock")
    assert (list(held.held), list(held.added), held.free, held.complete) == (keys, keys, (), True)
    assert {k for k, status in statuses(s3_server, store).items() if status == "ON"} == set(keys)
    again = study.hold("lock")
    assert (list(again.held), again.added) == (keys, ())
    assert str(again) == "4 of 4 objects under legal hold"
    study.cut("next", {"dm": HOUR, "ae": LATER})
    assert study.hold("next", dry_run=True).held == tuple(k for k in keys if k.startswith("dm/"))
    study.validate("full")
    with pytest.raises(dc.NotFoundError, match="no cut 'lokc'"):
        study.hold("lokc")


@pytest.fixture
def denied(behind: dc.S3Store, proxy: Proxy) -> Callable[[str, str], dc.S3Store]:
    """The same place to somebody who lacks a right: moto looks at no policy for these requests."""

    def deny(method: str, part: str) -> dc.S3Store:
        proxy.only(method, part, Fault(status=403, code="AccessDenied"), times=100)
        return behind

    return deny


def test_whoever_may_not_hold_is_told_the_right(
    study: dc.Project, denied: Callable[[str, str], dc.S3Store], proxy: Proxy
) -> None:
    theirs = denied("PUT", "legal-hold")
    project = dc.Project.open(theirs, remote=study.remote)
    with pytest.raises(
        dc.AccessDeniedError, match=r"s3:PutObjectLegalHold on arn:aws:s3:::.*/team/onc/datom/ae/"
    ) as no:
        project.hold("lock")
    assert no.value.action == "s3:PutObjectLegalHold"
    assert {c.what: c.result for c in theirs.preflight()}["can hold"] == "no"
    proxy.fault = lambda _: None
    assert project.hold("lock").complete, "the same call goes on"


def test_the_policy_of_who_approves(store: dc.S3Store) -> None:
    actions = {
        role: {a for s in dc.iam_policy(store, role)["Statement"] for a in s["Action"]}
        for role in ("writer", "mover", "approver")
    }
    held = {"s3:GetObjectLegalHold", "s3:GetBucketObjectLockConfiguration"}
    assert actions["approver"] == {*actions["writer"], *held, "s3:PutObjectLegalHold"}
    assert actions["mover"] == {*actions["writer"], *held}
    assert "s3:PutObjectLegalHold" not in actions["writer"]


def test_what_is_held_is_not_taken_away(study: dc.Project, store: dc.S3Store, tmp_path: Path, clock: Clock) -> None:
    study.hold("lock")
    before = {o.key: o.size for o in store.list()}
    commits = study.status().commit
    (key, *_) = keys_of(study, "lock")
    for dry_run in (True, False):
        with pytest.raises(dc.InvalidInputError, match=f"4 objects of STUDY_001.* legal hold: {key}.*Nothing was done"):
            study.decommission(confirm="STUDY_001", dry_run=dry_run)
    elsewhere = dc.LocalStore(tmp_path / "elsewhere")
    with pytest.raises(dc.InvalidInputError, match="under legal hold"):
        dc.migrate(study, elsewhere, delete_source=True)
    assert {o.key: o.size for o in store.list()} == before
    assert (study.status().commit, list(elsewhere.list())) == (commits, [])
    dc.migrate(study, elsewhere)
    assert {o.key for o in store.list()} >= set(before), "what is held may be copied"


def test_once_the_hold_is_lifted_the_project_can_go(study: dc.Project, store: dc.S3Store, s3_server: S3Server) -> None:
    for key in study.hold("lock").held:
        s3_server.s3.put_object_legal_hold(Bucket=store.bucket, Key=store.key(key), LegalHold={"Status": "OFF"})
    study.decommission(confirm="STUDY_001")
    assert not list(store.list())


def test_where_there_are_no_holds_the_report_says_so(
    s3_server: S3Server, remote: Path, clock: Clock, tmp_path: Path
) -> None:
    for store, why in (
        (s3_server.store(s3_server.bucket()), "has no object lock, and so no legal holds."),
        (dc.LocalStore(tmp_path / "disk"), "knows no legal holds; a bucket with object lock does."),
        (dc.MemoryStore(), "knows no legal holds; a bucket with object lock does."),
    ):
        project = dc.Project.init("S", store, remote=tmp_path / f"{type(store).__name__}.git", clock=clock)
        project.cut("lock", {"dm": HOUR})
        report = project.hold("lock")
        assert (report.possible, report.complete, report.held, len(report.free)) == (False, False, (), 2)
        assert str(report) == f"{store.location} {why}"


def test_preflight_tells_of_retention(s3_server: S3Server, bucket: str) -> None:
    for mode, period, told in (
        ("GOVERNANCE", {"Days": 30}, "governance, 30 days"),
        ("COMPLIANCE", {"Years": 2}, "compliance, 2 years"),
    ):
        rule = {"DefaultRetention": {"Mode": mode, **period}}
        s3_server.s3.put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
        assert {c.what: c.result for c in s3_server.store(bucket).preflight(write=False)}["default retention"] == told


def test_what_cannot_be_asked_is_said(study: dc.Project, denied: Callable[[str, str], dc.S3Store]) -> None:
    """A mover from before there were holds: S3 keeps what is held, behind a marker."""
    project = dc.Project.open(denied("GET", "object-lock"), remote=study.remote)
    report = project.decommission(confirm="STUDY_001", dry_run=True)
    assert "legal holds could not be asked" in report.note
    project = dc.Project.open(denied("GET", "legal-hold"), remote=study.remote)
    with pytest.raises(dc.AccessDeniedError, match="s3:GetObjectLegalHold"):
        project.decommission(confirm="STUDY_001")
    assert study.reader.verify("full").ok
