"""Draw the folders of the packages in the order that import-linter holds, with an arrow for who imports whom.

An arrow is left out where others lead the same way, and to `errors`, `lazy` and `version`, which everybody may use.
"""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
BOX, HEIGHT, GAP, ROW, MARGIN = 236, 54, 44, 90, 20
WIDTH = 3 * BOX + 2 * GAP + 2 * MARGIN
SHORT = 14  # a title that says no more than the folder's name
FREE = ("errors", "lazy", "version")
COLOURS = {"datom_core": "#dbe9f6", "datom_dagster": "#e6f2dc"}


def layers(package: str) -> list[list[str]]:
    """The folders of a package, from the top down; those of one row do not import each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found = next(c["layers"] for c in contracts if c.get("containers") == [package])
    return [[name.strip() for name in layer.split("|")] for layer in found]


def ordered(package: str) -> list[str]:
    return [name for layer in layers(package) for name in layer]


def arrows(package: str) -> list[tuple[str, str]]:
    """Who imports whom, without what follows from the other arrows."""
    graph, names = grimp.build_graph(package), [n for n in ordered(package) if n not in FREE]
    direct = {
        above: {
            below
            for below in names
            if below != above
            and graph.direct_import_exists(
                importer=f"{package}.{above}", imported=f"{package}.{below}", as_packages=True
            )
        }
        for above in names
    }

    def reached(name: str) -> set[str]:
        return direct[name].union(*map(reached, direct[name]))

    return [(a, b) for a in names for b in sorted(direct[a]) if not any(b in reached(c) for c in direct[a])]


def drawn(packages: Sequence[str], told: Mapping[str, Sequence[str]]) -> str:
    """The picture as SVG: the packages from the last to the first, one below the other.

    Args:
        packages: their names, lowest first.
        told: folder, as a path -> the paragraphs of its door's docstring.
    """
    parts, top = [], MARGIN
    for package in reversed(packages):
        rows, links = layers(package), arrows(package)
        where = placed(rows, links, top + 40)
        bottom = top + 40 + ROW * len(rows) - (ROW - HEIGHT) + 14
        parts.append(
            f'<rect x="4" y="{top}" width="{WIDTH - 8}" height="{bottom - top}" rx="8" fill="none" stroke="#999"/>'
            f'<text x="{MARGIN}" y="{top + 24}" font-weight="bold" font-size="15">{package}</text>'
        )
        parts += [line(where[above], where[below]) for above, below in links]
        for name, at in where.items():
            parts.append(box(name, at, told.get(f"{package}/{name}", ("",))[0], COLOURS[package]))
        top = bottom + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" '
        'font-family="sans-serif" font-size="12">\n<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" '
        'markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>\n'
        f'<rect width="{WIDTH}" height="{top}" fill="white"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def placed(rows: Sequence[Sequence[str]], links: Sequence[tuple[str, str]], top: int) -> dict[str, tuple[int, int]]:
    """The upper left corner of every box; in a row, each stands below those that import it, as far as there is room."""
    where: dict[str, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        above = {name: [where[a][0] for a, b in links if b == name and a in where] for name in row}
        mean = {name: sum(xs) / len(xs) if xs else WIDTH for name, xs in above.items()}
        left = (WIDTH - len(row) * BOX - (len(row) - 1) * GAP) // 2
        for place, name in enumerate(sorted(row, key=lambda n: (mean[n], n))):
            where[name] = (left + place * (BOX + GAP), top + number * ROW)
    return where


def line(above: tuple[int, int], below: tuple[int, int]) -> str:
    x1, y1, x2, y2 = above[0] + BOX // 2, above[1] + HEIGHT, below[0] + BOX // 2, below[1]
    bend = f"M{x1} {y1}C{x1} {y1 + 30} {x2} {y2 - 30} {x2} {y2}"
    return f'<path d="{bend}" fill="none" stroke="#555" marker-end="url(#tip)"/>'


def box(name: str, at: tuple[int, int], told: str, colour: str) -> str:
    x, y = at
    title, _, rest = told.partition(". ")[0].rstrip(".").partition(": ")
    said = title if len(title) > SHORT or not rest else rest[0].upper() + rest[1:]
    wrapped = textwrap.wrap(said, 37, max_lines=2, placeholder=" ...")
    lines = [f'<text x="{x + 10}" y="{y + 18}" font-weight="bold">{name}</text>']
    lines += [
        f'<text x="{x + 10}" y="{y + 33 + 13 * n}" font-size="11">{escape(text)}</text>'
        for n, text in enumerate(wrapped)
    ]
    return (
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{HEIGHT}" rx="5" fill="{colour}" stroke="#555"/>{"".join(lines)}'
    )
