"""Find out whether a server knows conditional writes, without touching anything of anybody's.

AWS does. Of other servers, some ignore the header and overwrite. A small object with always the same bytes is
kept beside the data for the question: written once more on condition, it is refused, or comes out as it was.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from typing import Any, Literal

from datom_core.stores.s3.errors import RefusedConditionError, translated
from datom_core.stores.s3.transfer import checksum, upload_parts

#: Last part of the probe's key. Listings leave it out.
PROBE = ".datom-probe"
_BYTES = b"Written by datom to find out whether this server knows conditional writes. It may be removed.\n"
_NO_TAG = "0" * 32

#: Put unless there is something; swap what carries a tag; put in parts unless there is something.
Condition = Literal["create", "replace", "create in parts"]
_ALL: tuple[Condition, ...] = ("create", "replace", "create in parts")


class Conditions:
    """What one server knows, asked at most once for each kind of condition.

    Args:
        client: boto3's.
        bucket, key: of the probe.
        options: encryption, as for every object.
        trusted: the server is known to know them all.
    """

    def __init__(self, client: Any, bucket: str, key: str, options: Mapping[str, Any], *, trusted: bool) -> None:
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        self._options = options
        self._known: dict[Condition, bool] = dict.fromkeys(_ALL, True) if trusted else {}
        self._lock = threading.RLock()

    def known(self, condition: Condition) -> bool:
        """Whether the server heeds the condition; a warning says when it does not."""
        with self._lock:
            if condition not in self._known:
                self._known[condition] = self._ask(condition)
                if not self._known[condition]:
                    warnings.warn(self._warning(condition), stacklevel=4)
            return self._known[condition]

    def _ask(self, condition: Condition) -> bool:
        with translated("s3:PutObject", **self._arguments()):
            if condition == "create":
                # The first time ever, the probe is not there, and comes into being.
                return self._refused(self._put, IfNoneMatch="*") or self._refused(self._put, IfNoneMatch="*")
            # The other two ask about a probe that is there.
            if condition == "replace":
                return self.known("create") and self._refused(self._put, IfMatch=_NO_TAG)
            return self.known("create") and self._refused(self._put_in_parts, IfNoneMatch="*")

    def _arguments(self) -> dict[str, str]:
        return {"bucket": self._place["Bucket"], "key": self._place["Key"]}

    def _refused(self, put: Any, **condition: str) -> bool:
        try:
            with translated("s3:PutObject", **self._arguments()):
                put(condition)
        except RefusedConditionError:
            return True
        return False

    def _put(self, condition: Mapping[str, str]) -> None:
        self._client.put_object(**self._place, **self._options, **checksum(_BYTES), Body=_BYTES, **condition)

    def _put_in_parts(self, condition: Mapping[str, str]) -> None:
        upload_parts(self._client, **self._arguments(), data=_BYTES, options=self._options, condition=condition)

    def _warning(self, condition: Condition) -> str:
        where = self._client.meta.endpoint_url
        if condition == "create in parts":
            return (
                f"The S3 server at {where} ignores conditions on uploads in parts. Payloads up to 5 GiB go in one "
                "request instead, which is safe and slower."
            )
        return (
            f"The S3 server at {where} does not know conditional writes ({condition}). Each write looks first and then "
            "writes: two writers at the same moment may overwrite each other's documents. Let one at a time write, or "
            "use a server that knows them."
        )
