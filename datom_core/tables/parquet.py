"""Arrow tables to parquet bytes, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datom_core.common import brief, did_you_mean
from datom_core.errors import FormatError, InvalidInputError
from datom_core.tables.compression import Compression
from datom_core.tables.streams import on_disk

IN_MEMORY = 512 * 2**20  # bytes of a table up to which its file, about a tenth as long, is made in memory


def encode_parquet(table: pa.Table, compression: Compression = "snappy") -> memoryview:
    """One parquet file of format 2.4, as R's datom writes it. That of a large table is kept on disk."""

    def write(sink: pa.NativeFile) -> None:
        pq.write_table(table, sink, version="2.4", compression=compression)

    if table.nbytes > IN_MEMORY:
        return memoryview(on_disk(write).read_buffer())
    sink = pa.BufferOutputStream()
    write(sink)
    return memoryview(sink.getvalue())


def decode_parquet(
    data: bytes | memoryview, columns: Sequence[str] | None = None, *, dictionaries: bool = False
) -> pa.Table:
    """Parse a parquet file whose bytes have been verified; only ``columns`` are decoded.

    With ``dictionaries``, text comes dictionary-encoded: each value once, and an index per row.

    Raises:
        InvalidInputError: names every requested column that the file does not hold.
        FormatError: the bytes are not a parquet file.
    """
    buffer = _outside_of_python(data)
    file = _open(buffer)
    if dictionaries:
        text = [f.name for f in file.schema_arrow if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        file = _open(buffer, read_dictionary=text)
    if columns is None:
        return _decoded(file)
    wanted = check_columns(file.schema_arrow.names, columns)
    return _decoded(file, wanted).select(wanted)


def same_columns(one: bytes | memoryview, other: bytes | memoryview) -> frozenset[str]:
    """Columns that two files hold in the same bytes, and so with the same values in the same order.

    Nothing is decoded. Of the same values in other bytes, as another writer makes them, it does not tell.

    Raises:
        FormatError: the bytes are not a parquet file.
    """
    buffers = _outside_of_python(one), _outside_of_python(other)
    first, second = map(_open, buffers)
    # Each is made anew whenever it is asked for, column by column.
    schema, beside = first.schema_arrow, second.schema_arrow
    if len(set(schema.names)) < len(schema.names) or _row_counts(first) != _row_counts(second):
        return frozenset()
    places = [{c.path: n for n, c in enumerate(file.schema)} for file in (first, second)]
    return frozenset(
        name
        for name in set(schema.names).intersection(beside.names)
        if schema.field(name).type == beside.field(name).type
        and name in places[0] and name in places[1]
        and all(
            _stored(buffers[0], group, first, places[0][name]) == _stored(buffers[1], group, second, places[1][name])
            for group in range(first.num_row_groups)
        )
    )  # fmt: skip


def decode_beside(data: bytes | memoryview, other: pa.Table, same: frozenset[str]) -> pa.Table:
    """As `decode_parquet`; the columns that are the ``same`` in another table (`same_columns`) are taken from there."""
    schema = _open(_outside_of_python(data)).schema_arrow
    read = [name for name in schema.names if name not in same]
    if not same:
        return decode_parquet(data)
    own = decode_parquet(data, read)
    columns = [other.column(name) if name in same else own.column(name) for name in schema.names]
    return pa.table(columns, schema=schema)


def _row_counts(file: pq.ParquetFile) -> list[int]:
    return [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]


def _stored(buffer: pa.Buffer, group: int, file: pq.ParquetFile, place: int) -> tuple[str, memoryview]:
    """How a column lies in a row group: compression and kind of values, and its bytes."""
    chunk = file.metadata.row_group(group).column(place)
    begin = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        begin = min(begin, chunk.dictionary_page_offset)
    kind = f"{chunk.compression} {chunk.physical_type} {sorted(chunk.encodings)}"
    return kind, memoryview(buffer)[begin : begin + chunk.total_compressed_size]


def parquet_shape(data: bytes | memoryview) -> tuple[int, list[str]]:
    """Rows and column names of a parquet file, without decoding any of it.

    Raises:
        FormatError: the bytes are not a parquet file.
    """
    file = _open(_outside_of_python(data))
    return file.metadata.num_rows, file.schema_arrow.names


def first_rows(data: bytes | memoryview, rows: int) -> pa.Table:
    """The first rows of a parquet file, with the types and labels of all its columns; the rest is not decoded.

    Raises:
        FormatError: the bytes are not a parquet file.
    """
    file = _open(_outside_of_python(data))
    if rows < 1 or not file.schema_arrow.names:
        return file.schema_arrow.empty_table()
    try:
        batch = next(file.iter_batches(batch_size=rows), None)
    except (pa.ArrowException, OSError) as error:
        raise _not_parquet(error) from error
    return file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])


def _open(buffer: pa.Buffer, **options: Any) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(pa.BufferReader(buffer), **options)
    except (pa.ArrowException, OSError) as error:
        raise _not_parquet(error) from error


def _decoded(file: pq.ParquetFile, columns: list[str] | None = None) -> pa.Table:
    try:
        return file.read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise _not_parquet(error) from error


def _not_parquet(error: Exception) -> FormatError:
    return FormatError(f"The stored bytes are not a readable parquet file ({error}).")


def check_columns(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The requested columns, if a table with these names has each of them exactly once.

    Raises:
        InvalidInputError: names every one that is missing or occurs twice.
    """
    if isinstance(columns, str):
        raise InvalidInputError(f"columns is a list; write [{columns!r}].")
    unknown = [c for c in columns if c not in names]
    if unknown:
        hint = "".join(dict.fromkeys(did_you_mean(c, names) for c in unknown))
        listed = ", ".join(map(repr, unknown))
        raise InvalidInputError(f"No column {listed} in this table; it has {brief(names)}.{hint}")
    repeated = [c for c in dict.fromkeys(columns) if list(columns).count(c) > 1]
    if repeated:
        raise InvalidInputError(f"Asked for twice: {', '.join(map(repr, repeated))}. Name each column once.")
    twice = [c for c in columns if list(names).count(c) > 1]
    if twice:
        raise InvalidInputError(f"The table has several columns called {', '.join(map(repr, twice))}; read it whole.")
    return list(columns)


def _outside_of_python(data: bytes | memoryview) -> pa.Buffer:
    """The bytes, in memory that Arrow owns.

    Arrow's threads release what they read a little after the read is over. If Python owned that memory and were
    shutting down, the process would abort (apache/arrow#34314).
    """
    if isinstance(data, memoryview) and isinstance(data.obj, pa.Buffer) and data.nbytes == data.obj.size:
        return data.obj
    view = memoryview(data).cast("B")
    buffer = pa.allocate_buffer(len(view))
    memoryview(buffer).cast("B")[:] = view
    return buffer
