"""A bucket as storage for a study."""

# Dagster reads annotations at run time, to know which resources are configured at launch: no `annotations` import.
from typing import Any

from pydantic import Field, PrivateAttr

import datom_core as dc
from datom_dagster.resources.aws import S3Resource
from datom_dagster.resources.published_files import publish_in_bucket
from datom_dagster.resources.storage_resource import DatomStorage, optional, resolved


class S3Storage(DatomStorage):
    """A bucket on S3, or on a server that speaks S3.

    Credentials come from exactly one place: environment variables, given by *name* (their values never enter Dagster's
    configuration, where they would show); a profile; the system's keyring; dagster-aws's `S3Resource`; or, on request,
    whatever AWS finds where the step runs (a container's role). `role_arn` assumes a role with them.
    """

    bucket: str = Field(description="Name of the bucket.")
    prefix: str = Field(default="", description="Path below the bucket, so that several projects can share it.")
    region: str | None = Field(default=None, description="Where the bucket is; us-east-1 if nobody says otherwise.")
    endpoint_url: str | None = Field(default=None, description="URL of a server other than AWS.")
    addressing: str = Field(default="auto", description="auto, path or virtual.")
    encryption: str | None = Field(default=None, description="AES256 or aws:kms; by default what the bucket does.")
    kms_key: str | None = Field(default=None, description="Id, ARN or alias of the key to encrypt with.")
    access_key_env: str | None = Field(default=None, description="Name of the variable that holds the access key.")
    secret_key_env: str | None = Field(default=None, description="Name of the variable that holds the secret key.")
    session_token_env: str | None = Field(default=None, description="Name of the variable of a session token.")
    profile: str | None = Field(default=None, description="A profile of the AWS configuration files, or of SSO.")
    keyring: str | None = Field(default=None, description="A service of the operating system's keyring.")
    ambient: bool = Field(default=False, description="Take what AWS finds where the step runs.")
    s3: S3Resource | None = Field(default=None, description="A dagster-aws resource to take credentials from.")
    role_arn: str | None = Field(default=None, description="A role to assume with these credentials.")
    role_external_id: str | None = Field(default=None, description="What the role's trust policy asks for.")

    _store: dc.S3Store | None = PrivateAttr(default=None)

    def store(self) -> dc.S3Store:
        # One client for everything this process does: it keeps its connections, and checks the bucket only once.
        if self._store is None:
            region, endpoint = self._place()
            self._store = dc.S3Store(
                resolved(self.bucket),
                resolved(self.prefix),
                region,
                credentials=self.credentials(),
                endpoint_url=endpoint,
                addressing=self.addressing,
                encryption=self.encryption,
                kms_key=optional(self.kms_key),
                check=False,
            )
        return self._store

    def drop(self, folder: str = "") -> dc.S3Folder:
        region, endpoint = self._place()
        prefix = "/".join(part for part in (resolved(self.prefix).strip("/"), folder) if part)
        return dc.S3Folder(
            resolved(self.bucket),
            prefix,
            credentials=self.credentials(),
            region=region,
            endpoint_url=endpoint,
            addressing=self.addressing,
        )

    def publish(self, path: str, data: bytes) -> str:
        return publish_in_bucket(self.store(), path, data)

    def __repr_args__(self) -> Any:
        """As pydantic's, without the contents of a dagster-aws resource, whose own repr shows its keys."""
        return [
            (name, "****" if name == "s3" and value is not None else value) for name, value in super().__repr_args__()
        ]

    def credentials(self) -> dc.CredentialSource:
        """Where the credentials come from.

        Raises:
            InvalidInputError: no source is configured, or several are.
        """
        region, endpoint = self._place()
        named = dc.StorageSettings(
            bucket=resolved(self.bucket),
            region=region,
            endpoint_url=endpoint,
            access_key_env=self.access_key_env,
            secret_key_env=self.secret_key_env,
            session_token_env=self.session_token_env,
            profile=optional(self.profile),
            keyring=optional(self.keyring),
            ambient=self.ambient and self.s3 is None,  # with a resource, it says what that one may use
            role_arn=optional(self.role_arn),
            role_external_id=optional(self.role_external_id),
        )
        return named.credentials({"s3": None if self.s3 is None else self._of_resource()})

    def _of_resource(self) -> dc.CredentialSource:
        """The credentials that the dagster-aws resource would use. No variable holds it: its repr shows its keys."""
        assert self.s3 is not None
        access_key, has_secret = optional(self.s3.aws_access_key_id), self.s3.aws_secret_access_key is not None
        if access_key is not None and self.s3.aws_secret_access_key is not None:
            secret_key = dc.Secret(resolved(self.s3.aws_secret_access_key))
            return dc.Credentials(access_key, secret_key, optional(self.s3.aws_session_token))
        profile = optional(self.s3.profile_name)
        if access_key is not None or has_secret:
            raise dc.InvalidInputError("The S3Resource has half a pair of keys; give it both, or neither.")
        if profile is not None:
            return dc.ProfileCredentials(profile)
        if not self.ambient:
            raise dc.InvalidInputError(
                "The S3Resource has neither keys nor a profile. If it is to use what AWS finds where the step runs, "
                "say so with ambient=True."
            )
        return dc.AmbientCredentials()

    def _place(self) -> tuple[str, str | None]:
        """Region and endpoint: ours, else those of the dagster-aws resource."""
        region, endpoint = optional(self.region), optional(self.endpoint_url)
        if self.s3 is not None:
            region, endpoint = region or optional(self.s3.region_name), endpoint or optional(self.s3.endpoint_url)
        return region or "us-east-1", endpoint
