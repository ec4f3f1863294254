"""The table of all formats of extract files, and how to tell a file's format from its name and first bytes.

A new format is a module that reads it, and a line in `_BUILT_IN`; outside this package, call `register_format`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from datom_core.common import needing
from datom_core.errors import InvalidInputError
from datom_core.extracts.formats import signatures
from datom_core.extracts.formats.problems import bad_file, check_columns
from datom_core.extracts.formats.schemas import Types, conform
from datom_core.extracts.formats.signatures import Beginning

#: Extensions of data files that cannot be read here: a drop with such a file is not taken in whole.
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
    # arrived only in part
    *("part", "partial", "filepart", "crdownload", "tmp", "temp", "incomplete", "inprogress", "uploading", "download"),
})  # fmt: skip
_LOOK = 65536
_NAME = re.compile(r"[a-z0-9]{1,16}")


@dataclass(frozen=True)
class FileToRead:
    """A file, and what the caller of `read_extract` said about it.

    Attributes:
        path: where it lies.
        name: what errors call it.
        format: its format.
        types: column types declared by the caller. The table of a registered format is converted to them.
        r_compat: whether to infer types as R does.
        encoding, separator, sheet: as given.
        before: types by column in the version before, for columns without a value.
    """

    path: Path
    name: str
    format: str
    types: Types = field(default_factory=Types)
    r_compat: bool = False
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    before: Mapping[str, pa.DataType] = field(default_factory=dict)


@dataclass(frozen=True)
class ExtractFormat:
    """A format of extract files.

    Attributes:
        name: the extension of its files, in lower case.
        read: returns the whole table of a file; raises `InvalidInputError` for what it cannot take as it is.
        begins: what every such file begins with; ``None`` if nothing tells.
        alike: name of a group of formats that the first bytes do not distinguish.
        check: refuses a file because of its beginning, beyond ``begins``.
    """

    name: str
    read: Callable[[FileToRead], pa.Table]
    begins: re.Pattern[bytes] | None = None
    alike: str = ""
    check: Callable[[Beginning], None] | None = None


def _text(file: FileToRead) -> pa.Table:
    with needing(file.format, "formats"):
        from datom_core.extracts.formats import r_text, text

    how = {"encoding": file.encoding, "separator": file.separator}
    if file.r_compat:
        return r_text.read_text_as_r(file.path, file.name, file.types, **how)
    return text.read_text(file.path, file.name, file.format, file.types, **how, before=file.before)


def _parquet(file: FileToRead) -> pa.Table:
    from datom_core.extracts.formats import parquet

    return parquet.read_parquet(file.path, file.name, file.types, r_compat=file.r_compat)


def _workbook(file: FileToRead) -> pa.Table:
    with needing(file.format, "formats"):
        from datom_core.extracts.formats import excel

    return excel.read_workbook(file.path, file.name, file.format, file.types, sheet=file.sheet)


def _dataset_json(file: FileToRead) -> pa.Table:
    from datom_core.extracts.formats import dataset_json

    return dataset_json.read_dataset_json(file.path, file.name, file.types, compressed=file.format == "dsjc")


def _statistics(file: FileToRead) -> pa.Table:
    with needing(file.format, "formats"):
        from datom_core.extracts.formats import readstat

    return readstat.read_statistics(file.path, file.name, file.format, file.types, encoding=file.encoding)


_BUILT_IN = (
    *(ExtractFormat(name, _text, check=signatures.check_text) for name in ("csv", "tsv", "txt", "psv")),
    ExtractFormat("parquet", _parquet, signatures.PARQUET),
    ExtractFormat("xpt", _statistics, signatures.XPT),
    ExtractFormat("sas7bdat", _statistics, signatures.SAS7BDAT),
    ExtractFormat("sav", _statistics, signatures.SAV, alike="SPSS"),
    ExtractFormat("zsav", _statistics, signatures.ZSAV, alike="SPSS"),
    ExtractFormat("por", _statistics, signatures.POR),
    ExtractFormat("dta", _statistics, signatures.DTA),
    ExtractFormat("xls", _workbook, signatures.XLS, check=signatures.check_workbook),
    ExtractFormat("xlsx", _workbook, signatures.ZIPPED_WORKBOOK, "zipped workbooks", signatures.check_workbook),
    ExtractFormat("xlsm", _workbook, signatures.ZIPPED_WORKBOOK, "zipped workbooks", signatures.check_workbook),
    ExtractFormat("xlsb", _workbook, signatures.ZIPPED_WORKBOOK, "zipped workbooks", signatures.check_workbook),
    *(ExtractFormat(name, _dataset_json, check=signatures.check_json) for name in ("json", "ndjson", "dsjc")),
)
_FORMATS: dict[str, ExtractFormat] = {known.name: known for known in _BUILT_IN}


def register_format(added: ExtractFormat) -> None:
    """Make a format known to this process: `read_extract`, `DropReader` and `Project.sync` take its files.

    Its table must have columns with unique names; it is converted to the types that a caller declares.

    Raises:
        InvalidInputError: it is not an `ExtractFormat`, or its name is not an extension, or is taken.
    """
    given: object = added
    if not isinstance(given, ExtractFormat):
        raise InvalidInputError(f"register_format takes an ExtractFormat, not {type(given).__name__}.")
    if not _NAME.fullmatch(str(given.name)):
        raise InvalidInputError(f"A format is called by the extension of its files, as in 'csv'; not {given.name!r}.")
    if given.name in _FORMATS:
        raise InvalidInputError(
            f"There is a format {given.name!r} already. Register each once, where its module is imported first."
        )
    _FORMATS[given.name] = replace(given, read=_checked(given.read))


def _checked(read: Callable[[FileToRead], pa.Table]) -> Callable[[FileToRead], pa.Table]:
    def checked(file: FileToRead) -> pa.Table:
        found: object = read(file)
        if not isinstance(found, pa.Table):
            raise InvalidInputError(
                f"The reader of {file.format} files must give a pyarrow Table, not {type(found).__name__}."
            )
        check_columns(found.column_names, file.name)
        file.types.check(found.column_names, file.name)
        return conform(found, file.types, file.name)

    return checked


def of_name(file_name: str) -> str | None:
    """The format for a file's extension, or ``None`` if there is no reader for it."""
    extension = Path(file_name).suffix[1:].lower()
    return extension if extension in _FORMATS else None


