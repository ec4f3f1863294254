"""A table may arrive batch by batch: it is the same table, and memory does not grow with it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

import datom_core as dc
from datom_core.tables import streams
from datom_core.testing import tables
from tests.long import examples

LAB = pa.table({"USUBJID": [f"01-{n % 50}" for n in range(5000)], "LBSTRESN": [n / 7 for n in range(5000)]})


class Exporter:
    """What any library can make of its frame."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.source.__arrow_c_stream__(requested_schema)


def reader(table: pa.Table, rows: int = 100) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=rows))


@pytest.fixture(params=["in memory", "on disk"])
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Where a stream is held; the folder of temporary files is empty afterwards."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    if request.param == "on disk":
        monkeypatch.setattr(streams, "LARGE", 1000)
    return str(request.param)


def test_every_kind_of_stream_is_the_same_table(project: dc.Project, held: str, tmp_path: Path) -> None:
    pq.write_table(LAB, tmp_path / "lb.parquet", row_group_size=700)
    first = project.write("lb", LAB)
    kinds = {
        "reader": reader(LAB),
        "dataset": ds.dataset(tmp_path / "lb.parquet"),
        "scanner": ds.dataset(tmp_path / "lb.parquet").scanner(batch_size=333),
        "in-memory dataset": ds.dataset(LAB),
        "polars, whose text is of another type": Exporter(pl.from_arrow(LAB)),
    }
    for kind, stream in kinds.items():
        again = project.write("lb", stream)
        assert (again.action, again.data_sha) == ("unchanged", first.data_sha), kind
    assert os.listdir(tempfile.gettempdir()) == []


def test_what_came_as_a_stream_is_read_back(project: dc.Project, held: str) -> None:
    written = project.write("lb", reader(LAB, 7))
    assert (written.action, written.rows) == ("created", 5000)
    assert project.reader.read_arrow("lb").equals(dc.normalise(LAB))
    assert project.write("lb", LAB).action == "unchanged"
    assert project.validate("full").ok


@settings(max_examples=examples(150))
@given(tables())
def test_a_stream_of_any_types_is_stored_as_the_table(table: pa.Table) -> None:
    expected = dc.normalise(table)
    for large in (0, 2**20):
        before, streams.LARGE = streams.LARGE, large
        try:
            found = dc.normalise(reader(table, 3))
        finally:
            streams.LARGE = before
        assert found.schema.equals(expected.schema, check_metadata=True)
        assert dc.hash_table(found) == dc.hash_table(expected)


def test_every_offender_is_named_whichever_batch_it_is_in(project: dc.Project, held: str) -> None:
    nul, plain, low = ["a"] * 4999 + ["\0"], ["a"] * 5000, [-(2**31), *range(4999)]
    bad = pa.table(
        {
            "LATE": pa.array(nul, pa.large_string()),
            "FINE": pa.array(plain, pa.large_string()),
            "DEC": pa.array([Decimal("1.5")] * 5000),
            "NS": pa.array([10**9 + 1, *range(0, 4999 * 1000, 1000)], pa.timestamp("ns")),
            "LOW": pa.array(low, pa.int64()),
            "LIST": pa.array([[1]] * 5000),
        }
    )
    with pytest.raises(dc.UnsupportedColumnsError) as of_table:
        dc.hash_table(bad)
    with pytest.raises(dc.UnsupportedColumnsError) as of_stream:
        project.write("lb", reader(bad))
    assert list(of_stream.value.columns) == ["LATE", "DEC", "NS", "LOW", "LIST"]
    assert of_stream.value.reports == of_table.value.reports
    assert dc.check_hashable(reader(bad)) == dc.check_hashable(bad)
    assert not len(project.reader.list())
    assert os.listdir(tempfile.gettempdir()) == []


def test_options_hold_for_streams(held: str) -> None:
    fine = pa.table({"D": pa.array([Decimal("1.5")] * 500), "T": pa.array([10**9 + 1] * 500, pa.timestamp("ns"))})
    expected = dc.hash_table(fine, decimals="float", nanoseconds="truncate")
    assert dc.hash_table(reader(fine), decimals="float", nanoseconds="truncate") == expected
    with pytest.raises(dc.InvalidInputError, match="decimals is one of"):
        dc.hash_table(reader(fine), decimals="round")  # type: ignore[arg-type]


def test_integers_beyond_32_bits_in_another_batch(held: str) -> None:
    """A batch alone would be refused, or hashed by another rule."""
    table = pa.table({"x": [-(2**31), 1, 2**40, 5]})
    assert dc.hash_table(reader(table, 1)) == dc.hash_table(table)


def test_a_stream_that_breaks_off_leaves_nothing(project: dc.Project, held: str) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from LAB.to_batches(max_chunksize=1000)[:3]
        raise ZeroDivisionError("the source")

    with pytest.raises(ZeroDivisionError, match="the source"):
        project.write("lb", pa.RecordBatchReader.from_batches(LAB.schema, batches()))
    assert not len(project.reader.list())
    assert os.listdir(tempfile.gettempdir()) == []


def test_an_empty_stream_is_refused_as_an_empty_table_is(held: str) -> None:
    with pytest.raises(dc.InvalidInputError, match="at least one row"):
        dc.hash_table(reader(LAB.slice(0, 0)))


_FULL = """
import resource, sys, pyarrow as pa, datom_core as dc
resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
part = pa.record_batch({"x": range(10**6)})
try:
    dc.hash_table(pa.RecordBatchReader.from_batches(part.schema, [part] * 12))
except dc.StorageError as error:
    sys.exit("There is no room for a temporary file" not in str(error))
sys.exit(2)
"""


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", _FULL], env={**os.environ, "TMPDIR": str(folder)})
    assert done.returncode == 0
    assert os.listdir(folder) == []


_BOUNDED = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa
from benchmarks.local import Study
from benchmarks.processes import growth_of
from datom_core.tables import parquet, streams

def batches(count):
    for n in range(count):
        base = np.arange(n * 50_000, (n + 1) * 50_000)
        yield pa.record_batch({**{f"N{i}": base * (i + 1.5) for i in range(8)}, "T": (base % 97).astype(str)})

def write(name, count):
    schema = next(batches(1)).schema
    return project.write(name, pa.RecordBatchReader.from_batches(schema, batches(count)))

project = Study(Path(sys.argv[1])).project
streams.LARGE = parquet.IN_MEMORY = 2**23
write("warm", 6)
print(growth_of(lambda: write("lb", 50)))
"""


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    """Two hundred megabytes go through; a file of which pages are in memory is not memory that anyone needs."""
    command = [sys.executable, "-c", _BOUNDED, str(tmp_path)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 120 * 2**20
