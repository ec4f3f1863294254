"""All keys of metadata and tags stand in one table, which is the one that the docs show."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import datom_dagster
from datom_dagster.events.metadata_keys import PLACES


def test_keys_are_written_in_one_place() -> None:
    """A key that one part sets as text of its own is one that another part does not know."""
    strays = []
    for file in Path(str(datom_dagster.__file__)).parent.rglob("*.py"):
        if file.name != "metadata_keys.py":
            texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
            strays += [(file.name, text) for text in texts if text in PLACES]
    assert strays == []


def test_the_reference_names_every_key_and_its_places() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference.md").read_text().split("### Metadata that you give")[1]
    rows = [line.split("|") for line in page.split("###")[0].splitlines() if line.startswith("| `datom/")]
    named = {key: row[2] for row in rows for key in re.findall(r"`(datom/[^`<]*)", row[1])}
    assert named.keys() == PLACES.keys()
    words = {"definition": "asset", "output": "output", "input": "input", "run": "run tag"}
    for key, places in PLACES.items():
        assert {place for place, word in words.items() if word in named[key]} == places, key
