"""A store in a bucket of S3, or of a compatible server."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from datom_core.common import check_key, fitting, logged, normalise_prefix, veiled
from datom_core.credentials import CredentialSource, check_credentials
from datom_core.documents import Buffer, Location, Rows
from datom_core.errors import AccessDeniedError, ConflictError, InvalidInputError, NotFoundError, StorageError
from datom_core.storage.protocol import ObjectInfo, ObjectStore, StoredObject
from datom_core.storage.s3.arguments import check_arguments
from datom_core.storage.s3.connection import Connection, Server
from datom_core.storage.s3.errors import (
    NOT_S3,
    RefusedConditionError,
    is_vague,
    region_in,
    tag_of,
    translated,
    translated_head,
)
from datom_core.storage.s3.holds import BucketHolds
from datom_core.storage.s3.preflight import PROBE, PreflightCheck, keeps_versions, preflight
from datom_core.storage.s3.transfer import PART_BYTES, body, checksum, distinct, download, upload_parts

_log = logging.getLogger(__name__)

#: Region of a bucket if none is given.
DEFAULT_REGION = "us-east-1"

_MAX_SINGLE = 5 * 2**30
_NO_CONTENT = 204
_TYPES = {"json": "application/json", "parquet": "application/vnd.apache.parquet"}


class S3Store:
    """Objects below ``s3://{bucket}/{prefix}/datom/``, the layout that R reads and writes.

    Payloads are created only if nothing is there, and documents are swapped only if they are still what was read, so
    any number of writers on any machines may share a bucket. A server that ignores such conditions is detected at the
    first write: there is a warning, and from then on each write looks before it writes.

    Args:
        bucket: its name. datom never creates a bucket.
        prefix: path below the bucket, so that several projects can share it; ``raw``, ``raw/`` and ``/raw/`` are the
            same.
        region: where the bucket is.
        credentials: where they come from; nothing is picked up from the environment by accident.
        endpoint_url: of a server other than AWS.
        addressing: ``"path"`` (``host/bucket``), ``"virtual"`` (``bucket.host``) or ``"auto"``: by path at a custom
            endpoint, otherwise as AWS prefers.
        encryption: ``"AES256"``, ``"aws:kms"`` or ``"aws:kms:dsse"``; by default, what the bucket does by itself.
        kms_key: id, ARN or alias of the encryption key; implies ``"aws:kms"``.
        config: options of `botocore.config.Config` that override the defaults here (timeouts, retries, proxies, ...).
        check: check right away that the bucket exists, is accessible, and is in this region; ``False`` delays that
            until the store is first used, for work offline.

    Raises:
        InvalidInputError: an argument is not valid, there are no credentials, or the bucket is in another region
            (named).
        NotFoundError: there is no such bucket.
        AccessDeniedError: the credentials are not valid, or may not access the bucket.
        StorageError: S3 could not be reached.
    """

    @fitting
    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        region: str = DEFAULT_REGION,
        *,
        credentials: CredentialSource | None = None,
        endpoint_url: str | None = None,
        addressing: str = "auto",
        encryption: str | None = None,
        kms_key: str | None = None,
        config: Mapping[str, Any] | None = None,
        check: bool = True,
    ) -> None:
        credentials, config = veiled(credentials), veiled(config)
        check_arguments(bucket, prefix, region, endpoint_url, addressing, encryption, config)
        config = veiled({**(config or {})})
        self._location = Location("s3", bucket, normalise_prefix(prefix), region, prefix)
        self._namespace = "/".join(filter(None, (self._location.prefix, "datom"))) + "/"
        self._server = Server(region, check_credentials(credentials), endpoint_url, addressing, config)
        self._encryption = encryption or ("aws:kms" if kms_key is not None else None)
        self._kms_key = kms_key
        self._connection = Connection(self._server, bucket, self._namespace + PROBE, self.encryption_options())
        self._checked = False
        if check:
            self.check()

    @property
    def location(self) -> Location:
        return self._location

    @property
    def bucket(self) -> str:
        return self._location.root

    @property
    def endpoint_url(self) -> str | None:
        """Where the server is, if it is not AWS."""
        return self._server.endpoint_url

    @property
    def kms_key(self) -> str | None:
        return self._kms_key

    @property
    def client(self) -> Any:
        """The boto3 client for all requests; made when first needed, and kept."""
        return self._connection.client

    def sibling(self, location: Location, *, credentials: CredentialSource | None = None, **options: Any) -> S3Store:
        """A store at another place on the same server, by default with the same credentials.

        Args:
            location: the place.
            credentials, **options: as for a new store.
        """
        credentials, options = veiled(credentials), veiled(options)
        given = {"region": location.region, "credentials": credentials}
        settings = {**self._server.settings(), **{name: value for name, value in given.items() if value}, **options}
        return S3Store(location.root, location.spelled_prefix, **settings)

    def key(self, key: str) -> str:
        """The full key in the bucket for a key in the namespace."""
        return self._namespace + (check_key(key) if key else "")

    def get(self, key: str) -> StoredObject:
        full = self.key(check_key(key))
        try:
            with translated_head(self.bucket, full, lambda: self._is_listed(key), conditional=True):
                found = download(self.client, self.bucket, full)
        except RefusedConditionError as error:
            raise ConflictError(
                f"{key} in {self.location} was replaced while it was read. Try again.", key=key
            ) from error
        return StoredObject(found.data, found.etag, found.sha256)

    def head(self, key: str) -> ObjectInfo | None:
        found = self._head(key)
        return ObjectInfo(key, int(found["ContentLength"]), dict(found.get("Metadata") or {})) if found else None

    @logged(_log)
    def create(self, key: str, data: Buffer, metadata: Mapping[str, str] | None = None) -> bool:
        conditions, size = self._connection.conditions, len(memoryview(data).cast("B"))
        in_parts = size > _MAX_SINGLE or (size > PART_BYTES and conditions.known("create in parts"))
        safe = conditions.known("create in parts" if in_parts else "create")
        if not safe and self.head(key) is not None:
            return False
        condition = {"IfNoneMatch": "*"} if safe else {}
        try:
            self._put(key, data, metadata, condition, in_parts=in_parts)
        except RefusedConditionError as error:
            if self.head(key) is not None:
                return False
            raise StorageError(f"{key} in {self.location} is being written by another. Try again.", key=key) from error
        return True

    @logged(_log)
    def replace(self, key: str, data: Buffer, etag: str) -> str:
        moved = ConflictError(f"{key} in {self.location} changed since it was read. Try again.", key=key)
        condition = {"IfMatch": etag}
        if not self._connection.conditions.known("replace"):
            found = self._head(key)
            if found is None or tag_of(found) != etag:
                raise moved
            condition = {}
        try:
            return self._put(key, distinct(key, data), None, condition, in_parts=False)
        except (RefusedConditionError, NotFoundError) as error:
            raise moved from error

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        pages = self.client.get_paginator("list_objects_v2")
        with translated("s3:ListBucket", self.bucket):
            for page in pages.paginate(Bucket=self.bucket, Prefix=self._namespace + prefix):
                if page.get("Name") != self.bucket:
                    raise StorageError(NOT_S3)
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(self._namespace)
                    # Consoles create empty objects for folders.
                    if key and key != PROBE and not key.endswith("/"):
                        yield ObjectInfo(key, int(found["Size"]))

    @logged(_log)
    def delete(self, key: str) -> None:
        full = self.key(check_key(key))
        with translated("s3:DeleteObject", self.bucket, full):
            answer = self.client.delete_object(Bucket=self.bucket, Key=full)
            if answer["ResponseMetadata"]["HTTPStatusCode"] != _NO_CONTENT:
                raise StorageError(NOT_S3)

    def copy_from(self, source: ObjectStore, key: str, size: int) -> bool:
        """Copy an object within one server, unless it is already here; ``False`` if that is not possible."""
        if not isinstance(source, S3Store):
            return False
        # Not every server heeds the condition on copies, and nothing may be overwritten.
        if (
            source.endpoint_url != self.endpoint_url
            or size > _MAX_SINGLE
            or not self._connection.conditions.known("copy")
        ):
            return False
        full = self.key(check_key(key))
        copied = {"CopySource": {"Bucket": source.bucket, "Key": source.key(key)}, "IfNoneMatch": "*"}
        options = {**self.encryption_options(), "ChecksumAlgorithm": "SHA256"}
        try:
            with translated("s3:PutObject", self.bucket, full, conditional=True):
                self.client.copy_object(Bucket=self.bucket, Key=full, **copied, **options)
        except AccessDeniedError:
            return False  # these credentials cannot read there; the caller, who has both stores, copies by hand
        except RefusedConditionError:
            return True
        return True

    def clean_up(self) -> None:
        """Remove what this class itself keeps in the namespace: the probe for conditional writes."""
        self.delete(PROBE)

    def kept_after_delete(self) -> str:
        """Which old versions the bucket keeps of deleted objects, in a sentence; ``""`` if it keeps none."""
        kept = keeps_versions(self)
        if kept is False:
            return ""
        whether = "keeps" if kept else "may keep"
        return (
            f"The bucket {self.bucket} {whether} versions: delete markers and the old versions behind them stay until "
            "a lifecycle rule or its owner removes them."
        )

    def check(self) -> None:
        """Check once that the bucket exists, is open to these credentials, and is in this region."""
        if self._checked:
            return
        try:
            with translated("s3:ListBucket", self.bucket):
                found = self.client.head_bucket(Bucket=self.bucket)
        except (AccessDeniedError, StorageError) as error:
            if not is_vague(error):
                raise
            right = region_in(error)
            if right is not None:
                self._check_region(right)
            # A user who may only see one prefix is refused the bucket; asked about the prefix, S3 also says what is
            # wrong.
            with translated("s3:ListBucket", self.bucket):
                self.client.list_objects_v2(Bucket=self.bucket, Prefix=self._namespace, MaxKeys=1)
        else:
            self._check_region(
                found.get("BucketRegion") or found["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
            )
        self._checked = True

    def preflight(self, *, write: bool = True) -> Rows[PreflightCheck]:
        """Whether this bucket is suitable for a project: reachable, can list, read and write, versioning, default
        encryption, object lock and retention, legal holds, conditional writes. Prints as a table; never raises for
        what it finds. ``write=False`` leaves out what takes an object to find out."""
        return preflight(self, write=write)

    def holds(self) -> BucketHolds:
        """Legal holds on the objects, for which the bucket needs object lock."""
        return BucketHolds(self)

    def heeds_conditions(self, *, anew: bool = False) -> bool:
        """Whether the server supports conditional writes; tested once, unless it is AWS, or again if ``anew``."""
        conditions = self._connection.conditions
        if anew:
            conditions.put_probe()
        return conditions.known("create") and conditions.known("replace")

    def _check_region(self, right: str | None) -> None:
        if right and right != self._location.region:
            raise InvalidInputError(
                f"The bucket {self.bucket} is in {right}, not in {self._location.region}. Give region={right!r}.",
                bucket=self.bucket,
                region=right,
            )

    def _put(
        self,
        key: str,
        data: Buffer,
        metadata: Mapping[str, str] | None,
        condition: Mapping[str, str],
        *,
        in_parts: bool,
    ) -> str:
        """Store bytes; returns the new tag, if the upload tells one."""
        full = self.key(check_key(key))
        options: dict[str, Any] = {**self.encryption_options(), "Metadata": dict(metadata or {})}
        options["ContentType"] = _TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        with translated("s3:PutObject", self.bucket, full, conditional=bool(condition)):
            if in_parts:
                upload_parts(self.client, self.bucket, full, data, options, condition)
                return ""
            answer = self.client.put_object(
                Bucket=self.bucket, Key=full, Body=body(data), **checksum(data), **options, **condition
            )
            return tag_of(answer)

    def _head(self, key: str) -> Any | None:
        """S3's answer about an object, without its bytes."""
        full = self.key(check_key(key))
        try:
            with translated_head(self.bucket, full, lambda: self._is_listed(key)):
                found = self.client.head_object(Bucket=self.bucket, Key=full)
                tag_of(found)
        except NotFoundError:
            return None
        return found

    def _is_listed(self, key: str) -> bool:
        # Of all keys with this prefix, the key itself comes first.
        first = next(self.list(key), None)
        return first is not None and first.key == key

    def encryption_options(self) -> dict[str, str]:
        """How objects are encrypted, as arguments of boto3's requests."""
        options = {"ServerSideEncryption": self._encryption} if self._encryption is not None else {}
        return {**options, "SSEKMSKeyId": self._kms_key} if self._kms_key is not None else options

    def __reduce__(self) -> tuple[Any, ...]:
        # Settings cross a process boundary; connections do not, and inline secrets refuse to.
        at = self._location
        keys = {"encryption": self._encryption, "kms_key": self._kms_key}
        return _rebuild, (at.root, at.spelled_prefix, {**self._server.settings(), **keys, "check": False})

    def __repr__(self) -> str:
        if not hasattr(self, "_server"):
            return "S3Store(...)"  # still being made: a traceback is showing it
        at = self._location
        elsewhere = f", endpoint_url={self.endpoint_url!r}" if self.endpoint_url else ""
        return f"S3Store({at.root!r}, prefix={at.prefix!r}, region={at.region!r}{elsewhere})"


def _rebuild(bucket: str, prefix: str, options: dict[str, Any]) -> S3Store:
    return S3Store(bucket, prefix, **options)
