"""What only a bucket can get wrong; everything else is in the contract suite."""

from __future__ import annotations

import base64
import hashlib
import logging
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from tests.long import long
from tests.s3.conftest import HASTY, warned_unless
from tests.s3.server import S3Server

Frame = Callable[[int], pd.DataFrame]


def head(server: S3Server, bucket: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = server.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    return found


class TestOpening:
    def test_no_such_bucket(self, s3_server: S3Server) -> None:
        with pytest.raises(dc.NotFoundError, match="no bucket 'not-there-at-all'") as caught:
            s3_server.store("not-there-at-all")
        assert caught.value.bucket == "not-there-at-all"

    def test_another_region_is_named(self, s3_server: S3Server) -> None:
        if not s3_server.regions:
            pytest.skip(f"{s3_server.name} has one region")
        bucket = s3_server.bucket("eu-central-1")
        with pytest.raises(dc.InvalidInputError, match="is in eu-central-1, not in us-east-1") as caught:
            s3_server.store(bucket)
        assert caught.value.region == "eu-central-1"
        assert s3_server.store(bucket, region="eu-central-1").location.region == "eu-central-1"

    def test_access_denied_names_action_and_resource(self, s3_server: S3Server, bucket: str) -> None:
        stranger = s3_server.user(dc.iam_policy(s3_server.store(s3_server.bucket())))
        with pytest.raises(dc.AccessDeniedError, match="s3:ListBucket") as caught:
            s3_server.store(bucket, credentials=stranger)
        assert caught.value.resource == f"arn:aws:s3:::{bucket}"

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            (lambda o: dc.Credentials(o.access_key, "planted-secret-wrong"), "secret key does not belong"),
            (lambda o: dc.Credentials("AKIANOBODY", "planted-secret-wrong"), "access key is not known"),
        ],
    )
    def test_wrong_keys(self, s3_server: S3Server, bucket: str, keys: Any, said: str) -> None:
        said = said if s3_server.tells_bad_keys else "Not allowed: s3:ListBucket"
        with pytest.raises(dc.AccessDeniedError, match=said) as caught:
            s3_server.store(bucket, credentials=keys(s3_server.owner))
        assert "planted-secret" not in repr(caught.value) + str(caught.value.__cause__)

    def test_nobody_there(self, bucket: str, s3_server: S3Server) -> None:
        with pytest.raises(dc.StorageError, match="could not be reached"):
            s3_server.store(bucket, endpoint_url="http://127.0.0.1:9", config=HASTY)

    def test_offline(self, bucket: str, s3_server: S3Server) -> None:
        store = s3_server.store(bucket, endpoint_url="http://127.0.0.1:9", check=False)
        assert store.location == dc.Location("s3", bucket, "", "us-east-1")

    @pytest.mark.parametrize(
        "arguments",
        [
            {"bucket": "UPPER"}, {"bucket": "a"}, {"bucket": "a..b.c"}, {"bucket": "b/../c"}, {"bucket": None},
            {"region": "Frankfurt am Main"}, {"region": None},
            {"endpoint_url": "http://user:pw@host"}, {"endpoint_url": "ftp://host"}, {"endpoint_url": "host:9000"},
            {"config": {"nonsense": 1}}, {"config": {"proxies": {"https": "http://user:planted@proxy"}}},
            {"addressing": "sideways"}, {"encryption": "rot13"}, {"prefix": "a/../b"}, {"prefix": "a/datom"},
        ],
    )  # fmt: skip
    def test_bad_arguments(self, arguments: dict[str, Any]) -> None:
        given = {"bucket": "good-bucket", "credentials": dc.Credentials("a", "secret-key"), **arguments}
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.S3Store(**given)
        assert "planted" not in str(caught.value)

    def test_every_bad_argument_at_once(self) -> None:
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.S3Store("UPPER", region="?", addressing="x", credentials=dc.Credentials("a", "secret-key"))
        assert all(part in str(caught.value) for part in ("UPPER", "region", "addressing"))

    @pytest.mark.parametrize("prefix", ["raw", "raw/", "/raw/", "/raw"])
    def test_one_prefix_however_it_is_written(self, s3_server: S3Server, bucket: str, prefix: str) -> None:
        s3_server.store(bucket, "raw").create("k", b"1")
        store = s3_server.store(bucket, prefix)
        assert store.location.prefix == "raw"
        assert store.get("k").data == b"1"

    def test_a_prefix_that_a_sibling_begins_with(self, s3_server: S3Server, bucket: str) -> None:
        one, sibling = s3_server.store(bucket, "raw"), s3_server.store(bucket, "raw2")
        sibling.create("dm/x", b"1")
        one.create("lb/x", b"1")
        one.create("lb2/x", b"1")
        assert [o.key for o in one.list()] == ["lb/x", "lb2/x"]
        assert [o.key for o in one.list("lb/")] == ["lb/x"]


