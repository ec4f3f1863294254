"""What a form cannot hold: found for all columns at once, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow.compute as pc

from datom_core.errors import InvalidInputError
from datom_core.exports.columns import Column, Outgoing

#: The largest range in which a double, and so most programs, hold every whole number.
EXACT = 2**53
_UNIX = date(1970, 1, 1)
FIRST_DAY, LAST_DAY = (date(1, 1, 1) - _UNIX).days, (date(9999, 12, 31) - _UNIX).days
US_PER_DAY = 86_400_000_000
_SHOWN = 3


@dataclass(frozen=True)
class Offence:
    """Something that a form cannot hold, and what to do about it.

    Attributes:
        column: where it is; ``None`` is the table as a whole.
        why: a sentence, without its end.
    """

    column: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.column!r}: {self.why}" if self.column is not None else self.why


def refuse(table: str, form: str, offences: Iterable[Offence]) -> None:
    """Raise when there is an offence.

    Raises:
        InvalidInputError: names all of them.
    """
    found = list(offences)
    if found:
        columns = tuple(dict.fromkeys(o.column for o in found if o.column is not None))
        lines = "".join(f"\n  - {offence}" for offence in found)
        raise InvalidInputError(f"{table} cannot be written as {form}:{lines}", table=table, form=form, columns=columns)


def where(column: Column, mask: object, why: str) -> Iterator[Offence]:
    """An offence with its first rows, when there are any; rows count from 1. The mask is an array of Arrow or numpy."""
    rows = pc.indices_nonzero(mask)
    if len(rows):
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        shown = ", ".join(str(r + 1) for r in rows[:_SHOWN].to_pylist())
        yield Offence(column.name, f"{why} (row {shown}{more})")


def names(out: Outgoing) -> Iterator[Offence]:
    """Names that no reader of files takes: none at all, and one for two columns."""
    for name, count in Counter(c.name for c in out.columns).items():
        if not name.strip():
            yield Offence(name, "a column needs a name; rename it")
        elif count > 1:
            yield Offence(name, f"{count} columns have this name; rename all but one")


def years(columns: Iterable[Column]) -> Iterator[Offence]:
    """Dates and times outside of the years 1 to 9999, which ISO 8601 and other programs do not have."""
    for column in columns:
        if column.kind in ("date", "moment"):
            unit = 1 if column.kind == "date" else US_PER_DAY
            ticks = column.ticks()
            outside = pc.or_(pc.less(ticks, FIRST_DAY * unit), pc.greater_equal(ticks, (LAST_DAY + 1) * unit))
            yield from where(column, outside, "dates outside of the years 1 to 9999; write them as text")


def no_numbers(columns: Iterable[Column], what: str) -> Iterator[Offence]:
    """NaN and infinite numbers."""
    for column in columns:
        if column.kind == "number":
            odd = pc.invert(pc.is_finite(column.data))
            yield from where(column, odd, f"{what} has neither NaN nor infinite numbers; make them missing, or text")


def large_numbers(columns: Iterable[Column], what: str) -> Iterator[Offence]:
    """Whole numbers that a double rounds."""
    for column in columns:
        if column.kind == "whole":
            large = pc.or_(pc.greater(column.data, EXACT), pc.less(column.data, -EXACT))
            yield from where(column, large, f"whole numbers beyond 2**53, which {what} rounds; write them as text")
