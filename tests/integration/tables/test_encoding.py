"""A large table is encoded beside its hash when it is new by its shape, and never when it is not needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.csv import write_csv

import datom_core as dc
from datom_core.tables import background_encode
from datom_core.tables.parquet import encode_parquet

Encoded = list[tuple[int, str]]


def lab(rows: int, first: float = 0.0) -> pa.Table:
    values = np.arange(rows, dtype=np.float64)
    values[0] = first
    return pa.table({"LBSEQ": np.arange(rows), "LBSTRESN": values})


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Encoded:
    """Every file that was encoded: its rows, and beside what."""
    done: Encoded = []

    def noting(table: pa.Table, compression: dc.Compression) -> memoryview:
        beside = "the hash" if "datom-encode" in threading.current_thread().name else "nothing"
        done.append((table.num_rows, beside))
        return encode_parquet(table, compression)

    monkeypatch.setattr(background_encode, "encode_parquet", noting)
    return done


def test_a_table_of_another_shape_is_encoded_beside_the_hash(project: dc.Project, encoded: Encoded) -> None:
    for rows in (100_000, 110_000):
        project.write("lb", lab(rows))
    assert encoded == [(100_000, "the hash"), (110_000, "the hash")]
    assert project.reader.read_arrow("lb").equals(dc.normalise(lab(110_000)))
    assert project.validate("full").ok


def test_one_of_the_same_shape_only_once_it_is_known_to_differ(project: dc.Project, encoded: Encoded) -> None:
    project.write("lb", lab(100_000))
    encoded.clear()
    assert project.write("lb", lab(100_000)).action == "unchanged"
    assert encoded == []
    assert project.write("lb", lab(100_000, first=1.5)).action == "created"
    assert encoded == [(100_000, "nothing")]


def test_a_small_one_is_not_worth_a_thread(project: dc.Project, encoded: Encoded) -> None:
    project.write("dm", lab(10))
    assert encoded == [(10, "nothing")]


def test_each_table_of_a_cut(project: dc.Project, encoded: Encoded) -> None:
    cut = project.cut("2026-01", {"lb": lab(100_000), "vs": lab(120_000), "dm": lab(5)})
    assert {r.action for r in cut.values()} == {"created"}
    assert sorted(encoded) == [(5, "nothing"), (100_000, "the hash"), (120_000, "the hash")]


@pytest.mark.parametrize("harm", [lambda data: b"{", lambda data: data.replace(b'"nrow": 100000', b'"nrow": "x"')])
def test_a_damaged_pointer_is_no_obstacle(
    project: dc.Project, store: dc.LocalStore, encoded: Encoded, harm: Callable[[bytes], bytes]
) -> None:
    project.write("lb", lab(100_000))
    key = "lb/.metadata/metadata.json"
    found = store.get(key)
    harmed = harm(bytes(found.data))
    assert harmed != bytes(found.data)
    store.replace(key, harmed, found.etag)
    encoded.clear()
    project.write("lb", lab(90_000))
    assert len(encoded) == 1
    assert project.reader.read_arrow("lb").num_rows == 90_000


def test_what_goes_wrong_beside_the_hash_is_told(project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(table: pa.Table, compression: dc.Compression) -> memoryview:
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(background_encode, "encode_parquet", full)
        with pytest.raises(MemoryError, match="no room"):
            project.write("lb", lab(100_000))
    assert not list(project.reader.list())
    assert project.write("lb", lab(100_000)).action == "created"


def test_compression_is_storage_and_not_content(project: dc.Project, store: dc.LocalStore) -> None:
    def codec(version: dc.WriteResult) -> str:
        file = pq.ParquetFile(pa.BufferReader(store.get(f"lb/{version.data_sha}.parquet").data))
        return str(file.metadata.row_group(0).column(0).compression)

    zstd = dc.Project.open(store, remote=project.remote, compression="zstd", clock=project._parts.clock)
    first = zstd.write("lb", lab(100))
    assert codec(first) == "ZSTD"
    assert project.write("lb", lab(100)).action == "unchanged"
    second = project.write("lb", lab(101))
    assert codec(second) == "SNAPPY"
    assert zstd.write("lb", lab(101)).action == "unchanged"
    for version, rows in ((first, 100), (second, 101)):
        assert project.reader.read_arrow("lb", version.version).equals(dc.normalise(lab(rows)))
    assert project.validate("full").ok


def test_another_compression_is_refused(project: dc.Project, store: dc.LocalStore) -> None:
    with pytest.raises(dc.InvalidInputError, match="compression is one of"):
        dc.Project.open(store, remote=project.remote, compression="gzip")  # type: ignore[arg-type]


def test_a_sync_that_only_looks_encodes_nothing(project: dc.Project, tmp_path: Path, encoded: Encoded) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    write_csv(lab(100_000), drop / "lb.csv")
    looked = project.sync(drop, dry_run=True)
    assert [(item.table, item.status) for item in looked.items] == [("lb", "new")]
    assert encoded == []
    project.sync(drop)
    assert encoded == [(100_000, "nothing")]
