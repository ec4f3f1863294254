"""The folder in which a bag is made, beside its place: what an interrupted run finished, the next one takes up."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from datom_core.common import not_written
from datom_core.documents import Buffer
from datom_core.errors import AlreadyExistsError, ConflictError, IntegrityError, InvalidInputError, NotFoundError

_BLOCK = 1 << 20
_REQUEST, _DONE, _BAG = "request.json", "done.jsonl", "bag"


@dataclass(frozen=True)
class Measured:
    """A file of the bag: its SHA-256 and its bytes."""

    sha256: str
    size: int


class Workshop:
    """Files of a bag, each whole or not there, with their hashes.

    Args:
        target: where the bag goes.
        request: all that decides what is in the bag; a run that was asked for something else is not continued.

    Attributes:
        files: path in the bag -> what was measured, in the order in which they were made.
    """

    def __init__(self, target: Path, request: object) -> None:
        self._target = target
        self.folder = target.with_name(f"{target.name}.partial")
        self.bag = self.folder / _BAG
        self.files: dict[str, Measured] = {}
        self._request = json.dumps(request, sort_keys=True).encode()
        self._done: dict[str, str] = {}

    @contextlib.contextmanager
    def open(self) -> Iterator[Workshop]:
        """Begin, or go on with what an interrupted run left.

        Raises:
            InvalidInputError: what was left is of another request.
            ConflictError: another process is at it.
            AccessDeniedError, StorageError: something cannot be written, for example because the disk is full.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                self._begin(handle)
                yield self
            finally:
                os.close(handle)
        except OSError as error:
            raise not_written(self.folder, error) from error

    def _begin(self, handle: int) -> None:
        import fcntl  # not on Windows

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConflictError(
                f"Another process is making {self._target} ({self.folder}). Try again later."
            ) from error
        request = self.folder / _REQUEST
        found = request.read_bytes() if request.exists() else None
        if found is not None and found != self._request:
            raise InvalidInputError(
                f"{self.folder} is what an interrupted run for something else, or of another release, left. Repeat "
                "that call, choose another target, or remove the folder.",
                path=str(self.folder),
            )
        if found is None:
            if any(self.folder.iterdir()):
                raise AlreadyExistsError(f"{self.folder} is in the way: no run of this kind left it.")
            request.write_bytes(self._request)
        self.bag.mkdir(exist_ok=True)
        done = self.folder / _DONE
        for line in done.read_bytes().split(b"\n") if done.exists() else ():
            with contextlib.suppress(ValueError):  # of the last line, when the run was interrupted in it
                path, sha = json.loads(line)
                self._done[path] = sha

    def put(self, path: str, pieces: Buffer | Iterable[Buffer], expected: str | None = None) -> Measured:
        """Write a file; in its place it is whole.

        Raises:
            IntegrityError: its SHA-256 is not the one that was expected.
            OSError: it cannot be written.
        """
        place = self.bag / path
        place.parent.mkdir(parents=True, exist_ok=True)
        part = self.folder / "part"
        digest, size = hashlib.sha256(), 0
        with open(part, "wb") as sink:
            for piece in (pieces,) if isinstance(pieces, bytes | memoryview) else pieces:
                view = memoryview(piece)
                digest.update(view)
                size += view.nbytes
                sink.write(view)
            sink.flush()
            os.fsync(sink.fileno())
        if expected is not None and digest.hexdigest() != expected:
            part.unlink()
            raise IntegrityError(f"{path}: SHA-256 {digest.hexdigest()[:16]}... instead of {expected[:16]}...")
        os.replace(part, place)
        return self.note(path, Measured(digest.hexdigest(), size))

    def note(self, path: str, measured: Measured) -> Measured:
        """Remember a file that is in its place."""
        self.files[path] = measured
        with open(self.folder / _DONE, "a", encoding="utf-8") as done:
            done.write(json.dumps([path, measured.sha256]) + "\n")
        return measured

    def has(self, path: str, sha: str | None = None) -> bool:
        """Whether a file is whole from an earlier run: with this SHA-256, or with the one that it was finished with."""
        place, wanted = self.bag / path, sha or self._done.get(path)
        if wanted is None or not place.is_file():
            return False
        with open(place, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != wanted:
            return False
        self.files[path] = Measured(found, place.stat().st_size)
        return True

    def left(self) -> list[str]:
        """Paths that an earlier run finished."""
        return list(self._done)

    def finish(self, pack: Callable[[Path, Path, list[str]], None] | None) -> None:
        """Put the bag in its place, as a folder or as what ``pack`` makes of it: (folder, file to write, paths)."""
        for folder, _, found in os.walk(self.bag, topdown=False):
            for name in found:
                place = Path(folder, name)
                if place.relative_to(self.bag).as_posix() not in self.files:
                    place.unlink()  # an earlier run met documents that have changed since
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        whole = self.bag
        if pack is not None:
            whole = self.folder / "bag.zip"
            pack(self.bag, whole, sorted(self.files))
        check_free(self._target)
        if self._target.is_dir():
            self._target.rmdir()
        os.rename(whole, self._target)
        shutil.rmtree(self.folder)


def check_free(target: Path) -> None:
    """Refuse a target where something is, or whose folder is not there.

    Raises:
        AlreadyExistsError, NotFoundError: says what to do.
    """
    if not target.parent.is_dir():
        raise NotFoundError(f"The folder {target.parent} does not exist. Make it, or choose another.", path=str(target))
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise AlreadyExistsError(
            f"{target} is there already, and not an empty folder. Choose another name, or move it away.",
            path=str(target),
        )
