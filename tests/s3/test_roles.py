"""A reader needs GetObject and ListBucket, sends GET, HEAD and LIST, and cannot write; a writer needs little more."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.s3.conftest import warned_unless
from tests.s3.proxy import Proxy
from tests.s3.server import S3Server

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def written(project: dc.Project, dm: Frame) -> dc.Project:
    project.write("dm", dm(3), message="first", table_type="imported")
    project.cut("lock", {"dm": dm(4), "ex": dm(2)}, message="Database lock", table_type="imported")
    project.write("adsl", dm(1), parents=[project.parent("dm")])
    return project


def everything_a_reader_does(reader: dc.ProjectReader) -> None:
    first = reader.history("dm")[-1]
    assert [len(f) for f in (reader.read("dm"), reader.read("dm", version=first.version[:9]))] == [4, 3]
    assert len(reader.read("dm", cut="lock")) == 4
    assert len(reader.read("dm", as_of="2999-01-01", columns=["AGE"]).columns) == 1
    assert reader.read_arrow("ex").num_rows == 2
    assert [t.name for t in reader.list()] == ["dm", "ex", "adsl"]
    assert list(reader.cuts()) == ["lock"]
    assert reader.metadata("dm", version=first.version).rows == 3
    assert [p.table for p in reader.parents("adsl") or ()] == ["dm"]
    assert [s.table for s in reader.lineage("adsl") or ()] == ["dm"]
    assert reader.parent("dm").table == "dm"
    assert reader.compare("dm", first.version).rows == 1
    assert reader.summary().tables == 3
    assert reader.verify("full").ok


@pytest.mark.parametrize("scope", ["project", "prefix"])
def test_a_reader_with_the_generated_policy(
    written: dc.Project, store: dc.S3Store, s3_server: S3Server, bucket: str, scope: Any
) -> None:
    keys = s3_server.user(dc.iam_policy(store, "reader", scope=scope))
    before = len(s3_server.requests(bucket))
    theirs = s3_server.store(bucket, "team/onc", credentials=keys)
    everything_a_reader_does(dc.ProjectReader.open(theirs, "STUDY_001"))
    sent = s3_server.requests(bucket)[before:]
    assert len(sent) > 20
    assert {line.split()[0] for line in sent} == {"GET", "HEAD"}
    with pytest.raises(dc.AccessDeniedError, match=r"s3:PutObject on arn:aws:s3:::.*/team/onc/datom/") as caught:
        theirs.create("dm/x.parquet", b"x")
    assert caught.value.action == "s3:PutObject"


def test_a_reader_has_no_method_that_writes(written: dc.Project) -> None:
    public = {name for name in dir(dc.ProjectReader) if not name.startswith("_")}
    reads = (
        "approvals audit changes changes_between cite compare cuts describe diff downstream evidence history lineage "
        "list location log member metadata parent parents project provenance_document read read_arrow resolve reviews "
        "row_history set sets study study_at summary upstream verify version_at"
    )
    assert public == {"find", "open", *reads.split()}


def test_a_reader_of_one_project_does_not_see_its_neighbour(
    written: dc.Project, store: dc.S3Store, s3_server: S3Server, bucket: str, tmp_path: Path
) -> None:
    neighbour = s3_server.store(bucket, "team/onc2")
    dc.Project.init("STUDY_002", neighbour, remote=tmp_path / "two.git")
    keys = s3_server.user(dc.iam_policy(store, "reader"))
    theirs = s3_server.store(bucket, "team/onc2", credentials=keys, check=False)
    with pytest.raises(dc.AccessDeniedError):
        dc.ProjectReader.open(theirs)
    if s3_server.policy_conditions:
        with pytest.raises(dc.AccessDeniedError, match="s3:ListBucket"):
            list(theirs.list())


def test_a_writer_with_the_generated_policy(
    s3_server: S3Server, bucket: str, remote: Path, clock: Clock, dm: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.storage.s3.store.PART_BYTES", 1000)
    owner = s3_server.store(bucket, "p")
    theirs = s3_server.store(bucket, "p", credentials=s3_server.user(dc.iam_policy(owner, "writer")))
    project = dc.Project.init("S", theirs, remote=remote, clock=clock)
    for n in (3, 400):
        project.write("dm", dm(n), cut=f"cut-{n}")
    project.write("dm", dm(3), message="back")
    assert project.write("dm", dm(3)).action == "unchanged"
    owner.delete(f"dm/.metadata/{project.reader.resolve('dm').version}.json")
    assert project.write("dm", dm(3)).action == "repaired"
    assert project.status().level
    with pytest.raises(dc.AccessDeniedError, match="s3:DeleteObject"):
        theirs.delete(".metadata/manifest.json")


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("reader", "s3:ListBucket"),
        ("reader", "s3:GetObject"),
        ("writer", "s3:PutObject"),
        ("writer", "s3:DeleteObject"),
    ],
)
def test_one_right_fewer_is_one_too_few(
    s3_server: S3Server, bucket: str, remote: Path, dm: Frame, role: Any, action: str
) -> None:
    owner = s3_server.store(bucket, "p")
    policy = copy.deepcopy(dc.iam_policy(owner, role))
    for statement in policy["Statement"]:
        statement["Action"] = [a for a in statement["Action"] if a != action]
    policy["Statement"] = [s for s in policy["Statement"] if s["Action"]]
    keys = s3_server.user(policy)
    if role == "reader":
        dc.Project.init("S", owner, remote=remote)

    def use() -> None:
        theirs = s3_server.store(bucket, "p", credentials=keys)
        if role == "reader":
            dc.ProjectReader.open(theirs)
        else:
            dc.Project.init("S", theirs, remote=remote)

    with pytest.raises(dc.AccessDeniedError) as caught:
        use()
    assert caught.value.action == action


def test_a_write_that_is_denied_half_way_is_completed_with_the_right(
    s3_server: S3Server, bucket: str, remote: Path, dm: Frame
) -> None:
    owner = s3_server.store(bucket, "p")
    project = dc.Project.init("S", owner, remote=remote)
    project.write("dm", dm(2))
    policy = dc.iam_policy(owner, "writer")
    policy["Statement"].append(
        {
            "Effect": "Deny",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{bucket}/p/datom/dm/.metadata/metadata.json",
        }
    )
    theirs = dc.Project.open(s3_server.store(bucket, "p", credentials=s3_server.user(policy)), remote=remote)
    with pytest.raises(dc.AccessDeniedError, match=r"dm/.metadata/metadata.json"):
        theirs.write("dm", dm(3))
    assert len(project.reader.read("dm")) == 2, "readers keep what they had"
    assert project.write("dm", dm(3)).action == "repaired"
    assert len(project.reader.read("dm")) == 3


def test_a_reader_of_a_bucket_elsewhere_is_told_the_region(s3_server: S3Server, proxy: Proxy) -> None:
    if not s3_server.regions:
        pytest.skip(f"{s3_server.name} has one region")
    bucket = s3_server.bucket("eu-central-1")
    keys = s3_server.user(dc.iam_policy(s3_server.store(bucket, "p", region="eu-central-1")))
    proxy.added_headers = {"x-amz-bucket-region": "eu-central-1"}  # as AWS says it to those that it refuses
    with pytest.raises(dc.InvalidInputError, match="is in eu-central-1"):
        s3_server.store(bucket, "p", credentials=keys, endpoint_url=proxy.endpoint)


def test_a_mover_may_remove_what_is_there(
    s3_server: S3Server, bucket: str, remote: Path, dm: Frame, tmp_path: Path
) -> None:
    owner = s3_server.store(bucket, "p")
    project = dc.Project.init("S", owner, remote=remote)
    project.write("dm", dm(2))
    for role, allowed in (("writer", False), ("mover", True)):
        theirs = s3_server.store(bucket, "p", credentials=s3_server.user(dc.iam_policy(owner, role)))  # type: ignore[arg-type]
        target = dc.LocalStore(tmp_path / "t")
        if not allowed:
            with pytest.raises(dc.AccessDeniedError, match="s3:DeleteObject"):
                dc.migrate(dc.Project.open(theirs, remote=remote), target, delete_source=True)
            continue
        # The move itself was recorded; what is left is to be removed.
        dc.migrate(dc.Project.open(target, remote=remote), target, source=theirs, delete_source=True)
        assert list(owner.list()) == []


def test_a_prefix_with_wildcards_is_that_prefix_alone() -> None:
    store = dc.S3Store("b-1", "team*/a?/$x", credentials=dc.Credentials("a", "secret-key"), check=False)
    policy = dc.iam_policy(store)
    folder = "team${*}/a${?}/${$}x/datom/*"
    assert policy["Statement"][1]["Resource"] == [f"arn:aws:s3:::b-1/{folder}"]
    assert policy["Statement"][0]["Condition"]["StringLike"]["s3:prefix"] == [folder]


def test_a_scoped_reader_who_is_denied_what_is_missing(
    written: dc.Project, store: dc.S3Store, s3_server: S3Server, bucket: str, proxy: Proxy
) -> None:
    """Without the right to list the whole bucket, S3 may call a missing object forbidden; a listing tells."""
    keys = s3_server.user(dc.iam_policy(store, "reader"))
    theirs = s3_server.store(bucket, "team/onc", credentials=keys, endpoint_url=proxy.endpoint)
    proxy.missing_is_forbidden = True
    assert theirs.head("nope/x.parquet") is None
    with pytest.raises(dc.NotFoundError, match="nope/x"):
        theirs.get("nope/x.json")
    everything_a_reader_does(dc.ProjectReader.open(theirs))


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_what_the_policy_says(region: str, partition: str) -> None:
    key = f"arn:{partition}:kms:{region}:111122223333:key/abc"
    store = dc.S3Store("b-1", "p", region, credentials=dc.Credentials("a", "secret-key"), kms_key=key, check=False)
    policy = dc.iam_policy(store, "writer")
    assert json.loads(json.dumps(policy)) == policy
    by_id = {s["Sid"]: s for s in policy["Statement"]}
    assert by_id["List"]["Condition"] == {"StringLike": {"s3:prefix": ["p/datom/*"]}}
    assert by_id["Read"]["Resource"] == [f"arn:{partition}:s3:::b-1/p/datom/*"]
    assert by_id["Remove"]["Resource"] == [f"arn:{partition}:s3:::b-1/p/datom/.metadata/claim.json"]
    assert by_id["Key"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    with pytest.raises(dc.InvalidInputError):
        dc.iam_policy(store, "owner")  # type: ignore[arg-type]


class TestPreflight:
    def results(self, store: dc.S3Store) -> dict[str, str]:
        return {check.what: check.result for check in store.preflight()}

    def test_a_fit_bucket(self, s3_server: S3Server) -> None:
        bucket = s3_server.bucket(ObjectLockEnabledForBucket=True)
        if s3_server.bucket_encryption:
            s3_server.s3.put_bucket_encryption(
                Bucket=bucket,
                ServerSideEncryptionConfiguration={
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
                },
            )
        store = s3_server.store(bucket)
        with warned_unless(s3_server.conditional_versions, "does not know conditional writes"):
            found = self.results(store)
        assert found == {
            "reachable": "yes",
            "can list": "yes",
            "can read": "yes",
            "can write": "yes",
            "conditional writes": "yes" if s3_server.conditional_versions else "no",
            "versioning": "yes",
            "default encryption": "aws:kms" if s3_server.bucket_encryption else "no",
            "object lock": "yes",
            "default retention": "no",
            "can hold": "yes",
        }
        assert "conditional writes" in repr(store.preflight())
        assert list(store.list()) == []

    def test_a_readers_view(self, store: dc.S3Store, s3_server: S3Server, bucket: str) -> None:
        theirs = s3_server.store(bucket, "team/onc", credentials=s3_server.user(dc.iam_policy(store)))
        assert self.results(theirs) == {
            "reachable": "yes",
            "can list": "yes",
            "can read": "yes",
            "can write": "no",
            "conditional writes": "unknown",
            "versioning": "unknown",
            "default encryption": "no" if s3_server.open_settings else "unknown",
            "object lock": "no" if s3_server.open_settings else "unknown",
            "default retention": "no" if s3_server.open_settings else "unknown",
            "can hold": "no" if s3_server.open_settings else "unknown",
        }

    def test_a_readers_keys_on_aws_are_found_out_too(
        self, store: dc.S3Store, s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """AWS is known to heed conditions, and is asked all the same whether one may write."""
        theirs = s3_server.store(bucket, "team/onc", credentials=s3_server.user(dc.iam_policy(store)))
        monkeypatch.setattr("datom_core.storage.s3.conditions.Conditions.known", lambda *_: True)
        assert self.results(theirs)["can write"] == "no"

    def test_no_bucket(self, s3_server: S3Server) -> None:
        assert self.results(s3_server.store("not-there-at-all", check=False)) == {"reachable": "no"}
