"""Where the rows of a SAS transport file (xpt) begin and end, and whether a Stata file (dta) is whole.

ReadStat reads an xpt file to wherever it ends, without complaint: a truncated file would lose rows, NUL padding would
become rows, and if there are several data sets, the later ones would be read as rows of the first. So the headers are
read here, each where the one before it ends. In a Stata file, ReadStat reads the rows, but does not notice if the
labels after them are missing.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from datom_core.errors import InvalidInputError
from datom_core.extracts.formats.problems import bad_file, check_columns

_RECORD = 80
_MEMBERS = b"HEADER RECORD*******MEMB"
_STATA, _STATA_END = b"<stata_dta>", b"</stata_dta>"
_LIBRARY = 3  # records before the first data set
_DESCRIPTION = 5  # records of a data set before the descriptions of its columns
_NAMESTR = 140  # bytes that describe one column; VAX/VMS wrote 136
_LABELS = {b"LABELV8": 3, b"LABELV9": 5}  # how many lengths come before each label


@dataclass(frozen=True)
class Column:
    """A column: its short name, whether it holds text, and where its bytes are in a row."""

    name: str
    text: bool
    at: int
    width: int


@dataclass(frozen=True)
class Layout:
    """What is where in a file: its columns, the byte at which its rows begin, and how many there are."""

    columns: tuple[Column, ...]
    start: int
    rows: int

    @property
    def width(self) -> int:
        """Bytes of a row."""
        return sum(c.width for c in self.columns)


@dataclass(frozen=True)
class _Member:
    """What the headers of a data set say.

    Attributes:
        said: rows; ``None`` in version 5, which does not count them.
        filled: what follows the descriptions of the columns, up to the end of the record.
    """

    columns: tuple[Column, ...]
    start: int
    said: int | None
    filled: bytes


class _BrokenOffError(Exception):
    """The file ends within a header."""


def layout_of(path: Path, name: str) -> Layout:
    """Where the rows are.

    Raises:
        InvalidInputError: the file is truncated, holds several data sets, or is of a kind that pyreadstat misreads.
    """
    size = path.stat().st_size
    if size % _RECORD:
        raise bad_file(name, f"the xpt file is broken off: {size} bytes are no whole records of 80. Deliver it again.")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            member = _member(data, _LIBRARY * _RECORD, name)
        except _BrokenOffError:
            member = None
        if member is None:
            raise bad_file(name, "the xpt file is broken off before its rows begin. Deliver it again.")
        _check_columns(member, name)
        others = _others(data, member.start, name)
        if others:
            raise bad_file(name, f"the xpt file holds {others + 1} data sets. Deliver each in a file of its own.")
        return Layout(member.columns, member.start, _rows(data, member, name))


def check_end(path: Path, name: str) -> None:
    """Refuse a file of Stata 13 or later that lacks its last tag; older files have none.

    Raises:
        InvalidInputError: it is truncated.
    """
    with path.open("rb") as file:
        tagged = file.read(len(_STATA)) == _STATA
        file.seek(-min(path.stat().st_size, _RECORD), 2)
        end = file.read().rstrip()
    if tagged and not end.endswith(_STATA_END):
        raise bad_file(name, "the dta file is broken off: its last tag is missing. Deliver it again.")


def _header(data: mmap.mmap, at: int) -> tuple[bytes, bytes] | None:
    """A header record's name and contents, or ``None`` if this is another record."""
    record = data[at : at + _RECORD]
    if len(record) < _RECORD:
        raise _BrokenOffError
    if record[:20] != b"HEADER RECORD*******" or record[28:48] != b"HEADER RECORD!!!!!!!":
        return None
    return record[20:28].rstrip(), record[48:]


def _member(data: mmap.mmap, at: int, name: str) -> _Member | None:
    """What the headers of the data set that begins here say, or ``None`` if none begins here."""
    member = _header(data, at)
    if member is None or member[0] not in (b"MEMBER", b"MEMBV8") or not _is(data, at + _RECORD, b"DSCRPTR", b"DSCPTV8"):
        return None
    size = _number(member[1][-6:])
    at += (_DESCRIPTION - 1) * _RECORD
    columns = _header(data, at)
    if columns is None or columns[0] not in (b"NAMESTR", b"NAMSTV8"):
        return None
    if size != _NAMESTR:
        raise bad_file(
            name, f"the xpt file tells of each column in {size} bytes, as VAX did, and pyreadstat reads 140. "
            "Write it again with SAS on another machine."
        )  # fmt: skip
    described = at + _RECORD
    end = described + size * _number(columns[1][:10])
    at = _whole(end)
    if at > len(data):
        raise _BrokenOffError
    filled = data[end:at]
    rows = _header(data, at)
    if rows is not None and rows[0] in _LABELS:
        at = _whole(_past_labels(data, at + _RECORD, _LABELS[rows[0]], _number(rows[1][:5])))
        rows = _header(data, at)
    if rows is None or rows[0] not in (b"OBS", b"OBSV8"):
        return None
    said = _number(rows[1]) if rows[0] == b"OBSV8" else 0
    return _Member(_columns(data[described:end], columns[0] == b"NAMSTV8"), at + _RECORD, said or None, filled)


def _is(data: mmap.mmap, at: int, *names: bytes) -> bool:
    header = _header(data, at)
    return header is not None and header[0] in names


def _number(digits: bytes) -> int:
    found = re.match(rb"\s*(\d+)", digits)
    return int(found[1]) if found else 0


