"""No variable of a frame shows a key, whatever fails on the way to S3."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import botocore.httpsession
import pytest

import datom_core as dc
from tests.frames import shown_in
from tests.s3.server import S3Server

KEY, SESSION = "plantedPLANTEDsecretKEY0123456789", "plantedPLANTEDsessionTOKEN0123456789"
GIVEN = {"access_key": "AKIAPLANTED", "secret_key": KEY, "session_token": SESSION}

SOURCES: dict[str, Callable[[], Any]] = {
    "outright": lambda: dc.Credentials(**GIVEN),
    "a function": lambda: lambda: GIVEN,
    "a partial, whose repr shows it": lambda: functools.partial(dict, GIVEN),
}


def raised(use: Callable[[], object], kind: type[BaseException] = dc.DatomError) -> BaseException:
    with pytest.raises(kind) as caught:
        use()
    return caught.value


@pytest.mark.parametrize("name", SOURCES)
class TestRequests:
    def test_keys_that_are_refused(self, s3_server: S3Server, bucket: str, name: str) -> None:
        store = s3_server.store(bucket, credentials=SOURCES[name](), check=False)
        for use in (lambda: store.get("k"), lambda: store.create("k", b"1"), lambda: list(store.list()), store.check):
            assert not shown_in(raised(use), [KEY, SESSION])  # type: ignore[arg-type]

    def test_a_server_that_is_not_there(self, name: str) -> None:
        hasty = {"retries": {"mode": "standard", "total_max_attempts": 1}}
        nowhere = {"endpoint_url": "http://127.0.0.1:9", "config": hasty, "check": False}
        store = dc.S3Store("bucket", credentials=SOURCES[name](), **nowhere)
        error = raised(lambda: store.get("k"), dc.StorageError)
        assert not shown_in(error, [KEY, SESSION])
        assert error.__cause__ is not None, "what happened is still told"
        role = dc.RoleCredentials("arn:aws:iam::1:role/x", SOURCES[name](), endpoint_url="http://127.0.0.1:9")
        assert not shown_in(raised(role, dc.StorageError), [KEY, SESSION])

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, TypeError])
    def test_what_nobody_expects(
        self, s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch, name: str, kind: type[BaseException]
    ) -> None:
        def broken(self: Any, request: Any) -> Any:
            raise kind("no more")

        store = s3_server.store(bucket, credentials=SOURCES[name](), check=False)
        monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", broken)
        expected = (kind, dc.DatomError)
        with pytest.raises(expected) as caught:
            store.get("k")
        assert not shown_in(caught.value, [KEY, SESSION])


MISTAKES: dict[str, Callable[[], object]] = {
    "a mapping as credentials": lambda: dc.S3Store("bucket", credentials=GIVEN),  # type: ignore[arg-type]
    "text as credentials": lambda: dc.S3Store("bucket", credentials=KEY),  # type: ignore[arg-type]
    "a pair as credentials": lambda: dc.S3Folder("bucket", credentials=("AKIA", KEY)),  # type: ignore[arg-type]
    "another mistake": lambda: dc.S3Store("B", credentials=SOURCES["a partial, whose repr shows it"]()),
    "a line's end": lambda: dc.Credentials("AKIA", f"{KEY}\n"),
    "a line's end in the token": lambda: dc.Credentials("AKIA", KEY, f"{SESSION}\n"),
    "no access key": lambda: dc.Credentials("", KEY, SESSION),
    "bytes": lambda: dc.Credentials("AKIA", KEY.encode()),  # type: ignore[arg-type]
    "a function that gives a pair": lambda: dc.S3Store("bucket", credentials=lambda: ("AKIA", KEY)),  # type: ignore[arg-type, return-value]
    "a function that gives other fields": lambda: dc.S3Store("bucket", credentials=lambda: {"secret": KEY}),
    "a proxy's password": lambda: dc.S3Store(
        "bucket", credentials=SOURCES["outright"](), config={"proxies": {"https": f"http://me:{KEY}@proxy:1"}}
    ),
    "a role from a mapping": lambda: dc.RoleCredentials("arn", GIVEN)(),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_with_keys(name: str) -> None:
    assert not shown_in(raised(MISTAKES[name], dc.InvalidInputError), [KEY, SESSION])