def looks_like_data(file_name: str) -> bool:
    """Whether a file's extension marks it as data, readable or not."""
    # Blanks and dots at the end come from other systems, and hide the extension.
    *before, last = [s[1:].lower() for s in Path(file_name.rstrip(" .~")).suffixes] or [""]
    # `dm.csv.tmp` and `dm.csv.1` are extracts still on their way, or put aside.
    return last in _FORMATS or last in UNREADABLE_DATA or any(extension in _FORMATS for extension in before)


def cannot_be_read(file_name: str) -> str:
    """A message that the file's extension belongs to no readable format, and which do."""
    bare = file_name.rstrip(" .")
    extension = Path(bare).suffix + file_name[len(bare) :]
    what = f"{extension!r} is not the extension of a format" if extension else "there is no extension that tells"
    return f"{what}. Readable are {', '.join(_FORMATS)}"


def format_of(name: str, given: str | None) -> ExtractFormat:
    """The format of a file: the one asked for, or else the one of its extension.

    Raises:
        InvalidInputError: neither is a readable format.
    """
    if given is not None:
        if given not in _FORMATS:
            raise InvalidInputError(f"format is one of {', '.join(_FORMATS)}, not {given!r}.", file=name)
        return _FORMATS[given]
    found = of_name(name)
    if found is None:
        raise bad_file(name, f"{cannot_be_read(name)}; rename it, or give format=.")
    return _FORMATS[found]


def check_signature(path: Path, name: str, called: ExtractFormat, encoding: str | None) -> None:
    """Refuse an empty file, and one that is not what its name says.

    Raises:
        InvalidInputError: says what the first bytes belong to.
    """
    with path.open("rb") as file:
        head = file.read(_LOOK)
    if not head:
        raise bad_file(name, "the file is empty (0 bytes). Export it again.")
    begun = next((f for f in (called, *_FORMATS.values()) if f.begins is not None and f.begins.match(head)), None)
    found = None if begun is None else begun.name
    if called.check is not None:
        called.check(Beginning(path, name, called.name, encoding, head, found))
    if begun is not None and begun is not called and (not called.alike or begun.alike != called.alike):
        raise bad_file(name, f"called {called.name}, but by its first bytes it is {found}. Rename it, or give format=.")
    if begun is None and called.begins is not None:
        raise bad_file(name, f"called {called.name}, but it does not begin like one. Export it again, or give format=.")
