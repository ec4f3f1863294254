"""XML workbooks: xlsx and xlsm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from functools import partial
from typing import Any

from datom_core.extracts.formats.cells import (
    COLUMNS,
    ROWS,
    Book,
    Cell,
    CellError,
    DamagedError,
    Moment,
    SharedTexts,
    Sheet,
    Shown,
    Uncalculated,
    Value,
)
from datom_core.extracts.formats.packages import LINKS, MAIN, Package, parsed
from datom_core.extracts.formats.serials import shown_by, style_of

_HIDDEN = {"hidden": "hidden", "veryHidden": "very hidden"}
_YES = ("1", "true", "on")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{16,400}")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TAGS = {
    f"{space} {name}": name
    for space in MAIN
    for name in "sheetData row c v f is si t rPh sheet workbookPr numFmt cellXfs xf".split()
}


def read_xlsx(package: Package, part: str) -> Book:
    """The sheets of a workbook; ``part`` is the part that lists them.

    Raises:
        DamagedError: a part is missing or broken.
    """
    links = package.links(part)
    listed: list[tuple[str, str, str]] = []
    since_1904 = False

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal since_1904
        what = _TAGS.get(tag)
        if what == "sheet":
            link = next((attributes[f"{s} id"] for s in LINKS if f"{s} id" in attributes), "")
            listed.append((decoded(attributes.get("name", "")), attributes.get("state", ""), link))
        elif what == "workbookPr":
            since_1904 = attributes.get("date1904", "") in _YES

    for _ in parsed(package.chunks(part), start):
        pass
    parts = dict(links.values())
    styles = _styles(package, parts["styles"]) if parts.get("styles", "") in package else []
    texts = SharedTexts(partial(_texts, package, parts.get("sharedStrings", "")))
    sheets = []
    for title, state, link in listed:
        kind, where = links.get(link, ("", ""))
        if not kind:
            raise DamagedError(f"the sheet {title!r} has no part")
        if kind == "worksheet":  # otherwise it is a chart, a dialog or Excel 4 macros
            sheets.append(Sheet(title, _HIDDEN.get(state, ""), _cells_of(package, where, texts, styles)))
    return Book(tuple(sheets), since_1904)


def decoded(text: str) -> str:
    """Text with the escapes resolved for characters that XML cannot hold: ``_x000D_``, and ``_x005F_`` for ``_``."""
    if "_x" not in text:
        return text
    found = _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)
    # Two escapes may be the halves of one character.
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _texts(package: Package, part: str) -> list[str]:
    """The texts that cells refer to by number; ``part`` is the one that lists them, ``""`` if there is none."""
    texts: list[str] = []
    pieces: list[str] = []
    spoken = within = False

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal spoken, within
        what = _TAGS.get(tag)
        if what == "rPh":  # how to pronounce it
            spoken = True
        within = what == "t" and not spoken

    def end(tag: str) -> None:
        nonlocal spoken, within
        what = _TAGS.get(tag)
        if what == "si":
            texts.append(decoded("".join(pieces)))
            pieces.clear()
        spoken = spoken and what != "rPh"
        within = False

    def text(characters: str) -> None:
        if within:
            pieces.append(characters)

    if part:
        for _ in parsed(package.chunks(part), start, end, text):
            pass
    return texts


def _styles(package: Package, part: str) -> list[Shown | None]:
    """What each style shows."""
    formats: dict[int, str] = {}
    codes: list[int] = []
    within = False

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal within
        what = _TAGS.get(tag)
        if what == "numFmt":
            formats[int(attributes.get("numFmtId", "0"))] = decoded(attributes.get("formatCode", ""))
        elif what == "cellXfs":
            within = True
        elif what == "xf" and within:
            codes.append(int(attributes.get("numFmtId", "0")))

    def end(tag: str) -> None:
        nonlocal within
        within = within and _TAGS.get(tag) != "cellXfs"

    for _ in parsed(package.chunks(part), start, end):
        pass
    return [shown_by(code, formats) for code in codes]


def _cells_of(package: Package, part: str, texts: SharedTexts, styles: list[Shown | None]) -> Any:
    def cells() -> Iterator[Cell]:
        reader = _Reader(texts, styles)
        for _ in parsed(package.chunks(part), reader.start, reader.end, reader.text):
            yield from reader.found
            reader.found.clear()

    return cells


class _Reader:
    """Turns what the parser of a sheet finds into cells."""

    def __init__(self, texts: SharedTexts, styles: list[Shown | None]) -> None:
        self.found: list[Cell] = []
        self._texts, self._styles = texts, styles
        self._row, self._column = -1, -1
        self._attributes: Mapping[str, str] | None = None  # of the open cell
        self._pieces: list[str] = []
        self._within = self._spoken = self._formula = self._data = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        what = _TAGS.get(tag)
        if what == "sheetData":
            self._data = True
        elif not self._data or what is None:
            return
        elif what == "row":
            self._row, self._column = int(attributes.get("r", self._row + 2)) - 1, -1
        elif what == "c":
            self._attributes, self._formula = attributes, False
            self._pieces.clear()
            self._column += 1
            if "r" in attributes:
                self._row, self._column = _position(attributes["r"])
        elif what == "f":
            self._formula = True
        elif what == "rPh":
            self._spoken = True
        elif what in ("v", "t"):
            self._within = not self._spoken

    def text(self, characters: str) -> None:
        if self._within:
            self._pieces.append(characters)

    def end(self, tag: str) -> None:
        what = _TAGS.get(tag)
        if what == "c" and self._attributes is not None:
            value = self._value(self._attributes, "".join(self._pieces))
            if value != "":
                if not (0 <= self._row < ROWS and 0 <= self._column < COLUMNS):
                    raise DamagedError(f"a cell lies at row {self._row + 1}, column {self._column + 1}")
                self.found.append(Cell(self._row, self._column, value))
            self._attributes = None
        elif what in ("v", "t"):
            self._within = False
        elif what == "rPh":
            self._spoken = False
        elif what == "sheetData":
            self._data = False

    def _value(self, attributes: Mapping[str, str], text: str) -> Value:
        """What the cell holds, by its type; empty text if nothing."""
        kind = attributes.get("t", "n")
        if kind in ("str", "inlineStr"):
            return decoded(text)
        if kind == "e":
            return CellError(text.strip() or "error")
        text = text.strip()
        if not text:
            return Uncalculated.FORMULA if self._formula else ""
        if kind == "s":
            return self._texts[int(text)]
        if kind == "n":
            return self._number(text, int(attributes.get("s", "0")))
        if kind == "b" and text in ("0", "1", "false", "true"):
            return text in ("1", "true")
        if kind == "d":
            return _iso(text)
        raise DamagedError(f"a cell of the type {kind!r} holds {text[:40]!r}")

    def _number(self, text: str, style: int) -> Value:
        number = float(text) if _NUMBER.fullmatch(text) else float("inf")
        if abs(number) == float("inf"):
            raise DamagedError(f"a cell of numbers holds {text[:40]!r}")
        shown = style_of(style, self._styles)
        if shown is not None:
            return Moment(number, shown)
        if _WHOLE.fullmatch(text) and int(text) != int(number):
            return int(text)
        return number


def _position(reference: str) -> tuple[int, int]:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise DamagedError(f"a cell has the place {reference[:40]!r}")
    column = 0
    for letter in match[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(match[2]) - 1, column - 1


def _iso(text: str) -> datetime | time:
    """A date or time of day in ISO 8601, as the strict variant of the format writes them."""
    plain = text.removesuffix("Z")
    try:
        is_time = plain[:1] == "T" or plain[2:3] == ":"
        found = time.fromisoformat(plain) if is_time else datetime.fromisoformat(plain)
    except ValueError:
        raise DamagedError(f"a cell of dates holds {text[:40]!r}") from None
    if found.tzinfo is not None:
        raise DamagedError(f"a cell holds a time with a zone, {text[:40]!r}")
    return found
