"""Parquet files, as they are or as R reads them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datom_core.extracts.formats.problems import bad_file, check_columns
from datom_core.extracts.formats.schemas import Types, conform

_INT32_MIN = -(2**31)


def read_parquet(path: Path, name: str, types: Types, *, r_compat: bool) -> pa.Table:
    """The table, read by row group, so that the whole file is never in memory next to it.

    Raises:
        InvalidInputError: the file is not a whole parquet file, has bad columns, or values that do not fit ``types``.
    """
    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            check_columns(columns, name)
            types.check(columns, name)
            groups = [file.read_row_group(i) for i in range(file.num_row_groups)]
            table = pa.concat_tables(groups) if groups else file.schema_arrow.empty_table()
    except (pa.ArrowException, OSError) as error:
        raise bad_file(name, f"the parquet file cannot be read whole ({error}). Deliver it again.") from error
    table = conform(table, types, name)
    if r_compat:
        for position, field in enumerate(table.schema):
            if field.name not in types.types:
                data = _as_r_reads(table.column(position))
                table = table.set_column(position, field.with_type(data.type), data)
    return table


def _as_r_reads(data: pa.ChunkedArray) -> pa.ChunkedArray:
    """What R makes of a column that the hash refuses or treats as something else (docs/format.md, "Payloads")."""
    kind = data.type
    if pa.types.is_decimal(kind):
        return data.cast(pa.string()).cast(pa.float64())
    if pa.types.is_uint64(kind):
        return data.cast(pa.float64(), safe=False)
    if pa.types.is_int32(kind) or (pa.types.is_int64(kind) and _fits(data)):
        return pc.if_else(pc.equal(data, _INT32_MIN), pa.scalar(None, kind), data)
    return data


def _fits(data: pa.ChunkedArray) -> bool:
    bounds = pc.min_max(data).as_py()
    return bounds["min"] is None or (bounds["min"] >= _INT32_MIN and bounds["max"] < 2**31)
