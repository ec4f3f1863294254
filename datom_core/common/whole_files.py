"""Files that are whole or not there: written beside their place, flushed, and moved there at the end."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from datom_core.errors import AccessDeniedError, DatomError, StorageError


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file to write and read in the block, which takes its place at the end of it.

    What was there before stays until then, and for good when the block fails. Others never see a part of it.

    Raises:
        OSError: it cannot be written.
    """
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        # Not by tempfile, whose files are the user's alone, while this one is for others, too.
        with open(part, "x+b") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def not_written(path: object, error: OSError) -> DatomError:
    """What to raise when the system does not let a file or folder be written."""
    said = error.strerror or error
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AccessDeniedError(f"Not allowed to write {path}: {said}.", resource=str(path))
    return StorageError(f"{path} cannot be written: {said}.", path=str(path))
