"""Bad days of networks and servers: the right error or a success after all, and never a wrong read."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.long import sampled
from tests.patience import PATIENCE
from tests.s3.proxy import Fault, Proxy, Request, proxy_to
from tests.s3.server import S3Server, moto

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def ours(project: dc.Project, behind: dc.S3Store, remote: Path, dm: Frame, clock: Clock) -> dc.Project:
    """A project with one version, behind the proxy."""
    project.write("dm", dm(2))
    return dc.Project.open(behind, remote=remote, clock=clock)


def check_and_repeat(ours: dc.Project, project: dc.Project, frame: pd.DataFrame) -> None:
    """After a failure: readers see one whole version, and the same write again completes it."""
    assert len(project.reader.read("dm")) in (2, len(frame))
    ours.write("dm", frame)
    pd.testing.assert_frame_equal(project.reader.read("dm"), frame, check_dtype=False)
    assert project.status().level
    assert len(project.reader.history("dm")) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_a_storm_that_passes_is_weathered(ours: dc.Project, proxy: Proxy, dm: Frame, status: int) -> None:
    proxy.only("PUT", ".parquet", Fault(status=status), times=2)
    assert ours.write("dm", dm(3)).action == "created"


@pytest.mark.parametrize("part", sampled([".parquet", ".json", "version_history", "metadata.json", "manifest"], 2))
def test_a_storm_that_stays(ours: dc.Project, project: dc.Project, proxy: Proxy, dm: Frame, part: str) -> None:
    proxy.only("PUT", part, Fault(status=503), times=100)
    with pytest.raises(dc.StorageError, match="SlowDown"):
        ours.write("dm", dm(3))
    proxy.only("PUT", "nothing", Fault())
    check_and_repeat(ours, project, dm(3))


@pytest.mark.parametrize("part", [".parquet", "manifest"])
def test_a_connection_that_breaks_within_the_upload(
    ours: dc.Project, project: dc.Project, proxy: Proxy, dm: Frame, part: str
) -> None:
    proxy.only("PUT", part, Fault(keep_request=100), times=100)
    with pytest.raises(dc.StorageError):
        ours.write("dm", dm(3))
    proxy.only("PUT", part, Fault(keep_request=100), times=1)
    check_and_repeat(ours, project, dm(3))


@pytest.mark.parametrize("part", sampled([".parquet", "version_history", "manifest", "metadata.json"], 2))
def test_an_answer_that_is_lost_after_the_write_arrived(
    ours: dc.Project, project: dc.Project, proxy: Proxy, dm: Frame, part: str
) -> None:
    # The retry of a conditional write is told that its own object is in the way.
    proxy.only("PUT", part, Fault(drop_answer=True))
    ours.write("dm", dm(3))
    check_and_repeat(ours, project, dm(3))


@pytest.mark.parametrize("keep", [0, 1, 100, 500])
def test_a_download_that_breaks_off_is_read_again(ours: dc.Project, proxy: Proxy, dm: Frame, keep: int) -> None:
    proxy.only("GET", ".parquet", Fault(keep_answer=keep), times=2)
    assert len(ours.reader.read("dm")) == 2


def test_a_download_that_never_completes(ours: dc.Project, proxy: Proxy) -> None:
    proxy.only("GET", ".parquet", Fault(keep_answer=100), times=100)
    with pytest.raises(dc.StorageError):
        ours.reader.read("dm")


def test_bytes_that_were_changed_are_noticed(ours: dc.Project, s3_server: S3Server, bucket: str) -> None:
    key = f"team/onc/datom/dm/{ours.reader.resolve('dm').data_sha}.parquet"
    stored = bytearray(s3_server.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    stored[len(stored) // 2] ^= 1
    s3_server.s3.put_object(Bucket=bucket, Key=key, Body=bytes(stored))
    with pytest.raises(dc.IntegrityError, match="is not what was recorded"):
        ours.reader.read("dm")


@pytest.mark.parametrize("act", ["list", "get", "head", "create", "replace", "delete"])
def test_a_page_instead_of_an_answer(ours: dc.Project, proxy: Proxy, behind: dc.S3Store, act: str) -> None:
    tag = behind.get(".metadata/manifest.json").etag
    behind.heeds_conditions()
    calls: dict[str, Callable[[], object]] = {
        "list": lambda: list(behind.list()),
        "get": lambda: behind.get(".metadata/manifest.json"),
        "delete": lambda: behind.delete(".metadata/manifest.json"),
        "head": lambda: behind.head(".metadata/manifest.json"),
        "create": lambda: behind.create("new.json", b"{}"),
        "replace": lambda: behind.replace(".metadata/manifest.json", b"{}", tag),
    }
    proxy.fault = lambda _: Fault(html=True)
    with pytest.raises(dc.StorageError, match="is not S3"):
        calls[act]()


@pytest.mark.parametrize("act", ["list", "head", "delete"])
def test_a_conflict_that_nobody_asked_about(behind: dc.S3Store, proxy: Proxy, act: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "list": lambda: list(behind.list()),
        "head": lambda: behind.head("k"),
        "delete": lambda: behind.delete("k"),
    }
    proxy.fault = lambda _: Fault(status=409, code="OperationAborted")
    with pytest.raises(dc.StorageError):
        calls[act]()


def test_a_black_hole_is_not_asked_for_ever(behind: dc.S3Store, proxy: Proxy, s3_server: S3Server, bucket: str) -> None:
    config = {"retries": {"mode": "standard", "total_max_attempts": 2}, "read_timeout": 0.3}
    hasty = s3_server.store(bucket, "team/onc", endpoint_url=proxy.endpoint, config=config)
    behind.create("k", b"1")
    proxy.seen.clear()
    proxy.fault = lambda _: Fault(seconds=PATIENCE)
    with pytest.raises(dc.StorageError, match="could not be reached"):
        hasty.get("k")
    assert len(proxy.seen) == 2, "as many times as was asked for"


def test_connections_are_not_shared_with_a_forked_process(behind: dc.S3Store) -> None:
    """Two processes that read from one connection would get each other's answers."""
    for n in range(8):
        behind.create(f"k{n}", str(n).encode() * 1000)

    def read() -> int:
        return sum(behind.get(f"k{n}").data != str(n).encode() * 1000 for n in range(8))

    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            os._exit(99 if behind._connection.is_open else read())
        children.append(child)
    assert read() == 0
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4


