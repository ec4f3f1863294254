"""Text with separators: csv and tsv, in UTF-8, quoted as RFC 4180 has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.exports.columns import Column, Outgoing, blocks
from datom_core.exports.refusals import Offence, names, where, years
from datom_core.exports.spelling import Speller, speller

_ROWS = 65_536  # written together
_BREAK = pa.scalar("\n", pa.large_string())
_HOURS = 100_000  # readers of times take five digits
_MARK = "\ufeff"  # at the beginning of a file it is a byte order mark


def check_text(out: Outgoing) -> Iterator[Offence]:
    """What such a file cannot hold."""
    yield from names(out)
    yield from years(out.columns)
    for column in out.columns:
        if column.kind == "span":
            long = pc.greater_equal(pc.abs(column.ticks()), _HOURS * 3_600_000_000)
            yield from where(column, long, "lengths of 100,000 hours and more; write numbers")
    if len(out.columns) == 1 and out.columns[0].kind == "text":
        data = out.columns[0].data
        if data.null_count and pc.any(pc.equal(data, "")).as_py():
            yield Offence(
                out.columns[0].name,
                "text of a single column is missing in some rows and empty in others, and both would be an empty line; "
                "write parquet, or add a column",
            )


def write_text(out: Outgoing, sink: BinaryIO, separator: str) -> None:
    """Write the file.

    A missing value is an empty field, and empty text a quoted one (``""``); where a row has one field alone, that is
    quoted in either case, as readers skip empty lines.
    """
    spellers = [_field(c, separator, lone=len(out.columns) == 1) for c in out.columns]
    heads = [_quoted(pa.array([c.name]), separator)[0].as_py() for c in out.columns]
    sink.write((separator.join(heads) + "\n").encode())
    between = pa.scalar(separator, pa.large_string())
    for block in blocks(out.columns, _ROWS):
        fields = [spell(part).cast(pa.large_string()) for spell, part in zip(spellers, block, strict=True)]
        lines = pc.binary_join_element_wise(*fields, between)
        whole = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), _BREAK)
        sink.write(whole[0].as_buffer())
        sink.write(b"\n")


def _field(column: Column, separator: str, *, lone: bool) -> Speller:
    spell = speller(column)
    absent = '""' if lone else ""

    def written(part: pa.Array) -> pa.Array:
        text = spell(part)
        if column.kind == "text":
            text = _quoted(text, separator)
        return text.fill_null(absent)

    return written


def _quoted(text: pa.Array, separator: str) -> pa.Array:
    """Text in quotes where it is empty, or would be taken for something else."""
    special = pc.match_substring_regex(text, f'^$|^{_MARK}|["\r\n{separator}]')
    if not pc.any(special).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), text)
