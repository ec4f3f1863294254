"""Read one extract file into one table: all of it, or an error that says why not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from datom_core.common import did_you_mean, fitting
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.extracts.formats.formats import FileToRead, check_signature, format_of
from datom_core.extracts.formats.problems import bad_file, check_encoding
from datom_core.extracts.formats.schemas import SchemaLike, check_schema, typed_as_before

_UNNAMED = "the extract"


@fitting
def read_extract(
    source: str | os.PathLike[str] | bytes | IO[bytes],
    *,
    schema: SchemaLike | None = None,
    r_compat: bool = False,
    format: str | None = None,  # noqa: A002 - what callers call it
    encoding: str | None = None,
    separator: str | None = None,
    sheet: str | None = None,
    before: Mapping[str, pa.DataType] | None = None,
) -> pa.Table:
    """Read a file delivered by a study into an Arrow table: all of it, or nothing.

    What the file says about its columns is kept as Arrow field metadata (``label``, ``format``, ``value_labels``,
    ``missing_values``, ...), and what it says about itself as schema metadata (``name``, ``label``); both are stored
    with the data, and are not part of its hash.

    Args:
        source: a path; or, together with ``format``, the bytes of a file or an open binary file.
        schema: types by column, as a pyarrow Schema or a mapping from column to Arrow type or its name; they override
            inference, and columns that are not named are inferred.
        r_compat: infer types as R's ``datom_sync`` does, for the same ``data_sha`` (docs/extracts.md).
        format: ``csv``, ``tsv``, ``txt``, ``psv``, ``parquet``, ``xpt``, ``sas7bdat``, ``sav``, ``zsav``, ``por``,
            ``dta``, ``xls``, ``xlsx``, ``xlsm``, ``xlsb``, ``json``, ``ndjson`` or ``dsjc`` (CDISC Dataset-JSON);
            or a registered format; by default, taken from the extension.
        encoding: of text; by default, UTF-8. For files of SAS, SPSS (except por) and Stata, it overrides what they say
            themselves.
        separator: of text; by default, the one for the extension.
        sheet: of a workbook; needed if several sheets hold data.
        before: types by column in the version before, for columns of this file that hold no value; not with
            ``r_compat``, where R's types decide.

    Raises:
        NotFoundError: there is no such file.
        MissingPackageError: the package that reads it is not installed (extra ``formats``).
        InvalidInputError: something is wrong with the file or the schema; names every bad column, row or cell.
    """
    check_reading(schema=schema, encoding=encoding, separator=separator)
    types = check_schema(schema)
    with ExitStack() as stack:
        path, name = _on_disk(source, format, stack)
        kind = format_of(name, format)
        check_signature(path, name, kind, encoding)
        known = {} if r_compat or before is None else before
        table = kind.read(FileToRead(path, name, kind.name, types, r_compat, encoding, separator, sheet, known))
        if not table.num_rows:
            raise bad_file(name, f"there is no row, only the header of {table.num_columns} columns. Export it again.")
        return typed_as_before(table, known)


def check_reading(*, schema: object, encoding: object, separator: object) -> None:
    """Refuse arguments of `read_extract` that can never work, before any file is read.

    Raises:
        InvalidInputError: says which arguments.
    """
    check_schema(schema)
    if encoding is not None:
        check_encoding(encoding if isinstance(encoding, str) else str(encoding), "encoding", of_text=False)
    if separator is not None and (
        not isinstance(separator, str) or len(separator) != 1 or not separator.isascii() or separator in '"\r\n\0'
    ):
        raise InvalidInputError(
            f"separator is one character of ASCII, and no quote, line break or NUL; got {separator!r}."
        )


def _on_disk(source: Any, file_format: str | None, stack: ExitStack) -> tuple[Path, str]:
    """The file, and its name in errors; bytes are written to a file that is removed with ``stack``."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}.{_meant(path)}", file=str(path))
        return path, path.name
    if not isinstance(source, (bytes, bytearray, memoryview)) and not hasattr(source, "read"):
        raise InvalidInputError(f"An extract is a path, bytes or an open binary file, not {type(source).__name__}.")
    if file_format is None:
        raise InvalidInputError("Bytes have no name that tells their format: give format=.")
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="datom-"))) / "extract"
    with path.open("wb") as file:
        if hasattr(source, "read"):
            shutil.copyfileobj(source, file)
        else:
            file.write(source)
    return path, _UNNAMED


def _meant(path: Path) -> str:
    try:
        return did_you_mean(path.name, (p.name for p in path.parent.iterdir() if p.is_file()))
    except OSError:
        return ""
