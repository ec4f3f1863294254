"""Where data lies, and by which credentials it is reached, as a settings file says it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from datom_core.credentials import (
    AmbientCredentials,
    CredentialSource,
    EnvironmentCredentials,
    KeyringCredentials,
    ProfileCredentials,
    RoleCredentials,
)
from datom_core.errors import InvalidInputError
from datom_core.settings.fields import check_texts, plain_fields, read_fields
from datom_core.storage import LocalStore, ObjectStore, S3Store

_LOCAL = frozenset({"path", "prefix"})
#: Settings that mean nothing without another one.
_WITH = {
    "access_key_env": "secret_key_env",
    "secret_key_env": "access_key_env",
    "session_token_env": "access_key_env",
    "role_external_id": "role_arn",
}


@dataclass(frozen=True)
class StorageSettings:
    """A folder, or a bucket with the names of credentials: the table ``[storage]`` of a settings file.

    Attributes:
        path: of a folder.
        bucket: instead of a folder.
        prefix: path below the folder or the bucket, so that several projects can share it.
        region: where the bucket is.
        endpoint_url: URL of a server other than AWS.
        addressing: ``auto``, ``path`` or ``virtual``.
        encryption, kms_key: of what is written; by default what the bucket does.
        access_key_env, secret_key_env, session_token_env: names of environment variables with the keys.
        profile: of the AWS configuration files, or of SSO.
        keyring: name of a service in the operating system's keyring.
        ambient: take what AWS finds on this machine: variables, profiles, a container's role.
        role_arn, role_external_id: a role to assume with these credentials.
    """

    path: str | None = None
    bucket: str | None = None
    prefix: str = ""
    region: str = "us-east-1"
    endpoint_url: str | None = None
    addressing: str = "auto"
    encryption: str | None = None
    kms_key: str | None = None
    access_key_env: str | None = None
    secret_key_env: str | None = None
    session_token_env: str | None = None
    profile: str | None = None
    keyring: str | None = None
    ambient: bool = False
    role_arn: str | None = None
    role_external_id: str | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.bucket is None):
            raise InvalidInputError("Storage is a folder (path) or a bucket (bucket): give one of them.")
        odd = [name for name in plain_fields(self) if name not in _LOCAL] if self.path is not None else []
        if odd:
            raise InvalidInputError(f"A folder has no {', '.join(odd)}; give bucket instead of path for S3.")
        check_texts(self)
        for name, other in _WITH.items():
            if getattr(self, name) is not None and getattr(self, other) is None:
                raise InvalidInputError(f"{name} needs {other} beside it.")
        if self.endpoint_url is not None and "@" in self.endpoint_url:
            raise InvalidInputError("endpoint_url carries credentials; take them out, and name where they come from.")

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], where: str = "[storage]") -> StorageSettings:
        """From a table of a file.

        Raises:
            InvalidInputError: names every key that does not belong there; shows no value.
        """
        return read_fields(cls, given, where)

    @classmethod
    def at(cls, address: str, **more: Any) -> StorageSettings:
        """From an address: ``s3://bucket/prefix``, or the path of a folder; ``more`` are further attributes.

        Raises:
            InvalidInputError: it is neither.
        """
        if not address.startswith("s3://"):
            if not address or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", address):
                raise InvalidInputError("Storage is the path of a folder, or s3://bucket/prefix.")
            return cls(path=address, **more)
        split = urlsplit(address)
        if not split.netloc or split.query or split.fragment or "@" in split.netloc:
            raise InvalidInputError("The address of a bucket is s3://bucket or s3://bucket/prefix, and nothing more.")
        return cls(bucket=split.netloc, prefix=split.path.strip("/"), **more)

    def to_mapping(self) -> dict[str, Any]:
        """What differs from the defaults, as a table of a file."""
        return plain_fields(self)

    def store(self, folder: Path | None = None) -> ObjectStore:
        """The store. A relative path is meant from ``folder``, by default the working folder.

        Raises:
            InvalidInputError: no credentials are named, or several.
            The errors of the store.
        """
        if self.path is not None:
            return LocalStore(Path(folder or ".", os.path.expanduser(self.path)), self.prefix)
        assert self.bucket is not None  # the constructor made sure
        return S3Store(
            self.bucket,
            self.prefix,
            self.region,
            credentials=self.credentials(),
            endpoint_url=self.endpoint_url,
            addressing=self.addressing,
            encryption=self.encryption,
            kms_key=self.kms_key,
            check=False,
        )

    def seen_from(self, folder: Path, home: Path | None) -> StorageSettings:
        """The same place for a file in ``folder``, where a relative path was meant from ``home``."""
        return self if self.path is None else replace(self, path=path_seen_from(self.path, folder, home))

    def absolute(self, home: Path | None) -> StorageSettings:
        """The same place whatever the working folder, where a relative path was meant from ``home``."""
        return self if self.path is None else replace(self, path=absolute_path(self.path, home))

    def same_place(self, other: StorageSettings, folder: Path | None = None) -> bool:
        """Whether both mean the same folder, or the same prefix of the same bucket; relative paths from ``folder``."""
        return self._address(folder) == other._address(folder)

    def _address(self, folder: Path | None) -> tuple[str | None, ...]:
        path = None if self.path is None else str(Path(folder or ".", os.path.expanduser(self.path)).resolve())
        return path, self.bucket, self.prefix.strip("/"), self.endpoint_url

    def credentials(self, others: Mapping[str, CredentialSource | None] | None = None) -> CredentialSource:
        """Where the credentials come from.

        Args:
            others: sources that a caller has besides, by name; ``None`` for one that was not given.

        Raises:
            InvalidInputError: none are named, or several.
        """
        sources = {name: source for name, source in (others or {}).items() if source is not None}
        if self.access_key_env is not None and self.secret_key_env is not None:
            token = self.session_token_env or ""
            sources["access_key_env"] = EnvironmentCredentials(self.access_key_env, self.secret_key_env, token)
        if self.profile is not None:
            sources["profile"] = ProfileCredentials(self.profile)
        if self.keyring is not None:
            sources["keyring"] = KeyringCredentials(self.keyring)
        if self.ambient:
            sources["ambient"] = AmbientCredentials()
        if len(sources) != 1:
            given = f"{' and '.join(sources)} exclude each other" if sources else "none are named"
            known = ["access_key_env and secret_key_env (environment variables)", "profile", "keyring", *(others or ())]
            raise InvalidInputError(
                f"The credentials for the bucket {self.bucket} must come from one place; {given}. Name "
                f"{', '.join(known)}, or ambient."
            )
        (source,) = sources.values()
        if self.role_arn is None:
            return source
        return RoleCredentials(
            self.role_arn,
            source,
            external_id=self.role_external_id,
            region=self.region,
            endpoint_url=self.endpoint_url,  # a self-hosted server hands out roles at the same address
        )


def path_seen_from(path: str, folder: Path, home: Path | None) -> str:
    """A path for a file in ``folder``: a relative one, which was meant from ``home``, stays relative."""
    if os.path.isabs(os.path.expanduser(path)):
        return path
    return os.path.relpath(Path(home or ".", path).resolve(), folder.resolve())


def absolute_path(path: str, home: Path | None) -> str:
    """A path whatever the working folder, where a relative one was meant from ``home``."""
    return os.path.abspath(Path(home or ".", os.path.expanduser(path)))
