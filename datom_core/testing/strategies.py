"""Hypothesis strategies for tables with every type that can be stored."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from datom_core.common import needing

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_US = 2**33 * 10**6  # beyond this, seconds as doubles do not tell microseconds apart
_MISSING_IN_R = -(2**31)
_EXACT = 2**53


def tables(*, max_rows: int = 12, max_columns: int = 6) -> SearchStrategy[pa.Table]:
    """Tables that can be written: columns of every type that can be stored, with missing values, in one or two chunks.

    Args:
        max_rows, max_columns: the largest size; there is at least one of each.

    Raises:
        MissingPackageError: Hypothesis is not installed (extra ``testing``).
    """
    st = _hypothesis()

    def draw_table(draw: Any) -> pa.Table:
        rows = draw(st.integers(1, max_rows))
        kinds = draw(st.lists(st.sampled_from(column_types()), min_size=1, max_size=max_columns))
        names = draw(st.lists(_text().filter(bool), min_size=len(kinds), max_size=len(kinds), unique=True))
        data = [
            column_of(kind, draw(st.lists(st.none() | values, min_size=rows, max_size=rows))) for kind, values in kinds
        ]
        table = pa.Table.from_arrays(data, names=names)
        cut = draw(st.integers(0, rows))
        # Chunk borders are storage, not content.
        return pa.concat_tables([table.slice(0, cut), table.slice(cut)])

    found: SearchStrategy[pa.Table] = st.composite(draw_table)()
    return found


@functools.cache
def column_types() -> tuple[tuple[pa.DataType, SearchStrategy[Any]], ...]:
    """Every Arrow type that can be stored, with a strategy for the values that `column_of` turns into a column.

    Raises:
        MissingPackageError: Hypothesis is not installed (extra ``testing``).
    """
    return (*_numbers(), *_texts(), *_moments(), (pa.null(), _hypothesis().none()))


def column_of(kind: pa.DataType, values: list[Any]) -> pa.Array:
    """A column of the given type, from values of that type's strategy."""
    if pa.types.is_float16(kind):
        return pa.array([None if v is None else np.float16(v) for v in values], kind)
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(values, kind)


def _numbers() -> tuple[tuple[pa.DataType, SearchStrategy[Any]], ...]:
    st = _hypothesis()
    doubles = st.floats() | st.sampled_from([0.0, -0.0, float("nan"), float("inf"), 1e308, 5e-324])
    return (
        (pa.bool_(), st.booleans()),
        (pa.int8(), _ints(8)),
        (pa.int16(), _ints(16)),
        (pa.int32(), _ints(32)),
        (pa.int64(), _ints(64) | st.integers(-1000, 1000)),
        (pa.uint8(), st.integers(0, 2**8 - 1)),
        (pa.uint16(), st.integers(0, 2**16 - 1)),
        (pa.uint32(), st.integers(0, 2**32 - 1)),
        (pa.uint64(), st.integers(0, _EXACT)),
        (pa.float16(), st.floats(width=16)),
        (pa.float32(), st.floats(width=32)),
        (pa.float64(), doubles),
    )


def _ints(bits: int) -> SearchStrategy[int]:
    # R has no lowest number, because it stands for a missing value.
    low = -(2 ** (bits - 1)) + (1 if bits >= 32 else 0)
    found: SearchStrategy[int] = _hypothesis().integers(low, 2 ** (bits - 1) - 1).filter(lambda n: n != _MISSING_IN_R)
    return found


def _texts() -> tuple[tuple[pa.DataType, SearchStrategy[Any]], ...]:
    return (
        (pa.string(), _text()),
        (pa.large_string(), _text()),
        (pa.string_view(), _text()),
        (pa.dictionary(pa.int8(), pa.string()), _text()),
        (pa.dictionary(pa.int32(), pa.large_string(), ordered=True), _text()),
        (pa.dictionary(pa.int16(), pa.int64()), _hypothesis().integers(-50, 50)),
    )


def _text() -> SearchStrategy[str]:
    st = _hypothesis()
    found: SearchStrategy[str] = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
    return found


def _moments() -> tuple[tuple[pa.DataType, SearchStrategy[Any]], ...]:
    st = _hypothesis()

    def whole_us(most: int, least: int | None = None) -> SearchStrategy[int]:
        # Nanoseconds are stored only if microseconds can hold them.
        found: SearchStrategy[int] = st.integers(-most if least is None else least, most).map(lambda n: n * 1000)
        return found

    return (
        (pa.date32(), st.integers(-100_000, 100_000)),
        (pa.date64(), st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1))),
        (pa.timestamp("s"), st.integers(-(_US // 10**6), _US // 10**6)),
        (pa.timestamp("ms", "UTC"), st.integers(-(_US // 10**3), _US // 10**3)),
        (pa.timestamp("us", "Europe/Berlin"), st.integers(-_US, _US)),
        (pa.timestamp("ns"), whole_us(10**15)),
        (pa.time32("s"), st.integers(0, 86_399)),
        (pa.time32("ms"), st.integers(0, 86_399_999)),
        (pa.time64("us"), st.integers(0, 86_399_999_999)),
        (pa.time64("ns"), whole_us(86_399_999_999, 0)),
        (pa.duration("s"), st.integers(-(10**9), 10**9)),
        (pa.duration("ms"), st.integers(-(10**12), 10**12)),
        (pa.duration("us"), st.integers(-(10**15), 10**15)),
        (pa.duration("ns"), whole_us(10**12)),
    )


def _hypothesis() -> Any:
    with needing("A strategy", "testing"):
        from hypothesis import strategies
    return strategies
