"""Columns as arrays of numpy, for forms whose cells are computed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from datom_core.exports.columns import Column

Mask = npt.NDArray[np.bool_]


def integers(data: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """The values of integers; missing ones are zero."""
    return np.asarray(data.fill_null(0).to_numpy(), dtype=np.int64)


def floats(data: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """The values of numbers; missing ones are zero."""
    return np.asarray(data.fill_null(0.0).to_numpy(), dtype=np.float64)


def missing(data: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Which values are missing."""
    return np.asarray(pc.is_null(data).to_numpy(), dtype=bool)


def matching(column: Column, pattern: str) -> Mask:
    """Which texts of a column match."""
    found = pc.match_substring_regex(column.data, pattern)
    return np.asarray(found.fill_null(False).to_numpy(), dtype=bool)


def byte_lengths(data: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Of each text, in UTF-8; 0 for missing ones."""
    return np.asarray(pc.binary_length(data).fill_null(0).to_numpy(), dtype=np.int64)
