"""Write one table into one file: all of it, or an error that names all that the form cannot hold."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from datom_core.common import Moment, fitting, moment_of, not_written, whole_file
from datom_core.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from datom_core.exports.columns import Outgoing, outgoing
from datom_core.exports.forms import ExportForm, Form, form_called, form_for
from datom_core.exports.refusals import refuse
from datom_core.tables import normalise

#: What files say when they were made, if nothing else is known: the same table gives the same bytes.
MADE = datetime(2000, 1, 1, tzinfo=UTC)
_STREAM = Path("-")
_UNNAMED = "table"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class WrittenFile(os.PathLike[str]):
    """A file that was written; where a path is expected, it is its own.

    Attributes:
        path: where it lies; ``-`` for an open file.
        form: in which form.
        table: name of the table.
        version: which version of it, where that is known.
        rows: of the table.
        bytes: of the file.
        sha256: of the file, in hex.
    """

    path: Path
    form: ExportForm
    table: str
    version: str | None
    rows: int
    bytes: int
    sha256: str

    def __fspath__(self) -> str:
        return str(self.path)


@fitting
def write_table(
    table: object,
    target: str | os.PathLike[str] | IO[bytes],
    *,
    form: ExportForm | None = None,
    name: str | None = None,
    label: str | None = None,
    version: str | None = None,
    recorded_at: Moment | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> WrittenFile:
    """Write a table into a file of a kind that others read: the counterpart of `read_extract`.

    The file is whole or not there, and the same arguments give the same bytes. Labels, formats and whatever else
    Arrow's metadata keeps about columns go where the form has a place for it (docs/exports.md).

    Args:
        table: a pyarrow Table, a pandas or polars frame, or whatever else `hash_table` takes.
        target: the path; or, together with ``form``, an open binary file.
        form: ``csv``, ``tsv``, ``parquet``, ``xlsx``, ``xpt`` and ``xpt8`` (SAS transport files of version 5 and 8),
            ``json`` or ``ndjson`` (CDISC Dataset-JSON 1.1); by default, taken from the ending of the path.
        name: of the table; by default, the file's name. A form that has a place for it has the name that the table
            was read with (``name`` in its metadata), or else this one.
        label: of the table, instead of the one that it was read with; not in parquet, which is as it is stored.
        version: which version it is, for the answer.
        recorded_at: the time at which the file says it was made, such as that of the version; by default 2000-01-01.
        overwrite: replace a file that is there.
        dry_run: only say what would be written, or refused.

    Raises:
        InvalidInputError: the form cannot hold the table; names every column, with what to do. An unknown form.
        UnsupportedColumnsError: columns of types that cannot be stored.
        AlreadyExistsError: a file of that name is there.
        NotFoundError: the folder does not exist.
        AccessDeniedError, StorageError: the file cannot be written.
        MissingPackageError: a package that the form needs is not installed.
    """
    made = MADE if recorded_at is None else moment_of(recorded_at)
    path, chosen = _aimed(target, form)
    if path is not _STREAM:
        check_target(path, overwrite=overwrite)
    out = prepare(table, name or (path.stem if path is not _STREAM else _UNNAMED), made, chosen, label)
    if path is _STREAM:
        return _streamed(target, chosen, out, version, dry_run=dry_run)
    return measured(path, chosen, out, version) if dry_run else placed(path, chosen, out, version)


def _aimed(target: object, form: ExportForm | None) -> tuple[Path, Form]:
    """Where to write, and in which form."""
    if hasattr(target, "write"):
        if form is None:
            raise InvalidInputError("An open file has no name that tells its form: give form=.")
        return _STREAM, form_called(form)
    path = _path(target)
    return path, form_for(path) if form is None else form_called(form)


def prepare(table: object, name: str, made: datetime, form: Form, label: str | None = None) -> Outgoing:
    """A table that a form can hold, ready to be written.

    Raises:
        InvalidInputError: it cannot; names every column.
    """
    out = outgoing(normalise(table, what=name), name, made, label)
    refuse(name, form.name, form.check(out))
    return out


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuse a path at which no file can be written, or where one is that should stay."""
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; name a file in it.", path=str(path))
    if not path.parent.is_dir():
        raise NotFoundError(f"The folder {path.parent} does not exist. Make it, or choose another.", path=str(path))
    if not overwrite and os.path.lexists(path):
        raise AlreadyExistsError(f"{path} is there already. Choose another name, or ask to overwrite.", path=str(path))


def placed(path: Path, form: Form, out: Outgoing, version: str | None) -> WrittenFile:
    """Write the file at its place."""
    return _told(path, form, out, version, lambda: whole_file(path))


def measured(path: Path, form: Form, out: Outgoing, version: str | None) -> WrittenFile:
    """What `placed` would answer; nothing is left of it."""
    return _told(path, form, out, version, tempfile.TemporaryFile)


def _told(path: Path, form: Form, out: Outgoing, version: str | None, opened: Callable[[], Any]) -> WrittenFile:
    try:
        with opened() as sink:
            form.write(out, sink)
            sink.flush()
            size = sink.seek(0, io.SEEK_END)
            sink.seek(0)
            sha = hashlib.file_digest(sink, "sha256").hexdigest()
    except OSError as error:
        raise not_written(path, error) from error
    return WrittenFile(path, form.name, out.name, version, out.rows, size, sha)


def _path(target: object) -> Path:
    if not isinstance(target, str | os.PathLike) or not str(target) or "\0" in str(target):
        raise InvalidInputError(f"A table is written to the path of a file, or an open binary file; got {target!r}.")
    return Path(target)


def _streamed(target: Any, form: Form, out: Outgoing, version: str | None, *, dry_run: bool) -> WrittenFile:
    """Write to the end of an open file; a form that moves about in its file gets one of its own before."""
    sink = _Measured(None if dry_run else target)
    if form.text:
        form.write(out, cast(BinaryIO, sink))
    else:
        with tempfile.TemporaryFile() as whole:
            form.write(out, whole)
            whole.seek(0)
            while block := whole.read(_BLOCK):
                sink.write(block)
    return WrittenFile(_STREAM, form.name, out.name, version, out.rows, sink.count, sink.sha.hexdigest())


class _Measured:
    """A file that is only written to, and measured; or nothing but the measures."""

    def __init__(self, sink: Any) -> None:
        self._sink, self.count, self.sha = sink, 0, hashlib.sha256()

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.count += view.nbytes
        self.sha.update(view)
        if self._sink is not None:
            self._sink.write(view)
        return view.nbytes
