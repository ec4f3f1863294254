"""The door through which YAML enters and leaves: within bounds, and with the meaning that it has to R.

YAML can say far more than a project's file ever does. What R's ``yaml`` and we write are plain mappings, lists and
scalars; whatever else could make a small file large (aliases), slow (deep nesting) or ambiguous (keys that occur twice,
merged mappings, tags) is refused at its first sign, before any value is made.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from datom_core.documents.parsing import Buffer, check_size
from datom_core.errors import FormatError

#: Bytes. R writes half a kilobyte; people who edit it by hand add a few.
LARGEST = 64 * 2**10
_DEEPEST = 20  # levels; the format has three
_LONGEST_NUMBER = 400  # characters; every float fits
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq"))


def parse_yaml(data: Buffer, source: str) -> Any:
    """The YAML value of ``data``: mappings, lists and scalars of JSON's kinds.

    Raises:
        FormatError: too long, not YAML in UTF-8, nested too deeply, or with what R does not write: anchors and aliases,
            merged mappings, tags, a key twice in one mapping, several documents. ``source`` is named.
    """
    check_size(data, source, LARGEST)
    try:
        return copy.deepcopy(_value(bytes(data)))
    except (ValueError, TypeError, yaml.YAMLError, RecursionError) as error:
        raise FormatError(
            f"{source} is not a readable YAML document ({error}). Restore the file from git.", source=source
        ) from error


def as_yaml(value: Mapping[str, Any]) -> bytes:
    """A document as R's ``yaml`` writes it."""
    text = yaml.dump(
        dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000
    )
    return text.encode()


@lru_cache(maxsize=16)
def _value(data: bytes) -> Any:
    """The value, parsed once: a writer meets its project's file at each commit, and to parse it takes milliseconds."""
    value = yaml.load(str(data, "utf-8"), Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    return value


class _RefusedError(yaml.MarkedYAMLError):
    """Well-formed YAML that is not taken."""


def _refused(why: str, at: Any) -> _RefusedError:
    return _RefusedError(problem=why, problem_mark=at)


class _Loader(yaml.SafeLoader):
    """PyYAML's loader, bounded, which takes for numbers what R does."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._level = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refused("anchors and aliases are not accepted", event.start_mark)
        if event.tag is not None and event.tag not in _TAGS and event.tag != "!":
            raise _refused(f"the tag {event.tag[:60]!r} is not accepted", event.start_mark)
        self._level += 1
        if self._level > _DEEPEST:
            raise _refused(f"it is nested more than {_DEEPEST} levels deep", event.start_mark)
        node = super().compose_node(parent, index)
        self._level -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key must be a plain value", key.start_mark)
            if key.tag == "tag:yaml.org,2002:merge":
                raise _refused("merged mappings (<<) are not accepted", key.start_mark)
            if (key.tag, key.value) in keys:
                raise _refused(f"the key {key.value[:60]!r} occurs twice", key.start_mark)
            keys.add((key.tag, key.value))
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: Any) -> Any:
        number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if number and len(node.value) > _LONGEST_NUMBER:
            raise _refused(f"a number of {len(node.value)} characters is none", node.start_mark)
        return super().construct_scalar(node)


# To R, which writes them without quotes, 2026_01 and 2026-01-31 are text; PyYAML makes a number and a date of them.
_RESOLVED = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "merge"))
_TEXT_IN_R = re.compile(r"[-+.0-9a-fA-FxX:]*_[-+.0-9a-fA-FxX:_]*")
_Loader.yaml_implicit_resolvers = {
    first: [("tag:yaml.org,2002:str", _TEXT_IN_R)] * (first in "-+.0123456789" and first != "")
    + [(tag, pattern) for tag, pattern in resolvers if tag in _RESOLVED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Writes booleans and null as R's yaml package does."""


_Dumper.add_representer(bool, lambda d, v: d.represent_scalar("tag:yaml.org,2002:bool", "yes" if v else "no"))
_Dumper.add_representer(type(None), lambda d, _: d.represent_scalar("tag:yaml.org,2002:null", "~"))