class TestObjects:
    def test_types_checksums_and_metadata(self, store: dc.S3Store, s3_server: S3Server, bucket: str) -> None:
        sha = hashlib.sha256(b"data")
        store.create("dm/x.parquet", b"data", {"sha256": sha.hexdigest()})
        store.create("dm/.metadata/metadata.json", b"{}")
        found = head(s3_server, bucket, "team/onc/datom/dm/x.parquet")
        assert found["ContentType"] == "application/vnd.apache.parquet"
        assert found["Metadata"] == {"sha256": sha.hexdigest()}
        assert head(s3_server, bucket, "team/onc/datom/dm/.metadata/metadata.json")["ContentType"] == "application/json"
        info = store.head("dm/x.parquet")
        assert info is not None
        assert info.metadata == {"sha256": sha.hexdigest()}

    def test_a_checksum_goes_with_every_upload(self, behind: dc.S3Store, proxy: Any) -> None:
        behind.create("k.json", b"{}")
        behind.replace("k.json", b"[]", behind.get("k.json").etag)
        puts = [r for r in proxy.seen if r.method == "PUT"]
        assert puts
        assert all(len(base64.b64decode(r.headers["x-amz-checksum-sha256"])) == 32 for r in puts)

    @pytest.mark.parametrize(
        ("options", "algorithm"),
        [({"encryption": "AES256"}, "AES256"), ({"kms_key": "alias/study"}, "aws:kms")],
    )
    def test_encryption(self, s3_server: S3Server, bucket: str, options: dict[str, str], algorithm: str) -> None:
        if algorithm == "AES256" and not s3_server.object_encryption:
            pytest.skip(f"{s3_server.name} ignores that it should encrypt with a key of its own")
        store = s3_server.store(bucket, **options)
        store.create("k.json", b"{}")
        store.replace("k.json", b"[]", store.get("k.json").etag)
        found = head(s3_server, bucket, "datom/k.json")
        assert found["ServerSideEncryption"] == algorithm
        assert found.get("SSEKMSKeyId") == options.get("kms_key")

    def test_legal_table_names(self, store: dc.S3Store, remote: Path, clock: Any, dm: Frame) -> None:
        project = dc.Project.init("S", store, remote=remote, clock=clock)
        project.write("Lab (v1)-x_y", dm(3))
        assert len(project.reader.read("Lab (v1)-x_y")) == 3
        assert project.write("Lab (v1)-x_y", dm(3)).action == "unchanged"

    @long
    def test_a_listing_of_many_pages(self, store: dc.S3Store, s3_server: S3Server, bucket: str) -> None:
        for n in range(1003):
            s3_server.s3.put_object(Bucket=bucket, Key=f"team/onc/datom/t/{n:05}", Body=b"")
        assert [o.key for o in store.list("t/")] == [f"t/{n:05}" for n in range(1003)]

    def test_folders_that_consoles_make_are_no_objects(
        self, store: dc.S3Store, s3_server: S3Server, bucket: str
    ) -> None:
        s3_server.s3.put_object(Bucket=bucket, Key="team/onc/datom/", Body=b"")
        s3_server.s3.put_object(Bucket=bucket, Key="team/onc/datom/dm/", Body=b"")
        assert list(store.list()) == []

    def test_payloads_in_a_locked_bucket(self, s3_server: S3Server, remote: Path, dm: Frame) -> None:
        bucket = s3_server.bucket(ObjectLockEnabledForBucket=True)
        s3_server.s3.put_object_lock_configuration(
            Bucket=bucket,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
            },
        )
        with warned_unless(s3_server.conditional_versions, "does not know conditional writes"):
            project = dc.Project.init("S", s3_server.store(bucket), remote=remote)
            for n in (2, 3, 2):
                project.write("dm", dm(n))
        versions = s3_server.s3.list_object_versions(Bucket=bucket, Prefix="datom/dm/")["Versions"]
        payloads = [v["Key"] for v in versions if v["Key"].endswith(".parquet")]
        assert len(payloads) == len(set(payloads)) == 2, "no payload was ever put twice"


