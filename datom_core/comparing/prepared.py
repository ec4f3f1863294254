"""Two states of a table, in the form in which they are compared."""

from __future__ import annotations

from datom_core.comparing.changes import ComparisonSettings
from datom_core.comparing.values import Values
from datom_core.errors import InvalidInputError
from datom_core.tables import TableSide, TwoTables, normalised


class Prepared:
    """Both tables as they are compared.

    Attributes:
        tables: both; one that came or went has the same columns without rows on the other side.
        came, went: whether there was nothing before, or is nothing after.
        values: their values, exact but for what the settings fold.
    """

    def __init__(self, before: object | None, after: object | None, settings: ComparisonSettings | None = None) -> None:
        if before is None and after is None:
            raise InvalidInputError("There is nothing to compare: give at least one of before and after.")
        self.came, self.went = before is None, after is None
        old = None if before is None else TableSide(normalised(before, what="before", empty=True))
        new = None if after is None else TableSide(normalised(after, what="after", empty=True))
        first, second = old or new, new or old
        assert first is not None
        assert second is not None
        self.tables = TwoTables(
            first.without_rows() if self.came else first, second.without_rows() if self.went else second
        )
        folded = settings or ComparisonSettings()
        self.values = Values(
            self.tables, ComparisonSettings(fold_case=folded.fold_case, fold_blanks=folded.fold_blanks)
        )
