"""A store's connection to its bucket: made when first needed, kept, and made anew in a forked process."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from datom_core.credentials import CredentialSource
from datom_core.storage.s3.client import open_client
from datom_core.storage.s3.conditions import Conditions
from datom_core.storage.s3.errors import translated


@dataclass(frozen=True)
class Server:
    """Which server to use, and as whom; several stores may share it.

    Attributes:
        region: where the bucket is.
        credentials: where they come from.
        endpoint_url: of a server other than AWS.
        addressing: how the bucket is named in requests.
        config: overrides of our defaults for botocore's configuration.
    """

    region: str
    credentials: CredentialSource
    endpoint_url: str | None
    addressing: str
    config: Mapping[str, Any]

    def settings(self) -> dict[str, Any]:
        """The settings as arguments of a store."""
        return {
            "region": self.region,
            "credentials": self.credentials,
            "endpoint_url": self.endpoint_url,
            "addressing": self.addressing,
            "config": self.config,
        }


class Connection:
    """A client, and what is known about its server's conditional writes.

    Args:
        server: the bucket's server.
        bucket, probe: where to try conditions.
        encryption: as for every object.
    """

    def __init__(self, server: Server, bucket: str, probe: str, encryption: Mapping[str, str]) -> None:
        self._server = server
        self._bucket = bucket
        self._probe = probe
        self._encryption = encryption
        self._lock = threading.Lock()
        self._opened: tuple[Any, Conditions] | None = None
        _ALIVE.add(self)

    @property
    def client(self) -> Any:
        """The boto3 client for all requests."""
        return self._open()[0]

    @property
    def conditions(self) -> Conditions:
        """What the server supports."""
        return self._open()[1]

    @property
    def is_open(self) -> bool:
        """Whether this process already has a client."""
        return self._opened is not None

    def _open(self) -> tuple[Any, Conditions]:
        with self._lock:
            if self._opened is None:
                at = self._server
                with translated("s3:ListBucket", self._bucket):
                    client = open_client(at.credentials, at.region, at.endpoint_url, at.addressing, at.config)
                trusted = at.endpoint_url is None
                self._opened = client, Conditions(client, self._bucket, self._probe, self._encryption, trusted=trusted)
            return self._opened

    def forget(self) -> None:
        """Start afresh in a forked process: two processes on one connection would read each other's answers."""
        self._lock = threading.Lock()
        self._opened = None


_ALIVE: WeakSet[Connection] = WeakSet()


def _after_fork() -> None:
    for connection in list(_ALIVE):
        connection.forget()


os.register_at_fork(after_in_child=_after_fork)
