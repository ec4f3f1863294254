"""Find out whether a server supports conditional writes, without touching anyone's data.

AWS does. Some other servers ignore the header and overwrite. To find out, a small object that always has the same
bytes is kept next to the data: writing it again on condition is refused, or leaves it as it was.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Mapping
from typing import Any, Literal, get_args

from datom_core.common import level_outside
from datom_core.errors import StorageError
from datom_core.storage.s3.errors import RefusedConditionError, translated
from datom_core.storage.s3.transfer import checksum, upload_parts

_BYTES = b"Written by datom to find out whether this server knows conditional writes. It may be removed.\n"
_log = logging.getLogger(__name__)
_NO_TAG = "0" * 32

#: Put, put in parts, or copy if nothing is there; swap what has a certain tag.
Condition = Literal["create", "replace", "create in parts", "copy"]
_NOT_IMPLEMENTED = frozenset({"NotImplemented", "501"})


class Conditions:
    """What one server supports, asked at most once for each kind of condition.

    Args:
        client: boto3's.
        bucket, key: of the probe.
        options: encryption, as for every object.
        trusted: the server is known to support them all.
    """

    def __init__(self, client: Any, bucket: str, key: str, options: Mapping[str, Any], *, trusted: bool) -> None:
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        self._options = options
        self._known: dict[Condition, bool] = dict.fromkeys(get_args(Condition), True) if trusted else {}
        self._lock = threading.RLock()

    def known(self, condition: Condition) -> bool:
        """Whether the server heeds the condition; warns if it does not."""
        with self._lock:
            if condition not in self._known:
                self._known[condition] = self._ask(condition)
                if not self._known[condition]:
                    self._tell(condition)
            return self._known[condition]

    def put_probe(self) -> None:
        """Put the probe if it is missing, whatever is known of the server: this tests the right to write."""
        self._refused(self._put, IfNoneMatch="*")

    def _ask(self, condition: Condition) -> bool:
        if condition == "create":
            # The very first time, the probe does not exist yet, and this creates it.
            return self._refused(self._put, IfNoneMatch="*") or self._refused(self._put, IfNoneMatch="*")
        # The other conditions need a probe that exists.
        if not self.known("create"):
            return False
        if condition == "replace":
            return self._refused(self._put, IfMatch=_NO_TAG)
        return self._refused(self._copy if condition == "copy" else self._put_in_parts, IfNoneMatch="*")

    def _arguments(self) -> dict[str, str]:
        return {"bucket": self._place["Bucket"], "key": self._place["Key"]}

    def _refused(self, put: Any, **condition: str) -> bool:
        try:
            with translated("s3:PutObject", **self._arguments(), conditional=True):
                put(condition)
        except RefusedConditionError:
            return True
        except StorageError as error:
            # Some servers say that they do not support the header, instead of ignoring it.
            if error.details.get("code") not in _NOT_IMPLEMENTED:
                raise
        return False

    def _put(self, condition: Mapping[str, str]) -> None:
        self._client.put_object(**self._place, **self._options, **checksum(_BYTES), Body=_BYTES, **condition)

    def _put_in_parts(self, condition: Mapping[str, str]) -> None:
        upload_parts(self._client, **self._arguments(), data=_BYTES, options=self._options, condition=condition)

    def _copy(self, condition: Mapping[str, str]) -> None:
        # Onto itself: a server that ignores the condition leaves the same bytes.
        options = {**self._options, "MetadataDirective": "REPLACE", "ChecksumAlgorithm": "SHA256"}
        self._client.copy_object(**self._place, CopySource=dict(self._place), **options, **condition)

    def _tell(self, condition: Condition) -> None:
        """Warn about what is not safe, and log what is only slower."""
        where = self._client.meta.endpoint_url
        if condition == "copy":
            _log.info("The S3 server at %s ignores conditions on copies: objects go through this machine.", where)
        elif condition == "create in parts":
            _log.info("The S3 server at %s ignores conditions on uploads in parts: one request up to 5 GiB.", where)
        else:
            warnings.warn(
                f"The S3 server at {where} does not know conditional writes ({condition}). Each write looks first and "
                "then writes: two writers at the same moment may overwrite each other's documents. Let one at a time "
                "write, or use a server that knows them.",
                stacklevel=level_outside(),
            )
