"""The page about regulations names commands, options and pages that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from datom_core.command.app import command

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "compliance.md"
NAMED = sorted(set(re.findall(r"`(datom [^`]+)`", PAGE.read_text())))
LINKS = sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", PAGE.read_text())))


def test_each_of_the_commands_for_evidence_is_named() -> None:
    verbs = {line.split()[1] for line in NAMED}
    assert verbs >= set("approve audit decommission evidence export lineage log preflight policy report show".split())
    assert verbs >= set("signers verify withdraw".split())


@pytest.mark.parametrize("line", NAMED)
def test_a_command_that_is_named_exists(line: str) -> None:
    _, *words = shlex.split(line)
    found: Any = command()
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    assert not hasattr(found, "commands"), f"{line}: {words[0] if words else 'what follows'} is no command"
    options = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("link", LINKS)
def test_a_page_that_is_named_exists(link: str) -> None:
    path, _, section = link.partition("#")
    page = (PAGE.parent / path) if path else PAGE
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert not section or section in anchors


def test_every_paragraph_of_11_10_is_there_and_nothing_claims_compliance() -> None:
    text = PAGE.read_text()
    assert re.findall(r"^\| (11\.10\(.\)) ", text, re.MULTILINE) == [f"11.10({letter})" for letter in "abcdefghijk"]
    for claim in ("is compliant", "complies with", "compliant with", "certified", "fully meets"):
        assert claim not in text.lower()
    assert "No software complies" in text
