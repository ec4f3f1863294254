"""Extract files in a drop: which there are, whether they are complete, and what they contain."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from datom_core.documents import Origin, SourceFile, SourceSystem, fact, format_timestamp
from datom_core.errors import ConflictError, InvalidInputError
from datom_core.extracts.drops import Drop, ExtractFile, ExtractSource, LocalFolder, inspect_drop, sha256_of
from datom_core.extracts.formats import (
    SchemaLike,
    cannot_be_read,
    check_reading,
    looks_like_data,
    of_name,
    read_extract,
)


@dataclass(frozen=True)
class Extract:
    """The content of an extract file; `Project.write` and the like accept it as a frame, and record the file.

    Attributes:
        data: the table.
        origin: SHA-256 of the file, and its format.
        file: its name.
        size_bytes: how long it was, if known.
        modified_at: when it was last written, if known.
        source: the system that it comes from, if somebody says so.
    """

    data: pa.Table = field(repr=False)
    origin: Origin
    file: str
    size_bytes: int | None = None
    modified_at: datetime | None = None
    source: SourceSystem | None = None

    def source_file(self) -> SourceFile:
        """The file as the documents of a version name it."""
        modified = None if self.modified_at is None else format_timestamp(self.modified_at)
        return SourceFile(fact(self.file), self.size_bytes, modified, self.origin.sha)


def load_extract(
    source: str | os.PathLike[str] | bytes | IO[bytes],
    *,
    format: str | None = None,  # noqa: A002 - as in read_extract
    **reading: Any,
) -> Extract:
    """One file as an `Extract`; arguments as `read_extract`.

    Raises:
        ConflictError: the file changed while it was read.
        The errors of `read_extract`.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        before = sha256_of(path) if path.is_file() else ""
        found = path.stat() if before else None
        data = read_extract(path, format=format, **reading)
        if sha256_of(path) != before:
            raise ConflictError(
                f"{path.name} changed while it was read. Try again when it is complete.", file=str(path)
            )
        assert found is not None  # or it could not be read
        origin = Origin(before, path.suffix[1:] or str(format))
        return Extract(data, origin, path.name, found.st_size, _moment(found.st_mtime))
    content = source.read() if hasattr(source, "read") else source
    data = read_extract(content, format=format, **reading)
    return Extract(data, Origin(hashlib.sha256(content).hexdigest(), str(format)), "", memoryview(content).nbytes)


def _moment(seconds: float) -> datetime | None:
    """A file's time; some file systems hold times that are none."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


class DropReader:
    """Reads extract files where they were dropped; each belongs to the table it is named after.

    Args:
        folder: a path, a `LocalFolder` or an `S3Folder`; its subfolders are not read.
        pattern: which files, for example ``"*.xpt"``.
        schema: per table, as for `read_extract`.
        r_compat, encoding, separator: as for `read_extract`.
        manifest: name of a file that lists the drop; nothing should be read until everything it lists is there.
        quiet: seconds without any change to a file; nothing should be read until they have passed.

    Raises:
        InvalidInputError: an argument can never work.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | ExtractSource,
        pattern: str = "*",
        *,
        schema: Mapping[str, SchemaLike] | None = None,
        r_compat: bool = False,
        encoding: str | None = None,
        separator: str | None = None,
        manifest: str | None = None,
        quiet: float | None = None,
    ) -> None:
        self.source = _source_of(folder)
        given: object = schema or {}
        if not isinstance(given, Mapping):
            raise InvalidInputError(f"schema is a mapping from table to its schema, not {type(given).__name__}.")
        for one in (None, *given.values()):
            check_reading(schema=one, encoding=encoding, separator=separator)
        if quiet is not None and not quiet > 0:
            raise InvalidInputError(f"quiet is a positive number of seconds, not {quiet!r}.")
        self._pattern = pattern
        self._schema = {**given}
        self._how: dict[str, Any] = {"r_compat": r_compat, "encoding": encoding, "separator": separator}
        self._manifest, self._quiet = manifest, quiet

    def inspect(self, now: datetime | None = None) -> Drop:
        """The files that are there, and why they should not be read yet.

        Raises:
            NotFoundError: the folder does not exist.
            AccessDeniedError, StorageError: the folder cannot be listed.
        """
        drop = inspect_drop(self.source, manifest=self._manifest, quiet=self._quiet, now=now or datetime.now(UTC))
        refused = {name: why for name, why in drop.refused.items() if fnmatchcase(name, self._pattern)}
        return replace(drop, files=tuple(f for f in drop.files if fnmatchcase(f.name, self._pattern)), refused=refused)

    def supports(self, file: ExtractFile) -> bool:
        """Whether a file has the extension of a readable format."""
        return of_name(file.name) is not None

    def unreadable(self, files: Iterable[ExtractFile]) -> dict[str, str]:
        """The ``files`` that are data by their extension, of a kind that cannot be read; with what to do about each."""
        return {f.name: cannot_be_read(f.name) for f in files if not self.supports(f) and looks_like_data(f.name)}

    def sha(self, file: ExtractFile) -> str:
        """SHA-256 of a file's bytes.

        Raises:
            ConflictError: the file has changed since it was listed.
        """
        with tempfile.TemporaryDirectory(prefix="datom-") as folder:
            return self.fetch(file, Path(folder))[1]

    def fetch(self, file: ExtractFile, folder: Path) -> tuple[Path, str]:
        """A path from which to read the file's bytes, and their SHA-256; remote files are put into ``folder``."""
        path = self.source.fetch(file, folder)
        sha = sha256_of(path)
        self.source.check(file)
        return path, sha

    def read(self, file: ExtractFile, table: str | None = None) -> Extract:
        """The content of a file: all of it, or nothing.

        Args:
            file: one of the listed files.
            table: the table it belongs to, whose schema applies.

        Raises:
            ConflictError: the file has changed since it was listed; try again when it is complete.
            InvalidInputError: the file cannot be read; says why.
        """
        with tempfile.TemporaryDirectory(prefix="datom-") as folder:
            path, sha = self.fetch(file, Path(folder))
            return self.read_fetched(file, path, sha, table)

    def read_fetched(
        self,
        file: ExtractFile,
        path: Path,
        sha: str,
        table: str | None = None,
        before: Mapping[str, pa.DataType] | None = None,
    ) -> Extract:
        """As `read`, for what `fetch` returned; ``before`` as for `read_extract`."""
        schema = self._schema.get(file.table if table is None else table)
        data = read_extract(path, schema=schema, before=before, **self._how)
        # All has been read: were these the bytes that were hashed?
        self.source.check(file)
        return Extract(data, Origin(sha, Path(file.name).suffix[1:]), file.name, file.size, file.modified)


def _source_of(folder: str | os.PathLike[str] | ExtractSource) -> ExtractSource:
    if isinstance(folder, (str, os.PathLike)):
        return LocalFolder(folder)
    if not isinstance(folder, ExtractSource):
        raise InvalidInputError(f"A drop is a folder, LocalFolder or S3Folder, not {type(folder).__name__}.")
    return folder
