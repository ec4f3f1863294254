"""Open files below a folder so that no link leads out of it.

Names are looked up one by one, starting from the folder's own descriptor, and the system never follows a link: its
target is computed first and then opened like any other file. So if anybody swaps a file, or a folder on the way, for a
link, at whatever moment, the open fails.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def _flags(*names: str) -> int:
    # Windows, where this package writes nothing, lacks most of them.
    return sum(getattr(os, name, 0) for name in names)


# Opening a queue that has no writer must not block.
_READ = _flags("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")
_FOLDER = _flags("O_RDONLY", "O_DIRECTORY", "O_CLOEXEC")
_FOLDER_ITSELF = _FOLDER | _flags("O_NOFOLLOW")
_SPECIAL = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


class RefusedEntryError(Exception):
    """An entry that is not read; the text says why."""


@dataclass(frozen=True)
class Entry:
    """What a name refers to.

    Attributes:
        way: the names that lead there from the folder; for a link, they may be several, or differ from the name.
        found: what the system says about it.
    """

    way: tuple[str, ...]
    found: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.found.st_mode)


@contextmanager
def opened(folder: int, way: tuple[str, ...], flags: int = _READ) -> Iterator[int]:
    """A descriptor of the file at ``way`` below ``folder``; no part of the way may be a link."""
    at, own = folder, False
    try:
        for name in way[:-1]:
            below = os.open(name, _FOLDER_ITSELF, dir_fd=at)
            if own:
                os.close(at)
            at, own = below, True
        last = os.open(way[-1], flags, dir_fd=at)
        if own:
            os.close(at)
        at, own = last, True
        yield at
    finally:
        if own:
            os.close(at)


@contextmanager
def opened_folder(path: Path, inside: Path | None) -> Iterator[int]:
    """A descriptor of a folder.

    Args:
        path: the folder, which may itself be a link.
        inside: another folder, in which it must lie.

    Raises:
        RefusedEntryError: it is a link that leaves ``inside``.
    """
    if inside is None:
        at = os.open(path, _FOLDER)
        try:
            yield at
        finally:
            os.close(at)
        return
    way = _way(os.path.realpath(path), os.path.realpath(inside))
    with opened_folder(inside, None) as outer:
        if not way:
            yield outer
            return
        with opened(outer, way, _FOLDER_ITSELF) as at:
            yield at


def entry(folder: int, path: Path, name: str) -> Entry:
    """What ``name`` refers to in the folder ``path``, of which ``folder`` is a descriptor.

    Raises:
        RefusedEntryError: a link out of the folder or to nothing, or neither a file nor a folder.
        FileNotFoundError: there is nothing with that name.
    """
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    way: tuple[str, ...] = (name,)
    if stat.S_ISLNK(found.st_mode):
        real = os.path.realpath(path)
        way = _way(os.path.realpath(os.path.join(real, name)), real)
        try:
            found = _status(folder, way)
        except OSError as error:
            raise RefusedEntryError(f"a symbolic link to what cannot be found ({error.strerror})") from error
        if stat.S_ISLNK(found.st_mode):
            raise RefusedEntryError("a symbolic link that leads back to itself")
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        kind = _SPECIAL.get(stat.S_IFMT(found.st_mode), "neither a file nor a folder")
        raise RefusedEntryError(f"{kind}, which is never read")
    return Entry(way, found)


def _status(folder: int, way: tuple[str, ...]) -> os.stat_result:
    if len(way) <= 1:
        return os.stat(way[0] if way else ".", dir_fd=folder, follow_symlinks=False)
    with opened(folder, way[:-1], _FOLDER_ITSELF) as parent:
        return os.stat(way[-1], dir_fd=parent, follow_symlinks=False)


def _way(real: str, root: str) -> tuple[str, ...]:
    """The way from a folder to something below it, both free of links."""
    try:
        return Path(real).relative_to(root).parts
    except ValueError:
        # Do not say where it leads: the report goes to people who may not be meant to know.
        raise RefusedEntryError("a symbolic link that leaves the folder, which is never followed") from None
