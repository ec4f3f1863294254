"""Records as tables: for a terminal, a notebook, and pandas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, fields
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from datom_core.common import needing
from datom_core.documents.author import Author

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
        with needing("A frame", "pandas"):
            import pandas as pd

        columns = [f.name for f in fields(self[0])] if self else []  # type: ignore[arg-type]
        return pd.DataFrame([[getattr(row, c) for c in columns] for row in self], columns=columns)

    def __repr__(self) -> str:
        if not self:
            return "(no rows)"
        columns = [_column(f.name, [brief(getattr(row, f.name)) for row in self]) for f in _shown(self[0])]
        return "\n".join(" ".join(line).rstrip() for line in zip(*columns, strict=True))

    def _repr_html_(self) -> str:
        """The values in full, for a notebook."""
        names = [f.name for f in fields(self[0])] if self else []  # type: ignore[arg-type]
        lines = [_tagged("th", names), *(_tagged("td", [getattr(row, n) for n in names]) for row in self)]
        return "<table>\n" + "\n".join(lines) + "\n</table>"


def rows(records: Iterable[T]) -> Rows[T]:
    """The records as `Rows`."""
    return Rows(records)


def _shown(record: Any) -> list[Field[Any]]:
    return [f for f in fields(record) if f.repr]


def _column(name: str, texts: list[str]) -> list[str]:
    """A column's lines below its name, each as long as the longest."""
    texts = [text.replace("\t", " ") for text in texts]
    width = max(map(len, texts))
    return [line.ljust(max(width, len(name))) for line in (name, *texts)]


def _tagged(tag: str, values: Iterable[object]) -> str:
    cells = (escape("" if value is None else str(value)) for value in values)
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def block(record: Any) -> str:
    """One record, one line per field, with values in full."""
    shown = [(f.name, brief(getattr(record, f.name), longest=None)) for f in _shown(record)]
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
