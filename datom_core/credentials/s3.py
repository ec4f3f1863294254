"""Where credentials for S3 come from. None are ever picked up from the environment unless asked for by name."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

from datom_core.common import MASK, Secret, fitting, kind_of, mask_logs, needing, veiled, without_frames
from datom_core.credentials.keyring import read_entries
from datom_core.errors import AccessDeniedError, InvalidInputError, NotFoundError, StorageError

_SHOWN = 4  # characters of an access key, which is a name, not a secret
_FIELDS = frozenset({"access_key", "secret_key", "session_token", "expires_at", "expiration"})
_FILES = frozenset({"config_file", "credentials_file"})
_AWS_LOGGERS = ("boto3", "botocore", "s3transfer", "urllib3")


@dataclass(frozen=True)
class Credentials:
    """Keys of one identity.

    Args:
        access_key: the key's id.
        secret_key: the key; text is wrapped into a `Secret`.
        session_token: of temporary credentials.
        expires_at: when they end (with an offset, or in UTC); the function that gave them is called again before then.
    """

    access_key: str = field(repr=False)
    secret_key: Secret
    session_token: Secret | None = None
    expires_at: datetime | None = None

    @fitting
    def __init__(
        self,
        access_key: str,
        secret_key: str | Secret,
        session_token: str | Secret | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        secret_key, session_token = veiled(secret_key), veiled(session_token)
        given: object = access_key
        if not isinstance(given, str) or not given.strip():
            raise InvalidInputError("Credentials need an access key.")
        ends: object = expires_at
        if ends is not None and not isinstance(ends, datetime):
            raise InvalidInputError(f"expires_at is a datetime, not {type(ends).__name__}.")
        if expires_at is not None and expires_at.tzinfo is None:
            expires_at = expires_at.replace(tzinfo=UTC)
        token = session_token or None
        object.__setattr__(self, "access_key", access_key)
        object.__setattr__(self, "secret_key", secret_key if isinstance(secret_key, Secret) else Secret(secret_key))
        object.__setattr__(self, "session_token", Secret(token) if isinstance(token, str) else token)
        object.__setattr__(self, "expires_at", expires_at)

    def __repr__(self) -> str:
        if not hasattr(self, "expires_at") or not hasattr(self, "access_key"):
            return "Credentials(...)"  # still being made: a traceback is showing them
        until = f", expires_at={self.expires_at:%Y-%m-%dT%H:%M:%SZ}" if self.expires_at else ""
        return f"Credentials({self.access_key[:_SHOWN]}{MASK}, {MASK}{until})"


#: What a store accepts: credentials, one of the classes here, or a function that returns credentials or a mapping with
#: ``access_key``, ``secret_key`` and optionally ``session_token`` and ``expires_at``.
CredentialSource = Credentials | Callable[[], "Credentials | Mapping[str, Any]"]


@fitting
@dataclass(frozen=True)
class EnvironmentCredentials:
    """Credentials in environment variables with the given names; read when needed.

    A session token is optional: its variable may be unset, and an empty name means that there is none.
    """

    access_key: str = "AWS_ACCESS_KEY_ID"
    secret_key: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a variable's name
    session_token: str = "AWS_SESSION_TOKEN"  # noqa: S105

    def __call__(self) -> Credentials:
        missing = [name for name in (self.access_key, self.secret_key) if not os.environ.get(name)]
        if missing:
            raise InvalidInputError(f"Environment variables with credentials are not set: {', '.join(missing)}.")
        token = veiled(os.environ.get(self.session_token)) if self.session_token else None
        return Credentials(os.environ[self.access_key], os.environ[self.secret_key], token)


@fitting
@dataclass(frozen=True)
class KeyringCredentials:
    """Credentials in the operating system's keyring, under one service name (extra ``keyring``).

    The entries are called ``access_key``, ``secret_key`` and, for temporary credentials, ``session_token``; the command
    ``keyring set SERVICE access_key`` creates one.
    """

    service: str

    def __call__(self) -> Credentials:
        found = read_entries(self.service, ("access_key", "secret_key"), ("session_token",))
        return Credentials(str(found["access_key"]), str(found["secret_key"]), found["session_token"])


@fitting
@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of a role (STS), renewed before they end.

    Args:
        role_arn: the role.
        source: credentials of the identity that may assume it.
        session_name: shown in AWS's own audit log.
        seconds: how long each set of credentials lasts.
        external_id: the one that the role's trust policy requires, if it does.
        region, endpoint_url: of the token service.
    """

    role_arn: str
    source: CredentialSource
    session_name: str = "datom"
    seconds: int = 3600
    external_id: str | None = None
    region: str = "us-east-1"
    endpoint_url: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", veiled(self.source))

    def __call__(self) -> Credentials:
        from botocore import exceptions as theirs
        from botocore.parsers import ResponseParserError

        asked = {"RoleArn": self.role_arn, "RoleSessionName": self.session_name, "DurationSeconds": self.seconds}
        if self.external_id is not None:
            asked["ExternalId"] = self.external_id
        client = make_client("sts", self.source, region=self.region, endpoint_url=self.endpoint_url, config={})
        try:
            given = veiled(client.assume_role(**asked)["Credentials"])
        except (theirs.ConnectionError, theirs.HTTPClientError, ResponseParserError) as error:
            raise StorageError(
                f"The token service could not be asked for {self.role_arn} ({_code(error)}). Try again."
            ) from without_frames(error)
        except (theirs.BotoCoreError, theirs.ClientError) as error:
            raise AccessDeniedError(
                f"The role {self.role_arn} could not be assumed ({_code(error)}). Check its trust policy and the "
                "credentials that ask for it.",
                action="sts:AssumeRole",
                resource=self.role_arn,
            ) from without_frames(error)
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"])


