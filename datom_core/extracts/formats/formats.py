"""Which format a file is of: by its name, and by its first bytes."""

from __future__ import annotations

import codecs
import mmap
import re
import zlib
from pathlib import Path

from datom_core.errors import InvalidInputError
from datom_core.extracts.formats.problems import bad_file

#: Every format that can be read: the extensions of file names, in lower case.
FORMATS = (
    *("csv", "tsv", "txt", "psv", "parquet", "xpt", "sas7bdat", "sav", "zsav", "por", "dta"),
    *("xls", "xlsx", "xlsm", "xlsb", "json", "ndjson", "dsjc"),
)
TEXT = frozenset({"csv", "tsv", "txt", "psv"})
WORKBOOKS = frozenset({"xls", "xlsx", "xlsm", "xlsb"})
DATASET_JSON = frozenset({"json", "ndjson", "dsjc"})
#: Extensions of what holds data and cannot be read here: a drop with such a file is not taken whole.
UNREADABLE_DATA = frozenset({
    # SAS, SPSS, Stata and others of their kind
    *("sas7bcat", "sas7bvew", "sas7bndx", "sd2", "sd7", "ssd01", "cpt", "cport", "jmp", "mat", "rds", "rda"),
    *("rdata", "sbx", "sbt", "v8xpt", "xpt5", "xpt8", "stx", "ssd", "fst", "qs", "dsjson"),
    # workbooks, text and markup
    *("xltx", "xltm", "xlt", "xlam", "xlw", "ods", "fods", "ots", "numbers", "dif", "slk", "wk1", "wks"),
    *("tab", "dat", "asc", "prn", "fwf", "xml", "jsonl"),
    # columns and databases
    *("feather", "arrow", "arrows", "ipc", "orc", "avro", "pq", "parq", "h5", "hdf", "hdf5", "nc", "pkl", "pickle"),
    *("npy", "npz", "sqlite", "sqlite3", "duckdb", "mdb", "accdb", "dbf", "mdf", "dmp"),
    # compressed, packed or encrypted
    *("gz", "gzip", "bz2", "xz", "lzma", "zst", "lz4", "br", "z", "zip", "zipx", "7z", "rar", "tar", "tgz", "tbz"),
    *("tbz2", "txz", "gpg", "pgp", "age", "enc", "p7m"),
    # not arrived as a whole
    *("part", "partial", "filepart", "crdownload", "tmp", "temp", "incomplete", "inprogress", "uploading", "download"),
})  # fmt: skip
_LOOK = 65536
_SAS7BDAT = bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011")
_STATA = re.compile(rb"<stata_dta>|[\x69-\x73][\x01\x02]\x01\x00")
# What a file of the format begins with, whatever its name says.
_SIGNATURES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("parquet", re.compile(rb"PAR1")),
    ("xlsx", re.compile(rb"PK\x03\x04")),
    ("xls", re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
    ("sas7bdat", re.compile(re.escape(_SAS7BDAT))),
    ("xpt", re.compile(rb"HEADER RECORD\*{7}LIB")),
    ("sav", re.compile(rb"\$FL2")),
    ("zsav", re.compile(rb"\$FL3")),
    ("dta", _STATA),
    # 200 bytes of greeting in several character sets come first.
    ("por", re.compile(rb"(?s).{0,520}?(?:SPSS PORT FILE|SPSSPORT)")),
)
# A zip archive tells within what it is of.
_ALIKE = ({"sav", "zsav"}, {"xlsx", "xlsm", "xlsb"})
_ENCRYPTED = "EncryptedPackage\0".encode("utf-16-le")
_ENTRY = len(_ENCRYPTED).to_bytes(2, "little") + b"\x02"  # the length of the name; a stream
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def of_name(file_name: str) -> str | None:
    """The format that a file's extension names, or ``None`` when there is no reader for it."""
    extension = Path(file_name).suffix[1:].lower()
    return extension if extension in FORMATS else None


