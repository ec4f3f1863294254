"""The parts of pages that a run writes."""

from __future__ import annotations

from collections.abc import Iterable

_BEGIN, _END = "<!-- figures of the last run -->", "<!-- end of the figures -->"


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    lines = [[*map(str, line)] for line in (head, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_figures(page: str, figures: str) -> str:
    """The page with new figures between its marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n\n{figures}\n\n{_END}{after}"
