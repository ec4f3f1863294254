"""Compare two tables row by row: which rows were added or removed and, by key, which changed.

Values are equal when the content hash takes them for equal: 1 and 1.0, -0.0 and 0.0, any two NaN, text and
categories; a missing value equals a missing value, and nothing else. All work runs over whole columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from datom_core.common import fitting, needing
from datom_core.errors import InvalidInputError
from datom_core.tables.row_change import RowChange
from datom_core.tables.tabular import normalised

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NEEDING = ("Comparing tables", "compare")


@fitting
def diff(before: object, after: object, key: str | Sequence[str] | None = None, *, examples: int = 20) -> RowChange:
    """What changed from one table to another, row by row.

    Args:
        before, after: tables as `hash_table` takes them.
        key: columns that tell rows apart. Without them whole rows are compared, each as often as it occurs.
        examples: how many rows of each kind to show; the counts are of all.

    Raises:
        InvalidInputError: a key column is not in both tables, or of another type in one of them; the key does not
            tell all rows apart (the first repeated keys are named); several columns have the same name.
        UnsupportedColumnsError: a column has no content hash.
        MissingPackageError: numpy is not installed.
    """
    with needing(*_NEEDING):
        from datom_core.tables.row_pairs import RowPairs
        from datom_core.tables.two_tables import TableSide

    sides = (TableSide(normalised(before, what="before")), TableSide(normalised(after, what="after")))
    pair = RowPairs(*sides, _key_columns(key))
    return pair.by_key(examples) if pair.key is not None else pair.whole(examples)


def _key_columns(key: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if key is None:
        return None
    columns = (key,) if isinstance(key, str) else tuple(key)
    if not columns or len(set(columns)) != len(columns) or not all(isinstance(c, str) for c in columns):
        raise InvalidInputError(f"key is one or more column names, each once; not {key!r}.")
    return columns


def repeated(table: object, key: str | Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows of a table share their key with another row, by the equality of `diff`.

    Raises:
        InvalidInputError: a key column is missing, or several columns have the same name.
        MissingPackageError: numpy is not installed.
    """
    with needing(*_NEEDING):
        from datom_core.tables.row_pairs import shared_keys
        from datom_core.tables.two_tables import TableSide

    side, columns = TableSide(normalised(table)), _key_columns(key) or ()
    absent = [c for c in columns if c not in side.tags]
    if absent:
        raise InvalidInputError(f"No column {', '.join(map(repr, absent))} in this table; it has {side.names}.")
    return shared_keys(side, columns)
