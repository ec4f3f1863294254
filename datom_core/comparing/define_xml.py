"""The key sequences that a define.xml gives."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple
from xml.etree.ElementTree import ParseError  # only the class; what parses is defusedxml

from datom_core.common import needing
from datom_core.errors import InvalidInputError

_LARGEST = 256 << 20  # bytes; the define.xml of a large study has some ten million


class _Group(NamedTuple):
    """A table: its name, the keys that Define-XML 1.0 lists, and places in the key with ids of columns."""

    name: str
    listed: str
    references: list[tuple[str, str]]


def keys_of_define(source: str | Path | bytes) -> dict[str, tuple[str, ...]]:
    """Table -> the columns of its key in order, for every table of a define.xml that gives one.

    Define-XML 1.0, 2.0 and 2.1 are read: ``KeySequence`` of the references to columns, and in 1.0 ``DomainKeys`` of
    the table. Tables are named as in the document, usually in capitals.

    Args:
        source: the path of the file, or its bytes.

    Raises:
        InvalidInputError: there is no such file; it is no XML, no define.xml, or larger than 256 MiB; it has a
            document type or entities; a key names a column that is not described, or has two columns in one place; a
            table is described twice.
    """
    if not isinstance(source, str | Path | bytes):
        raise InvalidInputError(f"A define.xml is a path or bytes, not {type(source).__name__}.")
    with needing("A define.xml", "compare"):
        from defusedxml import DefusedXmlException
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as stream:
            return _keys(stream)
    except OSError as error:
        raise _bad(f"it cannot be read ({error.strerror or error})") from error
    except DefusedXmlException as error:
        raise _bad("it has a document type or entities, which no define.xml needs and which can do harm") from error
    except (ParseError, ValueError, LookupError) as error:  # an encoding that Python does not know is a LookupError
        raise _bad(f"it is not whole XML ({error})") from error


def _keys(stream: IO[bytes]) -> dict[str, tuple[str, ...]]:
    from defusedxml.ElementTree import iterparse

    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > _LARGEST:
        raise _bad(f"it has {size:,} bytes, of {_LARGEST:,} that are read")
    groups: list[_Group] = []
    names: dict[str, str] = {}
    root = None
    for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
        tag = _local(element.tag)
        if event == "start":
            if root is None:
                root = tag
                if tag != "ODM":
                    raise _bad(f"its root is {tag!r}, not 'ODM'")
            continue
        if tag == "ItemDef":
            names[element.get("OID", "")] = element.get("Name", "")
        elif tag == "ItemGroupDef":
            groups.append(_Group(element.get("Name") or "", _domain_keys(element), list(_sequence(element))))
        if tag not in ("ItemRef", "ODM"):
            element.clear()  # references stay until their group ends
    return _resolved(groups, names)


def _sequence(group: Any) -> Iterator[tuple[str, str]]:
    for reference in group:
        if _local(reference.tag) == "ItemRef" and reference.get("KeySequence"):
            yield reference.get("KeySequence"), reference.get("ItemOID", "")


def _domain_keys(group: Any) -> str:
    return next((value for name, value in group.attrib.items() if _local(name) == "DomainKeys"), "")


def _resolved(groups: list[_Group], names: dict[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    problems = []
    if not groups:
        problems.append("it describes no table (ItemGroupDef)")
    for table, listed, references in groups:
        places: dict[int, str] = {}
        for place, column in references:
            if not re.fullmatch(r"[0-9]{1,6}", place.strip()):
                problems.append(f"{table}: KeySequence {place[:20]!r} is no number")
            elif not names.get(column):
                problems.append(f"{table}: no column {column[:100]!r} is described (ItemDef)")
            elif int(place) in places:
                problems.append(f"{table}: {places[int(place)]} and {names[column]} have the same place in the key")
            else:
                places[int(place)] = names[column]
        columns = tuple(places[n] for n in sorted(places)) or tuple(re.findall(r"[^\s,;]+", listed))
        if table in found:
            problems.append(f"{table} is described twice")
        if columns:
            found[table] = columns
    if problems:
        raise _bad("; ".join(problems[:20]))
    return found


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _bad(reason: str) -> InvalidInputError:
    return InvalidInputError(f"This is no define.xml whose keys can be read: {reason}.")
