"""Records as tables: for a terminal, a notebook, and pandas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from datom_core.documents.history import Author

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_SHORT = 8  # of a hash
_LONG = 80  # of any other text


class Rows(tuple[T, ...]):
    """A tuple of records that prints as a table and converts to a pandas frame."""

    __slots__ = ()

    def to_pandas(self) -> pd.DataFrame:
        """One row per record, one column per field, values in full."""
        import pandas as pd

        columns = [f.name for f in fields(self[0])] if self else []  # type: ignore[arg-type]
        return pd.DataFrame([[getattr(row, c) for c in columns] for row in self], columns=columns)

    def __repr__(self) -> str:
        import pandas as pd

        if not self:
            return "(no rows)"
        shown = [f.name for f in fields(self[0]) if f.repr]  # type: ignore[arg-type]
        # From the records, because a frame turns a missing text among others into a number.
        frame = pd.DataFrame([[brief(getattr(row, c)) for c in shown] for row in self], columns=shown)
        padded = frame.apply(lambda column: column.str.ljust(max(column.str.len())))
        text: str = padded.to_string(index=False, justify="left")
        return "\n".join(line.rstrip() for line in text.splitlines())

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(index=False))


def rows(records: Iterable[T]) -> Rows[T]:
    """The records as `Rows`."""
    return Rows(records)


def block(record: Any) -> str:
    """One record, one line per field, with values in full."""
    shown = [(f.name, brief(getattr(record, f.name), longest=None)) for f in fields(record) if f.repr]
    width = max(len(name) for name, _ in shown)
    return type(record).__name__ + "\n" + "\n".join(f"  {name:<{width}}  {value}" for name, value in shown)


def brief(value: Any, longest: int | None = _LONG) -> str:
    """A value on one line of at most this length; a hash by its first digits."""
    if value is None:
        return ""
    if isinstance(value, Author):
        return value.name
    if isinstance(value, (tuple, list)):
        return ", ".join(brief(v, longest) for v in value)
    text = str(value).splitlines()[0][:longest] if str(value) else ""
    is_hash = isinstance(value, str) and len(value) in (40, 64) and all(c in "0123456789abcdef" for c in value)
    return text[:_SHORT] if is_hash else text
