"""Sheets of a workbook, filled row by row: names that Excel takes, frozen heads, filters, text that stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from datom_core.reports import words
from datom_core.tables import alone

if TYPE_CHECKING:
    import xlsxwriter

#: Rows that a sheet of Excel has.
ROWS = 1_048_576
_LONGEST_NAME = 31
_LONGEST_TEXT = 32_767
_ILLEGAL = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_RESERVED = ("history",)  # Excel keeps this name for itself
_WIDTH = 18

#: Fill and ink of a row, by what became of it; the word for it is in a column, too.
_COLOURS = {
    "added": ("#E0F3E6", "#0A5227"), "came": ("#E0F3E6", "#0A5227"),
    "removed": ("#FBE5E6", "#8A1620"), "went": ("#FBE5E6", "#8A1620"),
    "changed": ("#FCEFD3", "#6B4300"),
    "renumbered": ("#E2ECF9", "#123F7A"), "rekeyed": ("#E2ECF9", "#123F7A"),
    "duplicate": ("#E9EDF0", "#414A53"),
}  # fmt: skip


class Link(NamedTuple):
    """A way to another sheet."""

    sheet: str


Value = str | int | Link


class Sheets:
    """The sheets of a workbook, in the order in which they are begun."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self.workbook = workbook
        self._taken = {name.lower() for name in (*_RESERVED, *_OURS)}
        self._formats: dict[str, Any] = {}

    def name(self, wanted: str) -> str:
        """A name for a sheet that no other has and that Excel takes, as near to this one as may be."""
        plain = _ILLEGAL.sub("_", alone(wanted, _LONGEST_TEXT)).strip("'\" ") or "table"
        name, count = _cut(plain, _LONGEST_NAME).rstrip("'"), 1
        while name.lower() in self._taken:
            count += 1
            ending = f" ({count})"
            name = _cut(plain, _LONGEST_NAME - len(ending)) + ending
        self._taken.add(name.lower())
        return name

    def link(self, sheet: str) -> Link:
        return Link(sheet)

    def grid(
        self,
        name: str,
        head: tuple[str, ...],
        *,
        widths: Mapping[str, int] | None = None,
        frozen: int = 1,
    ) -> Grid:
        """A sheet of a name that `name` gave, or that is ours."""
        return Grid(self, name, head, widths or {}, frozen)

    def format(self, kind: str) -> Any:
        """How a row of a kind looks; made once."""
        if kind not in self._formats:
            made: dict[str, Any] = {"valign": "top", "num_format": "#,##0"}
            if kind in ("head", "total"):
                made |= {"bold": True, "bg_color": "#EEF1F4", "bottom" if kind == "head" else "top": 1}
                made |= {"text_wrap": True} if kind == "head" else {}
            elif kind in _COLOURS:
                made |= dict(zip(("bg_color", "font_color"), _COLOURS[kind], strict=True))
            self._formats[kind] = self.workbook.add_format(made)
        return self._formats[kind]


#: Names of sheets that are no table's.
_OURS = ("Overview", "About", "Columns and labels", "By column", "By subject")


class Grid:
    """A sheet with one head; when it is full, the next one goes on."""

    def __init__(
        self, sheets: Sheets, name: str, head: tuple[str, ...], widths: Mapping[str, int], frozen: int
    ) -> None:
        self.sheets, self.head, self.widths, self.frozen, self.first = sheets, head, widths, frozen, name
        self._begin(name)

    def _begin(self, name: str) -> None:
        self.sheet = self.sheets.workbook.add_worksheet(name)
        for place, title in enumerate(self.head):
            self.sheet.set_column(place, place, self.widths.get(title, _WIDTH))
        # Before the rows: of a sheet that is written through, earlier parts cannot be changed.
        self.sheet.freeze_panes(1, min(self.frozen, 6))
        self.sheet.set_landscape()
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(0)
        for place, title in enumerate(self.head):
            self._write(0, place, title, self.sheets.format("head"))
        self.next = 1

    def row(self, values: Sequence[Value], kind: str = "") -> None:
        """Write the next row; ``kind`` colours it."""
        if self.next == ROWS:
            self.done()
            self._begin(self.sheets.name(self.first))
        look = self.sheets.format(kind)
        for place, value in enumerate(values):
            if value != "":
                self._write(self.next, place, value, look)
        self.next += 1

    def done(self) -> None:
        """Finish the sheet."""
        self.sheet.autofilter(0, 0, max(self.next - 1, 1), len(self.head) - 1)
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{ROWS}"})

    def _write(self, row: int, place: int, value: Value, look: Any) -> None:
        if isinstance(value, Link):
            self.sheet.write_url(
                row, place, f"internal:'{value.sheet.replace(chr(39), chr(39) * 2)}'!A1", string=value.sheet
            )
        elif isinstance(value, str):
            self.sheet.write_string(row, place, _fitting(value), look)
        else:
            self.sheet.write_number(row, place, value, look)


def _fitting(text: str) -> str:
    """Text as a cell takes it; what cannot be written in XML is shown escaped."""
    text = alone(text, _LONGEST_TEXT) if not text.isprintable() else text
    if 2 * len(text) <= _LONGEST_TEXT or _cut(text, _LONGEST_TEXT) == text:
        return text
    told = f"… ({words.number(len(text), 'character')}; the JSON form holds all)"
    return _cut(text, _LONGEST_TEXT - len(told)) + told


def _cut(text: str, units: int) -> str:
    """The beginning of a text, of so many UTF-16 units, in which Excel counts."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")
