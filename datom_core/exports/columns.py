"""A table as its writers see it: few kinds of columns, whatever Arrow types they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

#: What a column holds, and as what: ``truth`` bool, ``whole`` int64, ``number`` float64, ``text`` string, ``date``
#: date32; in microseconds, ``moment`` timestamp of UTC, ``time`` of day time64, ``span`` duration.
Kind = Literal["truth", "whole", "number", "text", "date", "moment", "time", "span"]

DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class Column:
    """A column to write.

    Attributes:
        name: of the column.
        kind: what it holds.
        data: the values, in the type of the kind.
        zoned: whether moments are instants of a known zone.
        said: what was kept about it, such as ``label`` and ``format``.
    """

    name: str
    kind: Kind
    data: pa.ChunkedArray
    zoned: bool = False
    said: Mapping[str, str] = field(default_factory=dict)

    def ticks(self) -> pa.ChunkedArray:
        """Days, or microseconds, as integers."""
        if self.kind == "date":
            return self.data.cast(pa.int32()).cast(pa.int64())
        return self.data.cast(pa.int64())


@dataclass(frozen=True)
class Outgoing:
    """A table to write.

    Attributes:
        table: as it is stored.
        name: what it is called.
        made: when the file says that it was made; never now, as the same table gives the same bytes.
        columns: of the table.
        said: what was kept about it as a whole.
    """

    table: pa.Table
    name: str
    made: datetime
    columns: tuple[Column, ...]
    said: Mapping[str, str]

    @property
    def title(self) -> str:
        """What the data set is called in the file: as where it came from, else as the table."""
        return self.said.get("name") or self.name

    @property
    def rows(self) -> int:
        count: int = self.table.num_rows
        return count


def outgoing(table: pa.Table, name: str, made: datetime, label: str | None = None) -> Outgoing:
    """A table that is in the form in which it is stored, ready to be written; with another label, if one is given."""
    columns = tuple(_column(f, data) for f, data in zip(table.schema, table.columns, strict=True))
    said = _said(table.schema.metadata)
    return Outgoing(table, name, made, columns, said if label is None else {**said, "label": label})


def _column(about: pa.Field, data: pa.ChunkedArray) -> Column:
    kind = about.type
    said = _said(about.metadata)
    if pa.types.is_dictionary(kind):
        data = pa.chunked_array([c.dictionary_decode() for c in data.chunks], kind.value_type)
        return Column(about.name, "text", data, said=said)
    if pa.types.is_string(kind):
        return Column(about.name, "text", data, said=said)
    if pa.types.is_boolean(kind):
        return Column(about.name, "truth", data, said=said)
    if pa.types.is_integer(kind):
        return Column(about.name, "whole", data.cast(pa.int64()), said=said)
    if pa.types.is_floating(kind):
        return Column(about.name, "number", data.cast(pa.float64()), said=said)
    if pa.types.is_date(kind):
        return Column(about.name, "date", data, said=said)
    if pa.types.is_timestamp(kind):
        return Column(about.name, "moment", data.cast(pa.timestamp("us")), zoned=kind.tz is not None, said=said)
    ticks = data.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64()).cast(pa.int64())
    ticks = pc.multiply(ticks, {"s": 10**6, "ms": 10**3, "us": 1}[kind.unit])
    if pa.types.is_time(kind) and is_of_day(ticks):
        return Column(about.name, "time", ticks.cast(pa.time64("us")), said=said)
    return Column(about.name, "span", ticks.cast(pa.duration("us")), said=said)


def is_of_day(ticks: pa.ChunkedArray) -> bool:
    """Whether all microseconds are those of one day."""
    bounds = pc.min_max(ticks).as_py()
    return bounds["min"] is None or (bounds["min"] >= 0 and bounds["max"] < DAY)


def fraction_digits(column: Column) -> int:
    """How many digits the fractions of a column's seconds need: 0, 3 or 6."""
    ticks = column.ticks()
    return next((digits for digits, unit in ((0, 10**6), (3, 10**3)) if _are_multiples(ticks, unit)), 6)


def _are_multiples(ticks: pa.ChunkedArray, unit: int) -> bool:
    return pc.all(pc.equal(pc.multiply(pc.divide(ticks, unit), unit), ticks)).as_py() is not False


def blocks(columns: Sequence[Column], rows: int) -> Iterator[list[pa.Array]]:
    """The columns, some rows at a time."""
    table = pa.table([c.data for c in columns], names=[str(i) for i in range(len(columns))])
    for start in range(0, table.num_rows, rows):
        # More than one batch only where the text of so many rows takes gigabytes.
        for batch in table.slice(start, rows).combine_chunks().to_batches():
            yield batch.columns


def _said(metadata: Mapping[bytes, bytes] | None) -> dict[str, str]:
    return {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in (metadata or {}).items()}
