"""Frames to Arrow columns, and Arrow tables to frames."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from datom_core.common import fitting, is_text, needing
from datom_core.errors import ColumnReport, InvalidInputError
from datom_core.tables.hashing import TableHash, hash_normalised
from datom_core.tables.normalisation import (
    Column,
    Normalised,
    check_options,
    normalise_columns,
    report_columns,
)
from datom_core.tables.pandas_limits import within
from datom_core.tables.streams import collected
from datom_core.tables.type_rules import Decimals, Nanoseconds, Options

if TYPE_CHECKING:
    import pandas as pd


# What pandas may infer from an object column that Arrow then types without guessing.
_PLAIN_OBJECTS = frozenset("string boolean integer floating mixed-integer-float decimal bytes empty".split())
_TIMES = frozenset("date datetime datetime64 time timedelta timedelta64".split())


@fitting
def hash_table(table: object, *, decimals: Decimals = "refuse", nanoseconds: Nanoseconds = "refuse") -> TableHash:
    """The content hash of a table, as R's datom computes it for the same values.

    Args:
        table: a pyarrow Table or RecordBatch, a pandas or polars DataFrame, or a stream, which is read once and held
            on disk when it is large: a pyarrow RecordBatchReader or Dataset, or anything that exports an Arrow stream
            (``__arrow_c_stream__``). The unnamed integer index of a pandas frame is dropped; the order of its rows is
            kept.
        decimals: ``"float"`` converts decimal columns to float64 instead of refusing them.
        nanoseconds: ``"truncate"`` cuts times to the microsecond instead of refusing finer digits.

    Raises:
        UnsupportedColumnsError: names every column that has no content hash, with advice.
        InvalidInputError: not a table, a pandas index that would be lost (named, or not of integers), no rows, or no
            columns.
    """
    return hash_normalised(normalised(table, decimals=decimals, nanoseconds=nanoseconds))


@fitting
def check_hashable(
    table: object, *, decimals: Decimals = "refuse", nanoseconds: Nanoseconds = "refuse"
) -> list[ColumnReport]:
    """One report per column: whether it has a content hash, and what to do when it has none.

    Raises:
        InvalidInputError: not a table, or a pandas index that would be lost.
    """
    rules = check_options(decimals, nanoseconds)
    columns, _ = _columns(table, rules)
    return report_columns(columns, rules)


@fitting
def normalise(
    table: object, *, decimals: Decimals = "refuse", nanoseconds: Nanoseconds = "refuse", what: str = "the table"
) -> pa.Table:
    """The table in the form in which it is hashed and stored. Doing it twice changes nothing.

    Use it to accept decimals or nanoseconds knowingly before a write; arguments and errors as `hash_table`,
    and ``what`` names the table in errors.
    """
    return normalised(table, decimals=decimals, nanoseconds=nanoseconds, what=what).table


def normalised(
    table: object,
    *,
    decimals: Decimals = "refuse",
    nanoseconds: Nanoseconds = "refuse",
    what: str = "the table",
    empty: bool = False,
) -> Normalised:
    """As `normalise`, with each column's tag; ``what`` names the table in errors, ``empty`` allows one without rows."""
    rules = check_options(decimals, nanoseconds)
    columns, metadata = _columns(table, rules)
    return normalise_columns(columns, metadata, rules, what, empty=empty)


@fitting
def to_pandas(table: pa.Table) -> pd.DataFrame:
    """A pandas frame that can be written again as the same content.

    Integers and truth values become nullable dtypes, so that missing values do not turn them into floats. A
    date, time or category column without any value becomes an Arrow dtype, because pandas' own would forget
    what it is a column of. What Python's dates, times and zones cannot hold comes as the nearest
    that pandas can: dates outside of the years 1 to 9999 as timestamps, times beyond a day as durations,
    instants in an unknown zone in UTC.
    """
    with needing("A frame", "pandas"):
        import pandas as pd

    table = within(table)

    nullable = {
        pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(), pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(), pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(),
    }  # fmt: skip
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get)
    for position, column in enumerate(table.columns):
        kind = column.type
        forgetful = pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_dictionary(kind)
        if forgetful and column.null_count == len(column):
            kept = pa.string() if pa.types.is_dictionary(kind) else kind
            frame.isetitem(position, pd.array(pa.nulls(len(column), kept), dtype=pd.ArrowDtype(kept)))
    return frame


def _columns(table: object, rules: Options) -> tuple[list[Column], dict[bytes, bytes] | None]:
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if isinstance(table, pa.Table):
        return _arrow_columns(table), table.schema.metadata
    if _is_frame(table, "pandas"):
        return _pandas_columns(cast(Any, table)), None
    if _is_frame(table, "polars"):
        return _polars_columns(table), None
    reader = _reader(table)
    if reader is not None:
        with reader:
            return collected(reader, rules), reader.schema.metadata
    raise InvalidInputError(
        f"{type(table).__name__} is not a table. Pass a pyarrow Table, a pandas or polars DataFrame, "
        "or an object with __arrow_c_stream__."
    )


def _reader(table: object) -> pa.RecordBatchReader | None:
    """The reader for a stream: a reader, a dataset, or anything that exports an Arrow stream."""
    if isinstance(table, pa.RecordBatchReader):
        return table
    if type(table).__module__ == "pyarrow._dataset":
        source: Any = table.scanner() if hasattr(table, "scanner") else table
        return source.to_reader()
    if not hasattr(table, "__arrow_c_stream__"):
        return None
    try:
        return pa.RecordBatchReader.from_stream(table)
    except pa.ArrowInvalid as error:
        raise InvalidInputError(
            f"{type(table).__name__} is one column, not a table. Make a frame of it, for example with to_frame()."
        ) from error


