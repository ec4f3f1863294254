"""A folder on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from datom_core.common import fitting
from datom_core.errors import AccessDeniedError, ConflictError, InvalidInputError, NotFoundError, StorageError
from datom_core.extracts.drops.below import Entry, RefusedEntryError, entry, opened, opened_folder
from datom_core.extracts.drops.protocol import ExtractFile, Listing, odd_name

_BLOCK = 2**20


class LocalFolder:
    """Extracts in a folder on disk. Each is copied into a temporary folder before it is read.

    So what is read is what was listed, even if somebody swaps files meanwhile. Links that leave the folder are not
    followed; the folder itself may be a link.

    Args:
        path: the folder.
        inside: a folder in which it must lie, after following links; for names from elsewhere.
    """

    @fitting
    def __init__(self, path: str | os.PathLike[str], *, inside: str | os.PathLike[str] | None = None) -> None:
        self._path = Path(path)
        self._inside = None if inside is None else Path(inside)

    @property
    def location(self) -> str:
        return str(self._path)

    def list(self) -> Listing:
        files: list[ExtractFile] = []
        others: list[str] = []
        refused: dict[str, str] = {}
        with self._opened() as folder:
            for name in sorted(os.listdir(folder)):
                try:
                    found = entry(folder, self._path, name)
                except RefusedEntryError as error:
                    refused[name] = str(error)
                except FileNotFoundError:
                    continue  # it has gone since
                else:
                    if found.is_folder:
                        others.append(f"{name}/")
                    else:
                        files.append(_file(name, found.found))
        return Listing(tuple(files), tuple(others), refused)

    def fetch(self, file: ExtractFile, folder: Path) -> Path:
        if odd_name(file.name):
            raise InvalidInputError(f"{file.name!r} is no name of a file in {self._path}.", file=file.name)
        with self._opened() as at, self._found(at, file) as found, opened(at, found.way) as source:
            # The open file is the listed one, and no other can take its place.
            if _file(file.name, os.fstat(source)).tag != file.tag or not stat.S_ISREG(os.fstat(source).st_mode):
                raise _changed(file)
            path = folder / file.name
            try:
                _copy(source, path, file)
            except OSError as error:
                raise StorageError(
                    f"{file.name} cannot be copied into {folder}: {error}. See that the temporary folder has room "
                    "for it (TMPDIR), and try again.",
                    file=file.name,
                ) from error
            if _file(file.name, os.fstat(source)).tag != file.tag:
                raise _changed(file)
        return path

    def check(self, file: ExtractFile) -> None:
        with self._opened() as at, self._found(at, file):
            pass

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """A descriptor of the folder; turns system errors about it, and about files in it, into our errors."""
        try:
            with opened_folder(self._path, self._inside) as folder:
                yield folder
        except RefusedEntryError as error:
            raise InvalidInputError(f"{self._path} is {error}.", folder=str(self._path)) from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"There is no folder {self._path}. Check the path.", folder=str(self._path)) from error
        except PermissionError as error:
            raise AccessDeniedError(f"{self._path} cannot be read: {error}. Ask for the right to read it.") from error
        except OSError as error:
            raise StorageError(f"{self._path} cannot be read: {error}. Try again.") from error

    @contextmanager
    def _found(self, folder: int, file: ExtractFile) -> Iterator[Entry]:
        """What the file's name refers to, if it is still what was listed."""
        try:
            found = entry(folder, self._path, file.name)
        except RefusedEntryError as error:
            raise ConflictError(f"{file.name}: in place of the file there is now {error}.", file=file.name) from error
        except FileNotFoundError:
            raise ConflictError(f"{file.name}: the file went away while it was read. Try again.") from None
        if found.is_folder or _file(file.name, found.found).tag != file.tag:
            raise _changed(file)
        try:
            yield found
        except PermissionError as error:
            raise AccessDeniedError(
                f"{self._path / file.name} cannot be read. Ask for the right to read it.", file=file.name
            ) from error
        except OSError as error:
            raise ConflictError(
                f"{file.name}: the file is another one by now ({error.strerror}). Try again."
            ) from error

    def __repr__(self) -> str:
        return f"LocalFolder({self.location!r})"


def _file(name: str, at: os.stat_result) -> ExtractFile:
    tag = f"{at.st_ino}-{at.st_size}-{at.st_mtime_ns}"
    return ExtractFile(name, at.st_size, datetime.fromtimestamp(at.st_mtime, UTC), tag)


def _copy(source: int, path: Path, file: ExtractFile) -> None:
    """Copy the bytes; no more than the file had when listed, in case it grows without end."""
    left = file.size + 1
    with path.open("wb") as to:
        while left > 0 and (block := os.read(source, min(_BLOCK, left))):
            to.write(block)
            left -= len(block)


def _changed(file: ExtractFile) -> ConflictError:
    return ConflictError(f"{file.name}: the file changed while it was read. Try again when it is complete.")
