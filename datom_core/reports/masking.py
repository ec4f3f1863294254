"""Which values a report may show, decided once for every form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datom_core.common import did_you_mean
from datom_core.comparing import ColumnChange, RejectedKey, StudyChanges, TableChanges
from datom_core.errors import InvalidInputError

#: How a value that may not be shown is shown.
MASKED_TEXT = "(masked)"
# What is said of a column beside its values.
_NO_VALUES = frozenset({"type", "label", "format", "name", "length", "nullable", "order of columns"})
_BEFORE, _AFTER = " before", " after"


@dataclass(frozen=True)
class Masking:
    """What may be shown of one table.

    Attributes:
        columns: those whose values may not be, sorted; with those that were renamed from or to them.
        values: whether any value may be shown at all.
    """

    columns: tuple[str, ...] = ()
    values: bool = True

    def hides(self, column: str) -> bool:
        """Whether the values of a column of the data may not be shown."""
        return not self.values or column in self.columns

    def hides_pair(self, column: str) -> bool:
        """The same for a column of pairs of rows: ``X``, ``X before``, ``X after``."""
        return any(map(self.hides, (column, column.removesuffix(_BEFORE), column.removesuffix(_AFTER))))

    def shows_subjects(self, changes: TableChanges) -> bool:
        """Whether the changes by subject may be shown, which name each of them."""
        return changes.subject is not None and not self.hides(changes.subject)

    def reason(self, rejected: RejectedKey) -> str:
        """Why a key was not taken; left out where it might name masked values."""
        if any(map(self.hides, rejected.columns)):
            return "was not taken; the reason may name values that are masked"
        return rejected.reason

    def property(self, change: ColumnChange) -> tuple[str | None, str | None]:
        """A property of a column before and after; of a masked column only those that tell nothing of its values."""
        if self.hides(change.column) and change.what not in _NO_VALUES:
            return tuple(None if v is None else MASKED_TEXT for v in (change.before, change.after))  # type: ignore[return-value]
        return change.before, change.after


def masking_of(changes: TableChanges, masked: Iterable[str], values: bool) -> Masking:
    """What may be shown of a table: neither what is masked here nor what the comparison was told to mask."""
    return Masking(tuple(sorted(changes.hidden(masked) & _columns(changes))), values)


def check_masked(study: StudyChanges, masked: tuple[str, ...]) -> None:
    """Refuse columns that no table has: a misspelt one would be shown.

    Raises:
        InvalidInputError: naming each of them.
    """
    known = frozenset[str]().union(*map(_columns, study.values()))
    unknown = [c for c in masked if c not in known] if study else []
    if unknown:
        meant = "".join(did_you_mean(c, sorted(known)) for c in unknown)
        raise InvalidInputError(
            f"No table of this report has the columns {', '.join(map(repr, unknown))}, which should be masked.{meant} "
            "Write them as the data does, or leave them out.",
            columns=tuple(unknown),
        )


def _columns(changes: TableChanges) -> frozenset[str]:
    return frozenset(c for side in (changes.before, changes.after) if side for c in side.columns)


def masked_in(tables: Mapping[str, Masking]) -> tuple[str, ...]:
    """Every masked column of a study, sorted."""
    return tuple(sorted({c for m in tables.values() for c in m.columns}))
