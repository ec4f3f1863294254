"""Whether the quotes of a text with separators are where they may be: its structure, as RFC 4180 has it.

A quote opens a field at its very start, and closes it just before a separator, a line's end or the file's end; within,
it is doubled. A quote in a field that does not begin with one is a character like any other (``5" pipe``). Readers
guess about anything else: Arrow takes a field that never closes to the file's end, and drops quotes in the middle.
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
# Encodings in which the bytes of quotes, separators and line ends stand for nothing else.
_PLAIN = ("utf-8", "ascii", "iso8859", "cp125")


def check_quotes(path: Path, name: str, separator: str, encoding: str) -> None:
    """Refuse a text with a quote that never closes, or with text after a closing quote.

    Raises:
        InvalidInputError: names the line of each; lines are those of an editor, also within quotes, and the first is 1.
        UnicodeError: the text is not in this encoding.
    """
    found = QuoteCheck(separator)
    for block in _blocks(path, encoding):
        found.feed(block)
    problems = found.end()
    if problems:
        raise misquoted(name, problems)


def misquoted(name: str, problems: list[str]) -> Exception:
    """That quotes are where they may not be."""
    return bad_file(
        name,
        f"quotes do not say where fields end: {brief_list(problems)}. Quote a field as a whole and double the quotes "
        "within it, or quote nothing; if the file was cut off, get it again.",
    )


def _blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """The text in UTF-8, or in its own encoding where that comes to the same."""
    with path.open("rb") as file:
        if encoding.startswith(_PLAIN):
            yield from iter(lambda: file.read(_BLOCK), b"")
            return
        decoder = codecs.getincrementaldecoder(encoding)()
        while data := file.read(_BLOCK):
            yield decoder.decode(data).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


class QuoteCheck:
    """Goes through a text block by block."""

    def __init__(self, separator: str) -> None:
        self._edge = np.zeros(256, np.bool_)  # bytes next to which a quote may open or close
        self._edge[[*separator.encode(), *_ENDS]] = True
        self._before = _ENDS[1]  # the last byte that was looked at
        self._held = b""  # what the next block decides about: quotes at the end of a block
        self._inside = False
        self._opened = 0  # line of the quote that opened last
        self._line = 1  # at the beginning of what is held
        self._started = False
        self._problems: list[str] = []

    def feed(self, block: bytes) -> None:
        """Look at the next bytes of the text."""
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
        """What is wrong with the text, when there is no more of it."""
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
            # At the file's end, a quote may close as at a line's.
            end = body[last] if last < len(body) else (after or b"\n")[0]
            if not self._regular(body, array, quotes, end):
                self._walk(body, quotes.tolist(), end)
        self._line += _lines(body)
        self._before = body[-1]

    def _regular(self, body: bytes, array: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], end: int) -> bool:
        """Whether quotes open and close by turns, each where it may; the state moves on then."""
        before = array[quotes - 1]
        if quotes[0] == 0:
            before[0] = self._before
        following = np.empty_like(before)
        following[:-1] = array[quotes[:-1] + 1]
        following[-1] = end
        opening, closing = slice(int(self._inside), None, 2), slice(1 - int(self._inside), None, 2)
        # Of two in a quoted field, the first closes it for the moment and the second opens it again.
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
        """As `_regular`, quote by quote: there are some in unquoted fields, or some that are wrong."""
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
