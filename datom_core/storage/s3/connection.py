"""The connection of a store to its bucket: made when it is first needed, kept, and made anew in a forked process."""

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
    """Where a bucket is asked for, and by whom; what several stores may share.

    Attributes:
        region: where the bucket is.
        credentials: where they come from.
        endpoint_url: of a server other than AWS.
        addressing: how the bucket is named in requests.
        config: what replaces our defaults of botocore's configuration.
    """

    region: str
    credentials: CredentialSource
    endpoint_url: str | None
    addressing: str
    config: Mapping[str, Any]

    def settings(self) -> dict[str, Any]:
        """As arguments of a store."""
        return {
            "region": self.region,
            "credentials": self.credentials,
            "endpoint_url": self.endpoint_url,
            "addressing": self.addressing,
            "config": self.config,
        }


class Connection:
    """A client, and what is known of its server's conditional writes.

    Args:
        server: where the bucket is asked for.
        bucket, probe: where conditions are tried.
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
        """The boto3 client that everything goes through."""
        return self._open()[0]

    @property
    def conditions(self) -> Conditions:
        """What the server knows."""
        return self._open()[1]

    @property
    def is_open(self) -> bool:
        """Whether this process has a client already."""
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
        """Begin anew in a forked process: two processes on one connection would read each other's answers."""
        self._lock = threading.Lock()
        self._opened = None


_ALIVE: WeakSet[Connection] = WeakSet()


def _after_fork() -> None:
    for connection in list(_ALIVE):
        connection.forget()


os.register_at_fork(after_in_child=_after_fork)
