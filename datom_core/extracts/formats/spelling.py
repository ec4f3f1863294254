"""Whether values read from text give the same text when written again.

What decides is whether *one* way of writing reproduces every text in a column: ``1.5`` and ``1.25`` are what Python, R
and Arrow write, ``1.50`` and ``1.25`` are numbers with two decimals; ``1.10`` next to ``1.1`` is neither: they may
mean different things, so the column is text.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: What stands for a missing value in a column that is not text; none is a way in which programs print NaN.
MISSING = ("", "NA", "N/A", "#N/A", "#N/A N/A", "#NA", "n/a", "NULL", "null", "NaN")
_EXACT = 15  # decimal digits that every double preserves
_TRUTH = ({"true", "false"}, {"True", "False"}, {"TRUE", "FALSE"})
_SAME = np.arange(256, dtype=np.uint8)
_SAME[ord("0") : ord("9") + 1] = ord("0")
_MICRO = 6  # digits that Python writes for a fraction of a second
_ZONE = r"(?:Z|[+-]\d\d(?::?\d\d)?)?"
# What storage cannot keep: the year 0, which Python's calendar lacks, and offsets, which become UTC.
_LOST = r"^0000|[T ][\d:.]*(?:-[\d:]+|\+[\d:]*[1-9][\d:]*)$"
_SHAPE = re.compile(r"(0000-00-00(?:[T ]00(?::00){0,2})?|00(?::00){1,2})(?:\.(0+))?(Z|\+00(?::?00)?)?")
_SECONDS = re.compile(r"00:00:00$")

Ways = frozenset[Hashable]


class Spelling(ABC):
    """The ways of writing that reproduce all of a column's texts seen so far."""

    def __init__(self) -> None:
        self._ways: Ways | None = None

    @property
    def comes_back(self) -> bool:
        """Whether there is a way."""
        return self._ways is None or bool(self._ways)

    def see(self, texts: pa.Array) -> None:
        """Examine further texts; those that stand for missing values do not count."""
        texts = texts.filter(pc.invert(pc.is_in(texts, pa.array(MISSING))))
        if len(texts) and self.comes_back:
            try:
                self._keep(self._of(texts))
            except pa.ArrowInvalid:  # the type accepts this text only if trimmed, as Arrow's csv reader does
                self._ways = frozenset()

    def _keep(self, found: Iterable[Ways]) -> None:
        for ways in found:
            self._ways = ways if self._ways is None else self._ways & ways

    @abstractmethod
    def _of(self, texts: pa.Array) -> Iterable[Ways]:
        """The ways of writing for each kind of text present."""


def spelling_of(kind: pa.DataType) -> Spelling | None:
    """A watch over the texts of a column of a type that Arrow inferred; ``None`` for a type without risk."""
    if pa.types.is_integer(kind):
        return _Whole()
    if pa.types.is_floating(kind):
        return _Decimal()
    if pa.types.is_boolean(kind):
        return _Truth()
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        return _Moments()
    return None


class _Whole(Spelling):
    def _of(self, texts: pa.Array) -> Iterable[Ways]:
        same = texts.cast(pa.int64()).cast(pa.string()).equals(texts)
        yield frozenset({"whole"} if same else ())


class _Decimal(Spelling):
    """Numbers with decimals. A zero with a sign is never reproduced: the content hash treats it as 0."""

    def _of(self, texts: pa.Array) -> Iterable[Ways]:
        back = texts.cast(pa.float64()).cast(pa.string())
        same = pc.equal(texts, back)
        point, length = pc.find_substring(texts, "."), pc.binary_length(texts)
        long = pc.greater(length, _EXACT + 1)
        # Words, exponents, zeros in a row (for R), and zeros with a sign are examined one by one.
        odd = pc.match_substring_regex(texts, r"[A-Za-z]|0000|0\.000|^-0\.?0*$")
        padded = pc.and_(pc.greater(point, 0), pc.ends_with(texts, "0"))
        rest = pc.and_(pc.invert(same), padded)
        if pc.any(rest).as_py():
            trimmed = pc.replace_substring_regex(texts, r"\.?0+$", "")
            rest = pc.and_(rest, pc.equal(trimmed, back))
        # So are zeros after more digits than a double preserves, and whole numbers that long.
        odd = pc.or_(odd, pc.and_(long, pc.or_(rest, pc.less(point, 0))))
        odd = pc.or_(odd, pc.invert(pc.or_(same, rest)))
        usual = pc.invert(odd)
        decimals = pc.if_else(pc.greater(point, 0), pc.subtract(pc.subtract(length, point), 1), 0)
        for ways, mask in (
            (_short_ways, pc.and_(same, pc.invert(long))),
            (_long_ways, pc.and_(same, long)),
            (_padded_ways, rest),
        ):
            yield from map(ways, pc.unique(decimals.filter(pc.and_(usual, mask))).to_pylist())
        for text in pc.unique(texts.filter(odd)).to_pylist():
            yield self._ways_of(text)
            if not self.comes_back:
                return

    def _ways_of(self, text: str) -> Ways:
        """The ways of writing a number, among those still open, that give this text."""
        value = float(text)
        whole = text.lstrip("-").isdigit()
        if not math.isfinite(value) or (value == 0 and text.startswith("-")) or (whole and len(text) > _EXACT + 1):
            return frozenset()  # words, what a double rounds to 0, and whole numbers that are identifiers
        open_ways = _WRITERS.keys() if self._ways is None else _WRITERS.keys() & self._ways
        ways: set[Hashable] = {way for way in open_ways if _WRITERS[way](value) == text}
        decimals = len(text) - text.find(".") - 1 if "." in text else 0
        if decimals and f"{value:.{decimals}f}" == text:
            ways.add(decimals)
        return frozenset(ways)


