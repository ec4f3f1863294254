"""The page stands alone, and is fit for keyboards, screen readers, paper, and eyes that need contrast."""

from __future__ import annotations

import itertools
import re

import pytest

from datom_core.reports import render_report
from tests.unit.reports.parsing import Page
from tests.unit.reports.studies import mixed

PAGE = render_report(mixed(), "html").decode()
CONTRAST = 4.5  # of WCAG 2.2, level AA
INKS = {
    "ink": ("paper", "head"), "soft": ("paper", "head"), "link": ("paper", "head"),
    "green": ("green-paper", "paper"), "red": ("red-paper", "paper"), "amber": ("amber-paper", "paper"),
    "blue": ("blue-paper", "paper"), "grey": ("grey-paper", "paper"),
}  # fmt: skip


def test_nothing_runs_and_nothing_is_fetched() -> None:
    tags = Page(PAGE).tags
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & {tag for tag, _ in tags}
    assert "url(" not in PAGE
    assert "@import" not in PAGE
    assert all((given.get("href") or "#").startswith("#") for _, given in tags)


def test_landmarks_headings_and_tables() -> None:
    page = Page(PAGE)
    tags = [tag for tag, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    assert [tags.count(t) for t in ("header", "nav", "main", "footer", "h1", "title")] == [1] * 6
    body = tags[tags.index("body") :]
    assert body[1] == "a", "the way past the navigation comes first"
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
    assert tags.count("table") == tags.count("caption") == tags.count("thead")
    assert all(given.get("scope") in ("col", "row") for tag, given in page.tags if tag == "th")
    regions = [given for _, given in page.tags if given.get("role") == "region"]
    assert len(regions) == tags.count("table")
    assert all(given["tabindex"] == "0" and given["aria-labelledby"] for given in regions)
    for table in page.tables:
        assert len({len(row) for row in table}) == 1


def test_every_class_of_rows_is_named_beside_its_colour() -> None:
    text = Page(PAGE).text
    for sign, word in (("~", "Changed values"), ("+", "Added rows"), ("−", "Removed rows"), ("#", "Renumbered rows")):
        assert f"{sign} {word}" in text
    assert {"+ new table", "− table is gone", "= unchanged", "~ changed"} <= set(re.findall(r"[=~+−] [a-z ]+", text))


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_contrast(scheme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", PAGE, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[["light", "dark", "paper"].index(scheme)]))
    for ink, papers in INKS.items():
        for paper in papers:
            first, second = sorted((luminance(colours[ink]), luminance(colours[paper])))
            assert (second + 0.05) / (first + 0.05) >= CONTRAST, (ink, paper)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_print() -> None:
    assert "@media print" in PAGE
    assert "display: table-header-group" in PAGE
    assert "@page" in PAGE
