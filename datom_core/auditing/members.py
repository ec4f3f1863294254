"""The members of a large document by the text of each, so that of two documents only what differs is parsed.

A project with many cuts has a long cuts.json, of which a commit changes a few lines. In the layout in which documents
are written, each member of a section has lines of its own; in any other, nothing is known here, and all is parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datom_core.documents import parse

Members = Mapping[tuple[str, str], bytes]

_SECTIONS = ("cuts", "reviews")


def differing(texts: Sequence[Members], source: str) -> list[dict[str, Any]]:
    """The documents without the members that are in all of them, parsed.

    Raises:
        FormatError: a member cannot be read.
    """
    first, *others = texts
    same = {key for key, text in first.items() if all(other.get(key) == text for other in others)}
    return [_parsed({key: text for key, text in held.items() if key not in same}, source) for held in texts]


def members_of(text: bytes) -> Members | None:
    """Section and name -> the member's value; name ``""`` -> a whole section. ``None`` if the layout is another."""
    body = text.rstrip()
    if not body.startswith(b"{\n") or not body.endswith(b"\n}"):
        return None
    found: dict[tuple[str, str], bytes] = {}
    for section, value in _pieces(body[2:-2], b"  "):
        whole: list[tuple[str | None, bytes]] = [("", value)]
        parted = section in _SECTIONS and value.startswith(b"{\n")
        for name, held in _pieces(value[2:-4], b"    ") if parted else whole:
            if name is None or section is None or (section, name) in found:
                return None
            found[section, name] = held
    return found


def _pieces(body: bytes, indent: bytes) -> Iterator[tuple[str | None, bytes]]:
    """Names and values of an object's members; the name ``None`` where the layout is another."""
    at = 0
    while at < len(body):
        colon = body.find(b'": ', at)
        if not body.startswith(indent + b'"', at) or colon < 0:
            yield None, b""
            return
        try:
            name = json.loads(body[at + len(indent) : colon + 1])
        except ValueError:
            name = None
        start = colon + 3
        closing = {b"{\n": b"\n" + indent + b"}", b"[\n": b"\n" + indent + b"]"}.get(body[start : start + 2])
        found = body.find(closing or b",\n", start)
        end = len(body) if found < 0 else found + len(closing or b"")
        yield name, body[start:end]
        if end < len(body) and not body.startswith(b",\n", end):
            yield None, b""
        at = end + 2


def _parsed(members: Members, source: str) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for (section, name), text in members.items():
        value = parse(text, source)
        if not name:
            raw[section] = value
        else:
            raw.setdefault(section, {})[name] = value
    return raw
