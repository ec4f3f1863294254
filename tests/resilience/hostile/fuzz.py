"""Bytes that somebody made up, for every reader of documents and for the canonical JSON.

`check` says what must hold of any bytes; the corpus beside this file holds those that once led somewhere new. The test
works through them and what is near them. ``make fuzz`` looks for more with atheris, guided by the code that they reach.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from datom_core.documents import Cuts, Events, GovernanceFile, History, Manifest, Metadata, ProjectFile, Ref
from datom_core.documents.canonical import canonical, metadata_sha
from datom_core.documents.parsing import parse
from datom_core.errors import FormatError

CORPUS = Path(__file__).with_name("corpus")
READERS: dict[str, Callable[[bytes, str], Any]] = {
    "metadata": Metadata.from_json,
    "history": History.from_json,
    "manifest": Manifest.from_json,
    "cuts": Cuts.from_json,
    "governance": GovernanceFile.from_json,
    "ref": Ref.from_json,
    "events": Events.from_json,
    "project": ProjectFile.from_yaml,
    "canonical": parse,
}
#: What fits in few fields, tries to get out of the namespace, or is too much.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31 - 1, 2**31, 2**53, 10**30, 0.1, 1e-7, 1e308, -0.0, [], {}, [[]], ["x"]),
    *("", "x", "../../x", "/etc/x", "\ud800", "\0", "\u202e", "a" * 64, "f" * 64, "A" * 64, "f" * 63, "null", "</x>"),
    *("2026-01-01T00:00:00Z", "9999-99-99T99:99:99Z", "0000-01-01T00:00:00Z", "2026-02-30", "s3", "local", "ext::sh"),
)
TOKENS = (
    b"{",
    b"}",
    b"[",
    b'"',
    b":",
    b",",
    b"NaN",
    b"1e999",
    b"\\ud800",
    b"\xff",
    b"- ",
    b"&a ",
    b"*a",
    b"!!",
    b"\n\n",
)
_LONGEST = 4096


def check(reader: str, data: bytes) -> str:
    """Have ``reader`` read the bytes; which of the two happened that may: a document, or a `FormatError`."""
    document, refused = None, ""
    try:
        document = READERS[reader](data, "the document")
    except FormatError as error:
        refused = str(error)
    if refused:
        assert "the document" in refused, "it says which"
        assert refused.encode(), "it can be printed"
        return "refused"
    if reader == "canonical":
        _canonical(document)
    else:
        _again(reader, document)
    return "read"


def _again(reader: str, document: Any) -> None:
    """What was read is written in a way that reads the same."""
    write = "to_yaml" if reader == "project" else "to_json"
    written = getattr(document, write)()
    assert getattr(READERS[reader](written, "the same again"), write)() == written


def _canonical(value: Any) -> None:
    """It is JSON, of the same shape, and depends on nothing but the value."""
    text = canonical(value)
    assert canonical(json.loads(text)) == canonical(json.loads(canonical(json.loads(text))))
    assert _shape(json.loads(text)) == _shape(value)
    if isinstance(value, dict):
        assert len(metadata_sha(value)) == 64


def _shape(value: Any) -> Any:
    """All but the numbers, which keep fifteen digits or fewer."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The document with a place or some of it made into something else, or with its bytes disturbed."""
    try:
        document = yaml.safe_load(data) if data[:1] not in (b"{", b"[") else json.loads(data)
    except (ValueError, yaml.YAMLError, RecursionError):
        document = None
    if document is None or chance.random() < 0.2:
        return _disturbed(data, chance)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        document = _changed(document, chance)
    if data[:1] not in (b"{", b"["):
        return yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass")
    return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def _changed(document: Any, chance: random.Random) -> Any:
    """Another document: one place is replaced, left out, put elsewhere, or gets a neighbour."""
    everywhere = list(places(document))
    at, other = chance.choice(everywhere), chance.choice(everywhere)
    value = chance.choice((_at(document, other), chance.choice(VALUES), _number(chance)))
    if not at:
        return value if chance.random() < 0.1 else document
    copied = copy.deepcopy(document)
    holder, key = _at(copied, at[:-1]), at[-1]
    match chance.randrange(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(("new", "", "../x", "a" * 300, key.upper() if isinstance(key, str) else "x"))] = value
        case 1 | 2 if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(value))
        case _:
            holder[key] = copy.deepcopy(value)
    return copied


def _number(chance: random.Random) -> int | float:
    exact = chance.getrandbits(chance.choice((8, 31, 32, 53, 64, 128)))
    return chance.choice((exact, -exact, exact / 1e4, exact * 1e-9, chance.uniform(-1, 1)))


def places(document: Any, at: tuple[Any, ...] = (), *, most: int | None = None) -> Iterator[tuple[Any, ...]]:
    """Every place in a document; of a list, the first so many."""
    yield at
    listed = enumerate(document[:most]) if isinstance(document, list) else ()
    for key, value in document.items() if isinstance(document, dict) else listed:
        yield from places(value, (*at, key), most=most)


def _at(document: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        document = document[key]
    return document


def _disturbed(data: bytes, chance: random.Random) -> bytes:
    """Bytes are lost, doubled, or become others."""
    begin = chance.randrange(len(data) + 1)
    end = min(len(data), begin + chance.choice((1, 1, 2, 8, 64)))
    between = chance.choice((b"", data[begin:end] * 2, chance.randbytes(end - begin), chance.choice(TOKENS)))
    return data[:begin] + between + data[end:]


def corpus(reader: str) -> list[bytes]:
    """What is kept for a reader, in a text that a review can show."""
    return [text.encode("latin-1") for text in json.loads((CORPUS / f"{reader}.json").read_text())]


def keep(reader: str, found: list[bytes]) -> None:
    """Make ``found`` the corpus of a reader."""
    texts = sorted({data.decode("latin-1") for data in found if len(data) <= _LONGEST}, key=lambda t: (len(t), t))
    (CORPUS / f"{reader}.json").write_text(json.dumps(texts, indent=0) + "\n")
