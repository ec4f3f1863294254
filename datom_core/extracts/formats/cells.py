"""What the cells of a workbook hold, by type, for every kind of workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from enum import Enum
from typing import NamedTuple


class Shown(Enum):
    """What the format of a number shows, if it shows more than a number."""

    DATE = "date"
    TIME = "time of day"
    LENGTH = "length of time"


class Moment(NamedTuple):
    """A number that its format shows as a date or a time."""

    number: float
    shown: Shown


class CellError(NamedTuple):
    """A cell of type error; text that looks the same is not an error."""

    name: str


class Uncalculated(Enum):
    """A formula without a result, because no program ever calculated it."""

    FORMULA = "formula"


#: A number is an ``int`` only if a double would change it. Dates are numbers, except those that XML spells out.
Value = str | float | bool | Moment | datetime | time | CellError | Uncalculated
ROWS, COLUMNS = 1_048_576, 16_384  # of a sheet
# By the codes of the binary formats. The last six are newer than xls.
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA", 0x2C: "#SPILL!", 0x2D: "#CONNECT!", 0x2E: "#BLOCKED!", 0x2F: "#UNKNOWN!", 0x30: "#FIELD!",
    0x31: "#CALC!",
}  # fmt: skip


class Cell(NamedTuple):
    """A cell that is not empty; rows and columns count from 0."""

    row: int
    column: int
    value: Value


@dataclass(frozen=True)
class Sheet:
    """A sheet with cells; iterating over ``cells()`` reads it from the file."""

    title: str
    hidden: str  # in what way, or empty
    cells: Callable[[], Iterator[Cell]]

    def __str__(self) -> str:
        return f"{self.title!r} ({self.hidden})" if self.hidden else repr(self.title)


@dataclass(frozen=True)
class Book:
    """A workbook; its dates count from 1900 or, in those of old Macintoshes, from 1904."""

    sheets: tuple[Sheet, ...]
    since_1904: bool


class DamagedError(Exception):
    """A workbook that breaks the rules of its format, or is unsafe to unpack."""


class SharedTexts:
    """The texts that cells refer to by number; ``read`` gets them when the first is needed."""

    def __init__(self, read: Callable[[], list[str]]) -> None:
        self._read = read
        self._texts: list[str] | None = None

    def __getitem__(self, number: int) -> str:
        if self._texts is None:
            self._texts = self._read()
        if not 0 <= number < len(self._texts):
            raise DamagedError(f"a cell has the text number {number} of {len(self._texts)}")
        return self._texts[number]


def error_of(code: int) -> CellError:
    """The error for a code of the binary formats."""
    return CellError(_ERRORS.get(code, f"error {code:#04x}"))


def place(row: int, column: int) -> str:
    """A cell's name in Excel: ``B2``."""
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row + 1}"
