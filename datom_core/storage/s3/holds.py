"""Legal holds in a bucket with object lock.

A hold is on one version of an object. Payloads have one; of a document that is replaced, the version that was held
stays behind the new one. A delete hides what is held behind a marker, as in any bucket that keeps versions.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

from datom_core.errors import AccessDeniedError, DatomError, StorageError
from datom_core.storage.s3.errors import code_of, translated

#: What a bucket, or an object in it, answers that has no such setting.
_NOT_SET = frozenset({"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"})


class Bucket(Protocol):
    """A store, which cannot be imported here because it imports this module."""

    @property
    def bucket(self) -> str: ...

    @property
    def client(self) -> Any: ...

    def key(self, key: str) -> str: ...


class BucketHolds:
    """Holds on a bucket's objects."""

    def __init__(self, store: Bucket) -> None:
        self._store = store

    @cached_property
    def _possible(self) -> bool | None:
        try:
            found = self._ask("s3:GetBucketObjectLockConfiguration", "get_object_lock_configuration", None)
        except DatomError as error:
            if isinstance(error, AccessDeniedError | StorageError):
                return None
            raise
        return bool(found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def possible(self) -> bool | None:
        return self._possible

    def is_on(self, key: str) -> bool:
        found = self._ask("s3:GetObjectLegalHold", "get_object_legal_hold", key)
        return bool(found.get("LegalHold", {}).get("Status") == "ON")

    def put(self, key: str) -> None:
        self._ask("s3:PutObjectLegalHold", "put_object_legal_hold", key, LegalHold={"Status": "ON"})

    def _ask(self, action: str, call: str, key: str | None, **options: Any) -> Any:
        from botocore.exceptions import ClientError

        full = "" if key is None else self._store.key(key)
        about = {"Key": full} if key is not None else {}
        with translated(action, self._store.bucket, full):
            try:
                return getattr(self._store.client, call)(Bucket=self._store.bucket, **about, **options)
            except ClientError as error:
                if code_of(error) in _NOT_SET and not options:
                    return {}
                raise
