"""Whether a SAS transport file (xpt), or one of Stata (dta), is whole.

ReadStat reads such a file to wherever it ends and says nothing: a broken-off one would lose rows, and of several
data sets in one file the later ones would be read as rows of the first. Of a file of Stata it
reads the rows, and does not miss the labels behind them.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from datom_core.extracts.problems import bad_file

_RECORD = 80
_OBSERVATIONS = b"HEADER RECORD*******OBS"
_MEMBERS = (b"HEADER RECORD*******MEMBER", b"HEADER RECORD*******MEMBV8")
_STATA, _STATA_END = b"<stata_dta>", b"</stata_dta>"
_COUNT = slice(48, 80)  # of the rows, in files of version 8


def check_transport(path: Path, name: str) -> None:
    """Refuse a file that is broken off, or that holds several data sets.

    Raises:
        InvalidInputError: says which.
    """
    size = path.stat().st_size
    if size % _RECORD:
        raise bad_file(name, f"the xpt file is broken off: {size} bytes are no whole records of 80. Deliver it again.")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        members = sum(_count(data, header) for header in _MEMBERS)
        if _first(data, _OBSERVATIONS) is None:
            raise bad_file(name, "the xpt file is broken off before its rows begin. Deliver it again.")
    if members > 1:
        raise bad_file(name, f"the xpt file holds {members} data sets. Deliver each in a file of its own.")


def check_rows(path: Path, name: str, widths: list[int], rows: int) -> None:
    """Refuse a file whose rows do not fill it, or are not as many as it says.

    A file of version 5 that breaks off between two rows, at the end of a record, cannot be told from a whole one.

    Args:
        path, name: the file.
        widths: bytes of each column.
        rows: that were read.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = _first(data, _OBSERVATIONS)
        assert at is not None
        header = data[at : at + _RECORD]
        rest = data[at + _RECORD + rows * sum(widths) :]
    said = header[_COUNT].decode("ascii", "replace").strip() if header.startswith(_OBSERVATIONS + b"V8") else ""
    counted = int(said) if said.isdigit() and int(said) else rows
    if counted != rows:
        raise bad_file(name, f"the xpt file says that it has {counted} rows, and has {rows}. Deliver it again.")
    # Blanks fill the last record; a last row of nothing but blanks is taken for them, as SAS itself does.
    if rest.strip(b" \0"):
        raise bad_file(name, f"the xpt file is broken off within a row, after {rows} whole ones. Deliver it again.")


def check_end(path: Path, name: str) -> None:
    """Refuse a file of Stata 13 or later whose last tag is missing; older ones have none.

    Raises:
        InvalidInputError: it is broken off.
    """
    with path.open("rb") as file:
        tagged = file.read(len(_STATA)) == _STATA
        file.seek(-min(path.stat().st_size, _RECORD), 2)
        end = file.read().rstrip()
    if tagged and not end.endswith(_STATA_END):
        raise bad_file(name, "the dta file is broken off: its last tag is missing. Deliver it again.")


def _first(data: mmap.mmap, header: bytes) -> int | None:
    position = data.find(header)
    while position > 0 and position % _RECORD:
        position = data.find(header, position + 1)
    return position if position >= 0 else None


def _count(data: mmap.mmap, header: bytes) -> int:
    found, position = 0, data.find(header)
    while position >= 0:
        found += position % _RECORD == 0
        position = data.find(header, position + 1)
    return found
