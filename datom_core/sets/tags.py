"""Tags: the labels of a set and of its members, each a name with one or more texts (docs/format.md, "Sets")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from datom_core.common import is_text
from datom_core.errors import InvalidInputError

#: A label's name -> its values, sorted, each once.
Tags = Mapping[str, tuple[str, ...]]

NO_TAGS: Tags = MappingProxyType({})


def check_tags(given: object, what: str) -> Tags:
    """Tags as they are written: sorted by the UTF-8 bytes of names and values; a label without a value is left out.

    Args:
        given: a mapping from names to a text or to several; ``None`` for none.
        what: whose tags they are, for errors.

    Raises:
        InvalidInputError: names every label that is not text.
    """
    if given is None:
        return NO_TAGS
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"The tags of {what} are a mapping such as {{'type': 'input'}}, not {given!r}.")
    problems = [f"the name {name!r} is not text" for name in given if not _is_label(name)]
    cleaned = {name: _values(name, value, problems) for name, value in given.items() if _is_label(name)}
    if problems:
        raise InvalidInputError(f"The tags of {what} cannot be kept:\n" + "\n".join(f"  - {p}" for p in problems))
    return MappingProxyType({n: cleaned[n] for n in sorted(cleaned, key=str.encode) if cleaned[n]})


def _values(name: str, value: object, problems: list[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    wrong = [v for v in listed if not _is_label(v)]
    if wrong or isinstance(value, Mapping):
        shown = value if isinstance(value, Mapping) else wrong[0]
        problems.append(f"{name!r}: {shown!r} is not text, or is empty")
        return ()
    return tuple(sorted(set(map(str, listed)), key=str.encode))


def _is_label(value: object) -> bool:
    """Whether a name or value of a label can be kept: R has no NUL, and UTF-8 no lone surrogates."""
    return isinstance(value, str) and bool(value) and is_text(value) and "\0" not in value


def stored_tags(tags: Tags) -> dict[str, Any]:
    """Tags as documents hold them: a value alone is no array."""
    return {name: values[0] if len(values) == 1 else list(values) for name, values in tags.items()}


def read_tags(raw: object) -> Tags:
    """Tags as somebody wrote them. Whatever is no text stays out of sight; the document itself keeps it."""
    if not isinstance(raw, Mapping):
        return NO_TAGS
    found = {}
    for name, value in raw.items():
        listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        found[name] = tuple(v for v in listed if isinstance(v, str))
    return MappingProxyType(found)


def carries(tags: Tags, wanted: Tags) -> bool:
    """Whether tags have every wanted value of every wanted label."""
    return all(set(values) <= set(tags.get(name, ())) for name, values in wanted.items())
