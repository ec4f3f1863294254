"""A store in a folder of the local (or a mounted) file system."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path, PurePosixPath

from datom_core.common import check_key, fitting, logged, normalise_prefix
from datom_core.documents import Buffer, Location
from datom_core.errors import (
    AccessDeniedError,
    ConflictError,
    DatomError,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from datom_core.storage.backends import Backend, Opening, register_backend
from datom_core.storage.protocol import ObjectInfo, StoredObject

_log = logging.getLogger(__name__)

_TEMPORARY = ".datom-tmp-"  # no valid table name begins like this, and listings skip such files
_LARGE = 2**20  # bytes; below that, a copy costs nothing
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


class LocalStore:
    """Objects as files below ``{path}/{prefix}/datom/``, the layout that R reads and writes.

    The first write makes the folder; until then, `check` reports it missing. A write goes to a temporary file that is
    flushed to disk and then linked or renamed into place. Swaps are serialised by a lock on the directory that holds
    the object, which leaves no lock file behind. The lock works between processes of one machine: writers on several
    machines need an object store.

    Args:
        path: the folder; ``~`` is expanded, and a relative path is made absolute.
        prefix: a path below it, so that several projects can share the folder.
    """

    @fitting
    def __init__(self, path: str | os.PathLike[str], prefix: str = "") -> None:
        given: object = path
        if not isinstance(given, str | os.PathLike) or not str(given):
            raise InvalidInputError(
                f'A LocalStore needs the path of a folder, as in LocalStore("study/data"), not {given!r}.'
            )
        root = os.path.abspath(os.path.expanduser(path))
        self._location = Location("local", root, normalise_prefix(prefix), given_prefix=prefix)
        self._base = Path(root, *filter(None, self._location.prefix.split("/")), "datom")

    @property
    def location(self) -> Location:
        return self._location

    def get(self, key: str) -> StoredObject:
        with self._translated("read", key), open(self._path(key), "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            data = file.readall() if found.st_size < _LARGE else _read_large(file, found.st_size)
        sha256 = hashlib.sha256(data).hexdigest()
        return StoredObject(data, _etag(found, sha256), sha256)

    def pieces(self, key: str) -> Iterator[Buffer]:
        """The object's bytes, a piece at a time; `NotFoundError` if there is none."""
        with self._translated("read", key), open(self._path(key), "rb", buffering=0) as file:
            while piece := file.read(_LARGE):
                yield piece

    def head(self, key: str) -> ObjectInfo | None:
        try:
            with self._translated("read", key):
                found = os.stat(self._path(key))
        except NotFoundError:
            return None
        return ObjectInfo(key, found.st_size) if stat.S_ISREG(found.st_mode) else None

    @logged(_log)
    def create(self, key: str, data: Buffer, metadata: Mapping[str, str] | None = None) -> bool:
        # A file has nowhere to keep metadata; its readers fall back to the object's bytes.
        path = self._path(key)
        if self.head(key) is not None:
            return False
        with self._translated("create", key), self._temporary(path, data) as temporary:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    raise
                with _locked(path.parent):
                    if path.exists():
                        return False
                    os.rename(temporary, path)
            _flush_directory(path.parent)
            return True

    @logged(_log)
    def replace(self, key: str, data: Buffer, etag: str) -> str:
        path = self._path(key)
        with self._translated("replace", key), self._temporary(path, data) as temporary, _locked(path.parent):
            try:
                current = self.get(key).etag
            except NotFoundError:
                current = None
            if current != etag:
                raise ConflictError(f"{key} in {self.location} changed since it was read. Try again.", key=key)
            os.rename(temporary, path)
            _flush_directory(path.parent)
            return _etag(os.stat(path), hashlib.sha256(data).hexdigest())

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        folder, _, _ = prefix.rpartition("/")
        start = self._path(folder) if folder else self._base
        with self._translated("list", prefix):
            found: dict[str, str] = {}
            for directory, _, names in os.walk(start, onerror=_raise_unless_missing):
                relative = Path(directory).relative_to(self._base).as_posix()
                at = "" if relative == "." else relative + "/"
                here = {at + n: os.path.join(directory, n) for n in names if not n.startswith(_TEMPORARY)}
                found |= {key: path for key, path in here.items() if key.startswith(prefix)}
            # Others may have put files there whose names are not valid keys; a listing shows them all the same.
            for key in sorted(found, key=os.fsencode):
                with contextlib.suppress(FileNotFoundError):
                    info = os.stat(found[key])
                    if stat.S_ISREG(info.st_mode):
                        yield ObjectInfo(key, info.st_size)

    @logged(_log)
    def delete(self, key: str) -> None:
        with self._translated("delete", key), contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(key))

    def check(self) -> None:
        with self._translated("open", ""):
            if not os.path.isdir(self._location.root):
                raise NotFoundError(
                    f"The folder {self._location.root} of the store is not there. Check the path, or mount it.",
                    location=str(self.location),
                )
            os.scandir(self._location.root).close()

    def prepare(self) -> None:
        """Make the store's root, as its first write would, for a place that is opened before it holds anything."""
        with self._translated("create", ""):
            _make_directories(Path(self._location.root))

    def remove_empty(self) -> None:
        """Remove folders that deleted objects left empty, including the namespace's own; the store's root stays."""
        for folder, _, _ in os.walk(self._base, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def free_bytes(self) -> int:
        """Free bytes on the disk."""
        folder = next(p for p in (self._base, *self._base.parents) if p.exists())
        with self._translated("open", ""):
            return shutil.disk_usage(folder).free

    def __repr__(self) -> str:
        if not hasattr(self, "_location"):
            return "LocalStore(...)"  # still being made: a traceback is showing it
        return f"LocalStore({self._location.root!r}, prefix={self._location.prefix!r})"

    def _path(self, key: str) -> Path:
        return self._base.joinpath(*check_key(key).split("/"))

    @contextlib.contextmanager
    def _translated(self, action: str, key: str) -> Iterator[None]:
        """The one place where the operating system's errors become ours."""
        try:
            yield
        except DatomError:
            raise
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            if action != "read":
                raise StorageError(
                    f"Could not {action} {error.filename or key} in {self.location}: {error.strerror}. Check the path.",
                    key=key,
                ) from error
            raise NotFoundError(f"There is no object {key} in {self.location}.", key=key) from error
        except PermissionError as error:
            raise AccessDeniedError(
                f"Not allowed to {action} {error.filename or key} in {self.location}. Check the folder's permissions.",
                action=action,
                resource=str(error.filename or key),
            ) from error
        except OSError as error:
            raise StorageError(f"Could not {action} {key} in {self.location}: {error.strerror}.", key=key) from error

    @contextlib.contextmanager
    def _temporary(self, path: Path, data: Buffer) -> Iterator[Path]:
        """The bytes in a flushed file next to ``path``; it is removed afterwards, unless it was renamed."""
        _make_directories(path.parent)
        temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o664), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def _etag(found: os.stat_result, sha256: str) -> str:
    # Inode and time distinguish two writes of equal bytes; the digest guards against coarse clocks.
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{sha256[:32]}"


