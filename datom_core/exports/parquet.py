"""Parquet, as payloads are stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from datom_core.exports.columns import Outgoing
from datom_core.exports.refusals import Offence, names


def check_parquet(out: Outgoing) -> Iterator[Offence]:
    """What readers of extracts refuse; parquet itself holds all that can be stored."""
    yield from names(out)


def write_parquet(out: Outgoing, sink: BinaryIO) -> None:
    """Write the file, with the types and all that was kept about columns."""
    import pyarrow.parquet as pq

    pq.write_table(out.table, sink, version="2.4", compression="snappy")
