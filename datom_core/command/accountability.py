"""Who asked for a version and who wrote it, in which run, from which file and why: for JSON, and for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datom_core as dc

_WORDS = {
    "asked_by": "asked by",
    "written_by": "written by",
    "tool": "with",
    "run": "run",
    "file": "file",
    "source": "source",
    "reason": "reason",
}


def recorded(by: dc.LogEntry | dc.Recording | dc.ReviewMove | dc.Version) -> dict[str, Any] | None:
    """What was recorded of it, as a history's entry has it."""
    return None if by.provenance is None else by.provenance.to_json()


def accountability(told: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """What a person sees of it, a line for each."""
    for key, words in _WORDS.items():
        value = (told or {}).get(key)
        if value:
            yield words, value if isinstance(value, str) else ", ".join(_parts(value))


def _parts(value: Mapping[str, Any]) -> Iterator[str]:
    rest = dict(value)
    if "email" in rest:
        name, email = rest.pop("name", ""), rest.pop("email")
        yield f"{name} <{email}>" if email else name
    for name, part in rest.items():
        yield f"{part:,} bytes" if name == "size_bytes" else f"{name.replace('_', ' ')} {part}"