def _is_frame(table: object, package: str) -> bool:
    # By name, so that neither package is imported for those who do not use it.
    # A class derived from it, such as that of geopandas, is such a frame as well.
    return any(c.__name__ == "DataFrame" and c.__module__.split(".")[0] == package for c in type(table).__mro__)


def _arrow_columns(table: pa.Table) -> list[Column]:
    return [Column(f, data, str(f.type)) for f, data in zip(table.schema, table.columns, strict=True)]


def _polars_columns(frame: Any) -> list[Column]:
    return [_convert(s.name, str(s.dtype), s.to_arrow) for s in frame.get_columns()]


def _pandas_columns(frame: pd.DataFrame) -> list[Column]:
    labels: list[Any] = list(frame.columns)
    bad = [label for label in labels if not isinstance(label, str) or not is_text(label)]
    if bad:
        raise InvalidInputError(f"Column labels must be strings; these are not: {bad[:10]!r}. Rename the columns.")
    _check_index(frame.index)
    return [_pandas_column(label, frame.iloc[:, i]) for i, label in enumerate(labels)]


def _check_index(index: pd.Index[Any]) -> None:
    """Refuse an index that carries information: one with a name, or with labels other than integers.

    Filtering, sorting and concatenating leave an unnamed one of integers, the rows' former positions. It is dropped.
    """
    names = [name for name in index.names if name is not None]
    if not names and index.nlevels == 1 and _holds_integers(index):
        return
    shown = ", ".join(map(repr, index[:3].tolist())) + (", ..." if len(index) > 3 else "")
    named = f" named {', '.join(map(repr, names))}" if names else ""
    why = "has a name" if names else "is not an unnamed one of integers"
    raise InvalidInputError(
        f"The frame's index{named} ({shown}) {why}, and would be lost: call reset_index() to keep it as columns, or "
        "reset_index(drop=True) to drop it."
    )


def _holds_integers(index: pd.Index[Any]) -> bool:
    """Whether the labels are integers of any width, of pandas, Arrow or Python, or there are none at all."""
    import pandas as pd

    if len(index) == 0 or pd.api.types.is_integer_dtype(index.dtype):
        return True
    return index.dtype == object and pd.api.types.infer_dtype(index, skipna=False) == "integer"


def _pandas_column(name: str, series: pd.Series[Any]) -> Column:
    import pandas as pd

    dtype = str(series.dtype)
    if series.dtype == object:
        found = pd.api.types.infer_dtype(series, skipna=True)
        refusal = _object_advice(found, series)
        if refusal is not None:
            return Column(pa.field(name, pa.null()), None, f"object ({found})", refusal)
        if found == "empty":
            # Only missing values: taken for text, since that is what object columns hold (all text, before pandas 3).
            return _convert(name, dtype, lambda: pa.nulls(len(series), pa.string()))
    return _convert(name, dtype, lambda: pa.array(series, from_pandas=True))


def _object_advice(found: str, series: pd.Series[Any]) -> str | None:
    """Why a column of Python objects is refused, or ``None`` when Arrow types it without losing anything."""
    if found in _TIMES:
        return _time_advice(series.dropna())
    if found in _PLAIN_OBJECTS:
        return None
    kinds = {type(value).__name__ for value in series.dropna().head(100)}
    if kinds & {"list", "tuple", "set", "ndarray", "dict"}:
        return f"columns of {'/'.join(sorted(kinds))} have no content hash; write one value per row, or JSON text"
    if found.startswith("mixed"):
        return "it mixes Python types; convert the column to one type, for example with astype(str)"
    return f"Python objects ({found}) have no content hash; convert them to numbers, text or dates"


def _time_advice(values: pd.Series[Any]) -> str | None:
    """pyarrow types such columns by their first value, and drops what that type cannot hold."""
    if len({isinstance(v, datetime) for v in values}) > 1:
        return "it mixes dates and times; make all of them dates, or all of them times"
    zones = {str(getattr(v, "tzinfo", None)) for v in values}
    if len(zones) > 1:
        return f"it mixes time zones ({', '.join(sorted(zones))}); convert all of its times to one"
    if any(isinstance(v, time) and v.tzinfo is not None for v in values):
        return "it holds times of day with a time zone, which is not stored; drop the zone, or write timestamps"
    if any(getattr(v, "nanosecond", 0) or getattr(v, "nanoseconds", 0) for v in values):
        return "it holds digits below a microsecond, which are lost in storage; round the column"
    return None


def _convert(name: str, type_name: str, convert: Callable[[], Any]) -> Column:
    """Convert one column by its library's own means, and keep a failure for the report."""
    try:
        data = convert()
    except UnicodeEncodeError:
        reason = "it holds lone surrogates, which are not text; decode the source with the right encoding"
    except Exception as error:  # noqa: BLE001 - each library has its own classes for "no Arrow type"
        reason = f"it has no Arrow form ({str(error).splitlines()[0][:120]}); convert it to numbers, text or dates"
    else:
        chunked = data if isinstance(data, pa.ChunkedArray) else pa.chunked_array([data])
        return Column(pa.field(name, chunked.type), chunked, type_name)
    return Column(pa.field(name, pa.null()), None, type_name, reason)