class TestChangingUnderTheReader:
    """A large object that somebody replaces while its ranges are on their way."""

    PART = 5 * 2**20

    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("datom_core.storage.s3.transfer.PART_BYTES", self.PART)

    def bytes_of(self, letter: str) -> bytes:
        return letter.encode() * (2 * self.PART)

    def test_it_is_read_from_the_start(
        self, behind: dc.S3Store, proxy: Proxy, s3_server: S3Server, bucket: str
    ) -> None:
        behind.create("dm/x.parquet", self.bytes_of("a"))
        place = {"Bucket": bucket, "Key": "team/onc/datom/dm/x.parquet"}
        proxy.fault = self.once_at_a_range(lambda: s3_server.s3.put_object(**place, Body=self.bytes_of("b")))
        found = behind.get("dm/x.parquet")
        assert found.sha256 == hashlib.sha256(self.bytes_of("b")).hexdigest(), "not half of each"

    def test_one_that_never_stays(self, behind: dc.S3Store, proxy: Proxy, s3_server: S3Server, bucket: str) -> None:
        behind.create("dm/x.parquet", self.bytes_of("a"))
        place = {"Bucket": bucket, "Key": "team/onc/datom/dm/x.parquet"}
        letters = iter("bcdefghijklm")

        def change() -> None:
            s3_server.s3.put_object(**place, Body=self.bytes_of(next(letters)))

        proxy.fault = lambda r: Fault(before=change) if "Range" in r.headers else None
        with pytest.raises(dc.ConflictError, match="was replaced while it was read"):
            behind.get("dm/x.parquet")

    def once_at_a_range(self, change: Callable[[], object]) -> Callable[[Request], Fault | None]:
        done: list[int] = []

        def pick(request: Request) -> Fault | None:
            if "Range" in request.headers and not done:
                done.append(1)
                return Fault(before=change)
            return None

        return pick

    def test_a_part_that_breaks_off(
        self, behind: dc.S3Store, proxy: Proxy, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not s3_server.conditional_parts:
            pytest.skip(f"{s3_server.name} ignores conditions on uploads in parts, so that none are made")
        monkeypatch.setattr("datom_core.storage.s3.store.PART_BYTES", self.PART)
        proxy.only("PUT", "partNumber=2", Fault(keep_request=1000))
        assert behind.create("dm/x.parquet", self.bytes_of("a")) is True
        proxy.only("GET", "x.parquet", Fault(keep_answer=1000))
        assert behind.get("dm/x.parquet").data == self.bytes_of("a")

    @pytest.mark.parametrize(("method", "part"), [("GET", "x.parquet"), ("PUT", "partNumber=2")])
    def test_a_page_instead_of_a_part(
        self,
        behind: dc.S3Store,
        proxy: Proxy,
        s3_server: S3Server,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        part: str,
    ) -> None:
        if method == "PUT" and not s3_server.conditional_parts:
            pytest.skip(f"{s3_server.name} ignores conditions on uploads in parts, so that none are made")
        monkeypatch.setattr("datom_core.storage.s3.store.PART_BYTES", self.PART)
        behind.heeds_conditions()
        if method == "GET":
            behind.create("dm/x.parquet", self.bytes_of("a"))
        ranged = [method == "PUT"]

        def pick(request: Request) -> Fault | None:
            wanted = request.method == method and part in request.path
            return Fault(html=True) if wanted and ("Range" in request.headers or ranged[0]) else None

        proxy.fault = pick
        with pytest.raises(dc.StorageError, match="is not S3"):
            behind.get("dm/x.parquet") if method == "GET" else behind.create("dm/x.parquet", self.bytes_of("a"))

    def test_parts_that_cannot_be_put(
        self, behind: dc.S3Store, proxy: Proxy, s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not s3_server.conditional_parts:
            pytest.skip(f"{s3_server.name} ignores conditions on uploads in parts, so that none are made")
        monkeypatch.setattr("datom_core.storage.s3.store.PART_BYTES", self.PART)
        behind.heeds_conditions()
        proxy.only("PUT", "partNumber=2", Fault(status=500), times=100)
        with pytest.raises(dc.StorageError):
            behind.create("dm/x.parquet", self.bytes_of("a"))
        assert behind.head("dm/x.parquet") is None
        assert not s3_server.s3.list_multipart_uploads(Bucket=bucket).get("Uploads"), "no parts are left behind"


class TestCredentialsThatEnd:
    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("ExpiredToken", "have expired"),
            ("RequestTimeTooSkewed", "clock of this machine"),
            ("InvalidToken", "session token"),
        ],
    )
    def test_the_reason_is_said(self, ours: dc.Project, proxy: Proxy, code: str, said: str) -> None:
        proxy.only("GET", "metadata.json", Fault(status=403, code=code), times=100)
        with pytest.raises(dc.AccessDeniedError, match=said):
            ours.reader.read("dm")


