"""The cells of a SAS transport file: blank-filled text, and numbers as IBM's mainframes hold them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.exports.columns import Column

#: Days, and seconds, from where SAS begins to count to where Arrow does.
_DAYS = (date(1970, 1, 1) - date(1960, 1, 1)).days
_SECONDS = _DAYS * 86_400
_MICRO = 10**6
#: Numbers other than zero are at least, and less than, these powers of 2.
LEAST, LIMIT = -260, 252
_MISSING = 0x2E
_FRACTION = np.uint64(2**52 - 1)
_FIRST = np.uint64(2**52)

Doubles = npt.NDArray[np.float64]


def text_cells(part: pa.Array, width: int) -> npt.NDArray[np.uint8]:
    """Text, filled with blanks to its width; missing text is blank."""
    text = part.fill_null("")
    blanks = pc.binary_repeat(pa.scalar(" "), pc.subtract(width, pc.binary_length(text)))
    filled = pc.binary_join_element_wise(text, blanks, "")
    _, offsets, data = filled.buffers()
    start = int(np.frombuffer(offsets, np.int32)[filled.offset])
    return np.frombuffer(data, np.uint8, len(filled) * width, start).reshape(len(filled), width)


def number_cells(column: Column, part: pa.Array) -> npt.NDArray[np.uint8]:
    """Numbers, dates, moments and lengths of time; 8 bytes each."""
    absent = np.asarray(part.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    cells = ibm(doubles(column.kind, part))
    cells[absent] = 0
    cells[absent, 0] = _MISSING
    return cells


def doubles(kind: str, part: Any) -> Doubles:
    """The number that SAS has for each value of an array or a column; missing ones are as good as any."""
    if kind in ("truth", "whole", "number"):
        return np.asarray(part.cast(pa.float64()).fill_null(0).to_numpy(), dtype=np.float64)
    if kind == "date":
        days = part.cast(pa.int32()).fill_null(0).to_numpy()
        return np.asarray(days, dtype=np.float64) + _DAYS
    ticks = np.asarray(part.cast(pa.int64()).fill_null(0).to_numpy(), dtype=np.int64)
    if kind == "moment":
        ticks = ticks + _SECONDS * _MICRO
    return _seconds(ticks)


def inexact(kind: str, part: Any) -> npt.NDArray[np.bool_]:
    """Which moments and lengths of time a number of seconds does not hold to the microsecond."""
    ticks = np.asarray(part.cast(pa.int64()).fill_null(0).to_numpy(), dtype=np.int64)
    shifted = ticks + (_SECONDS * _MICRO if kind == "moment" else 0)
    seconds = _seconds(shifted)
    whole = np.floor(seconds)
    back = whole.astype(np.int64) * _MICRO + np.rint((seconds - whole) * _MICRO).astype(np.int64)
    return np.asarray(back != shifted)


def _seconds(ticks: npt.NDArray[np.int64]) -> Doubles:
    whole, rest = np.divmod(ticks, _MICRO)
    return whole.astype(np.float64) + rest.astype(np.float64) / _MICRO


def ibm(values: Doubles) -> npt.NDArray[np.uint8]:
    """Doubles as a sign, a power of 16, and a fraction of 56 bits, which holds the 53 of a double at any power."""
    bits = values.view(np.uint64)
    power = ((bits >> np.uint64(52)) & np.uint64(0x7FF)).astype(np.int64) - 1023
    fraction = ((bits & _FRACTION) | _FIRST) << (power & 3).astype(np.uint64)
    exponent = ((power >> 2) + 65).astype(np.uint64) & np.uint64(0x7F)
    sign = (bits >> np.uint64(63)) << np.uint64(63)
    found = np.where(values == 0, np.uint64(0), sign | (exponent << np.uint64(56)) | fraction)
    return np.ascontiguousarray(found.astype(">u8")).view(np.uint8).reshape(len(values), 8)
