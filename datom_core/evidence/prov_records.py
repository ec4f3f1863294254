"""A document of W3C PROV as JSON: names, attributes and relations, in an order that depends on what it says alone.

The form is PROV-JSON (https://www.w3.org/submissions/prov-json/). A relation has no name of its own there; it is
numbered, and what is said twice is there once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

#: Prefix -> namespace. ``urn:datom`` is nobody's registered name space: these are names, no addresses.
PREFIXES = {
    "datom": "urn:datom:terms:",
    "version": "urn:datom:version:",
    "content": "urn:datom:content:",
    "file": "urn:datom:file:",
    "cut": "urn:datom:cut:",
    "recording": "urn:datom:recording:",
    "run": "urn:datom:run:",
    "approval": "urn:datom:approval:",
    "agent": "urn:datom:agent:",
}
_THINGS = ("entity", "activity", "agent")
_RELATIONS = (
    "wasGeneratedBy",
    "used",
    "wasInformedBy",
    "wasDerivedFrom",
    "wasAttributedTo",
    "wasAssociatedWith",
    "actedOnBehalfOf",
    "specializationOf",
    "hadMember",
)

Value = str | int | Mapping[str, str]


def named(prefix: str, *parts: str) -> str:
    """A qualified name. Each part is escaped, so that none can be taken for two."""
    return f"{prefix}:{'/'.join(quote(part, safe='') for part in parts)}"


def term(name: str) -> Mapping[str, str]:
    """A qualified name as the value of an attribute, such as a type."""
    return {"$": name, "type": "xsd:QName"}


class ProvDocument:
    """A document that grows by what is said of things, and of how they hang together."""

    def __init__(self) -> None:
        self._things: dict[str, dict[str, dict[str, list[Value]]]] = {kind: {} for kind in _THINGS}
        self._relations: dict[str, set[tuple[tuple[str, Any], ...]]] = {kind: set() for kind in _RELATIONS}

    def say(self, kind: str, name: str, **about: Value | None) -> str:
        """Something of a kind is there, with these attributes; ``None`` says nothing.

        ``datom_rows`` stands for ``datom:rows``. What several say differently is kept with all values.
        """
        held = self._things[kind].setdefault(name, {})
        for key, value in about.items():
            values = held.setdefault(key.replace("_", ":", 1), []) if value is not None else []
            if value is not None and value not in values:
                values.append(value)
        return name

    def relate(self, kind: str, **arguments: Value | None) -> None:
        """Things hang together; ``prov_entity`` stands for ``prov:entity``, and ``None`` says nothing."""
        given = {k.replace("_", ":", 1): v for k, v in arguments.items() if v is not None}
        self._relations[kind].add(
            tuple((k, tuple(v.items()) if isinstance(v, Mapping) else v) for k, v in given.items())
        )

    def to_json(self) -> dict[str, Any]:
        """The document, whose order depends on what it says alone."""
        document: dict[str, Any] = {"prefix": dict(PREFIXES)}
        for kind, things in self._things.items():
            if things:
                document[kind] = {name: _attributes(things[name]) for name in sorted(things)}
        for kind, relations in self._relations.items():
            ordered = sorted(relations, key=repr)
            if ordered:
                document[kind] = {
                    f"_:{kind}{number}": {k: dict(v) if isinstance(v, tuple) else v for k, v in relation}
                    for number, relation in enumerate(ordered, 1)
                }
        return document


def _attributes(held: Mapping[str, list[Value]]) -> dict[str, Any]:
    return {key: values[0] if len(values) == 1 else sorted(values, key=repr) for key, values in sorted(held.items())}
