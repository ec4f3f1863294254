"""What a file begins with, whatever its name says."""

from __future__ import annotations

import codecs
import mmap
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from datom_core.extracts.formats.problems import bad_file

_SAS7BDAT_MAGIC = bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011")

PARQUET = re.compile(rb"PAR1")
#: A zip archive: its contents tell which format it is.
ZIPPED_WORKBOOK = re.compile(rb"PK\x03\x04")
XLS = re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
SAS7BDAT = re.compile(re.escape(_SAS7BDAT_MAGIC))
XPT = re.compile(rb"HEADER RECORD\*{7}LIB")
SAV = re.compile(rb"\$FL2")
ZSAV = re.compile(rb"\$FL3")
DTA = re.compile(rb"<stata_dta>|[\x69-\x73][\x01\x02]\x01\x00")
#: First come 200 bytes of greeting in several character sets.
POR = re.compile(rb"(?s).{0,520}?(?:SPSS PORT FILE|SPSSPORT)")

_ENCRYPTED = "EncryptedPackage\0".encode("utf-16-le")
_ENTRY = len(_ENCRYPTED).to_bytes(2, "little") + b"\x02"  # the length of the name; a stream
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file.

    Attributes:
        path: of the file.
        name: what errors call it.
        format: the format that its name or the caller gives.
        encoding: of its text, if given.
        head: the bytes.
        found: the format that they show, as far as they tell.
    """

    path: Path
    name: str
    format: str
    encoding: str | None
    head: bytes = field(repr=False)
    found: str | None


def check_workbook(file: Beginning) -> None:
    """Refuse a workbook with a password: a container of the old formats around an encrypted new one."""
    if file.found == "xls" and _has_password(file.path):
        raise bad_file(
            file.name, "the workbook is encrypted with a password. Take the password off, and save it again."
        )


def check_json(file: Beginning) -> None:
    """Refuse what cannot be Dataset-JSON: keys may come in any order, so the first bytes tell no more than that."""
    if file.found is not None:
        return
    head, name = file.head, file.name
    if file.format == "dsjc":
        if len(head) < 2 or head[0] & 15 != zlib.DEFLATED or int.from_bytes(head[:2]) % 31:
            raise bad_file(name, "called dsjc, but it does not begin like one: it is no zlib stream. Export it again.")
    elif head.startswith(_UTF16):
        raise bad_file(name, "the JSON is UTF-16 by its first bytes, and Dataset-JSON is UTF-8. Export it as that.")
    elif head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")[:1] not in (b"{", b""):
        raise bad_file(name, "this is not CDISC Dataset-JSON: it does not begin with an object.")


def check_text(file: Beginning) -> None:
    """Refuse what is not text in the encoding that is assumed when none is given."""
    if file.found is not None or file.encoding is not None:
        return
    if file.head.startswith(_UTF16):
        raise bad_file(file.name, 'the text is UTF-16 by its first bytes. Give encoding="utf-16".')
    if b"\0" in file.head:
        raise bad_file(
            file.name, f"called {file.format}, but it holds NUL bytes: it is not text. Give format= or encoding=."
        )


def _has_password(path: Path) -> bool:
    """Whether a container of the old formats holds an encrypted new workbook: an entry in its directory tells."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_ENCRYPTED)
        while at >= 0:
            if at % 128 == 0 and data[at + 64 : at + 67] == _ENTRY:
                return True
            at = data.find(_ENCRYPTED, at + 1)
    return False