def _whole(end: int) -> int:
    return -(-end // _RECORD) * _RECORD


def _past_labels(data: mmap.mmap, at: int, lengths: int, labels: int) -> int:
    for _ in range(labels):
        head = data[at : at + 2 * lengths]
        if len(head) < 2 * lengths:
            raise _BrokenOffError
        at += len(head) + sum(struct.unpack(f">{lengths}H", head)[1:])  # the first is the column's position
    return at


def _columns(described: bytes, long: bool) -> tuple[Column, ...]:
    found: list[Column] = []
    at = 0
    for position in range(0, len(described), _NAMESTR):
        kind, _, width, _, name, long_name = struct.unpack_from(">hhhh8s72x32s", described, position)
        name = long_name if long else name
        found.append(Column(name.decode("latin-1").rstrip(" \0"), kind == 2, at, width))
        at += width
    return tuple(found)


def _check_columns(member: _Member, name: str) -> None:
    if not member.columns:
        raise bad_file(name, "the xpt file has no columns. Export it again.")
    check_columns([c.name for c in member.columns], name)
    wrong = [
        f"{c.name!r} of {c.width} bytes" for c in member.columns if not (c.width > 0 if c.text else 3 <= c.width <= 8)
    ]
    if wrong:
        raise bad_file(
            name, f"columns have widths that pyreadstat cannot read: {', '.join(wrong)}. Numbers have 3 to 8."
        )


def _others(data: mmap.mmap, start: int, name: str) -> int:
    """How many data sets begin after the first.

    Text may hold what looks like a header, even at the beginning of a record. Only one that is followed by all headers
    of a data set, or would be if the file did not end there, counts.
    """
    found, at = 0, data.find(_MEMBERS, start)
    while at >= 0:
        if at % _RECORD == 0:
            try:
                found += _member(data, at, name) is not None
            except (_BrokenOffError, InvalidInputError):
                found += at + 2 * _RECORD <= len(data)
        at = data.find(_MEMBERS, at + 1)
    return found


def _rows(data: mmap.mmap, member: _Member, name: str) -> int:
    """How many rows there are, without what fills the last record."""
    start, width = member.start, sum(c.width for c in member.columns)
    most, rest = divmod(len(data) - start, width)
    if member.said is not None:
        end = start + member.said * width
        if not 0 <= len(data) - end <= _RECORD or data[end:].strip(b" \0") or _is_filled(data, member, width):
            raise bad_file(name, f"the xpt file says that it has {member.said} rows, and has others. Deliver it again.")
        return member.said
    if rest > _RECORD or data[len(data) - rest :].strip(b" \0"):
        raise bad_file(name, f"the xpt file is broken off within a row, after {most} whole ones. Deliver it again.")
    rows = most
    while rows and _fills(data, member, (rows - 1) * width, width, name):
        rows -= 1
    return rows


def _is_filled(data: mmap.mmap, member: _Member, width: int) -> bool:
    """Whether the last row that the file counts is only filling: blanks are not numbers, and NULs are not text."""
    assert member.said is not None
    end = member.start + member.said * width
    row = data[end - width : end]
    text, numbers = any(c.text for c in member.columns), not all(c.text for c in member.columns)
    return (numbers and not row.strip(b" ")) or (text and numbers and not row.strip(b"\0"))


def _fills(data: mmap.mmap, member: _Member, at: int, width: int, name: str) -> bool:
    """Whether what would be the last row, ``at`` bytes after the first, only fills the last record.

    SAS fills with blanks, others with NULs, and less than a record; some write a whole one. Blanks are not numbers, and
    NULs are not text, so in a file that has both, such a row is not a real one. A row of nothing but blank text in the
    last record is treated as filling, as in SAS.
    """
    length = len(data) - member.start
    begin = member.start + at
    row = data[begin : begin + width]
    if row.strip(b" ") and row.strip(b"\0"):
        if not row.strip(b" \0") and not _is_row(row, member):
            raise _mixed(name)
        return False
    text = any(c.text for c in member.columns)
    numbers = not all(c.text for c in member.columns)
    inside = at > length - _RECORD
    if row[0] == 0:
        behind = data[begin + width :]
        if behind.strip(b"\0"):
            if text:
                raise _mixed(name)
            return False  # NULs that are followed by blanks fill nothing
        if not text:
            return inside and _by_nuls(member, behind, name)
    elif not numbers:
        return inside
    if at < length - _RECORD:
        what = "NUL bytes" if row[0] == 0 else "blanks"
        raise bad_file(
            name,
            f"the xpt file ends in more {what} than fill a record: it was broken off and filled. Deliver it again.",
        )
    return True


def _is_row(row: bytes, member: _Member) -> bool:
    """Whether blanks and NULs can be a row of this file: blank text, and numbers that are zero."""
    at = 0
    for column in member.columns:
        cell = row[at : at + column.width]
        if cell.strip(b" " if column.text else b"\0"):
            return False
        at += column.width
    return True


def _mixed(name: str) -> InvalidInputError:
    return bad_file(
        name,
        "the xpt file ends in blanks and NUL bytes mixed, which are neither rows nor what fills a record. Deliver it "
        "again.",
    )


def _by_nuls(member: _Member, behind: bytes, name: str) -> bool:
    """Whether zeros, if all columns are numbers, are NULs that fill the last record."""
    if (behind and not behind.strip(b"\0")) or (member.filled and not member.filled.strip(b"\0")):
        return True  # the program that wrote this file fills with NULs
    raise bad_file(
        name, "the xpt file ends in zeros, and all its columns are numbers: whether these are rows, or NUL bytes that "
        "fill the last record, cannot be told. Deliver it with blanks behind the last row, in version 8, or with a "
        "column of text."
    )  # fmt: skip