# A fixed number of decimals is a way of writing, too.


def _short_ways(decimals: int) -> Ways:
    """The ways that write a number of at most 15 digits that does not end in a redundant 0."""
    return frozenset({"arrow", "positional", "r"} | ({decimals, "python", "positional.0"} if decimals else set()))


def _long_ways(decimals: int) -> Ways:
    """The ways that write a number with all the digits needed to tell a double from its neighbours."""
    return _short_ways(decimals) - {"r"}


def _padded_ways(decimals: int) -> Ways:
    """The ways that write a number whose last decimal is a 0."""
    return frozenset({decimals} | ({"python", "positional.0"} if decimals == 1 else set()))


def _as_r(value: float) -> str:
    """As R writes numbers: 15 digits, with an exponent if that is shorter."""
    mantissa, exponent = f"{value:.{_EXACT - 1}e}".split("e")
    scientific = f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
    plain = np.format_float_positional(float(f"{value:.{_EXACT}g}"), trim="-")
    return plain if len(plain) <= len(scientific) else scientific


_WRITERS: dict[str, Callable[[float], str]] = {
    "arrow": lambda v: str(pa.scalar(v).cast(pa.string())),
    "python": repr,
    "r": _as_r,
    "positional": lambda v: str(np.format_float_positional(v, trim="-")),
    "positional.0": lambda v: str(np.format_float_positional(v, trim="0")),
}


class _Truth(Spelling):
    def _of(self, texts: pa.Array) -> Iterable[Ways]:
        for text in pc.unique(texts).to_pylist():
            yield frozenset(i for i, words in enumerate(_TRUTH) if text in words)


class _Moments(Spelling):
    """Dates, times of day and timestamps: all of one shape, except for fractions of seconds."""

    def _of(self, texts: pa.Array) -> Iterable[Ways]:
        fractions = pc.match_substring(texts, ".")
        yield from (_shape_ways(shape) for shape in _shapes(texts.filter(pc.invert(fractions))))
        texts = texts.filter(fractions)
        if len(texts):
            short = pc.match_substring_regex(texts, rf"[1-9]{_ZONE}$")
            zero = pc.match_substring_regex(texts, rf"\.0+{_ZONE}$")
            for is_short, is_zero in ((True, False), (False, True), (False, False)):
                chosen = pc.and_(pc.equal(short, is_short), pc.equal(zero, is_zero))
                for shape in _shapes(texts.filter(chosen)):
                    yield _shape_ways(shape, is_short=is_short, is_zero=is_zero)


def _shapes(texts: pa.Array) -> set[str]:
    """The texts with all digits made alike; plus an empty one, if some have the year 0 or an offset."""
    found = set()
    for length in pc.unique(pc.binary_length(texts)).to_pylist():
        same = texts.filter(pc.equal(pc.binary_length(texts), length))
        data = same.buffers()[2]
        start = int(np.frombuffer(same.buffers()[1], np.int32)[same.offset])
        rows = np.frombuffer(data, np.uint8, length * len(same), start).reshape(len(same), length)
        while len(rows):
            shape = _SAME[rows[0]]
            mask = (_SAME[rows] == shape).all(axis=1)
            found.add(bytes(shape).decode("latin-1"))
            rows = rows[~mask]
    special = texts.filter(pc.match_substring_regex(texts, _LOST)) if _may_lose(found) or _year_0(texts) else None
    return found | ({""} if special is not None and len(special) else set())


def _may_lose(shapes: Iterable[str]) -> bool:
    """Whether any shape has an offset."""
    return any(re.search(r"[T ].*[+-]", shape) for shape in shapes)


def _year_0(texts: pa.Array) -> bool:
    return bool(pc.any(pc.starts_with(texts, "0000")).as_py())


def _shape_ways(shape: str, *, is_short: bool = False, is_zero: bool = False) -> Ways:
    """The ways of writing fractions of seconds in texts of this shape; ``is_short``: they do not end in 0."""
    match = _SHAPE.fullmatch(shape)
    if match is None:
        return frozenset()
    rest, fraction, zone = match.groups()
    ways: set[Hashable] = {len(fraction or "")}
    if _SECONDS.search(rest):
        ways |= {"shortest"} if not fraction or is_short else set()
        ways |= {"python"} if not fraction or (len(fraction) == _MICRO and not is_zero) else set()
    return frozenset((rest, zone, way) for way in ways)
