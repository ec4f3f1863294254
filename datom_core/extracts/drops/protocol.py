"""What every source of extracts promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

_LONGEST = 255  # bytes in a file's name, nearly everywhere


@dataclass(frozen=True)
class ExtractFile:
    """A file in a drop, as it was listed.

    Attributes:
        name: without the folder.
        size: in bytes.
        modified: when it was last written.
        tag: distinguishes this state of the file from others.
    """

    name: str
    size: int
    modified: datetime
    tag: str = field(repr=False)

    @property
    def table(self) -> str:
        """The table it is named after."""
        return Path(self.name).stem


@dataclass(frozen=True)
class Listing:
    """What a place holds.

    Attributes:
        files: its files.
        others: folders, with names that end in a slash, and the like; they are not read.
        refused: what is never read, by name, and what it is: a link out of the place, a pipe, a device.
    """

    files: tuple[ExtractFile, ...]
    others: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


def odd_name(name: str) -> bool:
    """Whether a name cannot belong to a file in a folder, or cannot be printed."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return True
    control = any(ord(c) < 32 or ord(c) == 127 for c in name)
    return control or name in ("", ".", "..") or size > _LONGEST or "/" in name or "\\" in name


@runtime_checkable
class ExtractSource(Protocol):
    """A place where files are dropped. It is only read.

    All methods raise `NotFoundError` if the place or the file does not exist, `AccessDeniedError` if rights are
    missing, and `StorageError` if the place fails.
    """

    @property
    def location(self) -> str:
        """Where it is, without credentials."""
        ...

    def list(self) -> Listing:
        """What is there now."""
        ...

    def fetch(self, file: ExtractFile, folder: Path) -> Path:
        """A path from which to read the file's bytes; a remote file is put into ``folder``.

        Raises:
            ConflictError: the file has changed.
        """
        ...

    def check(self, file: ExtractFile) -> None:
        """Raise `ConflictError` if the bytes at the path may have changed since they were listed."""
        ...
