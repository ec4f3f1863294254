"""What a SAS transport file cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from datom_core.exports.arrays import byte_lengths, floats, matching, missing
from datom_core.exports.columns import Column, Outgoing
from datom_core.exports.refusals import (
    Offence,
    large_numbers,
    names,
    no_numbers,
    where,
    years,
)
from datom_core.exports.transport import LIMITS, Version, format_of, width_of
from datom_core.exports.transport_cells import LEAST, LIMIT, doubles, inexact

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORMAT_NAME = 8
_LABEL_OF_TABLE = 40
_RECORD = 80
_LONGER = "; form 'xpt8' takes {}"


def check_transport(out: Outgoing, version: Version) -> Iterator[Offence]:
    """What a file of this version cannot hold."""
    limits = LIMITS[version]
    yield from names(out)
    yield from _names(out, version)
    if len(out.columns) > limits.columns:
        yield Offence(None, f"{len(out.columns)} columns; a data set of SAS has at most {limits.columns}")
    yield from _labels(out, version)
    for column in out.columns:
        if column.kind == "text":
            yield from _texts(column, version)
        elif column.kind in ("moment", "span"):
            finer = inexact(column.kind, column.data)
            yield from where(column, finer, "times that SAS cannot hold to the microsecond; round them, or write text")
    yield from years(out.columns)
    yield from no_numbers(out.columns, "SAS")
    yield from large_numbers(out.columns, "SAS")
    for column in out.columns:
        if column.kind == "number":
            yield from where(
                column, _out_of_range(column), "numbers beyond those of SAS (5.4e-79 to 7.2e75); write text"
            )
    if version == 5:
        yield from _last_row(out)


def _names(out: Outgoing, version: Version) -> Iterator[Offence]:
    longest = LIMITS[version].name
    folded: dict[str, str] = {}
    for column in out.columns:
        name = column.name
        if not _NAME.fullmatch(name):
            yield Offence(
                name, "names in SAS have ASCII letters, digits and underscores, and begin with no digit; rename"
            )
        elif len(name) > longest:
            more = _LONGER.format("32") if version == 5 and len(name) <= LIMITS[8].name else ""
            yield Offence(name, f"names have at most {longest} characters{more or '; rename it'}")
        elif folded.setdefault(name.upper(), name) != name:
            yield Offence(name, f"SAS takes it for {folded[name.upper()]!r}, as case means nothing there; rename one")


def _labels(out: Outgoing, version: Version) -> Iterator[Offence]:
    label = out.said.get("label", "")
    if len(label.encode()) > _LABEL_OF_TABLE:
        yield Offence(None, f"the table's label has more than {_LABEL_OF_TABLE} bytes; give a shorter one: {label!r}")
    yield from _ascii(None, "the table's label", label, version)
    longest = LIMITS[version].label
    for column in out.columns:
        label = column.said.get("label", "")
        if len(label.encode()) > longest:
            more = _LONGER.format("256") if version == 5 and len(label.encode()) <= LIMITS[8].label else "; shorten it"
            yield Offence(column.name, f"its label has more than {longest} bytes{more}: {label!r}")
        yield from _ascii(column.name, "its label", label, version)
        shown = format_of(column)
        if shown is not None and len(shown.name) > _FORMAT_NAME:
            yield Offence(column.name, f"its format {shown.name} has a name of more than {_FORMAT_NAME} characters")


def _ascii(column: str | None, what: str, text: str, version: Version) -> Iterator[Offence]:
    if version == 5 and not text.isascii():
        yield Offence(column, f"{what} is not ASCII{_LONGER.format('UTF-8')}: {text!r}")


def _texts(column: Column, version: Version) -> Iterator[Offence]:
    longest = LIMITS[version].text
    lengths = byte_lengths(column.data)
    more = _LONGER.format("32,767") if version == 5 and int(lengths.max(initial=0)) <= LIMITS[8].text else ""
    yield from where(column, lengths > longest, f"text of more than {longest:,} bytes{more or '; shorten it'}")
    if version == 5:
        yield from where(column, matching(column, r"[^\x00-\x7F]"), f"text is not ASCII{_LONGER.format('UTF-8')}")
    why = "text that ends in a blank, which SAS takes off; take it off, or choose another form"
    yield from where(column, matching(column, r" \z"), why)


def _out_of_range(column: Column) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    size = np.abs(floats(column.data))
    found = np.isfinite(size) & (size != 0) & ((size < 2.0**LEAST) | (size >= 2.0**LIMIT))
    return np.asarray(found & ~missing(column.data))


def _last_row(out: Outgoing) -> Iterator[Offence]:
    """A last row that looks like what fills the file up, which version 5 does not tell from rows."""
    why = "the last row is {}, as is what fills a file up, and version 5 does not count rows; form 'xpt8' does"
    width = sum(map(width_of, out.columns))
    length = -(-out.rows * width // _RECORD) * _RECORD
    inside = (out.rows - 1) * width > length - _RECORD
    last = [(c, c.data.slice(out.rows - 1)) for c in out.columns]
    if not inside or not out.rows:
        return
    if all(c.kind == "text" and not value[0].as_py() for c, value in last):
        yield Offence(None, why.format("blank in all columns"))
    elif out.rows * width == length and all(c.kind != "text" and _is_zero(c.kind, value) for c, value in last):
        yield Offence(None, why.format("zero in all columns"))


def _is_zero(kind: str, value: pa.ChunkedArray) -> bool:
    return not value.null_count and bool(doubles(kind, value)[0] == 0)
