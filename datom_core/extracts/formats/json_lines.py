"""The JSON of a Dataset-JSON file: what it says about itself, and its rows, with each value as it was written.

Three layouts: one document; one line about the file and one per row (ndjson); the same in a zlib stream (dsjc).
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from datom_core.errors import DatomError
from datom_core.extracts.formats.problems import bad_file

_BLOCK = 2**16
_LONGEST = 16 * 2**20  # characters in a line of a compressed file
# Deflate expands a byte to 1,032 at most. Study tables reach 5 to 60; anything above this is meant to exhaust memory.
_RATIO, _UNSUSPECTED = 500, 16 * 2**20


class Literal(str):
    """A JSON number as it was written."""

    __slots__ = ()

    @property
    def number(self) -> int | float:
        return float(self) if any(c in self for c in ".eE") else int(self)


@dataclass(frozen=True)
class Parts:
    """A file: what it says about itself, and its rows, which can be iterated over once."""

    about: Mapping[str, Any]
    rows: Iterator[Any]


@contextmanager
def opened(path: Path, name: str, *, compressed: bool, literal: bool) -> Iterator[Parts]:
    """The parts of a file.

    Args:
        path, name: the file, and what errors call it.
        compressed: whether it is a zlib stream.
        literal: return numbers as `Literal`, with every digit and zero that the file has.

    Raises:
        InvalidInputError: the JSON is not whole, is nested too deeply, has a duplicate key, NaN, or text after its end;
            or ``rows`` is not a list. Also raised while iterating over the rows, and for errors in the body about their
            text.
    """
    parse = _parser(literal)
    try:
        with _text(path, name, compressed) as file:
            yield _parts(file, name, parse, compressed)
    except DatomError:
        raise
    except UnicodeDecodeError as error:
        raise bad_file(name, f"Dataset-JSON is UTF-8, and this file is not ({error}).") from error
    except RecursionError as error:
        raise bad_file(name, "the JSON is nested so deeply that it is no Dataset-JSON.") from error
    except json.JSONDecodeError as error:
        raise bad_file(name, f"the JSON is not whole ({error}). Deliver it again.") from error
    except zlib.error as error:
        raise bad_file(name, f"the compressed data is damaged ({error}). Deliver it again.") from error
    except ValueError as error:
        raise bad_file(name, f"the JSON cannot be read: {_said(error)}.") from error


def _parts(file: IO[str], name: str, parse: Callable[[str], Any], compressed: bool) -> Parts:
    lines = _lines(file, name, _LONGEST if compressed else -1)
    number, first = next(lines, (1, ""))
    try:
        about = parse(first)
        whole = isinstance(about, dict) and "rows" in about
    except json.JSONDecodeError:
        if compressed:
            raise
        about, whole = parse("\n" * (number - 1) + first + file.read()), True
    if not isinstance(about, dict):
        raise bad_file(name, "this JSON is not CDISC Dataset-JSON: it is no object.")
    if not whole:
        return Parts(about, _parsed(lines, name, parse))
    more = next(lines, None)
    if more is not None:
        raise bad_file(name, f"line {more[0]} comes behind the end of the document. Deliver the file again.")
    rows = about.get("rows")
    if not isinstance(rows, list | None):
        raise bad_file(name, f"rows is a list of rows, not {_kind(rows)}.")
    return Parts(about, iter(rows or ()))


def _lines(file: IO[str], name: str, longest: int) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    number = 0
    while line := file.readline(longest):
        number += 1
        if len(line) == longest:
            raise bad_file(name, f"line {number} has more than {longest:,} characters, which is no row of a table.")
        if line.strip():
            yield number, line


def _parsed(lines: Iterator[tuple[int, str]], name: str, parse: Callable[[str], Any]) -> Iterator[Any]:
    for number, line in lines:
        try:
            yield parse(line)
        except json.JSONDecodeError as error:
            problem = f"line {number}: the JSON is not whole ({error.msg} in column {error.colno}). Deliver it again."
            raise bad_file(name, problem) from error
        except RecursionError as error:
            raise bad_file(name, f"line {number} is nested so deeply that it is no row of a table.") from error
        except ValueError as error:
            raise bad_file(name, f"line {number}: {_said(error)}.") from error


def _parser(literal: bool) -> Callable[[str], Any]:
    options: dict[str, Any] = {"object_pairs_hook": _unique, "parse_constant": _refuse}
    if literal:
        options |= {"parse_int": Literal, "parse_float": Literal}
    return json.JSONDecoder(**options).decode


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"these keys occur twice in one object: {sorted({k for k in keys if keys.count(k) > 1})}")
    return found


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")


def _said(error: ValueError) -> str:
    """Python's reason; for a number that it refuses to read, without its advice on how to change that."""
    return "a number has thousands of digits" if "integer string conversion" in str(error) else str(error)


def _kind(value: object) -> str:
    kinds = {dict: "an object", str: "text", bool: "a truth value"}
    return kinds.get(type(value), "a number")


@contextmanager
def _text(path: Path, name: str, compressed: bool) -> Iterator[IO[str]]:
    with path.open("rb") as raw:
        file: Any = io.BufferedReader(_Inflated(raw, name), _BLOCK) if compressed else raw
        with io.TextIOWrapper(file, encoding="utf-8-sig") as text:
            yield text


class _Inflated(io.RawIOBase):
    """The content of a zlib stream, a block at a time, however much a block expands to."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self._stream = zlib.decompressobj()
        self._taken = self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = b""
        while not block and not self._stream.eof:
            more = self._stream.unconsumed_tail or self._file.read(_BLOCK)
            if not more:
                raise bad_file(self._name, "the compressed data breaks off before its end. Deliver it again.")
            self._taken += 0 if self._stream.unconsumed_tail else len(more)
            block = self._stream.decompress(more, len(buffer))
        if not block and (self._stream.unused_data or self._file.read(1)):
            raise bad_file(self._name, "there is more behind the end of the compressed data. Deliver it again.")
        self._given += len(block)
        if self._given > max(_UNSUSPECTED, self._taken * _RATIO):
            raise bad_file(
                self._name, f"the compressed data grows to more than {_RATIO} times its size. No table does."
            )
        buffer[: len(block)] = block
        return len(block)
