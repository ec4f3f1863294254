"""Read a report back: what its page, workbook, markdown and JSON say, and whether a page is well-formed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from html.parser import HTMLParser
from typing import Any

import openpyxl

from datom_core.reports.words import KINDS

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
#: Word of a kind -> name of its count.
WORDS = {word: {"duplicate": "duplicates", "changed": "cells"}.get(kind, kind) for kind, (_, word, *_) in KINDS.items()}
FIGURES = ("rows_before", "rows_after", "cells", "added", "removed", "renumbered", "rekeyed", "duplicates", "columns")


class Page(HTMLParser):
    """A page that is well-formed: each element ends where it began, ids are unique, what is referred to is there."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open
        assert len(self.ids) == len(set(self.ids))
        assert set(self.references) <= set(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), attrs
        self.tags.append((tag, given))
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        for name in ("aria-labelledby", "href"):
            if given.get(name):
                self.references.append((given[name] or "").removeprefix("#"))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "caption":
            self.captions.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "table" in self.open:
            if "td" in self.open or "th" in self.open:
                self.tables[-1][-1][-1] += data
            elif "caption" in self.open:
                self.captions[-1] += data


def of_page(data: bytes) -> dict[str, dict[str, int]]:
    """Table -> figures, from the overview; what each listing says of its length must agree."""
    page = Page(data.decode())
    if not page.tables:
        return {}
    found = {row[0]: figures(row[2:]) for row in page.tables[0][1:-1]}
    assert figures(page.tables[0][-1][2:]) == summed(found)
    for caption in page.captions:
        for _, _, heading, _ in KINDS.values():
            if listing := re.fullmatch(
                rf"{heading} of (\S+): (?:([\d,]+) of )?([\d,]+) (?:row|value)s?(;.*)?", caption
            ):
                name = next(WORDS[w] for _, w, h, _ in KINDS.values() if h == heading)
                assert found[listing[1]][name] == int(listing[3].replace(",", ""))
    return found


def of_markdown(data: bytes) -> dict[str, dict[str, int]]:
    lines = [line for line in data.decode().splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    ends = next(i for i, row in enumerate(rows) if row[0] == "**all**") if rows else 0
    found = {row[0].strip("`"): figures(row[2:]) for row in rows[:ends]}
    assert not rows or figures(rows[ends][2:]) == summed(found)
    return found


def of_workbook(data: bytes) -> dict[str, dict[str, int]]:
    """From the overview; the sheets must have as many rows of each kind."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    found = {}
    for row in list(book["Overview"].iter_rows(min_row=2, values_only=True))[:-1]:
        name, sheet, _, before, after, _, *rest = row[:13]
        found[str(name)] = dict(zip(FIGURES, [before, after, *rest], strict=True))
        if sheet in book.sheetnames:
            kinds = [line[0] for line in book[str(sheet)].iter_rows(min_row=2, values_only=True)]
            for word, figure in WORDS.items():
                assert kinds.count(word) == found[str(name)][figure], (name, word)
    return found


def of_json(data: bytes) -> dict[str, dict[str, int]]:
    document = json.loads(data)
    found = {t["table"]: of_counts(t["counts"]) for t in document["tables"]}
    for table in document["tables"]:
        for name in ("cells", "added", "removed", "renumbered", "rekeyed", "duplicates"):
            assert len(table[name]["rows"]) == table[name]["count"] == found[table["table"]][name]
    assert of_counts(document["totals"]) == summed(found)
    return found


def of_counts(counts: dict[str, Any]) -> dict[str, int]:
    duplicates = counts["duplicates_before"] + counts["duplicates_after"]
    return {name: duplicates if name == "duplicates" else counts[name] for name in FIGURES}


def figures(texts: list[str]) -> dict[str, int]:
    return {name: int(text.replace(",", "").strip("*")) for name, text in zip(FIGURES, texts, strict=True)}


def summed(found: dict[str, dict[str, int]]) -> dict[str, int]:
    return {name: sum(table[name] for table in found.values()) for name in FIGURES}


READERS = {"html": of_page, "markdown": of_markdown, "xlsx": of_workbook, "json": of_json}


def everything(form: str, data: bytes) -> str:
    """All text in a report; of a workbook, of each member of the archive."""
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            return "\n".join(book.read(name).decode() for name in book.namelist())
    return data.decode()
