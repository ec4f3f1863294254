"""Every value that the cells of one row ever had: since when, by whom, and why."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from datom_core.common import brief, did_you_mean
from datom_core.documents import Author, Cuts, Recording, Rows, Version, rows
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.reading.states import Versions
from datom_core.tables import as_text, as_text_column


@dataclass(frozen=True)
class CellState:
    """A value that a cell had, from one recording of its table to the next one that changed it.

    Attributes:
        column: which cell of the row.
        value: as text; ``None`` is a missing value.
        present: whether the row was there, and had such a column. If not, ``value`` is ``None``.
        version, recorded_at, author, message, commit_sha: the recording that brought it.
        cuts: the cuts that stand, or stood, for that version.
        original_file_sha: SHA-256 of the extract file that the version was imported from.
        run: the run that recorded it; of what an earlier release wrote, where git was asked (`Project.row_history`).
        typed: the value as Python knows it.
    """

    column: str
    value: str | None
    present: bool
    recorded_at: str
    author: Author
    message: str
    version: str
    commit_sha: str | None
    cuts: tuple[str, ...]
    original_file_sha: str | None = None
    run: str | None = None
    typed: Any = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class RowHistory:
    """The history of one row.

    Attributes:
        table, key: which row.
        cells: every value, column by column, oldest first.
        versions: how many recordings of the table were looked at.
    """

    table: str
    key: Mapping[str, Any]
    cells: Rows[CellState]
    versions: int

    def of(self, column: str) -> Rows[CellState]:
        """Every value of one column.

        Raises:
            NotFoundError: the row never had it.
        """
        found = rows(c for c in self.cells if c.column == column)
        if not found:
            known = list(dict.fromkeys(c.column for c in self.cells))
            raise NotFoundError(f"The row never had a column {column!r}.{did_you_mean(column, known)}", column=column)
        return found

    @property
    def changed(self) -> Rows[CellState]:
        """The values of the columns that ever had several, recording by recording, oldest first.

        That the whole row went, or came back, is told by the first column of its key, for all of them.
        """
        stays, gone, first = self._stays(), self._gone(), next(iter(self.key))
        told = (c for c in self.cells if c.column == first or _recording(c) not in gone)
        return rows(sorted((c for c in told if c.column not in stays), key=lambda c: c.recorded_at))

    @property
    def unchanged(self) -> Rows[CellState]:
        """The one value of each of the other columns, as the row first had it."""
        stays = self._stays()
        first = {c.column: c for c in reversed(self.cells)}
        return rows(first[column] for column in stays)

    def _stays(self) -> list[str]:
        """The columns that had one value whenever the row was there."""
        first = next(iter(self.key))
        row = [(_recording(c), c.present) for c in self.cells if c.column == first]
        of_each: dict[str, list[CellState]] = {}
        for cell in self.cells:
            of_each.setdefault(cell.column, []).append(cell)
        return [
            column
            for column, cells in of_each.items()
            if [(_recording(c), c.present) for c in cells] == row
            and len({c.value for c in cells if c.present}) == 1
            and (column != first or len(row) == 1)
        ]

    def _gone(self) -> set[tuple[str, str]]:
        """The recordings that took the row away."""
        first = next(iter(self.key))
        return {_recording(c) for c in self.cells if c.column == first and not c.present}

    def with_runs(self, runs: Mapping[str, str], commits: Mapping[str, str]) -> RowHistory:
        """With the run of each commit, and the commits that storage does not know.

        Args:
            runs: commit -> run.
            commits: time of a recording -> its commit.
        """
        known = ((c, c.commit_sha or commits.get(c.recorded_at)) for c in self.cells)
        return replace(
            self, cells=rows(replace(c, commit_sha=commit, run=c.run or runs.get(commit or "")) for c, commit in known)
        )

    def __repr__(self) -> str:
        named = ", ".join(f"{column}={value!r}" for column, value in self.key.items())
        return f"{self.table}, {named}: {self.versions} versions\n{self.cells!r}"


def _recording(cell: CellState) -> tuple[str, str]:
    return cell.recorded_at, cell.version


class _Cell(NamedTuple):
    present: bool
    text: str | None
    value: Any


_ABSENT = _Cell(False, None, None)


def row_history(
    of: Versions, table: str, key: Mapping[str, Any], recordings: Sequence[tuple[Version, Recording]]
) -> RowHistory:
    """Follow one row through all versions of its table.

    Each content is read once, however often it was current. Each file is compared with its recorded SHA-256.

    Args:
        of: the project's versions.
        table: its name.
        key: column -> value; the columns that identify the row. Text is read as of the column's type, as `as_text`
            writes it. ``None`` is a missing value; NaN, as which pandas shows a missing number, means both.
        recordings: each time that a version became current, oldest first.

    Raises:
        InvalidInputError: no key, a value that is of its column's type in no version, or several rows share it in some
            version.
        NotFoundError: no such table, no version has such columns, or such a row.
    """
    given: object = key
    if not isinstance(given, Mapping) or not given:
        raise InvalidInputError('key says which row: a mapping, as in key={"USUBJID": "01-001", "AESEQ": 1}.')
    cuts = of.cuts()
    seen: dict[str, dict[str, _Cell]] = {}
    cells: list[CellState] = []
    latest: dict[str, _Cell] = {}
    columns: set[str] = set()
    misfits: list[InvalidInputError] = []
    for version, recording in recordings:
        if version.data_sha not in seen:
            data = of.read_arrow(table, version, verify="bytes")
            columns.update(data.column_names)
            seen[version.data_sha] = _row(data, key, table, version, misfits)
        now = seen[version.data_sha]
        for column in [*now, *(c for c in latest if c not in now)]:
            cell = now.get(column, _ABSENT)
            before = latest.get(column, _ABSENT)
            if (cell.present, cell.text) != (before.present, before.text):
                cells.append(_state(column, cell, version, recording, _cuts_of(cuts, table, version)))
            latest[column] = cell
    if not cells:
        if misfits:
            raise misfits[-1]
        _refuse_unknown(table, key, columns)
    order = {column: n for n, column in enumerate(latest)}
    return RowHistory(table, dict(key), rows(sorted(cells, key=lambda c: order[c.column])), len(recordings))


def _row(
    data: pa.Table, key: Mapping[str, Any], table: str, version: Version, misfits: list[InvalidInputError]
) -> dict[str, _Cell]:
    """The row's cells; none if the table has no such row, or no such columns, or of types that have no such value.

    The type of a column may change with the versions, so that what does not fit one of them is but put aside.
    """
    if not set(key) <= set(data.column_names):
        return {}
    mask: pa.ChunkedArray | None = None
    for column, value in key.items():
        try:
            here = _equal(data.column(column), column, value)
        except InvalidInputError as error:
            misfits.append(error)
            return {}
        mask = here if mask is None else pc.and_(mask, here)
    found = data.filter(mask)
    if found.num_rows > 1:
        raise InvalidInputError(
            f"{found.num_rows:,} rows of {table}@{version.version[:8]} have this key; name more of the columns that "
            f"tell them apart: {brief(data.column_names)}.",
            table=table,
            version=version.version,
        )
    if not found.num_rows:
        return {}
    return {
        name: _Cell(True, as_text(found.column(name))[0], _python(found.column(name))) for name in found.column_names
    }


def _equal(column: pa.ChunkedArray, name: str, value: Any) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    numpy = sys.modules.get("numpy")  # without it, nobody has a value of it
    if numpy is not None and isinstance(value, numpy.generic):
        value = value.item()
    try:
        given = pa.scalar(value, from_pandas=True)
        if not given.is_valid:
            # A frame of pandas shows a missing number as NaN.
            return column.is_null(nan_is_null=value is not None)
        wanted = given
        if isinstance(value, int | float | str):
            wanted = _read_as(column.type, value) if isinstance(value, str) else given.cast(column.type)
        found = pc.equal(column, wanted)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        # A duration is no text that Arrow reads, but one that a person has seen.
        if isinstance(value, str) and pc.any(shown := _shown_as(column, value)).as_py():
            return shown
        raise InvalidInputError(
            f"The column {name} holds {column.type}; {value!r} is no such value ({error}).", column=name
        ) from error
    return pc.fill_null(found, False)


def _read_as(kind: pa.DataType, text: str) -> pa.Scalar:
    if pa.types.is_time(kind):
        return pa.scalar(time.fromisoformat(text)).cast(kind)
    try:
        return pa.scalar(text).cast(kind)
    except pa.ArrowInvalid:
        if not pa.types.is_timestamp(kind) or kind.tz is None:
            raise
        return pa.scalar(text).cast(pa.timestamp(kind.unit)).cast(kind)  # without an offset it is UTC, as everywhere


def _shown_as(column: pa.ChunkedArray, text: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(as_text_column(column), text), False)


def _python(column: pa.ChunkedArray) -> Any:
    try:
        return column[0].as_py()
    except (ValueError, OverflowError, pa.ArrowException):  # what Python's dates cannot hold is there as text
        return None


def _cuts_of(cuts: Cuts, table: str, version: Version) -> tuple[str, ...]:
    return tuple(
        name
        for name, cut in cuts.items()
        if any(r.version == version.version for r in cut.recordings.get(table, ()))
    )  # fmt: skip


def _state(column: str, cell: _Cell, version: Version, recording: Recording, cuts: tuple[str, ...]) -> CellState:
    # Of a version that became current again within the same second, too, only the first recording has this commit.
    first = recording.recorded_at == version.timestamp and recording not in version.reinstatements
    told = recording.provenance
    return CellState(
        column=column,
        value=cell.text,
        present=cell.present,
        recorded_at=recording.recorded_at,
        author=recording.author,
        message=recording.message,
        version=version.version,
        commit_sha=version.commit_sha if first else None,
        cuts=cuts,
        original_file_sha=version.original_file_sha,
        run=None if told is None or told.run is None else told.run.id,
        typed=cell.value,
    )


def _refuse_unknown(table: str, key: Mapping[str, Any], columns: set[str]) -> None:
    unknown = [c for c in key if c not in columns]
    hint = "".join(did_you_mean(c, columns) for c in unknown)
    if unknown:
        raise NotFoundError(f"No version of {table} has a column {', '.join(map(repr, unknown))}.{hint}", table=table)
    named = ", ".join(f"{c}={v!r}" for c, v in key.items())
    raise NotFoundError(f"No version of {table} has a row with {named}.", table=table)
