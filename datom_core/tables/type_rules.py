"""One rule per Arrow type: the form in which it is hashed and stored, and what is refused (docs/format.md, "Payloads").

What is hashed here is what R computes after reading the parquet file that we store. Everything that would be
lost or changed on that way is refused, with what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

#: How a column enters the hash (docs/format.md, "Payloads").
Tag = Literal["num", "i64", "chr", "date", "time", "drtn"]
Decimals = Literal["refuse", "float"]
Nanoseconds = Literal["refuse", "truncate"]

_INT32_MAX = 2**31 - 1
_INT32_MIN = -(2**31)
_INT64_MIN = -(2**63)
_EXACT = 2**53  # the largest range in which a double holds every integer
_DISTINCT = 2**33 * 10**6  # microseconds up to which seconds as doubles still tell microseconds apart
_MS_PER_DAY = 86_400_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MAX_OFFSET = 2**31 - 1
_FIRST_NOT_ASCII = 0x80


class RefusedColumnError(Exception):
    """A column has no content hash; the message says why and what to do."""


@dataclass(frozen=True)
class Options:
    """Losses that a caller knowingly accepts."""

    decimals: Decimals = "refuse"
    nanoseconds: Nanoseconds = "refuse"


def normalise_column(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    """The column as it is hashed and stored, and its tag.

    Raises:
        RefusedColumnError: the column has no content hash.
    """
    for matches, rule in _RULES:
        if matches(data.type):
            return rule(data, rules)
    raise RefusedColumnError(_advice(data.type))


def is_settled_by_type(kind: pa.DataType) -> bool:
    """Whether the type alone decides: a column is refused if any part of it is, and else stored in one form."""
    return _SETTLED_BY_TYPE(kind)


def _advice(kind: pa.DataType) -> str:
    """What to do with a column of a type that is never accepted."""
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return "nested columns have no content hash; make the inner table a table of its own, or write JSON text"
    if pa.types.is_nested(kind):
        return "list columns have no content hash; write one value per row, or JSON text"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return (
            "binary columns have no content hash; decode the text (.str.decode(...)), or write the bytes as base64 text"
        )
    return "this type has no content hash; cast it to a number, text, date, timestamp or duration"


def _as_is(tag: Tag) -> Callable[[pa.ChunkedArray, Options], tuple[pa.ChunkedArray, Tag]]:
    return lambda data, _rules: (data, tag)


def _int32(data: pa.ChunkedArray, _rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    low, _ = _range(data)
    if low == _INT32_MIN:
        raise RefusedColumnError("it holds -2147483648, which R reads as missing; cast the column to float64")
    return data, "num"


def _int64(data: pa.ChunkedArray, _rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    low, high = _range(data)
    if low is None or high is None:
        return data, "num"
    if low == _INT64_MIN:
        raise RefusedColumnError("it holds -2**63, which R reads as missing; cast the column to float64 or text")
    if low < _INT32_MIN or high > _INT32_MAX:
        return data, "i64"
    if low == _INT32_MIN:
        raise RefusedColumnError("it holds -2147483648, which R reads as missing; cast the column to float64")
    return data, "num"


def _uint64(data: pa.ChunkedArray, _rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    _, high = _range(data)
    if high is not None and high > _EXACT:
        raise RefusedColumnError("it holds numbers above 2**53, which R reads rounded; cast the column to text")
    return data, "num"


def _range(data: pa.ChunkedArray) -> tuple[int | None, int | None]:
    bounds = pc.min_max(data).as_py()
    return bounds["min"], bounds["max"]


def _float16(data: pa.ChunkedArray, _rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    # R reads the bits of a stored float16 as something else; float32 holds each value exactly.
    return data.cast(pa.float32()), "num"


def _decimal(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    if rules.decimals != "float":
        raise RefusedColumnError(
            "decimals become binary floats in R; cast the column to float64 or text, "
            'or convert the table first: normalise(table, decimals="float")'
        )
    # Through text, because a direct cast does not round correctly.
    return data.cast(pa.string()).cast(pa.float64()), "num"


def _string(data: pa.ChunkedArray, _rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    if pa.types.is_string(data.type):
        text = data
    else:
        large = data.cast(pa.large_string())
        text = pa.chunked_array([c.cast(pa.string()) for c in _small_chunks(large)], type=pa.string())
    _check_text(text)
    return text, "chr"


def _small_chunks(data: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Chunks whose text fits the 32-bit offsets of Arrow's ``string``."""
    pending = list(reversed(data.chunks))
    while pending:
        chunk = pending.pop()
        if chunk.nbytes <= _MAX_OFFSET or len(chunk) == 1:
            yield chunk
        else:
            half = len(chunk) // 2
            pending += [chunk.slice(half), chunk.slice(0, half)]


def _check_text(data: pa.ChunkedArray) -> None:
    for chunk in data.chunks:
        # The smallest and largest byte are found ten times faster than what they may hint at.
        least, most = _extreme_bytes(chunk)
        if most >= _FIRST_NOT_ASCII:
            try:
                chunk.validate(full=True)
            except pa.ArrowInvalid:
                raise RefusedColumnError(
                    "it holds text that is not valid UTF-8; decode it with its right encoding"
                ) from None
        if least == 0 and pc.any(pc.match_substring(chunk, "\0")).as_py():
            raise RefusedColumnError("it holds text with a NUL character, which R cannot read; remove it")


