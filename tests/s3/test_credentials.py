"""Credentials by where they come from; none leaks on the way."""

from __future__ import annotations

import copy
import gc
import pickle
import secrets
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import keyring
import pytest

import datom_core as dc
from datom_core.common.secret import masked
from tests.keyrings import drawer
from tests.s3.server import S3Server


def works(server: S3Server, bucket: str, source: Any) -> bool:
    store = server.store(bucket, credentials=source)
    store.create("k", b"1")
    return store.get("k").data == b"1"


def test_from_the_environment(s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S_KEY", raising=False)
    source = dc.EnvironmentCredentials("S_KEY", "S_SECRET")
    with pytest.raises(dc.InvalidInputError, match="S_KEY, S_SECRET"):
        s3_server.store(bucket, credentials=source)
    monkeypatch.setenv("S_KEY", s3_server.owner.access_key)
    monkeypatch.setenv("S_SECRET", s3_server.owner.secret_key.reveal())
    assert works(s3_server, bucket, source)


def test_from_a_keyring(s3_server: S3Server, bucket: str) -> None:
    with drawer():
        source = dc.KeyringCredentials("datom-study")
        with pytest.raises(dc.NotFoundError, match="keyring set datom-study access_key"):
            s3_server.store(bucket, credentials=source)
        keyring.set_password("datom-study", "access_key", s3_server.owner.access_key)
        keyring.set_password("datom-study", "secret_key", s3_server.owner.secret_key.reveal())
        assert works(s3_server, bucket, source)


@pytest.mark.parametrize("text", [False, True], ids=["datetime", "text, as functions for the PyPI reader give it"])
def test_from_a_function_that_is_asked_again_before_they_end(s3_server: S3Server, bucket: str, text: bool) -> None:
    asked = []

    def vault() -> dict[str, Any]:
        asked.append(1)
        # Within the quarter of an hour before the end, they are renewed at the next request.
        ends = datetime.now(UTC) + timedelta(minutes=5)
        owner = s3_server.owner
        keys = {"access_key": owner.access_key, "secret_key": owner.secret_key.reveal()}
        return {**keys, "expiration": ends.isoformat()} if text else {**keys, "expires_at": ends}

    store = s3_server.store(bucket, credentials=vault)
    before = len(asked)
    store.create("k", b"1")
    store.get("k")
    assert len(asked) > before


def test_a_function_that_gives_what_has_ended(s3_server: S3Server, bucket: str) -> None:
    ended = dc.Credentials("AKIA", "secret-key", expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(dc.AccessDeniedError, match="ended at 2020-01-01"):
        s3_server.store(bucket, credentials=lambda: ended)
    with pytest.raises(dc.InvalidInputError, match="expires_at is a datetime"):
        dc.Credentials("AKIA", "secret-key", expires_at="2030-01-01")  # type: ignore[arg-type]


def test_a_token_service_that_is_away_is_no_denial(s3_server: S3Server, bucket: str) -> None:
    away = dc.RoleCredentials("arn:aws:iam::1:role/r", s3_server.owner, endpoint_url="http://127.0.0.1:9")
    with pytest.raises(dc.StorageError, match="token service"):
        s3_server.store(bucket, credentials=away)


def test_a_function_that_is_not_asked_again_without_need(s3_server: S3Server, bucket: str) -> None:
    asked = []

    def vault() -> dc.Credentials:
        asked.append(1)
        owner = s3_server.owner
        return dc.Credentials(owner.access_key, owner.secret_key, expires_at=datetime.now(UTC) + timedelta(hours=6))

    store = s3_server.store(bucket, credentials=vault)
    store.create("k", b"1")
    assert len(asked) == 1


@pytest.mark.parametrize(
    "given", [None, "text", {}, {"access_key": "a"}, {"access_key": "a", "secret_key": "b", "x": 1}]
)
def test_a_function_that_gives_none(s3_server: S3Server, bucket: str, given: Any) -> None:
    with pytest.raises(dc.InvalidInputError, match="must return Credentials"):
        s3_server.store(bucket, credentials=lambda: given)


def test_a_role(s3_server: S3Server, bucket: str) -> None:
    source = s3_server.role(f"reader-{bucket}")
    given = source()
    assert given.session_token is not None
    assert given.expires_at is not None
    assert works(s3_server, bucket, source)
    wrong = dc.RoleCredentials(
        source.role_arn, dc.Credentials("AKIANOBODY", "wrong-key"), endpoint_url=s3_server.endpoint
    )
    with pytest.raises(dc.AccessDeniedError, match="could not be assumed") as caught:
        s3_server.store(bucket, credentials=wrong)
    assert caught.value.action == "sts:AssumeRole"


def test_a_profile_that_is_asked_for_by_name(
    s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    owner = s3_server.owner
    lines = [f"aws_access_key_id = {owner.access_key}", f"aws_secret_access_key = {owner.secret_key.reveal()}"]
    (tmp_path / "credentials").write_text("\n".join(["[study]", *lines, ""]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert works(s3_server, bucket, dc.ProfileCredentials("study"))
    assert dc.ProfileCredentials("study")().access_key == owner.access_key
    with pytest.raises(dc.AccessDeniedError, match="other"):
        s3_server.store(bucket, credentials=dc.ProfileCredentials("other"))


def test_what_the_surroundings_hold_when_that_is_asked_for(
    s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.owner.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.owner.secret_key.reveal())
    assert works(s3_server, bucket, dc.AmbientCredentials())


class TestSecret:
    def test_it_does_not_show(self) -> None:
        secret = dc.Secret("planted-secret")
        shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", repr([secret]), repr({"a": secret})]
        assert "planted" not in "".join(shown)
        assert secret.reveal() == "planted-secret"
        assert secret == dc.Secret("planted-secret") != dc.Secret("other-secret")
        assert copy.deepcopy({"s": secret})["s"] is secret

    def test_of_equal_secrets_the_last_is_masked_too(self) -> None:
        one, two = dc.Secret("planted-twice-over"), dc.Secret("planted-twice-over")
        del one
        gc.collect()
        assert "planted" not in masked(f"a log with {two.reveal()} in it")

    @pytest.mark.parametrize(
        "line",
        [
            "x-amz-security-token:PLANTED",
            "{'X-Amz-Security-Token': b'PLANTED'}",
            "x-amz-sso_bearer_token: PLANTED",
            "{'WebIdentityToken': 'PLANTED', 'RoleArn': 'r'}",
            '{"clientSecret": "PLANTED", "accessToken":"PLANTED"}',
            "<Credentials><SecretAccessKey>PLANTED</SecretAccessKey><SessionToken>PLANTED</SessionToken></Credentials>",
        ],
    )
    def test_what_aws_writes_into_its_logs(self, line: str) -> None:
        assert "PLANTED" not in masked(line)

    def test_masking_while_secrets_come_and_go(self) -> None:
        done = threading.Event()

        def make() -> None:
            while not done.is_set():
                dc.Secret(f"secret-{secrets.token_hex(8)}")

        makers = [threading.Thread(target=make) for _ in range(2)]
        for maker in makers:
            maker.start()
        for _ in range(300):
            masked("some text")
        done.set()
        for maker in makers:
            maker.join()

    def test_it_is_not_pickled(self) -> None:
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(dc.Credentials("AKIA", "planted-secret"))

    @pytest.mark.parametrize("value", ["", " ", "two\nlines", " blank-before", 7, None])
    def test_what_can_be_no_secret(self, value: Any) -> None:
        with pytest.raises(dc.InvalidInputError):
            dc.Secret(value)

    def test_credentials_show_four_characters(self) -> None:
        shown = repr(dc.Credentials("AKIAIOSFODNN7EXAMPLE", "planted-secret", "planted-token"))
        assert shown == "Credentials(AKIA****, ****)"