@fitting
@dataclass(frozen=True)
class ProfileCredentials:
    """A profile of the AWS configuration files: keys, single sign-on, a process, a chain of roles.

    What AWS can renew by itself is renewed; an expired single sign-on needs ``aws sso login``.
    """

    profile: str

    def __call__(self) -> Credentials:
        return _frozen(self.resolve())

    def resolve(self) -> Any:
        """botocore's own credentials, which renew themselves."""
        return _found_by_aws(self.profile)


@dataclass(frozen=True)
class AmbientCredentials:
    """Whatever the AWS tools find on this machine: its own or its container's role, a web identity, variables."""

    def __call__(self) -> Credentials:
        return _frozen(self.resolve())

    def resolve(self) -> Any:
        """botocore's own credentials, which renew themselves."""
        return _found_by_aws(None)


def check_credentials(source: object) -> CredentialSource:
    """Return ``source`` if credentials can come from it.

    Raises:
        InvalidInputError: says what to pass.
    """
    source = veiled(source)
    if isinstance(source, Credentials) or (callable(source) and not isinstance(source, type)):
        return cast(CredentialSource, source)
    given = "No credentials are given" if source is None else f"{kind_of(source)} is no source of credentials"
    raise InvalidInputError(
        f"{given}, and none are taken from the surroundings by accident. Give Credentials(...), "
        "EnvironmentCredentials(), KeyringCredentials(service), RoleCredentials(arn, source), "
        "ProfileCredentials(name), AmbientCredentials(), or a function that returns credentials."
    )


def ask(source: CredentialSource) -> Credentials:
    """The credentials that a source gives now.

    Raises:
        InvalidInputError: it gives something that is not credentials.
        The errors of the source.
    """
    source = check_credentials(source)
    given: object = veiled(source if isinstance(source, Credentials) else source())
    if isinstance(given, Credentials):
        return given
    if not isinstance(given, Mapping) or not {"access_key", "secret_key"} <= set(given) or set(given) - _FIELDS:
        raise InvalidInputError(
            "The function for credentials must return Credentials, or a mapping with access_key, secret_key and "
            f"optionally session_token and expires_at; it returned {kind_of(given)}."
        )
    ends = given.get("expires_at", given.get("expiration"))
    try:
        ends = datetime.fromisoformat(ends) if isinstance(ends, str) else ends
    except ValueError:
        ends = ""
    if ends is not None and not isinstance(ends, datetime):
        raise InvalidInputError("expires_at of credentials must be a datetime, or ISO 8601 text of one.")
    return Credentials(given["access_key"], given["secret_key"], given.get("session_token"), ends)


