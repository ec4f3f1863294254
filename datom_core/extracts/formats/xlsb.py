"""Binary workbooks, xlsb: the parts of an xlsx, as records instead of XML ([MS-XLSB]).

Written here because python-calamine returns errors as empty text, and pyxlsb as other text and without dates: neither
shows what must be refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

from datom_core.extracts.formats.cells import (
    COLUMNS,
    ROWS,
    Book,
    Cell,
    DamagedError,
    Moment,
    SharedTexts,
    Sheet,
    Shown,
    Value,
    error_of,
)
from datom_core.extracts.formats.packages import Package
from datom_core.extracts.formats.serials import shown_by, style_of

_ROW, _TEXT_ITEM, _FORMAT, _STYLE, _RICH = 0, 19, 44, 47, 62
_BEGIN_DATA, _END_DATA, _BEGIN_STYLES, _END_STYLES = 145, 146, 617, 618
_END_SHEETS, _PROPERTIES, _SHEET = 144, 153, 156
_RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED = 2, 3, 4, 5, 6, 7
# Formulas, by the type of their results.
_FORMULAS = {8: _TEXT, 9: _REAL, 10: _BOOL, 11: _ERROR}
_SHORT = range(12, 19)  # the cells 1 to 7, to the right of the previous one
_LARGEST = 64 * 2**20  # bytes of a record: text has at most 32,767 characters
_HIDDEN = {1: "hidden", 2: "very hidden"}


def read_xlsb(package: Package, part: str) -> Book:
    """The sheets of a workbook; ``part`` is the part that lists them.

    Raises:
        DamagedError: a part is missing or broken.
    """
    links = package.links(part)
    parts = dict(links.values())
    styles = _styles(package, parts["styles"]) if parts.get("styles", "") in package else []
    texts = SharedTexts(partial(_texts, package, parts.get("sharedStrings", "")))
    sheets, since_1904, ended = [], False, False
    for kind, data in _records(package, part):
        if kind == _PROPERTIES:
            since_1904 = bool(data[0] & 1)
        elif kind == _SHEET:
            state = int.from_bytes(data[:4], "little")
            link, end = _text(data, 8)
            title, _ = _text(data, end)
            what, where = links.get(link, ("", ""))
            if not what:
                raise DamagedError(f"the sheet {title!r} has no part")
            if what == "worksheet":
                sheets.append(Sheet(title, _HIDDEN.get(state, ""), _cells_of(package, where, texts, styles)))
        ended = ended or kind == _END_SHEETS
    if not ended:
        raise DamagedError(f"its part {part} breaks off")
    return Book(tuple(sheets), since_1904)


def _records(package: Package, part: str) -> Iterator[tuple[int, bytes]]:
    stream = package.stream(part)
    while first := stream.read(1):
        kind = first[0]
        if kind & 0x80:
            kind = (kind & 0x7F) | _byte(stream) << 7
        size = 0
        for shift in (0, 7, 14, 21):
            byte = _byte(stream)
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        if size > _LARGEST:
            raise DamagedError(f"its part {part} has a record of {size} bytes")
        data = stream.read(size)
        if len(data) < size:
            raise DamagedError(f"its part {part} breaks off")
        yield kind, data


def _byte(stream: IO[bytes]) -> int:
    found = stream.read(1)
    if not found:
        raise DamagedError("a part breaks off")
    return found[0]


def _text(data: bytes, at: int) -> tuple[str, int]:
    """The text that begins here, and where it ends."""
    count = int.from_bytes(data[at : at + 4], "little")
    if count == 0xFFFFFFFF:  # none
        return "", at + 4
    end = at + 4 + 2 * count
    if end > len(data):
        raise DamagedError("a text breaks off")
    return data[at + 4 : end].decode("utf-16-le", "surrogatepass"), end


def _texts(package: Package, part: str) -> list[str]:
    """The texts that cells refer to by number; ``part`` is the one that lists them, ``""`` if there is none."""
    records = _records(package, part) if part else iter(())
    return [_text(data, 1)[0] for kind, data in records if kind == _TEXT_ITEM]


def _styles(package: Package, part: str) -> list[Shown | None]:
    """What each style shows."""
    formats: dict[int, str] = {}
    codes: list[int] = []
    within = False
    for kind, data in _records(package, part):
        if kind == _FORMAT:
            formats[int.from_bytes(data[:2], "little")] = _text(data, 2)[0]
        elif kind in (_BEGIN_STYLES, _END_STYLES):
            within = kind == _BEGIN_STYLES
        elif kind == _STYLE and within:
            codes.append(int.from_bytes(data[2:4], "little"))
    return [shown_by(code, formats) for code in codes]


def _cells_of(package: Package, part: str, texts: SharedTexts, styles: list[Shown | None]) -> Any:
    def cells() -> Iterator[Cell]:
        row = column = -1
        within = ended = False
        for kind, data in _records(package, part):
            if kind in (_BEGIN_DATA, _END_DATA):
                within, ended = kind == _BEGIN_DATA, kind == _END_DATA
            elif not within:
                continue
            elif kind == _ROW:
                row, column = int.from_bytes(data[:4], "little"), -1
            elif kind <= _SHORT[-1] or kind == _RICH:
                short = kind in _SHORT
                column = column + 1 if short else int.from_bytes(data[:4], "little")
                kind, at = (kind - 11, 0) if short else (kind, 4)
                style = int.from_bytes(data[at : at + 3], "little")
                value = _value(_FORMULAS.get(kind, kind), data, at + 4, texts, style, styles)
                if value != "":
                    if not (0 <= row < ROWS and column < COLUMNS):
                        raise DamagedError(f"a cell lies at row {row + 1}, column {column + 1}")
                    yield Cell(row, column, value)
        if not ended:
            raise DamagedError(f"its part {part} breaks off")

    return cells


def _value(kind: int, data: bytes, at: int, texts: SharedTexts, style: int, styles: list[Shown | None]) -> Value:
    """What the cell holds, by its type; empty text if nothing."""
    if kind in (_RK, _REAL):
        number = _rk(data, at) if kind == _RK else float(struct.unpack_from("<d", data, at)[0])
        if not abs(number) < float("inf"):
            raise DamagedError(f"a cell of numbers holds {number}")
        shown = style_of(style, styles)
        return number if shown is None else Moment(number, shown)
    if kind == _TEXT:
        return _text(data, at)[0]
    if kind == _RICH:
        return _text(data, at + 1)[0]
    if kind == _SHARED:
        return texts[int(struct.unpack_from("<I", data, at)[0])]
    if kind == _BOOL:
        return data[at] != 0
    if kind == _ERROR:
        return error_of(data[at])
    return ""


def _rk(data: bytes, at: int) -> float:
    """A number in four bytes: the upper half of a double, or a whole number; possibly in hundredths."""
    (packed,) = struct.unpack_from("<i", data, at)
    if packed & 2:
        number = float(packed >> 2)
    else:
        number = float(struct.unpack("<d", b"\0\0\0\0" + struct.pack("<i", packed & ~3))[0])
    return number / 100 if packed & 1 else number