def looks_like_data(file_name: str) -> bool:
    """Whether a file has the extension of something that holds data, whether or not it can be read."""
    # Blanks and dots at the end come from other systems, and hide the extension.
    *before, last = [s[1:].lower() for s in Path(file_name.rstrip(" .~")).suffixes] or [""]
    # `dm.csv.tmp` and `dm.csv.1` are extracts that are on their way, or were put aside.
    return last in FORMATS or last in UNREADABLE_DATA or any(extension in FORMATS for extension in before)


def cannot_be_read(file_name: str) -> str:
    """That a file's extension is of no format that can be read, and which are."""
    bare = file_name.rstrip(" .")
    extension = Path(bare).suffix + file_name[len(bare) :]
    what = f"{extension!r} is not the extension of a format" if extension else "there is no extension that tells"
    return f"{what}. Readable are {', '.join(FORMATS)}"


def format_of(name: str, given: str | None) -> str:
    """The format of a file: what was asked for, else what its extension says.

    Raises:
        InvalidInputError: neither is one that can be read.
    """
    if given is not None:
        if given not in FORMATS:
            raise InvalidInputError(f"format is one of {', '.join(FORMATS)}, not {given!r}.", file=name)
        return given
    found = of_name(name)
    if found is None:
        raise bad_file(name, f"{cannot_be_read(name)}; rename it, or give format=.")
    return found


def check_signature(path: Path, name: str, file_format: str, encoding: str | None) -> None:
    """Refuse an empty file, and one that is not what it is called.

    Raises:
        InvalidInputError: says what the first bytes are of.
    """
    with path.open("rb") as file:
        head = file.read(_LOOK)
    if not head:
        raise bad_file(name, "the file is empty (0 bytes). Export it again.")
    found = next((f for f, signature in _SIGNATURES if signature.match(head)), None)
    if found == "xls" and file_format in WORKBOOKS and _has_password(path):
        raise bad_file(name, "the workbook is encrypted with a password. Take the password off, and save it again.")
    if found == file_format or any({found, file_format} <= alike for alike in _ALIKE):
        return
    if found is not None:
        raise bad_file(name, f"called {file_format}, but by its first bytes it is {found}. Rename it, or give format=.")
    if file_format in DATASET_JSON:
        _check_json(head, name, file_format)
    elif file_format in TEXT:
        _check_text(head, name, file_format, encoding)
    else:
        raise bad_file(name, f"called {file_format}, but it does not begin like one. Export it again, or give format=.")


def _has_password(path: Path) -> bool:
    """Whether a container of the old formats holds a new workbook, encrypted: an entry of its directory tells."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_ENCRYPTED)
        while at >= 0:
            if at % 128 == 0 and data[at + 64 : at + 67] == _ENTRY:
                return True
            at = data.find(_ENCRYPTED, at + 1)
    return False


def _check_json(head: bytes, name: str, file_format: str) -> None:
    """The order of keys means nothing, so that the first bytes only tell what cannot be Dataset-JSON."""
    if file_format == "dsjc":
        if len(head) < 2 or head[0] & 15 != zlib.DEFLATED or int.from_bytes(head[:2]) % 31:
            raise bad_file(name, "called dsjc, but it does not begin like one: it is no zlib stream. Export it again.")
    elif head.startswith(_UTF16):
        raise bad_file(name, "the JSON is UTF-16 by its first bytes, and Dataset-JSON is UTF-8. Export it as that.")
    elif head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")[:1] not in (b"{", b""):
        raise bad_file(name, "this is not CDISC Dataset-JSON: it does not begin with an object.")


def _check_text(head: bytes, name: str, file_format: str, encoding: str | None) -> None:
    if encoding is not None:
        return
    if head.startswith(_UTF16):
        raise bad_file(name, 'the text is UTF-16 by its first bytes. Give encoding="utf-16".')
    if b"\0" in head:
        raise bad_file(
            name, f"called {file_format}, but it holds NUL bytes: it is not text. Give format= or encoding=."
        )
