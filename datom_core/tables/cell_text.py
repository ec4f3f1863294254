"""Values of a table as text, so that two different ones never look the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400
_LONGEST = 30  # characters of a value on one line
_BEFORE = 10  # of those, before the first difference
#: How a missing value is shown; text that reads the same is quoted.
MISSING = "(missing)"
# Characters that count as printable but show nothing, or a gap.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_QUOTED = re.compile(r"\s.*|.*\s|\".*\"|", re.DOTALL)


def as_text(column: pa.ChunkedArray) -> list[str | None]:
    """Every value of a column as text; ``None`` is a missing one.

    Numbers, dates and times are as Arrow writes them, durations are in seconds (``90061.5 s``), instants in a zone
    that this machine does not know are in UTC.
    """
    texts: list[str | None] = as_text_column(column).to_pylist()
    return texts


def as_text_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As `as_text`, as an Arrow column of strings."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text_column(pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], kind.value_type))
    if pa.types.is_duration(kind) or (pa.types.is_time(kind) and not _is_of_day(column)):
        texts = [None if ticks is None else _seconds(ticks, kind.unit) for ticks in _ticks(column)]
        return pa.chunked_array([pa.array(texts, pa.string())])
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        if not pa.types.is_timestamp(kind):
            raise
        return column.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.string())


def as_texts(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[list[str | None], list[str | None]]:
    """Both sides of differing values, row by row, as text that differs too."""
    old, new = as_text_columns(before, after)
    return old.to_pylist(), new.to_pylist()


def as_text_columns(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """As `as_texts`, as Arrow columns of strings."""
    old, new = as_text_column(before), as_text_column(after)
    if pa.types.is_float32(before.type) or pa.types.is_float32(after.type):
        # A float32 is written with fewer digits than the float64 of the same value: both would be 0.1.
        same = pc.fill_null(pc.equal(old, new), False)
        old, new = (
            pc.if_else(same, as_text_column(column.cast(pa.float64())), short)
            for column, short in ((before, old), (after, new))
        )
    return old, new


def in_a_line(before: str | None, after: str | None, longest: int = _LONGEST) -> tuple[str, str]:
    """Two differing texts, each on one line, such that a person can tell them apart.

    Text that is empty, has blanks at its ends, or holds invisible characters is quoted, with those escaped; so are
    letters that look alike. Text of more than ``longest`` characters is cut around the first difference.
    """
    if before is None or after is None:
        return alone(before, longest), alone(after, longest)
    shorter = min(len(before), len(after))
    same = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    begin = max(0, same - _BEFORE) if max(len(before), len(after)) > longest else 0
    shown = _unmistakable if not _look_alike(before, after) else _ascii
    return _cut(before, begin, shown, longest), _cut(after, begin, shown, longest)


def alone(text: str | None, longest: int = _LONGEST) -> str:
    """One text on one line, quoted as `in_a_line` does, cut at ``longest`` characters."""
    return MISSING if text is None else _cut(text, 0, _unmistakable, longest)


def _cut(text: str, begin: int, shown: Callable[[str], str], longest: int) -> str:
    end = begin + longest
    return ("…" if begin else "") + shown(text[begin:end]) + ("…" if len(text) > end else "")


def _ticks(column: pa.ChunkedArray) -> Sequence[int | None]:
    small = pa.types.is_time32(column.type)
    ticks: list[int | None] = column.cast(pa.int32() if small else pa.int64()).to_pylist()
    return ticks


def _is_of_day(column: pa.ChunkedArray) -> bool:
    last = _DAY * _PER_SECOND[column.type.unit]
    return all(ticks is None or 0 <= ticks < last for ticks in _ticks(column))


def _seconds(ticks: int, unit: str) -> str:
    """Exact, without trailing zeros."""
    whole, rest = divmod(abs(ticks), _PER_SECOND[unit])
    digits = f"{rest:0{len(str(_PER_SECOND[unit])) - 1}d}".rstrip("0") if rest else ""
    return f"{'-' if ticks < 0 else ''}{whole}{'.' if digits else ''}{digits} s"


def _unmistakable(text: str) -> str:
    if text.isprintable() and not _UNSEEN.search(text) and text != MISSING and not _QUOTED.fullmatch(text):
        return text
    escaped = "".join(c if _shows(c) and c not in '"\\' else _escape(c) for c in text)
    return f'"{escaped}"'


def _shows(character: str) -> bool:
    return character.isprintable() and not _UNSEEN.match(character)


def _look_alike(before: str, after: str) -> bool:
    """Whether the letters are the same but composed differently, or a character may be mistaken for another."""
    if before.isascii() and after.isascii():
        return False
    if unicodedata.normalize("NFKC", before) == unicodedata.normalize("NFKC", after):
        return True
    return len(before) == len(after) and any(
        a != b and not (a.isascii() and b.isascii()) and _alike(a, b) for a, b in zip(before, after, strict=True)
    )


def _alike(one: str, other: str) -> bool:
    """Whether two characters may be confused: letters or digits of two scripts, or signs."""
    if one.isalpha() and other.isalpha():
        return _script(one) != _script(other)
    kinds = {unicodedata.category(one)[0], unicodedata.category(other)[0]}
    return kinds <= {"P", "S"} or kinds == {"N"} or kinds == {"C"}


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0]


def _ascii(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character.encode("unicode_escape").decode("ascii")
