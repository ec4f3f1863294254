"""A folder as one zip file: the same files give the same bytes."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

_BLOCK = 1 << 20
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest time that the format knows
_REGULAR = 0o100644


def pack(folder: Path, target: Path, paths: list[str], top: str) -> None:
    """Write the files, below a folder of this name, without compression: payloads are compressed already."""
    with open(target, "wb") as sink:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
            for path in paths:
                entry = zipfile.ZipInfo(f"{top}/{path}", _BEGINNING)
                entry.external_attr = _REGULAR << 16
                entry.create_system = 3  # Unix, wherever this runs
                entry.file_size = (folder / path).stat().st_size  # by which it is known whether 4 GB are enough
                with open(folder / path, "rb") as source, archive.open(entry, "w") as place:
                    shutil.copyfileobj(source, place, _BLOCK)
        sink.flush()
        os.fsync(sink.fileno())
