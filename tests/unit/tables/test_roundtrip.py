"""What is hashed is what is stored: for frames of every supported type, reading back gives the same hash."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import datom_core as dc
from datom_core.tables.parquet import decode_parquet, encode_parquet
from datom_core.tables.tabular import to_pandas
from datom_core.testing import column_types, tables
from tests.long import examples

VALUES = dict(column_types())
TEXT, FLOATS = VALUES[pa.string()], VALUES[pa.float64()]


def nullable(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@settings(max_examples=examples(250))
@given(tables())
def test_hash_of_a_table_is_the_hash_of_its_parquet(table: pa.Table) -> None:
    stored = encode_parquet(dc.normalise(table))
    assert dc.hash_table(decode_parquet(stored)) == dc.hash_table(table)


@settings(max_examples=examples(80))
@given(tables())
def test_chunks_and_repeated_normalisation_change_nothing(table: pa.Table) -> None:
    expected = dc.hash_table(table)
    assert dc.hash_table(table.combine_chunks()) == expected
    once = dc.normalise(table)
    assert encode_parquet(dc.normalise(once)) == encode_parquet(once)
    assert dc.hash_table(once) == expected


@settings(max_examples=examples(80))
@given(
    st.lists(
        st.tuples(nullable(TEXT), nullable(st.integers(-9, 9)), FLOATS, nullable(st.booleans())), min_size=1, max_size=8
    )
)
def test_arrow_pandas_and_polars_agree(rows: list[tuple[Any, ...]]) -> None:
    text, whole, numbers, flags = (list(column) for column in zip(*rows, strict=True))
    numbers = [None if v != v else v for v in numbers]  # pandas cannot tell NaN from missing
    table = pa.table(
        {
            "t": pa.array(text, pa.string()),
            "i": pa.array(whole, pa.int64()),
            "f": pa.array(numbers, pa.float64()),
            "b": pa.array(flags, pa.bool_()),
        }
    )
    expected = dc.hash_table(table).data_sha
    frame = pd.DataFrame(
        {
            "t": pd.array(text, dtype="string"),
            "i": pd.array(whole, dtype="Int64"),
            "f": pd.Series(numbers, dtype="float64"),
            "b": pd.array(flags, dtype="boolean"),
        }
    )
    assert dc.hash_table(frame).data_sha == expected
    assert dc.hash_table(frame.astype({"t": object})).data_sha == expected
    if any(v is not None for v in flags):  # else nothing says that they are truth values
        assert dc.hash_table(frame.astype({"b": object})).data_sha == expected
    assert dc.hash_table(pl.from_arrow(table)).data_sha == expected


def slow_hash(values: list[float | None], name: str) -> str:
    """datom-cv1 of one column of doubles, as the record defines it, one value at a time."""
    digest = hashlib.sha256(b"num" + name.encode() + b"\0")
    for value in values:
        if value is None:
            digest.update(struct.pack("<Q", 0x7FF00000000007A2))
        elif value != value:
            digest.update(struct.pack("<Q", 0x7FF8000000000000))
        else:
            digest.update(struct.pack("<d", value + 0.0 if value else 0.0))
    return digest.hexdigest()


def slow_text_hash(values: list[str | None], name: str) -> str:
    digest = hashlib.sha256(b"chr" + name.encode() + b"\0")
    digest.update(bytes(v is None for v in values))
    for value in values:
        digest.update((value or "").encode() + b"\0")
    return digest.hexdigest()


@given(st.lists(nullable(FLOATS), min_size=1), st.data())
def test_columns_against_a_reference_of_ten_lines(numbers: list[float | None], data: st.DataObject) -> None:
    text = data.draw(st.lists(nullable(TEXT), min_size=len(numbers), max_size=len(numbers)))
    found = dc.hash_table(pa.table({"n": pa.array(numbers, pa.float64()), "t": pa.array(text, pa.string())}))
    assert [c.sha for c in found.column_hashes] == [slow_hash(numbers, "n"), slow_text_hash(text, "t")]


def test_batches_and_threads_do_not_show() -> None:
    rows = 200_000
    table = pa.table({f"c{i}": pa.array([None if r % 7 == i else r / 3 for r in range(rows)]) for i in range(4)})
    table = table.append_column("t", pa.array([f"v{r % 1000}" for r in range(rows)]))
    found = dc.hash_table(table)
    assert found.column_hashes[1].sha == slow_hash(table["c1"].to_pylist(), "c1")
    assert found.column_hashes[4].sha == slow_text_hash(table["t"].to_pylist(), "t")


@pytest.mark.parametrize(
    "column",
    [
        pa.nulls(2, pa.date32()),
        pa.nulls(2, pa.time64("us")),
        pa.nulls(2, pa.timestamp("us", "UTC")),
        pa.nulls(2, pa.duration("us")),
        pa.nulls(2, pa.dictionary(pa.int32(), pa.string())),
        pa.nulls(2, pa.string()),
        pa.nulls(2, pa.int64()),
        pa.nulls(2, pa.float64()),
        pa.nulls(2, pa.bool_()),
    ],
    ids=lambda c: str(c.type),
)
def test_a_column_without_any_value_goes_through_pandas_and_back(column: pa.Array) -> None:
    table = dc.normalise(pa.table({"x": column, "y": [1, 2]}))
    assert dc.hash_table(to_pandas(table)) == dc.hash_table(table)


def test_an_object_column_without_any_value_is_text() -> None:
    missing = pd.DataFrame({"x": pd.Series([None, None], dtype=object)})
    assert dc.normalise(missing).schema.field("x").type == pa.string()
    assert dc.hash_table(missing).data_sha.startswith("f2d833e7")  # the record's "all-missing string"


def test_arrows_threads_never_hold_memory_of_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    # One that lets go of it while the interpreter ends aborts the process.
    stored = bytearray(encode_parquet(pa.table({"x": [1, 2, 3]})))

    class Watched(pq.ParquetFile):  # type: ignore[misc]
        def __init__(self, source: Any) -> None:
            stored.append(0)  # BufferError while anybody holds it
            stored.pop()
            super().__init__(source)

    monkeypatch.setattr("datom_core.tables.parquet.pq.ParquetFile", Watched)
    assert decode_parquet(stored).num_rows == 3  # type: ignore[arg-type]
