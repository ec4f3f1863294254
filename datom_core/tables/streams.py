"""Tables that arrive batch by batch: kept in memory while they are small, else in a memory-mapped file.

The system can drop pages of that file at any time, so the memory that a write needs does not grow with the table.
The file is unlinked once it is complete, and disappears with the table.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain

import pyarrow as pa

from datom_core.errors import StorageError
from datom_core.tables.normalisation import Column, outcome
from datom_core.tables.type_rules import Options, is_settled_by_type

LARGE = 64 * 2**20  # bytes above which a stream is kept on disk

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def collected(reader: pa.RecordBatchReader, rules: Options) -> list[Column]:
    """The columns of a stream, which is read once.

    A column whose type alone decides its stored form takes that form on the way in, so that it is never needed in
    memory as a whole. Other columns stay as they are.

    Raises:
        StorageError: the disk has no room for what is larger than `LARGE`.
    """
    columns = [_Incoming(field, rules) for field in reader.schema]
    kept = [c for c in columns if c.is_kept]
    schema = pa.schema([pa.field(str(n), c.target) for n, c in enumerate(kept)])

    def parts() -> Iterator[pa.Table]:
        for batch in reader:
            arrays = [c.stored(a) for c, a in zip(columns, batch.columns, strict=True) if c.is_kept]
            yield pa.Table.from_arrays(arrays, schema=schema)

    data = iter(_held(parts(), schema).columns)
    return [c.column(next(data) if c.is_kept else None) for c in columns]


class _Incoming:
    """One column of a stream.

    Attributes:
        refusal: why the column is refused, once it is.
        target: the type in which it is kept.
        is_kept: whether it is kept; not when its type is refused.
    """

    refusal: str | None = None

    def __init__(self, field: pa.Field, rules: Options) -> None:
        self._field, self._rules = field, rules
        self._early = is_settled_by_type(field.type)
        self.target = self._converted(pa.chunked_array([], field.type)).type
        self.is_kept = self.refusal is None

    def stored(self, array: pa.Array) -> pa.ChunkedArray:
        """A part of the column as it is kept; nothing of a refused one."""
        data = self._converted(pa.chunked_array([array], self._field.type))
        return data if self.refusal is None else pa.chunked_array([pa.nulls(len(array), self.target)])

    def column(self, data: pa.ChunkedArray | None) -> Column:
        """The whole column, or why it is refused."""
        kind = str(self._field.type)
        if self.refusal is not None:
            return Column(self._field, None, kind, self.refusal)
        return Column(self._field, data, kind)

    def _converted(self, data: pa.ChunkedArray) -> pa.ChunkedArray:
        if self._early and self.refusal is None:
            report, result = outcome(Column(self._field, data, str(self._field.type)), self._rules)
            self.refusal = report.recourse
            data = data if result is None else result[0]
        return data


def _held(parts: Iterator[pa.Table], schema: pa.Schema) -> pa.Table:
    """All parts as one table."""
    first: list[pa.Table] = [schema.empty_table()]
    size = 0
    for part in parts:
        first.append(part)
        size += part.nbytes
        if size > LARGE:
            break
    else:
        return pa.concat_tables(first)

    def write(file: pa.NativeFile) -> None:
        with pa.ipc.new_stream(file, schema) as stream:
            for part in chain(first, parts):
                stream.write_table(part)

    return pa.ipc.open_stream(on_disk(write)).read_all()


def on_disk(write: Callable[[pa.NativeFile], object]) -> pa.MemoryMappedFile:
    """A temporary file that ``write`` fills, mapped to memory.

    Raises:
        StorageError: there is no room for it.
    """
    handle, path = tempfile.mkstemp(prefix="datom-")
    os.close(handle)
    try:
        with pa.OSFile(path, "wb") as file:
            write(file)
        return pa.memory_map(path)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StorageError(
            f"There is no room for a temporary file in {tempfile.gettempdir()}. Free some, or set TMPDIR."
        ) from error
    finally:
        os.unlink(path)