class TestLargeObjects:
    """In parts, here of 5 MiB, the least that S3 takes."""

    SIZE = 17 * 2**20 + 12345

    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("datom_core.storage.s3.transfer.PART_BYTES", 5 * 2**20)
        monkeypatch.setattr("datom_core.storage.s3.store.PART_BYTES", 5 * 2**20)

    @pytest.fixture
    def data(self) -> bytes:
        return hashlib.shake_256(b"datom").digest(self.SIZE)

    def test_up_and_down(self, behind: dc.S3Store, s3_server: S3Server, proxy: Any, data: bytes) -> None:
        assert behind.create("dm/big.parquet", memoryview(data), {"sha256": "ab"}) is True
        puts = [r for r in proxy.seen if r.method == "PUT" and "big.parquet" in r.path]
        parts = [5 * 2**20] * 3 + [self.SIZE - 15 * 2**20]
        assert sorted(r.size for r in puts) == sorted(parts if s3_server.conditional_parts else [self.SIZE])
        proxy.seen.clear()
        found = behind.get("dm/big.parquet")
        assert bytes(found.data) == data
        assert found.sha256 == hashlib.sha256(data).hexdigest()
        assert sorted(r.headers.get("Range", "") for r in proxy.seen)[1:] == sorted(
            f"bytes={start}-{min(start + 5 * 2**20, self.SIZE) - 1}" for start in range(5 * 2**20, self.SIZE, 5 * 2**20)
        )
        info = behind.head("dm/big.parquet")
        assert info is not None
        assert (info.size, info.metadata) == (self.SIZE, {"sha256": "ab"})

    def test_one_that_is_there_is_not_touched(
        self, behind: dc.S3Store, s3_server: S3Server, bucket: str, data: bytes
    ) -> None:
        behind.create("dm/big.parquet", b"first")
        assert behind.create("dm/big.parquet", data) is False
        assert behind.get("dm/big.parquet").data == b"first"
        assert not s3_server.s3.list_multipart_uploads(Bucket=bucket).get("Uploads"), "no parts are left behind"

    def test_a_write_of_a_large_table(self, behind: dc.S3Store, s3_server: S3Server, remote: Path) -> None:
        frame = pd.DataFrame({"x": [hashlib.sha256(str(n).encode()).hexdigest() for n in range(200_000)]})
        project = dc.Project.init("S", behind, remote=remote)
        result = project.write("lb", frame)
        assert result.bytes > 5 * 2**20
        assert dc.hash_table(project.reader.read_arrow("lb")).data_sha == result.data_sha
        assert project.write("lb", frame).action == "unchanged"


def test_an_option_for_s3_leaves_the_others_as_they_are(s3_server: S3Server, bucket: str) -> None:
    store = s3_server.store(bucket, addressing="path", config={"s3": {"payload_signing_enabled": True}})
    assert {"addressing_style": "path", "payload_signing_enabled": True}.items() <= store.client.meta.config.s3.items()


class TestSecrets:
    def test_reprs(self, s3_server: S3Server, bucket: str) -> None:
        store = s3_server.store(bucket, "p")
        assert (
            repr(store) == f"S3Store({bucket!r}, prefix='p', region='us-east-1', endpoint_url={s3_server.endpoint!r})"
        )
        secret = s3_server.owner.secret_key.reveal()
        assert secret not in repr(s3_server.owner) + repr(store.__dict__)

    def test_a_store_crosses_processes_when_its_credentials_have_a_name(
        self, s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STUDY_KEY", s3_server.owner.access_key)
        monkeypatch.setenv("STUDY_SECRET", s3_server.owner.secret_key.reveal())
        source = dc.EnvironmentCredentials("STUDY_KEY", "STUDY_SECRET", "STUDY_TOKEN")
        pickled = pickle.dumps(s3_server.store(bucket, "p", credentials=source))
        assert s3_server.owner.secret_key.reveal().encode() not in pickled
        pickle.loads(pickled).create("k", b"1")
        assert s3_server.store(bucket, "p").get("k").data == b"1"

    def test_inline_secrets_do_not_cross(self, s3_server: S3Server, bucket: str) -> None:
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(s3_server.store(bucket))

    def test_debug_logs(self, s3_server: S3Server, bucket: str, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        for name in list(logging.root.manager.loggerDict):
            logging.getLogger(name).disabled = False  # which Dagster's database migrations switch on
        token = dc.Credentials(
            "AKIAPLANTED", "planted-secret-key", "planted-session-token", datetime(2999, 1, 1, tzinfo=UTC)
        )
        with pytest.raises(dc.AccessDeniedError if s3_server.tells_bad_keys else dc.StorageError):
            s3_server.store(bucket, credentials=lambda: token)
        text = "\n".join(record.getMessage() for record in caplog.records)
        assert "StringToSign" in text, "botocore does write about it"
        assert "planted-secret" not in text
        assert "planted-session" not in text


def test_nothing_is_taken_from_the_surroundings(
    s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(dc.InvalidInputError, match="none are taken from the surroundings"):
        dc.S3Store(bucket)
    models = tmp_path / ".aws" / "models" / "s3" / "2006-03-01"
    models.mkdir(parents=True)
    (models / "endpoint-rule-set-1.json").write_text("{}")
    (tmp_path / "config").write_text("[default]\nregion = eu-west-1\ns3 =\n  addressing_style = virtual\n")
    for name, value in {
        "AWS_PROFILE": "no-such-profile",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIAELSE",
        "AWS_SECRET_ACCESS_KEY": "somebody-elses",
        "AWS_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "99",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "legacy",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    store = s3_server.store(bucket)
    store.create("k", b"1")
    assert store.get("k").data == b"1"
    assert dc.S3Store(bucket, credentials=s3_server.owner, check=False).client.meta.endpoint_url == (
        "https://s3.us-east-1.amazonaws.com"
    )
