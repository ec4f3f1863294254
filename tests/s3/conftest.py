"""A bucket, a store in it, and a project over the store; and the same behind a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.patience import PATIENCE
from tests.s3.proxy import Proxy, proxy_to
from tests.s3.server import S3Server

#: Tries again at once, and gives up soon: tests of failures would wait for seconds otherwise.
HASTY = {
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "read_timeout": PATIENCE,
    "connect_timeout": PATIENCE,
}


def warned_unless(heeded: bool, warning: str) -> AbstractContextManager[object]:
    """Where the server does not heed conditions, what goes on in here warns of it."""
    return nullcontext() if heeded else pytest.warns(UserWarning, match=warning)


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    return s3_server.bucket()


@pytest.fixture
def store(s3_server: S3Server, bucket: str) -> dc.S3Store:
    return s3_server.store(bucket, "team/onc")


@pytest.fixture
def project(store: dc.S3Store, remote: Path, clock: Clock) -> dc.Project:
    return dc.Project.init("STUDY_001", store, remote=remote, clock=clock)


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with proxy_to(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def behind(s3_server: S3Server, bucket: str, proxy: Proxy) -> dc.S3Store:
    """The same place, behind the proxy."""
    return s3_server.store(bucket, "team/onc", endpoint_url=proxy.endpoint, config=HASTY)
