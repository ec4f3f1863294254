"""Shapes of answers besides tables: lines cut at the edge, records and previews as wide as the terminal, trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datom_core.command.output import cell, pairs, table

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

_GAP = 2
_SHORT = 22  # of a cell that does not wrap: a time, a version that came again
_MORE = "…"


def lines(texts: Iterable[str]) -> RenderableType:
    """Texts, the first line of each, cut at the edge of the terminal."""
    from rich.console import Group

    made = cell("\n".join(text.split("\n", 1)[0] for text in texts))
    made.no_wrap, made.overflow = True, "ellipsis"
    return Group(made)  # printed by itself, a text forgets that it must not wrap


@dataclass(frozen=True)
class Records:
    """Rows below headings where there is room, in which only long cells wrap; else each as a block of its own.

    Attributes:
        headings: of the columns.
        rows: cells, each shown as text; ``None`` is empty.
        right: headings of numbers.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    right: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.cells import cell_len

        widths = [cell_len(heading) for heading in self.headings]
        for row in self.rows:
            sizes = (max(map(cell_len, cell(value).plain.split("\n"))) for value in row)
            widths = list(map(max, widths, sizes))
        if sum(min(width, _SHORT) + _GAP for width in widths) - _GAP <= options.max_width:
            made: Any = table(self.headings, self.rows, right=self.right)
            for column, width in zip(made.columns, widths, strict=True):
                column.no_wrap = width <= _SHORT
            yield made
            return
        for place, row in enumerate(self.rows):
            if place:
                yield ""
            told = zip(self.headings, row, strict=True)
            yield pairs((name, value) for name, value in told if value not in (None, ""))


@dataclass(frozen=True)
class Preview:
    """Rows of data, a line each: as many columns as fit, and how many do not.

    Attributes:
        headings: of all columns.
        rows: cells as text, of all columns.
        right: headings of numbers.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    right: frozenset[str] = frozenset()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.cells import cell_len, set_cell_size

        longest = max(options.max_width // 2, 8)

        def fitted(text: str | None) -> str:
            shown = cell((text or "").replace("\n", "\\n")).plain
            return shown if cell_len(shown) <= longest else set_cell_size(shown, longest - 1) + _MORE

        room, kept = options.max_width, 0
        headings, columns = [], []
        for place, heading in enumerate(self.headings):
            name, cells = fitted(heading), [fitted(row[place]) for row in self.rows]
            width = max(map(cell_len, [name, *cells]))
            if kept and width > room:
                break
            headings.append(name)
            columns.append(cells)
            room -= width + _GAP
            kept += 1
        numbers = [name for name, whole in zip(headings, self.headings, strict=False) if whole in self.right]
        yield table(headings, zip(*columns, strict=True), right=numbers)
        left_out = len(self.headings) - kept
        if left_out:
            yield cell(f"({left_out:,} more column{'' if left_out == 1 else 's'})")


@dataclass(frozen=True)
class Branch:
    """A node of a tree: what it says, and what is below it."""

    text: str
    below: Sequence[Branch] = ()


def tree(root: Branch) -> RenderableType:
    """A tree, a line for each node; long lines wrap."""
    from rich.tree import Tree

    made = Tree(cell(root.text), guide_style="dim")
    open_: list[tuple[Any, Iterable[Branch]]] = [(made, root.below)]
    while open_:
        at, below = open_.pop()
        for branch in below:
            open_.append((at.add(cell(branch.text)), branch.below))
    return made
