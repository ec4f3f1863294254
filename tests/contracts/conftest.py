"""Every store and both schemas, over which the suites of a project run."""

from __future__ import annotations

from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.long import LONG
from tests.s3.server import S3Server

# Every kind of store, both schemas, with and without a prefix; all pairs of them in `make test-long`. What a schema
# changes are bytes of documents, which no store looks into, and a prefix is put before keys alike by all.
STORES = ("local", "local with prefix", "memory", "s3 with prefix")
PAIRS = [("local", 1), ("s3 with prefix", 2)]
ALL_PAIRS = [(store, schema) for store in STORES for schema in (1, 2)]


@pytest.fixture(params=ALL_PAIRS if LONG else PAIRS, ids=lambda pair: f"{pair[0]}-schema{pair[1]}")
def pair(request: pytest.FixtureRequest) -> tuple[str, int]:
    store, schema = request.param
    return store, schema


@pytest.fixture
def store(pair: tuple[str, int], request: pytest.FixtureRequest, tmp_path: Path) -> dc.ObjectStore:
    kind = pair[0]
    if kind == "memory":
        return dc.MemoryStore()
    if kind.startswith("s3"):
        server: S3Server = request.getfixturevalue("s3_server")
        return server.store(server.bucket(), "teams/onc")
    return dc.LocalStore(tmp_path / "store", "teams/onc" if "prefix" in kind else "")


@pytest.fixture
def schema(pair: tuple[str, int]) -> int:
    return pair[1]


@pytest.fixture
def project(store: dc.ObjectStore, remote: Path, schema: int, clock: Clock) -> dc.Project:
    return dc.Project.init("STUDY_001", store, remote=remote, schema=schema, clock=clock)
