"""What is written and read again has the same content, apart from what the form is known not to tell."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, assume, given, settings

import datom_core as dc
from datom_core.testing import tables
from tests.long import examples

_MS = 10**3


def written(table: pa.Table, form: Any) -> bytes:
    sink = io.BytesIO()
    told = dc.write_table(table, sink, form=form)
    assert told.bytes == len(sink.getvalue())
    return sink.getvalue()


def each(table: pa.Table, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    plain = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    return pa.table([change(c) for c in plain], names=table.column_names)


def whole(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Integers in the type in which the form gives them back."""
    return column.cast(kind) if pa.types.is_integer(column.type) else column


def without_missing_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.fill_null("") if pa.types.is_string(column.type) else column


def without_empty_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def finite(column: pa.ChunkedArray, least: float = 0, most: float = float("inf")) -> pa.ChunkedArray:
    """Without numbers that a form does not have."""
    if not pa.types.is_floating(column.type):
        return column
    wide = column.cast(pa.float64())
    size = np.abs(wide.fill_null(0.0).to_numpy())
    odd = ~np.isfinite(size) | ((size != 0) & (size < least)) | (size >= most)
    return pc.if_else(pa.array(odd), pa.scalar(None, pa.float64()), wide)


def small(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_integer(column.type) or pa.types.is_unsigned_integer(column.type):
        return column
    inside = np.abs(column.cast(pa.float64(), safe=False).fill_null(0).to_numpy()) < 2**53
    return pc.if_else(pa.array(inside), column, pa.scalar(None, column.type))


def ascii_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    texts = [t and t.encode("unicode_escape").decode().rstrip() for t in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def in_a_day(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_duration(column.type):
        return column
    ticks = column.cast(pa.duration("us")).cast(pa.int64()).to_pylist()
    return pa.chunked_array([pa.array([None if t is None else t % 86_400_000_000 for t in ticks], pa.duration("us"))])


def of_excel(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """To the millisecond, and not before 1900."""
    kind = column.type
    if pa.types.is_date(kind):
        return pc.if_else(pc.less(column, pa.scalar(-25_567, pa.int32()).cast(pa.date32())), None, column)
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_time64(kind):
        ticks = column.cast(pa.int64()).to_pylist()
        scale = {"us": _MS, "ms": 1, "s": 1}[kind.unit]
        first = -25_567 * 86_400 * {"us": 10**6, "ms": 10**3, "s": 1}[kind.unit]
        dated = pa.types.is_timestamp(kind)
        kept = [None if t is None or (dated and t < first) else t // scale * scale for t in ticks]
        return pa.chunked_array([pa.array(kept, pa.int64()).cast(kind)])
    return column


def seconds_of_sas(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Such as a double of seconds since 1960 tells apart."""
    kind = column.type
    if not (pa.types.is_timestamp(kind) or pa.types.is_duration(kind)) or kind.unit != "us":
        return column
    ticks = pc.divide(column.cast(pa.int64()), 10**6)
    return pc.multiply(ticks, 10**6).cast(kind)


Change = Callable[[pa.ChunkedArray], pa.ChunkedArray]

#: What a table is first freed from, what is not told apart afterwards, and whether its types have to be said.
FORMS: dict[str, tuple[list[Change], list[Change], bool]] = {
    "parquet": ([], [], False),
    "json": ([finite, small, in_a_day], [partial(whole, kind=pa.int64())], False),
    "ndjson": ([finite, small, in_a_day], [partial(whole, kind=pa.int64())], False),
    "csv": ([finite], [without_missing_text], True),
    "tsv": ([finite], [without_missing_text], True),
    "xlsx": (
        [partial(finite, least=2.3e-308, most=9.9e307), small, of_excel],
        [without_empty_text],
        True,
    ),
    "xpt": (
        [partial(finite, least=2.0**-260, most=2.0**252), small, ascii_text, seconds_of_sas],
        [without_missing_text, partial(whole, kind=pa.float64())],
        False,
    ),
    "xpt8": (
        [partial(finite, least=2.0**-260, most=2.0**252), small, seconds_of_sas],
        [without_missing_text, partial(whole, kind=pa.float64())],
        False,
    ),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(drawn=tables())
def test_the_content_is_the_same(form: str, drawn: pa.Table) -> None:
    fitting, untold, typed = FORMS[form]
    table = dc.normalise(drawn)
    if form != "parquet":
        table = table.rename_columns([f"C{i}" for i in range(table.num_columns)])
        for change in fitting:
            table = each(table, change)
    try:
        data = written(table, form)
    except dc.InvalidInputError:
        assume(False)
    assert written(table, form) == data
    schema = pa.schema([pa.field(f.name, f.type) for f in each(table, lambda c: c).schema]) if typed else None
    back = dc.read_extract(data, format=form.rstrip("8"), schema=schema)
    for change in untold:
        table = each(table, change)
    assert dc.hash_table(back).column_hashes == dc.hash_table(table).column_hashes
