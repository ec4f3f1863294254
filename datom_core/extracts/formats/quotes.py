"""Whether the quotes in delimited text are where RFC 4180 allows them.

A quote opens a field at its very start, and closes it just before a separator, a line end or the end of the file;
inside, it is doubled. A quote in a field that does not begin with one is an ordinary character (``5" pipe``). Readers
guess about anything else: Arrow runs a field that never closes to the end of the file, and drops quotes in the middle.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datom_core.extracts.formats.problems import bad_file, brief_list

_BLOCK = 2**20
_QUOTE = 0x22
_ENDS = b"\r\n"
_BOM = codecs.BOM_UTF8
# Encodings in which the bytes for quotes, separators and line ends mean nothing else.
_PLAIN = ("utf-8", "ascii", "iso8859", "cp125")


def check_quotes(path: Path, name: str, separator: str, encoding: str) -> None:
    """Refuse text with a quote that never closes, or with characters after a closing quote.

    Raises:
        InvalidInputError: names the line of each, as an editor counts them, including line ends within quotes, from 1.
        UnicodeError: the text is not in this encoding.
    """
    found = QuoteCheck(separator)
    for block in _blocks(path, encoding):
        found.feed(block)
    problems = found.end()
    if problems:
        raise misquoted(name, problems)


def misquoted(name: str, problems: list[str]) -> Exception:
    """The error that quotes are where they may not be."""
    return bad_file(
        name,
        f"quotes do not say where fields end: {brief_list(problems)}. Quote a field as a whole and double the quotes "
        "within it, or quote nothing; if the file was cut off, get it again.",
    )


def _blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """The text in UTF-8, or in its own encoding if that amounts to the same."""
    with path.open("rb") as file:
        if encoding.startswith(_PLAIN):
            yield from iter(lambda: file.read(_BLOCK), b"")
            return
        decoder = codecs.getincrementaldecoder(encoding)()
        while data := file.read(_BLOCK):
            yield decoder.decode(data).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


class QuoteCheck:
    """Checks a text, block by block."""

    def __init__(self, separator: str) -> None:
        self._edge = np.zeros(256, np.bool_)  # bytes next to which a quote may open or close
        self._edge[[*separator.encode(), *_ENDS]] = True
        self._before = _ENDS[1]  # the last byte seen
        self._held = b""  # quotes at the end of a block, which the next block decides about
        self._inside = False
        self._opened = 0  # line of the last opening quote
        self._line = 1  # at the start of what is held
        self._started = False
        self._problems: list[str] = []

    def feed(self, block: bytes) -> None:
        """Check the next bytes of the text."""
        data = self._held + block
        if not self._started:
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._held = data
                return
            self._started, data = True, data.removeprefix(_BOM)
        body = data.rstrip(b'"\r')  # a line end may be \r\n
        self._held = data[len(body) :]
        self._check_quotes(body, self._held[:1])

    def end(self) -> list[str]:
        """What is wrong with the text, once there is no more of it."""
        self._check_quotes(self._held, b"")
        if self._inside:
            self._problems.append(f"line {self._opened} opens a quote that never closes")
        return self._problems

    def _check_quotes(self, body: bytes, after: bytes) -> None:
        if not body:
            return
        if b'"' in body:
            array = np.frombuffer(body, np.uint8)
            quotes = np.flatnonzero(array == _QUOTE)
            last = int(quotes[-1]) + 1
            # A quote may close at the end of the file, as at the end of a line.
            end = body[last] if last < len(body) else (after or b"\n")[0]
            if not self._regular(body, array, quotes, end):
                self._walk(body, quotes.tolist(), end)
        self._line += _lines(body)
        self._before = body[-1]

    def _regular(self, body: bytes, array: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], end: int) -> bool:
        """Whether quotes open and close in turn, each where it may; if so, the state moves on."""
        before = array[quotes - 1]
        if quotes[0] == 0:
            before[0] = self._before
        following = np.empty_like(before)
        following[:-1] = array[quotes[:-1] + 1]
        following[-1] = end
        opening, closing = slice(int(self._inside), None, 2), slice(1 - int(self._inside), None, 2)
        # Of two quotes in a quoted field, the first closes it for a moment and the second reopens it.
        again = before[opening] == _QUOTE
        if not np.all(self._edge[before[opening]] | again):
            return False
        if not np.all(self._edge[following[closing]] | (following[closing] == _QUOTE)):
            return False
        self._inside = (len(quotes) + self._inside) % 2 == 1
        opened = quotes[opening][~again]
        if self._inside and len(opened):
            self._opened = self._line + _lines(body[: int(opened[-1])])
        return True

    def _walk(self, body: bytes, quotes: list[int], end: int) -> None:
        """As `_regular`, quote by quote: some are in unquoted fields, or some are wrong."""
        at, line, skip = 0, self._line, -1
        for position in quotes:
            if position == skip:
                continue
            line, at = line + _lines(body[at:position]), position
            if not self._inside:
                if self._edge[body[position - 1] if position else self._before]:
                    self._inside, self._opened = True, line
                continue
            following = body[position + 1] if position < quotes[-1] else end
            if following == _QUOTE:
                skip = position + 1
                continue
            self._inside = False
            if not self._edge[following]:
                where = "" if self._opened == line else f" of the field that line {self._opened} opens"
                self._problems.append(f"line {line} has text after the closing quote{where}")


def _lines(data: bytes) -> int:
    """How many lines end in these bytes, by ``\\n``, ``\\r`` or both."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
