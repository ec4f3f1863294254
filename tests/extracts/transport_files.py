"""SAS transport files (xpt), byte by byte: also such as no library writes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

RECORD = 80
#: Name, bytes of text (0 for a number of 8 bytes, minus the bytes of a shorter one), format with width and decimals.
Columns = Sequence[tuple[str, int, str]]


def header(name: str, said: str = "0" * 30) -> bytes:
    return f"HEADER RECORD*******{name:<8}HEADER RECORD!!!!!!!{said:<32}".encode()


def number(value: float) -> bytes:
    """A number as mainframes hold it: a sign, a power of 16, a fraction of 56 bits."""
    if not value:
        return bytes(8)
    power, fraction = 64, abs(value)
    while fraction >= 1:
        power, fraction = power + 1, fraction / 16
    while fraction < 1 / 16:
        power, fraction = power - 1, fraction * 16
    return bytes([power | (0x80 if value < 0 else 0)]) + int(fraction * 2**56).to_bytes(7, "big")


def filled(data: bytes, by: bytes = b" ") -> bytes:
    return data + by * (-len(data) % RECORD)


def described(columns: Columns, size: int = 140) -> bytes:
    """What tells of the columns, each in ``size`` bytes."""
    made, at = b"", 0
    for position, (name, wide, form) in enumerate(columns, 1):
        kind, length, called = (2, wide, name) if wide > 0 else (1, -wide or 8, name)
        format_name = form.rstrip("0123456789.")
        width, _, decimals = form[len(format_name) :].partition(".")
        one = struct.pack(">4h8s40s", kind, 0, length, position, called.encode().ljust(8), b" " * 40)
        one += struct.pack(">8s3h2x", format_name.encode().ljust(8), int(width or 0), int(decimals or 0), 0)
        one += struct.pack(">8s2hl32s", b" " * 8, 0, 0, at, called.encode().ljust(32))
        made += one.ljust(size, b"\0")
        at += length
    return made


def data_set(
    columns: Columns,
    rows: bytes,
    *,
    by: bytes = b" ",
    version: int = 5,
    count: int | None = None,
    size: int = 140,
    described_by: bytes = b" ",
    labels: bytes = b"",
) -> bytes:
    """One data set with its headers; ``by`` fills the last record of its rows, ``described_by`` that of its columns."""
    v8 = version == 8
    return b"".join((
        header("MEMBV8" if v8 else "MEMBER", f"{0:017}16{0:08}{size}"),
        header("DSCPTV8" if v8 else "DSCRPTR"),
        b"SAS     DM      SASDATA 9.4     X64_10PRO".ljust(64) + b"01JAN26:00:00:00",
        filled(b"01JAN26:00:00:00"),
        header("NAMSTV8" if v8 else "NAMESTR", f"{len(columns):010}{0:020}"),
        filled(described(columns, size), described_by),
        labels,
        header("OBSV8", f"{count or 0:015}") if v8 else header("OBS"),
        filled(rows, by),
    ))  # fmt: skip


def transport(*data_sets: bytes, version: int = 5) -> bytes:
    library = header("LIBV8" if version == 8 else "LIBRARY")
    about = b"SAS     SAS     SASLIB  9.4     X64_10PRO".ljust(64) + b"01JAN26:00:00:00"
    return library + about + filled(b"01JAN26:00:00:00") + b"".join(data_sets)