class TestRefusalsThatDoNotSayWhy:
    """The answer to a HEAD has a status alone, and what is not there may be called forbidden: a listing tells."""

    @pytest.fixture(autouse=True)
    def an_object(self, behind: dc.S3Store) -> None:
        behind.create("there.json", b"{}")

    def refuse(self, proxy: Proxy, status: int, looks: str, listings: str | None = None) -> None:
        """Answer looks at objects and buckets with one error, and listings with another one or not at all."""

        def pick(request: Request) -> Fault | None:
            code = listings if "list-type" in request.path else looks
            return Fault(status=status, code=code) if code is not None else None

        proxy.fault = pick

    def test_what_is_not_there(self, behind: dc.S3Store, proxy: Proxy) -> None:
        self.refuse(proxy, 403, "AccessDenied")
        assert behind.head("nope.json") is None
        with pytest.raises(dc.NotFoundError, match=r"no object .*nope.json"):
            behind.get("nope.json")
        assert behind.head("there") is None, "another one that begins like it is not it"

    @pytest.mark.parametrize("listings", [None, "AccessDenied"])
    def test_what_may_not_be_read(self, behind: dc.S3Store, proxy: Proxy, listings: str | None) -> None:
        self.refuse(proxy, 403, "AccessDenied", listings)
        for look in (behind.head, behind.get):
            with pytest.raises(dc.AccessDeniedError, match=r"s3:GetObject on .*there.json"):
                look("there.json")

    def test_credentials_that_ended(self, behind: dc.S3Store, s3_server: S3Server, bucket: str, proxy: Proxy) -> None:
        self.refuse(proxy, 400, "ExpiredToken", "ExpiredToken")
        looks: list[Callable[[], object]] = [
            lambda: behind.head("there.json"),
            lambda: s3_server.store(bucket, endpoint_url=proxy.endpoint),
        ]
        for look in looks:
            with pytest.raises(dc.AccessDeniedError, match="have expired"):
                look()