def make_client(
    service: str, source: CredentialSource, *, region: str, endpoint_url: str | None, config: Mapping[str, Any]
) -> Any:
    """A boto3 client with these credentials only; AWS variables and files have no influence."""
    with needing("A client of AWS", "s3"):
        import boto3.session
        from botocore.config import Config

    client = boto3.session.Session(botocore_session=_isolated_session(source)).client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(ignore_configured_endpoint_urls=True).merge(Config(**config)),
    )
    mask_logs(*_AWS_LOGGERS)
    return client


def _isolated_session(source: CredentialSource) -> Any:
    import botocore.session
    from botocore.configprovider import ConfigValueStore, ConstantProvider, create_botocore_default_config_mapping
    from botocore.credentials import CredentialProvider, CredentialResolver

    class Given(CredentialProvider):  # type: ignore[misc, unused-ignore]
        METHOD = CANONICAL_NAME = "datom"

        def load(self) -> Any:
            return _to_botocore(source)

    session = botocore.session.Session(event_hooks=copy.copy(_hooks()), include_builtin_handlers=False)
    settings = ConfigValueStore(mapping=create_botocore_default_config_mapping(session))
    for name, (_, _, default, _) in session.SESSION_VARIABLES.items():
        # Certificates and proxies are up to the network; all else decides where data goes, and as whom.
        if name != "ca_bundle":
            settings.set_config_provider(name, ConstantProvider(None if name in _FILES else default))
    settings.set_config_provider("s3", ConstantProvider({"us_east_1_regional_endpoint": "regional"}))
    session.register_component("config_store", settings)
    session.register_component("data_loader", _loader())
    session.register_component("credential_provider", CredentialResolver(providers=[Given()]))
    return session


@cache
def _hooks() -> Any:
    """botocore's own hundred hooks, registered once: that takes longer than all else that a client needs."""
    import botocore.session

    return botocore.session.Session().get_component("event_emitter")


@cache
def _loader() -> Any:
    """What tells botocore what S3 is and where; read once, because that is most of the cost of a client."""
    from botocore.loaders import Loader

    # None of the user's folders is searched.
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def _to_botocore(source: CredentialSource) -> Any:
    from botocore.credentials import Credentials as Fixed
    from botocore.credentials import RefreshableCredentials

    if isinstance(source, ProfileCredentials | AmbientCredentials):
        return source.resolve()
    now = ask(source)
    if now.expires_at is None or isinstance(source, Credentials):
        return Fixed(now.access_key, now.secret_key.reveal(), now.session_token and now.session_token.reveal())
    return RefreshableCredentials.create_from_metadata(
        metadata=_metadata(now), refresh_using=lambda: _metadata(ask(source)), method="datom"
    )


def _metadata(credentials: Credentials) -> dict[str, Any]:
    # Credentials that do not say when they end are requested again after an hour.
    ends = credentials.expires_at or datetime.now(UTC) + timedelta(hours=1)
    if ends <= datetime.now(UTC):
        raise AccessDeniedError(f"The credentials that were given ended at {ends:%Y-%m-%dT%H:%M:%SZ}. Get new ones.")
    return {
        "access_key": credentials.access_key,
        "secret_key": credentials.secret_key.reveal(),
        "token": credentials.session_token and credentials.session_token.reveal(),
        "expiry_time": ends.isoformat(),
    }


def _found_by_aws(profile: str | None) -> Any:
    with needing("The AWS configuration", "s3"):
        import botocore.session
        from botocore.exceptions import BotoCoreError

    try:
        found = botocore.session.Session(profile=profile).get_credentials()
    except BotoCoreError as error:
        raise AccessDeniedError(f"The AWS configuration gives no credentials: {error}") from without_frames(error)
    if found is None:
        where = f"The profile {profile!r}" if profile is not None else "The AWS configuration of this machine"
        raise NotFoundError(f"{where} gives no credentials.")
    return found


def _frozen(found: Any) -> Credentials:
    return Credentials(*found.get_frozen_credentials()[:3])  # a variable would show them in a traceback


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    if not response:
        return type(error).__name__
    # Not every server's token service gives a reason; the status is always there.
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return str(response.get("Error", {}).get("Code") or status)
