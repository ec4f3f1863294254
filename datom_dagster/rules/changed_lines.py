"""Rows that changed, as lines with the same columns: what became of each, its key, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pyarrow as pa

import datom_core as dc
from datom_dagster.rules.comparison import MASKED

Class = Literal["removed", "added", "cells", "renumbered", "rekeyed"]
_CLASSES: tuple[Class, ...] = ("removed", "added", "cells", "renumbered", "rekeyed")
_WORDS = {"cells": "changed"}
_NAMED = 4  # columns that stand for a key, where there is none


def changed_lines(
    changes: dc.TableChanges, most: int, classes: Sequence[Class] = _CLASSES
) -> tuple[dict[str, Any], ...]:
    """The first rows of these classes; a line for each value of a row that changed.

    Args:
        changes: what changed.
        most: how many lines.
        classes: what is wanted, in order.
    """
    names = _names(changes)
    lines: list[dict[str, Any]] = []
    for what in classes:
        rows: pa.Table = getattr(changes, what)
        lines += _Lines(rows.slice(0, max(most - len(lines), 0)), names, changes).of(what)
    return tuple(lines)


def _names(changes: dc.TableChanges) -> tuple[str, ...]:
    if changes.key.columns:
        return changes.key.columns
    sides = [side.columns for side in (changes.before, changes.after) if side is not None]
    both = [c for c in sides[0] if c in sides[-1]]
    subject = [changes.subject] if changes.subject is not None else []
    return tuple(dict.fromkeys([*subject, *both]))[:_NAMED]


class _Lines:
    """Some rows of a class, as lines."""

    def __init__(self, rows: pa.Table, names: Sequence[str], changes: dc.TableChanges) -> None:
        self.rows, self.names = rows, names
        self.hidden = changes.hidden()
        self.key = len(changes.key.columns)

    def of(self, what: Class) -> Iterator[dict[str, Any]]:
        word, key = _WORDS.get(what, what), self._key()
        for place, differing in enumerate(self._differing(what)):
            yield {"what": word, **{name: texts[place] for name, texts in key.items()}, **differing}

    def _key(self) -> dict[str, Sequence[str | None]]:
        """The key of each row; where it changed, as it was."""
        return {name: self._texts(name if name in self.rows.column_names else f"{name} before") for name in self.names}

    def _differing(self, what: Class) -> Iterator[dict[str, Any]]:
        if what == "cells":
            # By place: a column of the key may have the name of one of these.
            column, before, after = (dc.as_text(self.rows.column(self.key + n)) for n in range(3))
            for name, old, new in zip(column, before, after, strict=True):
                masked = name in self.hidden
                yield _line(str(name), *((MASKED, MASKED) if masked else (old, new)))
            return
        pairs = [c.removesuffix(" before") for c in self.rows.column_names if c.endswith(" before")]
        if what in ("removed", "added") or not pairs:
            yield from ({"column": "", "before": "", "after": ""} for _ in range(self.rows.num_rows))
            return
        both = ([self._texts(f"{column} {side}") for column in pairs] for side in ("before", "after"))
        for then, now in zip(*(zip(*texts, strict=True) for texts in both), strict=True):
            yield _line(", ".join(pairs), ", ".join(map(_text, then)), ", ".join(map(_text, now)))

    def _texts(self, column: str) -> Sequence[str | None]:
        name = column.removesuffix(" before").removesuffix(" after")
        if column not in self.rows.column_names:
            return [""] * self.rows.num_rows
        return [MASKED] * self.rows.num_rows if {column, name} & self.hidden else dc.as_text(self.rows.column(column))


def _line(column: str, before: str | None, after: str | None) -> dict[str, Any]:
    return {"column": column, "before": before, "after": after}


def _text(value: str | None) -> str:
    return "" if value is None else value
