"""Every store and both schemas, over which the suites of a project run."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.long import LONG, long
from tests.s3.server import S3Server

# Every kind of store, both schemas, with and without a prefix; all pairs of them in `make test-long`. What a schema
# changes are bytes of documents, which no store looks into, and a prefix is put before keys alike by all. `make test`
# runs each test over one of two pairs, half of the tests over each.
STORES = ("local", "local with prefix", "memory", "s3 with prefix")
PAIRS = [("local", 1), ("s3 with prefix", 2)]
ALL_PAIRS = [(store, schema) for store in STORES for schema in (1, 2)]


@pytest.fixture(params=ALL_PAIRS if LONG else PAIRS, ids=lambda pair: f"{pair[0]}-schema{pair[1]}")
def pair(request: pytest.FixtureRequest) -> tuple[str, int]:
    store, schema = request.param
    return store, schema


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LONG or not isinstance(item, pytest.Function) or "pair" not in item.fixturenames:
            continue
        parameters = item.callspec.params
        others = [str(value) for name, value in parameters.items() if name != "pair"]
        turn = crc32(f"{item.function.__module__} {item.function.__qualname__} {others}".encode()) % len(PAIRS)
        if parameters["pair"] != PAIRS[turn]:
            item.add_marker(long)


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
