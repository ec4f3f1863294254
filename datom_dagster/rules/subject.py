"""What a rule looks at, and what it says of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import datom_core as dc
from datom_dagster.rules.comparison import MASKED, fitting_masks, unknown_masks
from datom_dagster.rules.table_rules import TableRules

#: How many offending rows a finding shows.
EXAMPLES = 20

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Before:
    """The version that a table is compared with.

    Attributes:
        what: what to call it.
        rows: how many it has.
        schema: its columns; only needed if they are compared.
        table: its data; only needed if rows are compared.
    """

    what: str
    rows: int | None
    schema: pa.Schema | None = None
    table: pa.Table | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Since:
    """A named state that a table is compared with: that of a cut, or of a mark of review.

    Attributes:
        what: what to call it.
        told: what is known without comparing; ``None`` if rows have to be compared.
        passed: whether the rule holds, if ``told`` says all.
        table: its data, if they have to be compared.
    """

    what: str
    told: str | None = None
    passed: bool = True
    table: pa.Table | None = field(default=None, repr=False)


#: The named states that rules ask for, by rule and name.
Named = Mapping[tuple[str, str], Since]


@dataclass(frozen=True)
class Finding:
    """What one rule found.

    Attributes:
        name: the rule's name.
        passed: whether the table keeps the rule.
        text: what was found; contains no values from the data.
        count: how many rows offend; 0 if the rule is not about rows.
        rows: the first of them, with their number (from 1), their key, and the offending value as text.
        offences: how many values offend, for a rule about several columns; ``rows`` then has a line for each value.
        unit: what ``count`` counts, if not rows.
    """

    name: str
    passed: bool
    text: str
    count: int = 0
    rows: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    offences: int | None = None
    unit: str | None = None

    @property
    def part(self) -> str:
        """How many of how many rows are shown; or of how many offending values, if a row may have several."""
        return part_of(len(self.rows), self.count if self.offences is None else self.offences, self.what)

    @property
    def what(self) -> str:
        return self.unit or ("offending rows" if self.offences is None else "offending values")


def part_of(shown: int, count: int, what: str, *, columns: tuple[int, int] | None = None) -> str:
    """How many of how many rows are shown, and of how many columns: ``20 of 16,774 added, 5 of 23 columns``."""
    text = f"all {count:,} {what}" if shown >= count else f"{shown:,} of {count:,} {what}"
    return text if columns is None or columns[0] == columns[1] else f"{text}, {columns[0]} of {columns[1]} columns"


@dataclass(frozen=True)
class Subject:
    """A table, and everything that rules compare it with.

    Attributes:
        name: the table's name.
        table: as `datom_core.tables.normalisation` gives it.
        rules: what must hold.
        before: the previous version; ``None`` if there is none.
        named: the states that rules ask for by name.
        comparison: how values are compared, and which are masked.
        most: how many offending rows a finding shows, unless nothing may be shown.
        key: the columns that tell rows apart, where the rules declare none.
    """

    name: str
    table: pa.Table
    rules: TableRules
    before: Before | None
    named: Named
    comparison: dc.ComparisonSettings
    most: int
    key: tuple[str, ...] = ()

    @property
    def keyed_by(self) -> tuple[str, ...]:
        """The key: that of the rules goes first."""
        return self.rules.key or self.key

    @property
    def examples(self) -> int:
        """How many offending rows a finding shows: none if a column that should be masked may be misspelt."""
        return 0 if unknown_masks(self.comparison, self.table.column_names) else self.most

    @cached_property
    def changes(self) -> dc.TableChanges | None:
        """Everything that changed since the previous version, if that was read."""
        if self.before is None or self.before.table is None:
            return None
        return self.changes_from(self.before.table)

    def changes_from(self, before: pa.Table, *, ignore: Sequence[str] | None = None) -> dc.TableChanges:
        """Everything that changed since ``before``, as the asset compares; or exactly, but for the columns ``ignore``.

        Raises:
            InvalidInputError: a setting does not fit these tables.
        """
        settings = fitting_masks(self.comparison, before, self.table)
        if ignore is not None:
            there = tuple(c for c in ignore if c in before.column_names or c in self.table.column_names)
            settings = dc.ComparisonSettings(ignore=there, masked=settings.masked)
        origins = dc.KeyOrigins(rules=self.keyed_by or None, ignore=settings.ignore)
        return dc.find_changes(before, self.table, table=self.name, origins=origins, settings=settings)

    def column(self, name: str) -> pa.ChunkedArray:
        found = self.table.column(name)
        return found.cast(found.type.value_type) if pa.types.is_dictionary(found.type) else found

    def lacking(self, columns: Sequence[str]) -> list[str]:
        return [c for c in columns if c not in self.table.column_names]

    def shown(self, mask: Mask, column: str | None = None) -> tuple[dict[str, Any], ...]:
        """The first rows that the mask selects: number, key, and the value of a column."""
        places = np.flatnonzero(mask)[: self.examples]
        shown: dict[str, Sequence[Any]] = {"row": [int(p) + 1 for p in places]}
        for name in self.keyed_by:
            if name in self.table.column_names:
                shown[name] = self._texts(name, places)
        if column is not None:
            shown |= {"column": [column] * len(places), "value": self._texts(column, places)}
        return tuple(dict(zip(shown, values, strict=True)) for values in zip(*shown.values(), strict=True))

    def _texts(self, column: str, places: npt.NDArray[np.int64]) -> Sequence[str | None]:
        if column in self.comparison.masked:
            return [MASKED] * len(places)
        return dc.as_text(self.column(column).take(pa.array(places)))


def kind_of(kind: pa.DataType) -> str:
    """What sort of values a type holds: text, date, time, duration or number."""
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "time"
    return "duration" if pa.types.is_duration(kind) or pa.types.is_time(kind) else "number"


def rows_of(count: int) -> str:
    """``1 row``, ``1,234 rows``."""
    return f"{count:,} {'row' if count == 1 else 'rows'}"
