"""Files of SAS, SPSS and Stata, through pyreadstat."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.extracts.formats.clocks import Clock, clock_of
from datom_core.extracts.formats.iconv import iconv_names
from datom_core.extracts.formats.instants import in_time
from datom_core.extracts.formats.missing import with_special_missing, without_declared, without_tags
from datom_core.extracts.formats.problems import bad_file, brief_list, check_columns, library
from datom_core.extracts.formats.schemas import Types, conform
from datom_core.extracts.formats.transport import Layout, check_end, layout_of
from datom_core.extracts.formats.transport_cells import count_special_missing

_READERS = {
    "xpt": "read_xport", "sas7bdat": "read_sas7bdat", "sav": "read_sav", "zsav": "read_sav", "dta": "read_dta",
}  # fmt: skip
_KINDS = {"int8": pa.int32(), "int16": pa.int32(), "int32": pa.int32(), "float": pa.float64(), "double": pa.float64()}
_CHUNK = 100_000  # rows; as Python objects, a row takes ten times what it takes in Arrow
_RENAMED = re.compile(r"column '(.*)' is duplicated, renamed to", re.DOTALL)
_UNKNOWN, _NOT_IN = "unsupported character set", "Unable to convert string"
_LEAP_SECONDS = (
    "its format %tC counts leap seconds, which no other clock does. In Stata, replace it with cofC() of it and give it "
    "the format %tc"
)


def read_statistics(path: Path, name: str, file_format: str, types: Types, *, encoding: str | None) -> pa.Table:
    """The table, read in chunks; numbers with a date or time format become such, unless ``types`` says a number.

    Every missing value is null, including special ones such as ``.A``; the column's metadata says how many there were
    of each special one (`datom_core.extracts.formats.missing`). The blanks with which the file pads text are removed.

    Raises:
        NotFoundError: pyreadstat is not installed.
        InvalidInputError: the file is not whole, or in another encoding; or it has bad columns, or values that do not
            fit.
    """
    layout = layout_of(path, name) if file_format == "xpt" else None
    if file_format == "dta":
        check_end(path, name)
    source = _Source(path, name, file_format, encoding)
    about = source.about
    types.check(about.column_names, name)
    special: dict[str, Counter[str]] = {c: Counter() for c in about.column_names}
    if layout is None:
        table = pa.concat_tables(_chunks(source, special))
        if about.number_rows is not None and about.number_rows != table.num_rows:
            raise _count(name, about.number_rows, table.num_rows)
    else:
        _check_agreement(layout, about, name)
        special = dict(zip(about.column_names, count_special_missing(path, name, layout), strict=True))
        table = pa.concat_tables(_chunks_of_transport(source, layout.rows, special))
    if file_format == "por":
        _check_por(table, name)
    table = with_special_missing(table, special)
    return conform(_timed(table, about, types, name, file_format), types, name)


class _Source:
    """A file as pyreadstat reads it."""

    def __init__(self, path: Path, name: str, file_format: str, encoding: str | None) -> None:
        self._library = library("pyreadstat", file_format)
        self._reader = _reader(self._library, file_format)
        self._path, self.name, self.file_format, self._encoding = path, name, file_format, encoding
        self._options: dict[str, Any] = {"output_format": "dict", "disable_datetime_conversion": True}
        if file_format != "xpt":
            self._options["user_missing"] = True
        self.about = self._described()
        check_columns(self.about.column_names, name)
        self.schema = pa.schema([_field(c, self.about) for c in self.about.column_names], metadata=_of_file(self.about))

    def read(self, offset: int, limit: int, special: Mapping[str, Counter[str]]) -> pa.Table:
        """This many rows, or all that there are; special missing values are counted."""
        columns, about = self._read(row_offset=offset, row_limit=limit)
        arrays = []
        for field in self.schema:
            values = columns[field.name]
            if field.name in about.missing_user_values:
                values = without_tags(values, special[field.name])
            array = pa.array(values, field.type)
            ranges = self.about.missing_ranges.get(field.name)
            arrays.append(without_declared(array, ranges, special[field.name]) if ranges else array)
        return pa.table(arrays, schema=self.schema)

    def _described(self) -> Any:
        """What the file says about itself, in the first name of the caller's encoding that ReadStat knows."""
        # A por file has its own table of characters; pyreadstat takes no encoding for it.
        if self._encoding is None or self.file_format == "por":
            return self._without_duplicates()
        for called in iconv_names(self._encoding):
            self._options["encoding"] = called
            try:
                return self._without_duplicates()
            except _UnknownEncodingError:
                continue
        raise bad_file(
            self.name, f"{self._encoding!r} is no encoding that ReadStat reads such files in. Common are 'utf-8', "
            "'cp1252', 'latin-1', 'shift_jis' and 'gb18030'."
        )  # fmt: skip

    def _without_duplicates(self) -> Any:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            _, about = self._read(metadataonly=True)
        renamed = [found[1] for w in said if (found := _RENAMED.match(str(w.message)))]
        if renamed:
            # pyreadstat renames duplicates; the file's own names are what counts.
            names = [*dict.fromkeys(renamed), *renamed]
            check_columns(names, self.name)
        about.column_names = [c or "" for c in about.column_names]
        return about

    def _read(self, **options: Any) -> tuple[Any, Any]:
        try:
            return self._reader(str(self._path), **self._options, **options)  # type: ignore[no-any-return]
        except UnicodeError as error:
            raise self._not_in(error) from error
        except (
            self._library.PyreadstatError,
            self._library.ReadstatError,
            ValueError,
            OverflowError,
            TypeError,
        ) as error:
            if _UNKNOWN in str(error) and "encoding" in self._options:
                raise _UnknownEncodingError from error
            if _UNKNOWN in str(error):
                said = f"it names an encoding that ReadStat does not know ({error})"
                raise bad_file(self.name, f'{said}. Give encoding=, for example "cp1252".') from error
            if _NOT_IN in str(error):
                raise self._not_in(error) from error
            raise bad_file(
                self.name, f"the {self.file_format} file cannot be read whole ({error}). Deliver it again."
            ) from error

    def _not_in(self, error: Exception) -> Exception:
        if "encoding" in self._options:
            said, advice = f"Its text is not in the encoding {self._encoding}", "Give another encoding="
        else:
            said = "Its text is not in the encoding that the file says, or in UTF-8 when it says none"
            advice = 'Give encoding=, for example "cp1252"'
        return bad_file(self.name, f"{said} ({error}). {advice}.")


