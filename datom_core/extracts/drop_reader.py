"""Extract files out of a drop: which are there, whether they are complete, and what is in them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow as pa

from datom_core.documents import Origin
from datom_core.errors import InvalidInputError
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
    """What was read from an extract file; `Project.write` and the like take it as a frame, and record the file.

    Attributes:
        data: the table.
        origin: SHA-256 of the file and its format.
        file: its name.
    """

    data: pa.Table = field(repr=False)
    origin: Origin
    file: str


class DropReader:
    """Reads extract files where they were dropped; each is for the table that it is named after.

    Args:
        folder: a path, a `LocalFolder` or an `S3Folder`; what lies in folders below is not looked at.
        pattern: which files, for example ``"*.xpt"``.
        schema: per table, as for `read_extract`.
        r_compat, encoding, separator: as for `read_extract`.
        manifest: name of a file that lists the drop; until all that it lists is there, nothing is to be read.
        quiet: seconds for which no file may have changed; until then, nothing is to be read.

    Raises:
        InvalidInputError: an argument that can never work.
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
        """The files that are there, and why they are not to be read yet.

        Raises:
            NotFoundError: the folder is not there.
            AccessDeniedError, StorageError: it cannot be looked at.
        """
        drop = inspect_drop(self.source, manifest=self._manifest, quiet=self._quiet, now=now or datetime.now(UTC))
        refused = {name: why for name, why in drop.refused.items() if fnmatchcase(name, self._pattern)}
        return replace(drop, files=tuple(f for f in drop.files if fnmatchcase(f.name, self._pattern)), refused=refused)

    def supports(self, file: ExtractFile) -> bool:
        """Whether a file has the extension of a format that can be read."""
        return of_name(file.name) is not None

    def unreadable(self, files: Iterable[ExtractFile]) -> dict[str, str]:
        """Those of ``files`` that hold data by their extension, of a kind that cannot be read; with what to do."""
        return {f.name: cannot_be_read(f.name) for f in files if not self.supports(f) and looks_like_data(f.name)}

    def sha(self, file: ExtractFile) -> str:
        """SHA-256 of a file's bytes.

        Raises:
            ConflictError: it changed since it was listed.
        """
        with tempfile.TemporaryDirectory(prefix="datom-") as folder:
            return self.fetch(file, Path(folder))[1]

    def fetch(self, file: ExtractFile, folder: Path) -> tuple[Path, str]:
        """A path at which the file's bytes can be read, and their SHA-256; ``folder`` is for what comes from afar."""
        path = self.source.fetch(file, folder)
        sha = sha256_of(path)
        self.source.check(file)
        return path, sha

    def read(self, file: ExtractFile, table: str | None = None) -> Extract:
        """What is in a file: all of it, or nothing.

        Args:
            file: one of those that `look` found.
            table: the table that it is for, whose schema wins.

        Raises:
            ConflictError: it changed since it was listed; try again when it is complete.
            InvalidInputError: it cannot be read, and why.
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
        """As `read`, of what `fetch` gave; ``before`` as for `read_extract`."""
        schema = self._schema.get(file.table if table is None else table)
        data = read_extract(path, schema=schema, before=before, **self._how)
        # Read to the end: were the bytes those that were hashed?
        self.source.check(file)
        return Extract(data, Origin(sha, Path(file.name).suffix[1:]), file.name)


def _source_of(folder: str | os.PathLike[str] | ExtractSource) -> ExtractSource:
    if isinstance(folder, (str, os.PathLike)):
        return LocalFolder(folder)
    if not isinstance(folder, ExtractSource):
        raise InvalidInputError(f"A drop is a folder, LocalFolder or S3Folder, not {type(folder).__name__}.")
    return folder