def _extreme_bytes(chunk: pa.StringArray) -> tuple[int, int]:
    """The smallest and the largest byte of all values, including those under missing values; of none, ones in ASCII."""
    _, offsets, values = chunk.buffers()
    if values is None or not len(chunk):
        return 1, 1
    bounds = memoryview(offsets).cast("i")
    begin, size = bounds[chunk.offset], bounds[chunk.offset + len(chunk)] - bounds[chunk.offset]
    found = pc.min_max(pa.Array.from_buffers(pa.uint8(), size, [None, values.slice(begin, size)])).as_py()
    return (found["min"], found["max"]) if size else (1, 1)


def _dictionary(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    kind = data.type
    if not _T_TEXT(kind.value_type):
        return normalise_column(
            pa.chunked_array([c.dictionary_decode() for c in data.chunks], type=kind.value_type), rules
        )
    if any(chunk.dictionary.null_count for chunk in data.chunks):
        # A missing label and a missing value are one thing to the hash, and R cannot store the former.
        return _string(pa.chunked_array([c.dictionary_decode() for c in data.chunks], type=kind.value_type), rules)
    for chunk in data.chunks:
        _string(pa.chunked_array([chunk.dictionary]), rules)
    return data.cast(pa.dictionary(pa.int32(), pa.string(), ordered=kind.ordered)), "chr"


def _run_end_encoded(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    decoded = [pc.run_end_decode(chunk) for chunk in data.chunks]
    return normalise_column(pa.chunked_array(decoded, type=data.type.value_type), rules)


def _date64(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    ms = data.cast(pa.int64())
    whole_days = pc.all(pc.equal(pc.multiply(pc.divide(ms, _MS_PER_DAY), _MS_PER_DAY), ms)).as_py()
    if whole_days is not False:
        return data.cast(pa.date32()), "date"
    return _timestamp(data.cast(pa.timestamp("ms")).cast(pa.timestamp("us")), rules)


def _timestamp(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    kind = data.type
    if kind.unit == "ns":
        data = _microseconds(data, pa.timestamp("us", kind.tz), rules)
    if not _exact_in_microseconds(data):
        raise RefusedColumnError(
            "it holds times, before 1698 or after 2242, that a double cannot hold to the microsecond; "
            "round them to whole seconds, or write dates or text"
        )
    return data, "time"


def _exact_in_microseconds(data: pa.ChunkedArray) -> bool:
    """Whether R's double of each value, in seconds, still tells it from its neighbours a microsecond away."""
    ticks = data.cast(pa.int64())
    low, high = _range(ticks)
    scale = 10**6 // _PER_SECOND[data.type.unit]
    if low is None or high is None or (low * scale >= -_DISTINCT and high * scale <= _DISTINCT):
        return True
    if low * scale <= _INT64_MIN or high * scale >= -_INT64_MIN:
        return False
    whole = pc.multiply(ticks.fill_null(0), scale)
    seconds = pc.divide(whole.cast(pa.float64(), safe=False), 1e6)
    again = pc.round(pc.multiply(seconds, 1e6)).cast(pa.int64(), safe=False)
    return bool(pc.all(pc.equal(again, whole)).as_py())


def _duration(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    if data.type.unit == "ns":
        data = _microseconds(data, pa.duration("us"), rules)
    if not _exact_in_microseconds(data):
        raise RefusedColumnError("it holds durations that a double cannot hold to the microsecond; round them")
    return data, "drtn"


def _time(data: pa.ChunkedArray, rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    return (_microseconds(data, pa.time64("us"), rules) if data.type.unit == "ns" else data), "drtn"


def _microseconds(data: pa.ChunkedArray, target: pa.DataType, rules: Options) -> pa.ChunkedArray:
    try:
        return data.cast(target, safe=rules.nanoseconds != "truncate")
    except pa.ArrowInvalid:
        raise RefusedColumnError(
            "it holds digits below a microsecond, which are lost in storage; round the column, "
            'or convert the table first: normalise(table, nanoseconds="truncate")'
        ) from None


def _null(data: pa.ChunkedArray, _rules: Options) -> tuple[pa.ChunkedArray, Tag]:
    # A column without any value is R's all-missing logical.
    return data.cast(pa.bool_()), "num"


def _any_of(*tests: Callable[[pa.DataType], bool]) -> Callable[[pa.DataType], bool]:
    return lambda kind: any(test(kind) for test in tests)


_T = pa.types
_T_TEXT = _any_of(_T.is_string, _T.is_large_string)
_SMALL_INTS = _any_of(_T.is_int8, _T.is_int16, _T.is_uint8, _T.is_uint16, _T.is_uint32)
_SETTLED_BY_TYPE = _any_of(
    *(_T.is_float16, _T.is_decimal, _T.is_large_string, _T.is_string_view, _T.is_null),
    lambda kind: (_T.is_timestamp(kind) or _T.is_duration(kind) or _T.is_time64(kind)) and kind.unit == "ns",
)
_RULES: tuple[
    tuple[Callable[[pa.DataType], bool], Callable[[pa.ChunkedArray, Options], tuple[pa.ChunkedArray, Tag]]], ...
] = (
    (_any_of(_T.is_boolean, _T.is_float32, _T.is_float64, _SMALL_INTS), _as_is("num")),
    (_T.is_int32, _int32),
    (_T.is_int64, _int64),
    (_T.is_uint64, _uint64),
    (_T.is_float16, _float16),
    (_T.is_decimal, _decimal),
    (_any_of(_T.is_string, _T.is_large_string, _T.is_string_view), _string),
    (_T.is_dictionary, _dictionary),
    (_T.is_run_end_encoded, _run_end_encoded),
    (_T.is_date32, _as_is("date")),
    (_T.is_date64, _date64),
    (_T.is_timestamp, _timestamp),
    (_T.is_duration, _duration),
    (_T.is_time, _time),
    (_T.is_null, _null),
)
