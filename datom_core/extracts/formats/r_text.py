"""Delimited text, typed as R types it: data.table's fread (docs/extracts.md).

No library does this: doubled quotes stay doubled, numbers may be quoted, and each column gets one type, tried in R's
own order. Tested against data.table 1.14.8, which rio 0.5.29 calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from datom_core.extracts.formats.problems import bad_file, brief_list, check_columns, check_encoding
from datom_core.extracts.formats.quotes import misquoted
from datom_core.extracts.formats.r_types import column_of, is_only_text
from datom_core.extracts.formats.schemas import Types, conform
from datom_core.extracts.formats.text import not_in

_SEPARATORS = ",|;\t "  # in R's order of preference
_SAMPLE = 100  # lines that R looks at

Field = str | None
Splitter = Callable[[str], list[list[Field]]]


def read_text_as_r(path: Path, name: str, types: Types, *, encoding: str | None, separator: str | None) -> pa.Table:
    """The table; types are inferred from all values of a column, the separator from the first lines.

    If R would warn and read less than the file holds, the file is refused.

    Raises:
        InvalidInputError: the file has quotes that R guesses about, ragged rows, an empty line in between, another
            encoding, a first row that R takes for data, bad columns, or values that do not fit ``types``.
    """
    encoding = check_encoding(encoding, name)
    try:
        text = path.read_bytes().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise not_in(encoding, name, "the text", error) from error
    if "\0" in text:
        raise bad_file(name, "the text holds NUL characters, which R drops. Remove them.")
    sep = separator or _separator(text)
    odd: list[int] = []
    fields = _split(text, sep, odd)
    if odd:
        raise misquoted(
            name, [f"line {_line(text, at)} has a field that only begins like a quoted one" for at in odd[:100]]
        )
    columns, rows = _square(fields, name)
    values = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in columns]
    named = [c or f"V{i}" for i, c in enumerate(columns, 1)]
    check_columns(named, name)
    types.check(named, name)
    arrays = [_typed(c, v, types, name) for c, v in zip(named, values, strict=True)]
    _check_header(columns, [types.types.get(c, a.type) for c, a in zip(named, arrays, strict=True)], name)
    return conform(pa.table(arrays, names=named), types, name)


def _typed(column: str, values: Sequence[Field], types: Types, name: str) -> pa.Array:
    if column in types.types:
        return pa.array(values, pa.string())
    try:
        return column_of(values)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise bad_file(name, f"column {column!r}: {error}. Give its type in schema=.") from error


def _separator(text: str) -> str:
    """The separator that gives most lines the same number of fields, and more than one."""
    head = "\n".join(text[: 2**20].splitlines()[:_SAMPLE])

    def score(sep: str) -> tuple[int, int]:
        counts = [len(row) for row in _split(head, sep)]
        most = max(set(counts), key=counts.count) if counts else 0
        return (counts.count(most), most) if most > 1 else (0, 0)

    best = max(_SEPARATORS, key=score)
    return best if score(best) > (0, 0) else ","


def _split(text: str, sep: str, odd: list[int] | None = None) -> list[list[Field]]:
    """Rows of fields; ``None`` is R's missing value, an unquoted ``NA``. Quotes in quotes stay doubled, as in R.

    If a field begins with a quote but is not a quoted field, its place goes into ``odd``: R warns there, and reads the
    whole file by another rule.
    """
    s = re.escape(sep)
    blank = "" if sep == " " else " *+"
    end = rf"(?:({s})|(\r\n|\n|\r)|\Z)"
    field = re.compile(rf'{blank}"((?:[^"]|"")*+)"{blank}{end}|([^{s}\r\n]*+){end}')
    rows: list[list[Field]] = []
    row: list[Field] = []
    position, length = 0, len(text)
    while position < length:
        match = field.match(text, position)
        assert match is not None  # the second form matches anything
        quoted, after_quoted, _, plain, after, _ = match.groups()
        if quoted is not None:
            row.append(quoted)
        else:
            bare = plain.strip(" ")
            if odd is not None and bare.startswith('"'):
                odd.append(position)
            row.append(None if bare == "NA" else bare)
        position = match.end()
        if after_quoted is None and after is None:
            rows.append(row)
            row = []
        elif position == length:
            row.append("")
    if row:
        rows.append(row)
    return rows


def _line(text: str, position: int) -> int:
    """The line number of a position, as an editor counts."""
    return 1 + len(re.findall(r"\r\n|\n|\r", text[:position]))


def _square(rows: list[list[Field]], name: str) -> tuple[list[Field], list[list[Field]]]:
    """The header and the rows, all of the same length; without empty lines at the end."""
    while len(rows) > 1 and rows[-1] == [""] and len(rows[0]) > 1:
        rows.pop()
    if not rows or rows[0] == [""]:
        raise bad_file(name, "there is no header in the first line. Export it again.")
    columns, body = rows[0], rows[1:]
    if body and all(len(row) == len(columns) + 1 for row in body):
        columns = ["V1", *columns]  # row names, which have no name of their own
    ragged = [f"row {i} has {len(row)} fields" for i, row in enumerate(body, 2) if len(row) != len(columns)]
    if ragged:
        raise bad_file(name, f"the header has {len(columns)} fields, but {brief_list(ragged)}. R would stop there.")
    return columns, body


def _check_header(columns: Sequence[Field], kinds: Iterable[pa.DataType], name: str) -> None:
    """Refuse a first row that R takes for data: it holds values, and no column shows it to be a header."""
    words = [c is not None and is_only_text(c) for c in columns]
    if all(words) or any(w and not pa.types.is_string(k) for w, k in zip(words, kinds, strict=True)):
        return
    odd = [repr(c) for c, word in zip(columns, words, strict=True) if not word]
    raise bad_file(name, f"R takes the first row for data, because of {brief_list(odd)}. Name columns with words.")
