"""What pyreadstat does not tell about the cells of a SAS transport file, taken from its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datom_core.extracts.formats.problems import bad_file, brief_list
from datom_core.extracts.formats.transport import Column, Layout

_BLOCK = 1 << 22  # bytes to examine together
_BLANK, _SYSTEM_MISSING, _UNDERLINE = b" ._"
_Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def count_special_missing(path: Path, name: str, layout: Layout) -> list[Counter[str]]:
    """By column, how many special missing values (``.A`` to ``.Z``, ``._``) there are of each.

    Raises:
        InvalidInputError: text has a NUL inside, where pyreadstat would cut it, or bytes are not a number; names the
            columns and rows.
    """
    missing: list[Counter[str]] = [Counter() for _ in layout.columns]
    cut: dict[str, list[int]] = {}
    strange: dict[str, list[int]] = {}
    for first, block in _blocks(path, layout):
        for column, counts in zip(layout.columns, missing, strict=True):
            cells = block[:, column.at : column.at + column.width]
            if column.text:
                _add(cut, column, first + np.flatnonzero(_with_nul(cells)))
            else:
                tags, wrong = _without_fraction(cells)
                counts.update({chr(int(t)): int(n) for t, n in zip(*np.unique(tags, return_counts=True), strict=True)})
                _add(strange, column, first + np.flatnonzero(wrong))
    problems = [f"text of {_shown(cut)} holds NUL bytes, at which it would be cut"] if cut else []
    problems += [f"bytes of {_shown(strange)} are no number"] if strange else []
    if problems:
        raise bad_file(name, f"{'; '.join(problems)}. Correct them where the file is made.")
    return missing


def _blocks(path: Path, layout: Layout) -> Iterator[tuple[int, _Bytes]]:
    """Rows in blocks, each with the number of its first row, from 1."""
    if not layout.rows:
        return
    data: _Bytes = np.memmap(path, np.uint8, "r", layout.start, (layout.rows, layout.width))
    step = max(1, _BLOCK // layout.width)
    for first in range(0, layout.rows, step):
        yield first + 1, np.asarray(data[first : first + step])


def _with_nul(cells: _Bytes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which cells have a NUL followed by text; blanks and NULs at the end only fill the cell."""
    nul = cells == 0
    found = nul.any(axis=1)
    if found.any():
        written = (cells[found] != 0) & (cells[found] != _BLANK)
        behind = np.logical_or.accumulate(written[:, ::-1], axis=1)[:, ::-1]
        found[found] = (nul[found] & behind).any(axis=1)
    return np.asarray(found)


def _without_fraction(cells: _Bytes) -> tuple[_Bytes, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """The letters of special missing values, and which cells are neither those, nor missing, nor zero, nor a number.

    A number whose fraction begins with a zero digit, which SAS never writes, is misread as another one; so is the
    largest number.
    """
    first = cells[:, 0]
    unnormal = ((cells[:, 1] >> 4) == 0) & (cells[:, 1:] != 0).any(axis=1)
    largest = ((first & 0x7F) == 0x7F) & (cells[:, 1:] == 0xFF).all(axis=1)
    blank = (cells == _BLANK).all(axis=1)
    bare = (cells[:, 1:] == 0).all(axis=1)
    special = bare & (((first >= ord("A")) & (first <= ord("Z"))) | (first == _UNDERLINE))
    known = special | (first == 0) | (first == _SYSTEM_MISSING)
    return first[special], (bare & ~known) | unnormal | largest | blank


def _add(found: dict[str, list[int]], column: Column, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    if len(rows):
        found.setdefault(column.name, []).extend(int(r) for r in rows)


def _shown(found: dict[str, list[int]]) -> str:
    return ", ".join(f"{column!r} in row {brief_list(rows)}" for column, rows in found.items())
