"""A store in a bucket of S3, or of anything that speaks S3."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakSet

from datom_core.common import check_key, fitting, logged, normalise_prefix, veiled
from datom_core.credentials import CredentialSource, check_credentials
from datom_core.documents import Buffer, Location, Rows
from datom_core.errors import AccessDeniedError, ConflictError, InvalidInputError, NotFoundError, StorageError
from datom_core.storage.protocol import ObjectInfo, StoredObject
from datom_core.storage.s3.arguments import check_arguments
from datom_core.storage.s3.client import open_client
from datom_core.storage.s3.conditions import PROBE, Conditions
from datom_core.storage.s3.errors import (
    NOT_S3,
    RefusedConditionError,
    is_vague,
    region_in,
    tag_of,
    translated,
    translated_head,
)
from datom_core.storage.s3.preflight import PreflightCheck, preflight
from datom_core.storage.s3.transfer import PART_BYTES, body, checksum, distinct, download, upload_parts

_log = logging.getLogger(__name__)

_MAX_SINGLE = 5 * 2**30
_NO_CONTENT = 204
_TYPES = {"json": "application/json", "parquet": "application/vnd.apache.parquet"}


class S3Store:
    """Objects below ``s3://{bucket}/{prefix}/datom/``, the layout that R reads and writes.

    Payloads are created on condition that nothing is there, documents are swapped on condition that they are
    still what was read: any number of writers on any machines may share a bucket. A server that ignores such
    conditions is found out at the first write, a warning says so, and each write looks before it writes.

    Args:
        bucket: its name. datom never makes a bucket.
        prefix: path below the bucket, so that several projects can share it; ``raw``, ``raw/`` and ``/raw/`` are one.
        region: where the bucket is.
        credentials: where they come from; nothing is taken from the surroundings by accident.
        endpoint_url: of a server other than AWS.
        addressing: ``"path"`` (``host/bucket``), ``"virtual"`` (``bucket.host``) or ``"auto"``: by path at an endpoint
            of its own, else as AWS prefers.
        encryption: ``"AES256"``, ``"aws:kms"`` or ``"aws:kms:dsse"``; by default what the bucket does by itself.
        kms_key: id, ARN or alias of the key to encrypt with; means ``"aws:kms"``.
        config: options of `botocore.config.Config` that replace the defaults here (timeouts, retries, proxies, ...).
        check: look at once whether the bucket is there, open, and in this region; ``False`` puts it off until the
            store is first used, for work offline.

    Raises:
        InvalidInputError: an argument that cannot be, no credentials, or a bucket in another region, which is named.
        NotFoundError: there is no such bucket.
        AccessDeniedError: the credentials are not valid, or may not look into the bucket.
        StorageError: S3 could not be reached.
    """

    @fitting
    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        region: str = "us-east-1",
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
        self._config = veiled({**(config or {})})
        self._location = Location("s3", bucket, normalise_prefix(prefix), region, prefix)
        self._namespace = "/".join(filter(None, (self._location.prefix, "datom"))) + "/"
        self._endpoint_url = endpoint_url
        self._credentials = check_credentials(credentials)
        self._addressing = addressing
        self._encryption = encryption or ("aws:kms" if kms_key is not None else None)
        self._kms_key = kms_key
        self._lock = threading.Lock()
        self._opened: tuple[Any, Conditions] | None = None
        self._checked = False
        _ALIVE.add(self)
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
        """Where the server is, when it is not AWS."""
        return self._endpoint_url

    @property
    def kms_key(self) -> str | None:
        return self._kms_key

    @property
    def client(self) -> Any:
        """The boto3 client that everything goes through; made when it is first needed, and kept."""
        return self._open()[0]

    def sibling(self, location: Location, *, credentials: CredentialSource | None = None, **options: Any) -> S3Store:
        """A store at another place of the same server, by default with the same credentials.

        Args:
            location: the place.
            credentials, **options: as for a new store.
        """
        credentials, options = veiled(credentials), veiled(options)
        settings = {
            "region": location.region or self._location.region,
            "credentials": credentials or self._credentials,
            "endpoint_url": self._endpoint_url,
            "addressing": self._addressing,
            "config": self._config,
        }
        return S3Store(location.root, location.spelled_prefix, **{**settings, **options})

    def key(self, key: str) -> str:
        """The whole key in the bucket of a key below the namespace."""
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
        conditions, size = self._open()[1], len(memoryview(data).cast("B"))
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
        if not self._open()[1].known("replace"):
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
                    # Consoles make empty objects for folders.
                    if key and key != PROBE and not key.endswith("/"):
                        yield ObjectInfo(key, int(found["Size"]))

    @logged(_log)
    def delete(self, key: str) -> None:
        full = self.key(check_key(key))
        with translated("s3:DeleteObject", self.bucket, full):
            answer = self.client.delete_object(Bucket=self.bucket, Key=full)
            if answer["ResponseMetadata"]["HTTPStatusCode"] != _NO_CONTENT:
                raise StorageError(NOT_S3)

    def copy_from(self, source: S3Store, key: str, size: int) -> bool:
        """Copy an object within one server, unless there is one here; ``False`` when that cannot be done."""
        # Not every server heeds the condition on copies, and nothing may be overwritten.
        if source.endpoint_url != self.endpoint_url or size > _MAX_SINGLE or not self._open()[1].known("copy"):
            return False
        full = self.key(check_key(key))
        copied = {"CopySource": {"Bucket": source.bucket, "Key": source.key(key)}, "IfNoneMatch": "*"}
        options = {**self._encryption_options(), "ChecksumAlgorithm": "SHA256"}
        try:
            with translated("s3:PutObject", self.bucket, full, conditional=True):
                self.client.copy_object(Bucket=self.bucket, Key=full, **copied, **options)
        except AccessDeniedError:
            return False  # these credentials do not read there; whoever holds both does it by hand
        except RefusedConditionError:
            return True
        return True

    def clean_up(self) -> None:
        """Remove what this class itself keeps in the namespace: the object that conditions were tried on."""
        self.delete(PROBE)

    def check(self) -> None:
        """Look once whether the bucket is there, open to these credentials, and in this region."""
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
            # Who may see one prefix alone is refused the bucket; asked for the prefix, S3 says what is wrong, too.
            with translated("s3:ListBucket", self.bucket):
                self.client.list_objects_v2(Bucket=self.bucket, Prefix=self._namespace, MaxKeys=1)
        else:
            self._check_region(
                found.get("BucketRegion") or found["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
            )
        self._checked = True

    def preflight(self) -> Rows[PreflightCheck]:
        """Whether this bucket is fit for a project: reachable, can list, read and write, versioning, default
        encryption, object lock, conditional writes. Prints as a table; never raises for what it finds."""
        return preflight(self)

    def heeds_conditions(self, *, anew: bool = False) -> bool:
        """Whether the server knows conditional writes; asks it once, unless it is AWS, or ``anew``."""
        conditions = self._open()[1]
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
        """Store bytes; the new tag, where the upload tells one."""
        full = self.key(check_key(key))
        options: dict[str, Any] = {**self._encryption_options(), "Metadata": dict(metadata or {})}
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
        # Of all keys that begin like this one, itself comes first.
        first = next(self.list(key), None)
        return first is not None and first.key == key

    def _encryption_options(self) -> dict[str, str]:
        options = {"ServerSideEncryption": self._encryption} if self._encryption is not None else {}
        return {**options, "SSEKMSKeyId": self._kms_key} if self._kms_key is not None else options

    def _open(self) -> tuple[Any, Conditions]:
        with self._lock:
            if self._opened is None:
                with translated("s3:ListBucket", self.bucket):
                    client = open_client(
                        self._credentials,
                        str(self._location.region),
                        self._endpoint_url,
                        self._addressing,
                        self._config,
                    )
                options = self._encryption_options()
                trusted = self._endpoint_url is None
                probe = self._namespace + PROBE
                self._opened = client, Conditions(client, self.bucket, probe, options, trusted=trusted)
            return self._opened

    def _forget(self) -> None:
        """Begin anew in a forked process: two processes on one connection would read each other's answers."""
        self._lock = threading.Lock()
        self._opened = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Settings cross a process boundary; connections do not, and inline secrets refuse to.
        at = self._location
        options = {
            "credentials": self._credentials,
            "endpoint_url": self._endpoint_url,
            "addressing": self._addressing,
            "encryption": self._encryption,
            "kms_key": self._kms_key,
            "config": self._config,
            "check": False,
        }
        return _rebuild, (at.root, at.spelled_prefix, at.region, options)

    def __repr__(self) -> str:
        if not hasattr(self, "_credentials"):
            return "S3Store(...)"  # it is being made, and shown in the frame of what is wrong with it
        at = self._location
        elsewhere = f", endpoint_url={self._endpoint_url!r}" if self._endpoint_url else ""
        return f"S3Store({at.root!r}, prefix={at.prefix!r}, region={at.region!r}{elsewhere})"


_ALIVE: WeakSet[S3Store] = WeakSet()


def _after_fork() -> None:
    for store in list(_ALIVE):
        store._forget()


os.register_at_fork(after_in_child=_after_fork)


def _rebuild(bucket: str, prefix: str, region: str, options: dict[str, Any]) -> S3Store:
    return S3Store(bucket, prefix, region, **options)