def _read_large(file: FileIO, size: int) -> memoryview:
    """The file's bytes in Arrow's memory, where a payload is parsed without another copy."""
    import pyarrow as pa

    whole = memoryview(pa.allocate_buffer(size)).cast("B")
    done = 0
    while count := file.readinto(whole[done:]):
        done += count
    if done != size:
        raise OSError(f"the file ends after {done} of {size} bytes")
    return whole.toreadonly()


def _make_directories(folder: Path) -> None:
    """Make a folder and its parents, and flush each new name to disk with its parent folder."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o775, exist_ok=True)
        _flush_directory(directory.parent)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    import fcntl  # not on Windows, where this package reads and does not write

    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _flush_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _open(opening: Opening) -> LocalStore:
    # Further arguments are for buckets; a caller who opens a document's location does not know which kind it is.
    return LocalStore(opening.location.root, opening.location.spelled_prefix)


def _folder(location: Location) -> str:
    """Folders can be reached by different paths (links), and split differently into root and prefix."""
    return os.path.realpath(os.path.join(location.root, location.prefix))


def _code(location: Location) -> str:
    prefix = f", prefix={location.spelled_prefix!r}" if location.prefix else ""
    return f'LocalStore("{location.root}"{prefix})'


def _uri(location: Location, path: str) -> str:
    return PurePosixPath(location.root, path).as_uri()


register_backend(Backend(name="local", open=_open, root_is_path=True, identity=_folder, code=_code, uri=_uri))
