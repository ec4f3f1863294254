"""Delimited text (csv, tsv, psv, txt), typed by Arrow's csv reader."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from datom_core.common import is_text
from datom_core.extracts.formats.problems import bad_file, brief_list, check_columns, check_encoding
from datom_core.extracts.formats.quotes import check_quotes
from datom_core.extracts.formats.schemas import Types, conform, is_text_type
from datom_core.extracts.formats.spelling import MISSING, spelling_of

SEPARATORS = {"csv": ",", "tsv": "\t", "psv": "|"}
_CANDIDATES = ",\t|;"


def read_text(
    path: Path,
    name: str,
    file_format: str,
    types: Types,
    *,
    encoding: str | None,
    separator: str | None,
    before: Mapping[str, pa.DataType],
) -> pa.Table:
    """The table; a column's type is what Arrow's csv reader infers from all its values, or what ``types`` says.

    A column stays text if its values, written again, would give different text. So does a column without any value that
    was text in the version ``before``.

    Raises:
        InvalidInputError: the file has quotes that do not show where a field ends, ragged rows, another encoding, a
            separator that does not occur, bad columns, or values that do not fit ``types``.
    """
    encoding = check_encoding(encoding, name)
    separator = separator or _separator(path, name, file_format, encoding)
    try:
        check_quotes(path, name, separator, encoding)
    except UnicodeError as error:
        raise not_in(encoding, name, "the text", error) from error
    columns = header(path, name, separator, encoding)
    check_columns(columns, name)
    types.check(columns, name)
    reader = _Reader(path, name, separator, encoding, columns)
    # As text first, so that a value that does not fit is reported with its column, along with those of other columns.
    declared = dict.fromkeys(types.types, pa.string())
    table = reader.read(declared)
    inferred = {f.name: f.type for f in table.schema if f.name not in types.types}
    kept = [c for c, kind in inferred.items() if pa.types.is_null(kind) and is_text_type(before.get(c, pa.null()))]
    kept += reader.changed_by_reading(inferred)
    if kept:
        table = reader.read({**declared, **dict.fromkeys(kept, pa.string())})
    return conform(_in_microseconds(table), types, name)


def header(path: Path, name: str, separator: str, encoding: str) -> list[str]:
    """The column names.

    Raises:
        InvalidInputError: they are not text in this encoding.
    """
    with _opened(path, encoding) as file:
        try:
            # With a lone quote, the header would run through the whole file.
            lines = csv.reader(itertools.islice(file, 1000), delimiter=separator)
            found = next((line for line in lines if line), [])
        except UnicodeError as error:
            raise not_in(encoding, name, "the text", error) from error
        except csv.Error as error:
            raise bad_file(name, f"the header cannot be read ({error}).") from error
    if not all(map(is_text, found)):
        raise not_in(encoding, name, "the header")
    return found


def _opened(path: Path, encoding: str) -> TextIO:
    """The file as text; bytes that are not UTF-8 become surrogates, as they may lie beyond what is examined."""
    if encoding == "utf-8":
        return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding=encoding, newline="")


def not_in(encoding: str, name: str, where: str, error: object = "") -> Exception:
    """The error that a file is in another encoding."""
    reason = f" ({error})" if str(error) else ""
    return bad_file(
        name, f'{where} is not {encoding}{reason}. Give the right encoding=, for example "cp1252" or "latin-1".'
    )


def _separator(path: Path, name: str, file_format: str, encoding: str) -> str:
    """The separator for the extension; for txt, the most frequent one in the header."""
    with _opened(path, encoding) as file:
        try:
            line = file.readline(2**20)
        except UnicodeError as error:
            raise not_in(encoding, name, "the text", error) from error
    counts = {s: len(next(csv.reader([line], delimiter=s), [])) - 1 for s in _CANDIDATES}
    likely = max(counts, key=lambda s: counts[s])
    expected = SEPARATORS.get(file_format)
    if expected is None:
        return likely
    if counts[expected] == 0 and counts[likely] > 0:
        raise bad_file(
            name,
            f"called {file_format}, but its header has no {expected!r} and {counts[likely]} times {likely!r}. "
            f"Give separator={likely!r}, or rename it.",
        )
    return expected


class _Reader:
    """Arrow's csv reader for one file."""

    def __init__(self, path: Path, name: str, separator: str, encoding: str, columns: Sequence[str]) -> None:
        self.path, self.name, self.encoding, self.columns = path, name, encoding, columns
        # Line breaks within quotes are legal; without this, Arrow may take a quoted one for the end of a row.
        self.parse: dict[str, Any] = {"delimiter": separator, "newlines_in_values": True}

    def read(self, types: Mapping[str, pa.DataType]) -> pa.Table:
        options = arrow_csv.ConvertOptions(column_types=dict(types), null_values=MISSING)
        try:
            with self._open() as file:
                table = arrow_csv.read_csv(
                    file,
                    read_options=arrow_csv.ReadOptions(encoding=self.encoding),
                    parse_options=arrow_csv.ParseOptions(**self.parse),
                    convert_options=options,
                )
        except UnicodeError as error:
            raise not_in(self.encoding, self.name, "the text", error) from error
        except pa.ArrowInvalid as error:
            raise self._explained(error) from error
        binary = [repr(f.name) for f in table.schema if pa.types.is_binary(f.type)]
        if binary:
            raise not_in(self.encoding, self.name, f"column {brief_list(binary)}")
        return table

    def changed_by_reading(self, inferred: Mapping[str, pa.DataType]) -> list[str]:
        """Columns with texts that no single way of writing their values reproduces."""
        watched = {c: spelling for c, kind in inferred.items() if (spelling := spelling_of(kind)) is not None}
        if watched:
            for batch in self._texts(list(watched)):
                for column, spelling in watched.items():
                    spelling.see(batch[column])
        return [c for c, spelling in watched.items() if not spelling.comes_back]

    def _texts(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        options = arrow_csv.ConvertOptions(
            include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), check_utf8=False
        )
        with self._open() as file:
            yield from arrow_csv.open_csv(
                file,
                read_options=arrow_csv.ReadOptions(encoding=self.encoding),
                parse_options=arrow_csv.ParseOptions(**self.parse),
                convert_options=options,
            )

    def _open(self) -> Any:
        # Given a path, Arrow would decompress a file that is called .gz.
        return pa.OSFile(str(self.path))

    def _explained(self, error: pa.ArrowInvalid) -> Exception:
        """Arrow's error; if rows are ragged, with the number of every ragged row."""
        said = str(error).splitlines()[0]
        if "Expected" not in said or "columns, got" not in said:
            reason = said.removeprefix("CSV parse error: ").removeprefix("In CSV column ")
            return bad_file(self.name, f"the text cannot be read as a table: {reason}")
        ragged: list[str] = []

        def note(row: Any) -> str:
            ragged.append(f"row {row.number} has {row.actual_columns} fields")
            return "skip"

        with self._open() as file:
            arrow_csv.read_csv(
                file,
                read_options=arrow_csv.ReadOptions(encoding=self.encoding, use_threads=False),
                parse_options=arrow_csv.ParseOptions(**self.parse, invalid_row_handler=note),
                convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(self.columns, pa.binary())),
            )
        return bad_file(
            self.name,
            f"the header has {len(self.columns)} fields, but {brief_list(ragged)} (the header is row 1). "
            "Quote fields that hold the separator, and export it again.",
        )


def _in_microseconds(table: pa.Table) -> pa.Table:
    """Arrow infers nanoseconds wherever a time has a fraction; storage has microseconds."""
    for position, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            kind = pa.timestamp("us", field.type.tz)
            try:
                table = table.set_column(position, field.with_type(kind), table.column(position).cast(kind))
            except pa.ArrowInvalid:
                continue  # more digits: the hash refuses the column, with advice
    return table
