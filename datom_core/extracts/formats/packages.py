"""The zip archives behind xlsx, xlsm and xlsb: their parts, how the parts refer to each other, their XML.

An archive may come from anybody: none can make a reader unpack, expand or remember much more than the file's size.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from datom_core.extracts.formats.cells import DamagedError

_CHUNK = 65536
_RATIO = 100  # tables of a single value reach about 50
_GRACE = 256 * 2**20
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
#: The namespaces of workbooks: Excel's own, and that of its "Strict Open XML".
MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
#: The namespaces of the ids that link one part to another.
LINKS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)


class Package:
    """An archive, open as long as its context is.

    Raises:
        DamagedError: two of its parts have the same name, so programs may see different ones.
    """

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        # Some programs refer to parts with other cases and slashes than they write.
        self._names = {_plain(i.filename): i for i in self._zip.infolist()}
        if len(self._names) < len(self._zip.infolist()):
            self._zip.close()
            raise DamagedError("two of its parts have one name")
        self._left = max(_GRACE, _RATIO * path.stat().st_size)
        self._opened = ExitStack()

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()  # parts that were not read to the end
        self._zip.close()

    def __contains__(self, part: str) -> bool:
        return _plain(part) in self._names

    def chunks(self, part: str) -> Iterator[bytes]:
        """The bytes of a part.

        Raises:
            DamagedError: the part is missing, or all the parts read exceed a hundred times the archive's size.
        """
        info = self._names.get(_plain(part))
        if info is None:
            raise DamagedError(f"its part {part} is missing")
        if info.compress_type not in _PACKINGS or info.flag_bits & 1:
            raise DamagedError(f"its part {part} is packed or encrypted as no workbook is")
        with self._opened.enter_context(self._zip.open(info)) as file:
            while chunk := file.read(_CHUNK):
                self._left -= len(chunk)
                if self._left < 0:
                    raise DamagedError(f"it unpacks to more than {_RATIO} times its size")
                yield chunk

    def stream(self, part: str) -> IO[bytes]:
        """The bytes of a part, to be read in pieces of any size."""
        return _Stream(self.chunks(part))  # type: ignore[return-value]

    def links(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to, by id: the last word of the link's type, and the target part."""
        folder, base = posixpath.split(part)
        where = posixpath.join(folder, "_rels", f"{base}.rels")
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == f"{_RELATIONS} Relationship" and attributes.get("TargetMode") != "External":
                kind, target = attributes.get("Type", ""), attributes.get("Target", "").replace("\\", "/")
                resolved = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                found[attributes.get("Id", "")] = (kind.rsplit("/", 1)[-1], resolved)

        if where in self:
            for _ in parsed(self.chunks(where), start):
                pass
        return found


def parsed(
    chunks: Iterator[bytes],
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse XML and call back, with names as ``namespace name``. Yields after each chunk.

    Raises:
        DamagedError: it declares a document type: no workbook does, and entities could be anything, of any size.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    handlers: dict[str, Any] = {
        "StartElementHandler": start,
        "EndElementHandler": end,
        "CharacterDataHandler": text,
        "StartDoctypeDeclHandler": _refuse,
    }
    for name, handler in handlers.items():
        setattr(parser, name, handler)
    for chunk in chunks:
        parser.Parse(chunk)
        yield
    parser.Parse(b"", True)
    yield


def _refuse(*_: object) -> None:
    raise DamagedError("its XML declares a document type")


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


class _Stream:
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._buffer, self._at = chunks, b"", 0

    def read(self, size: int) -> bytes:
        """This many bytes; fewer at the end."""
        while len(self._buffer) - self._at < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        piece = self._buffer[self._at : self._at + size]
        self._at += size
        return piece
