"""What every place for extracts promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

_LONGEST = 255  # bytes of a file's name, nearly everywhere


@dataclass(frozen=True)
class ExtractFile:
    """A file in a drop, as it was listed.

    Attributes:
        name: without the folder.
        size: in bytes.
        modified: when it was last written.
        tag: tells this state of the file from another one.
    """

    name: str
    size: int
    modified: datetime
    tag: str = field(repr=False)

    @property
    def table(self) -> str:
        """The table that it is named after."""
        return Path(self.name).stem


@dataclass(frozen=True)
class Listing:
    """What lies in a place.

    Attributes:
        files: its files.
        others: folders, by names that end in a slash, and the like; they are not looked into.
        refused: what is never read, by name, and what it is: a link out of the place, a pipe, a device.
    """

    files: tuple[ExtractFile, ...]
    others: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


def odd_name(name: str) -> bool:
    """Whether a name cannot be that of a file in a folder, or not of one whose name can be told."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return True
    control = any(ord(c) < 32 or ord(c) == 127 for c in name)
    return control or name in ("", ".", "..") or size > _LONGEST or "/" in name or "\\" in name


@runtime_checkable
class ExtractSource(Protocol):
    """A place where files are dropped. It is only read.

    All methods raise `NotFoundError` when the place or the file is not there, `AccessDeniedError` when rights are
    missing, and `StorageError` when it fails.
    """

    @property
    def location(self) -> str:
        """Where it is, without credentials."""
        ...

    def list(self) -> Listing:
        """What is there now."""
        ...

    def fetch(self, file: ExtractFile, folder: Path) -> Path:
        """A path at which the file's bytes can be read; where they come from afar, they are put into ``folder``.

        Raises:
            ConflictError: the file is another one by now.
        """
        ...

    def check(self, file: ExtractFile) -> None:
        """Raise `ConflictError` when the bytes at the path may be others by now than when they were listed."""
        ...
