"""The independent reader from PyPI (package ``datom``, 0.1.0) reads everything that we write."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import datom
import pandas as pd
import pyarrow as pa
import pytest
from moto import mock_aws

import datom_core as dc
from datom_core.testing import Clock
from tests.long import LONG

AUTHOR = "Test Author <test@example.org>"
TABLE = pa.table(
    {
        "USUBJID": ["01-001", None, "", "日本"],
        "AGE": pa.array([40, None, 42, 43], pa.int64()),
        "LBSTRESN": [1.5, None, float("nan"), -0.0],
        "DTHFL": pa.array([True, None, False, True]),
        "DATE": pa.array([20454, None, 0, -1], pa.date32()),
        "TIME": pa.array([1767323045, None, 0, -1], pa.timestamp("us", "UTC")),
        "SEX": pa.array(["F", "M", None, "F"]).dictionary_encode(),
        "BIG": pa.array([2**53 + 1, None, -5, 0], pa.int64()),
    }
)


pytestmark = pytest.mark.xdist_group("interop")  # one project of each kind serves all of them


# Every pair of a place, a schema and a prefix; all of their combinations in `make test-long`.
ALL = list(itertools.product(("local", "s3"), (1, 2), ("", "teams/oncology")))
PAIRS = [("local", 1, ""), ("s3", 1, "teams/oncology"), ("local", 2, "teams/oncology"), ("s3", 2, "")]


@pytest.fixture(
    params=ALL if LONG else PAIRS,
    ids=lambda kind: f"{kind[0]}-schema{kind[1]}-{'prefix' if kind[2] else 'no prefix'}",
    scope="module",
)
def kind(request: pytest.FixtureRequest) -> tuple[str, int, str]:
    place, schema, prefix = request.param
    return place, schema, prefix


@pytest.fixture(scope="module")
def schema(kind: tuple[str, int, str]) -> int:
    return kind[1]


@pytest.fixture(scope="module")
def prefix(kind: tuple[str, int, str]) -> str:
    return kind[2]


@pytest.fixture(scope="module")
def compression(schema: int, prefix: str) -> dc.Compression:
    """Both, over the combinations of the others."""
    return "zstd" if (schema == 1) == bool(prefix) else "snappy"


@pytest.fixture(scope="module")
def place(
    kind: tuple[str, int, str], tmp_path_factory: pytest.TempPathFactory, prefix: str
) -> Iterator[tuple[dc.ObjectStore, Any]]:
    """A store of ours, and one of the reader's over the same place; empty for each schema."""
    if kind[0] == "local":
        folder = tmp_path_factory.mktemp("store")
        yield dc.LocalStore(folder, prefix), datom.store_local(str(folder), prefix or None)
        return
    # The reader talks to AWS alone: what stands in for it has to sit in this process.
    keys = {"access_key": "AKIATEST", "secret_key": "test-secret"}
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="s")
        client.create_bucket(Bucket="study-bucket")
        ours = dc.S3Store("study-bucket", prefix, credentials=dc.Credentials(**keys))
        yield ours, datom.store_s3("study-bucket", prefix or None, credentials=lambda: keys)


@pytest.fixture(scope="module")
def written(
    place: tuple[dc.ObjectStore, Any],
    tmp_path_factory: pytest.TempPathFactory,
    schema: int,
    compression: dc.Compression,
) -> dict[str, Any]:
    """A project with new versions, a revert, metadata-only changes, cuts, parents and an odd name."""
    store, theirs = place
    folder = tmp_path_factory.mktemp("project")
    # Made before any test has a cache and a configuration of its own.
    ours: dict[str, Any] = {
        "remote": folder / "r.git",
        "cache_dir": folder / "cache",
        "author": AUTHOR,
        "clock": Clock(),
    }
    dc.Project.init("STUDY_001", store, schema=schema, **ours)
    project = dc.Project.open(store, compression=compression, **ours)
    states = {}
    for rows in (2, 3, 4, 2):
        result = project.write("lb", TABLE.slice(0, rows), message=f"{rows} rows — ü\n\nand why", cut=f"cut-{rows}")
        states[result.version] = TABLE.slice(0, rows)
    result = project.write("lb", TABLE.slice(0, 2), custom={"source": "EDC", "n_sites": 14, "ratio": 1 / 3})
    states[result.version] = TABLE.slice(0, 2)
    project.write("Lab (v1)-x_y", TABLE.select(["AGE"]), parents=[project.parent("lb")])
    conn = datom.get_conn(theirs, "STUDY_001")
    return {"project": project, "states": states, "conn": conn, "store": store}


def test_list(written: dict[str, Any]) -> None:
    found = datom.list_artifacts(written["conn"], include_versions=True, short_hash=False)
    ours = written["project"].reader.list()
    assert list(found["name"]) == ["lb", "Lab (v1)-x_y"] == [t.name for t in ours]
    assert list(found["kind"]) == ["table", "table"]
    assert list(found["current_version"]) == [t.version for t in ours]
    assert list(found["version_count"]) == [t.versions for t in ours]


def test_history(written: dict[str, Any]) -> None:
    found = datom.history(written["conn"], "lb", n=100)
    ours = written["project"].reader.history("lb")
    for column, attribute in [("version", "version"), ("commit_message", "message"), ("commit_sha", "commit_sha")]:
        assert list(found[column]) == [getattr(v, attribute) for v in ours]
    assert set(found["author"]) == {AUTHOR}


def test_every_version_by_id_and_by_prefix(written: dict[str, Any]) -> None:
    assert len(written["states"]) == 4
    for version, expected in written["states"].items():
        for asked in (version, version[:8]):
            found = datom.read(written["conn"], "lb", version=asked, as_arrow=True)
            assert dc.hash_table(found).data_sha == dc.hash_table(expected).data_sha


def test_current(written: dict[str, Any]) -> None:
    found = datom.read(written["conn"], "lb")
    pd.testing.assert_frame_equal(found, written["project"].reader.read("lb"))


def test_a_changed_payload_is_refused_by_both(written: dict[str, Any]) -> None:
    store: dc.ObjectStore = written["store"]
    key = f"lb/{written['project'].reader.resolve('lb').data_sha}.parquet"
    stored = bytes(store.get(key).data)
    changed = bytearray(stored)
    changed[len(changed) // 2] ^= 1
    put(store, key, bytes(changed))
    with pytest.raises(datom.IntegrityMismatch):
        datom.read(written["conn"], "lb")
    with pytest.raises(dc.IntegrityError):
        written["project"].reader.read("lb")
    put(store, key, stored)


def put(store: dc.ObjectStore, key: str, data: bytes) -> None:
    store.delete(key)
    store.create(key, data)


def test_a_name_that_is_not_there(written: dict[str, Any]) -> None:
    with pytest.raises(datom.DatomError):
        datom.read(written["conn"], "nope")
