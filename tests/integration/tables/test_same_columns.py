"""Columns that two parquet files hold in the same bytes are decoded once."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datom_core.tables import decode_beside, decode_parquet, same_columns


def file(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None], "c": pa.array(["u", "v", "u"]).dictionary_encode()})


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (TABLE, {"a", "b", "c"}),
        (TABLE.set_column(1, "b", pa.array(["x", "z", None])), {"a", "c"}),
        (TABLE.set_column(1, "b", pa.array(["x", "y", "z"])), {"a", "c"}),
        (TABLE.select(["c", "a"]), {"a", "c"}),
        (TABLE.rename_columns(["a", "B", "c"]), {"a", "c"}),
        (TABLE.set_column(0, "a", pa.array([1, 2, 3], pa.int32())), {"b", "c"}),
        (TABLE.set_column(0, "a", pa.array([1, 2, 3], pa.timestamp("us"))), {"b", "c"}),
        (TABLE.slice(0, 2), set()),
        (TABLE.take([1, 0, 2]), set()),
        (pa.concat_tables([TABLE, TABLE]), set()),
    ],
)  # fmt: skip
def test_which_are_the_same(other: pa.Table, same: set[str]) -> None:
    one, two = file(TABLE), file(other)
    found = same_columns(one, two)
    assert found == same
    assert decode_beside(two, decode_parquet(one), found).equals(decode_parquet(two), check_metadata=True)


def test_another_writers_bytes_are_told_of_as_others() -> None:
    assert same_columns(file(TABLE), file(TABLE, compression="zstd")) == frozenset()
    assert same_columns(file(TABLE), file(TABLE, row_group_size=2)) == frozenset()


def test_labels_of_the_newer_one_are_kept() -> None:
    labelled = TABLE.replace_schema_metadata({"name": "AE"})
    labelled = labelled.cast(
        pa.schema([f.with_metadata({"label": f.name.upper()}) for f in labelled.schema], {"name": "AE"})
    )
    one, two = file(TABLE), file(labelled)
    assert same_columns(one, two) == {"a", "b", "c"}
    assert decode_beside(two, decode_parquet(one), same_columns(one, two)).schema.equals(
        decode_parquet(two).schema, check_metadata=True
    )


def test_a_column_that_occurs_twice() -> None:
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert same_columns(file(twice), file(twice)) == frozenset()