def _reader(pyreadstat: Any, file_format: str) -> Any:
    if file_format == "por":
        # read_por does not pass user_missing on, but the parser behind every reader accepts it.
        return partial(pyreadstat.pyreadstat.parser_entry_point, parser_format="por")
    return getattr(pyreadstat, _READERS[file_format])


class _UnknownEncodingError(Exception):
    """ReadStat does not know the encoding by the given name."""


def _chunks(source: _Source, special: Mapping[str, Counter[str]]) -> Iterator[pa.Table]:
    rows = 0
    while True:
        chunk = source.read(rows, _CHUNK, special)
        yield chunk
        if chunk.num_rows < _CHUNK:
            return
        rows += chunk.num_rows


def _chunks_of_transport(source: _Source, rows: int, special: Mapping[str, Counter[str]]) -> Iterator[pa.Table]:
    """All rows of an xpt file and no more; ReadStat drops blank ones at the end."""
    done = 0
    while done < rows:
        chunk = source.read(done, min(_CHUNK, rows - done), special)
        if not chunk.num_rows:
            break
        yield chunk
        done += chunk.num_rows
    if done < rows and not all(pa.types.is_string(kind) for kind in source.schema.types):
        raise _count(source.name, rows, done)
    blank = pa.repeat("", rows - done)
    yield pa.table([blank] * len(source.schema), schema=source.schema) if done < rows else source.schema.empty_table()


def _check_agreement(layout: Layout, about: Any, name: str) -> None:
    """Refuse a file if pyreadstat reads something other than what its headers say."""
    said = [(c.text, c.width) for c in layout.columns]
    read = [(about.readstat_variable_types[c] == "string", about.variable_storage_width[c]) for c in about.column_names]
    if said != read:
        raise bad_file(name, "pyreadstat reads other columns than the headers of the xpt file tell. Export it again.")


def _check_por(table: pa.Table, name: str) -> None:
    """Refuse text that ReadStat could not read: characters missing from the file's own table become U+FFFD."""
    lost = [
        f"{f.name!r} in row {pc.index(pc.match_substring(column, chr(0xFFFD)), True).as_py() + 1}"
        for f, column in zip(table.schema, table.columns, strict=True)
        if pa.types.is_string(f.type) and pc.any(pc.match_substring(column, chr(0xFFFD))).as_py()
    ]
    if lost:
        raise bad_file(
            name, f"text holds characters that the por file does not tell: {brief_list(lost)}. Save it as sav."
        )


def _count(name: str, said: int, found: int) -> Exception:
    return bad_file(name, f"the file says that it has {said} rows, and has {found}. Deliver it again.")


def _field(column: str, about: Any) -> pa.Field:
    kind = _KINDS.get(about.readstat_variable_types[column], pa.string())
    labels: Mapping[Any, str] = about.variable_value_labels.get(column) or {}
    values = json.dumps({str(k): v for k, v in labels.items()}, ensure_ascii=False) if labels else None
    said = {
        "label": about.column_names_to_labels.get(column),
        "format": about.original_variable_types.get(column),
        "value_labels": values,
    }
    return pa.field(column, kind, metadata={k: v for k, v in said.items() if v} or None)


def _of_file(about: Any) -> dict[str, str] | None:
    said = {"name": about.table_name, "label": about.file_label}
    return {k: v for k, v in said.items() if v} or None


def _timed(table: pa.Table, about: Any, types: Types, name: str, file_format: str) -> pa.Table:
    """The table, with its numbers of days or seconds as dates and times."""
    problems = []
    for position, field in enumerate(table.schema):
        clock: Clock | None = clock_of(file_format, about.original_variable_types.get(field.name) or "")
        wanted = types.types.get(field.name)
        as_number = wanted is not None and (pa.types.is_integer(wanted) or pa.types.is_floating(wanted))
        if clock is None or as_number or pa.types.is_string(field.type):
            continue
        if clock.leap_seconds:
            problems.append(f"{field.name!r}: {_LEAP_SECONDS}")
            continue
        try:
            data = in_time(table.column(position), clock)
        except ValueError as error:
            problems.append(f"{field.name!r}: {error}")
            continue
        table = table.set_column(position, field.with_type(data.type), data)
    if problems:
        advice = "Correct them, or give the columns the type 'float64' in schema= to keep the numbers."
        raise bad_file(name, "dates or times cannot be read:\n  - " + "\n  - ".join(problems) + f"\n{advice}")
    return table
