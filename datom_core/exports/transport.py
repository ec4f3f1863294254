"""SAS transport files (xpt) of version 5 and 8, record by record.

Written here because pyreadstat puts the time of writing into the file, loses what a version cannot hold without a word,
and needs pandas. The layout is that of SAS's own macros for these files (``%loc2xpt``).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Literal

import numpy as np
import pyarrow as pa

from datom_core.exports.arrays import byte_lengths
from datom_core.exports.columns import Column, Outgoing, blocks, fraction_digits
from datom_core.exports.sas_formats import Format, clock_format, parse_format
from datom_core.exports.transport_cells import number_cells, text_cells

Version = Literal[5, 8]

_RECORD = 80
_ROWS = 32_768  # written together
_NUMBER, _TEXT = 1, 2
_WIDTH_OF_NUMBERS = 8
_LABEL = 40  # bytes of a label that the description of a column has room for
_UNNAMED = "DATA"
_SYSTEM, _RELEASE = b"DATOM", b"9.4"


@dataclass(frozen=True)
class Limits:
    """What a version holds: bytes of names, of labels and of text, and how many columns."""

    name: int
    label: int
    text: int
    columns: int = 32_767


LIMITS: dict[Version, Limits] = {5: Limits(8, 40, 200), 8: Limits(32, 256, 32_767)}


def write_transport(out: Outgoing, sink: BinaryIO, version: Version) -> None:
    """Write the file; its times are those of ``out.made``."""
    widths = [width_of(c) for c in out.columns]
    v8 = version == 8
    sink.write(_library(out.made, v8=v8))
    sink.write(_member(out, version))
    described = b"".join(_described(out.columns, widths, v8=v8))
    sink.write(_header(b"NAMSTV8" if v8 else b"NAMESTR", b"0000%06d" % len(widths) + b"0" * 20))
    sink.write(_filled(described))
    if v8:
        sink.write(_long_labels(out.columns))
        sink.write(_header(b"OBSV8", b"%15d" % out.rows))
    else:
        sink.write(_header(b"OBS", b"0" * 30))
    written = 0
    for block in blocks(out.columns, _ROWS):
        rows = _rows(out.columns, widths, block)
        sink.write(rows)
        written += len(rows)
    sink.write(b" " * (-written % _RECORD))


def width_of(column: Column) -> int:
    """Bytes of a column: 8, or those of its longest text."""
    if column.kind != "text":
        return _WIDTH_OF_NUMBERS
    return max(1, int(byte_lengths(column.data).max(initial=1)))


def member_name(name: str, version: Version) -> str:
    """The name of the data set, as SAS takes it: what it does not take is an underscore, and the end is cut off."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or _UNNAMED
    return (plain if not plain[0].isdigit() else f"_{plain}")[: LIMITS[version].name]


def format_of(column: Column) -> Format | None:
    """The format to write: the one that was kept, or for dates and times one that shows all of them."""
    if column.kind in ("truth", "whole", "number", "text"):
        kept = parse_format(column.said.get("format", ""))
        # One of the other kind would be none in SAS.
        return kept if kept is not None and kept.name.startswith("$") == (column.kind == "text") else None
    kept = parse_format(clock_format(column) or "")
    if kept is not None:
        return kept
    digits = fraction_digits(column)
    if column.kind == "date":
        return Format("DATE", 9, 0)
    base = 19 if column.kind == "moment" else 8
    return Format("DATETIME" if column.kind == "moment" else "TIME", base + (digits + 1 if digits else 0), digits)


def _header(name: bytes, said: bytes) -> bytes:
    return b"HEADER RECORD*******%-8bHEADER RECORD!!!!!!!%-32b" % (name, said)


def _filled(data: bytes) -> bytes:
    return data + b" " * (-len(data) % _RECORD)


def _time(made: datetime) -> bytes:
    month = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()[made.month - 1]
    return f"{made.day:02d}{month}{made.year % 100:02d}:{made:%H:%M:%S}".encode()


def _library(made: datetime, *, v8: bool) -> bytes:
    real = b"%-8b%-8b%-8b%-8b%-8b%-24b%b" % (b"SAS", b"SAS", b"SASLIB", _RELEASE, _SYSTEM, b"", _time(made))
    return _header(b"LIBV8" if v8 else b"LIBRARY", b"0" * 30) + real + _filled(_time(made))


def _member(out: Outgoing, version: Version) -> bytes:
    v8 = version == 8
    name = member_name(out.title, version).encode()
    named = b"%-8b%-32b%-8b%-8b%-8b" if v8 else b"%-8b%-8b%-8b%-8b%-8b" + b" " * 24
    label = out.said.get("label", "").encode()
    return b"".join((
        _header(b"MEMBV8" if v8 else b"MEMBER", b"0" * 17 + b"16" + b"0" * 8 + b"140"),
        _header(b"DSCPTV8" if v8 else b"DSCRPTR", b"0" * 30),
        named % (b"SAS", name, b"SASDATA", _RELEASE, _SYSTEM) + _time(out.made),
        b"%b%-16b%-40b%-8b" % (_time(out.made), b"", label, b""),
    ))  # fmt: skip


def _described(columns: tuple[Column, ...], widths: list[int], *, v8: bool) -> list[bytes]:
    found, at = [], 0
    for position, (column, width) in enumerate(zip(columns, widths, strict=True), 1):
        name, label = column.name.encode(), column.said.get("label", "").encode()
        shown = format_of(column) or Format("", 0, 0)
        found.append(
            struct.pack(
                ">4h8s40s8s3h2x8s2hi",
                _TEXT if column.kind == "text" else _NUMBER, 0, width, position,
                name[:8].ljust(8), label[:_LABEL].ljust(_LABEL),
                shown.name.encode().ljust(8), shown.width, shown.decimals, 0,
                b"".ljust(8), 0, 0, at,
            )
        )  # fmt: skip
        longer = struct.pack(">32s3h14x", name.ljust(32), len(label), len(shown.name), 0)
        found.append(longer if v8 else bytes(52))
        at += width
    return found


def _long_labels(columns: tuple[Column, ...]) -> bytes:
    found = []
    for position, column in enumerate(columns, 1):
        name, label = column.name.encode(), column.said.get("label", "").encode()
        if len(label) > _LABEL:
            found.append(struct.pack(">3H", position, len(name), len(label)) + name + label)
    return _header(b"LABELV8", b"%d" % len(found)) + _filled(b"".join(found)) if found else b""


def _rows(columns: tuple[Column, ...], widths: list[int], block: list[pa.Array]) -> bytes:
    rows = np.empty((len(block[0]), sum(widths)), np.uint8)
    at = 0
    for column, part, width in zip(columns, block, widths, strict=True):
        rows[:, at : at + width] = text_cells(part, width) if column.kind == "text" else number_cells(column, part)
        at += width
    return rows.tobytes()
