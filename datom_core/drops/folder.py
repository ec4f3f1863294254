"""A folder on a disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from datom_core.drops.protocol import ExtractFile, Listing
from datom_core.errors import AccessDeniedError, ConflictError, NotFoundError, StorageError


class LocalFolder:
    """Extracts in a folder on a disk. Files are read where they lie.

    Args:
        path: the folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    @property
    def location(self) -> str:
        return str(self._path)

    def list(self) -> Listing:
        if not self._path.is_dir():
            raise NotFoundError(f"There is no folder {self._path}. Check the path.", folder=str(self._path))
        files, others = [], []
        try:
            entries = sorted(os.scandir(self._path), key=lambda e: e.name)
            for entry in entries:
                if entry.is_file():
                    files.append(self._look(entry.name))
                else:
                    others.append(f"{entry.name}/" if entry.is_dir() else entry.name)
        except PermissionError as error:
            raise AccessDeniedError(f"{self._path} cannot be listed: {error}. Ask for the right to read it.") from error
        except OSError as error:
            raise StorageError(f"{self._path} cannot be listed: {error}. Try again.") from error
        return Listing(tuple(files), tuple(others))

    def fetch(self, file: ExtractFile, folder: Path) -> Path:
        self.check(file)
        path = self._path / file.name
        if not os.access(path, os.R_OK):
            raise AccessDeniedError(f"{path} cannot be read. Ask for the right to read it.", file=file.name)
        return path

    def check(self, file: ExtractFile) -> None:
        try:
            now = self._look(file.name)
        except FileNotFoundError:
            raise ConflictError(f"{file.name}: the file went away while it was read. Try again.") from None
        if now.tag != file.tag:
            raise ConflictError(f"{file.name}: the file changed while it was read. Try again when it is complete.")

    def _look(self, name: str) -> ExtractFile:
        at = (self._path / name).stat()
        return ExtractFile(
            name,
            at.st_size,
            datetime.fromtimestamp(at.st_mtime, UTC),
            f"{at.st_ino}-{at.st_size}-{at.st_mtime_ns}",
        )

    def __repr__(self) -> str:
        return f"LocalFolder({self.location!r})"