@pytest.fixture
def ignorant(tmp_path: Path) -> Iterator[dc.S3Store]:
    """A server that does not know conditional writes: the proxy takes the headers away before they arrive."""
    # It must not look at signatures, which cover the headers.
    with moto(tmp_path, auth=False) as server, proxy_to(server.endpoint) as proxy:
        proxy.dropped_headers = frozenset({"if-match", "if-none-match"})
        yield server.store(server.bucket(), "q", endpoint_url=proxy.endpoint)


def test_a_server_that_says_that_it_knows_no_conditions(behind: dc.S3Store, proxy: Proxy) -> None:
    def pick(request: Request) -> Fault | None:
        conditional = {"if-none-match", "if-match"} & {h.lower() for h in request.headers}
        return Fault(status=501, code="NotImplemented") if request.method == "PUT" and conditional else None

    proxy.fault = pick
    with pytest.warns(UserWarning, match="does not know conditional writes"):
        assert behind.create("k.json", b"{}") is True
    assert behind.create("k.json", b"[]") is False


class TestServersThatIgnoreConditions:
    def test_what_is_too_large_for_one_request_is_looked_for_first(
        self, ignorant: dc.S3Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("datom_core.storage.s3.store._MAX_SINGLE", 100)
        ignorant._connection.conditions._known.update({"create": True, "create in parts": False})
        ignorant.create("dm/x.parquet", b"small")
        assert ignorant.create("dm/x.parquet", b"large" * 100) is False
        assert ignorant.get("dm/x.parquet").data == b"small"

    def test_it_is_told_once_and_worked_around(
        self, ignorant: dc.S3Store, remote: Path, dm: Frame, clock: Clock
    ) -> None:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            project = dc.Project.init("S", ignorant, remote=remote, clock=clock)
            for n in (2, 3):
                project.write("dm", dm(n))
        said = [str(w.message) for w in told]
        assert len(said) == 2, "once for creating, once for replacing"
        assert all("does not know conditional writes" in text for text in said)
        assert len(project.reader.history("dm")) == 2
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            project.write("dm", dm(4))
        assert ignorant.create("dm/.metadata/metadata.json", b"{}") is False
        with pytest.raises(dc.ConflictError):
            ignorant.replace(".metadata/manifest.json", b"{}", "0" * 32)
        assert {c.what: c.result for c in ignorant.preflight()}["conditional writes"] == "no"
