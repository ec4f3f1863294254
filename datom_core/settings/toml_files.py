"""Read and write the text of a settings file, whatever lies there."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from datom_core.common import not_written, whole_file
from datom_core.errors import AccessDeniedError, InvalidInputError, NotFoundError

_MOST_BYTES = 64 * 1024


def read_toml(file: Path) -> dict[str, Any]:
    """What a file holds.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is no file, too long, not UTF-8 or not TOML.
        AccessDeniedError: it may not be read.
    """
    try:
        if os.path.exists(file) and not os.path.isfile(file):
            raise InvalidInputError(f"{file} is no file.")  # a pipe would be waited for
        with file.open("rb") as opened:
            raw = opened.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise InvalidInputError(f"{file} is longer than {_MOST_BYTES // 1024} KiB: it is no settings file.")
        return tomllib.loads(raw.decode("utf-8-sig"))
    except InvalidInputError:
        raise
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {file}.") from None
    except PermissionError:
        raise AccessDeniedError(f"Not allowed to read {file}.", resource=str(file)) from None
    except UnicodeDecodeError:
        raise InvalidInputError(f"{file} is not UTF-8: it is no settings file.") from None
    except RecursionError:
        raise InvalidInputError(f"{file} is nested too deeply: it is no settings file.") from None
    except (OSError, ValueError) as error:
        # The parser quotes nothing of the file but keys and one character.
        raise InvalidInputError(f"{file} cannot be read: {error}.") from None


def write_text(file: Path, text: str) -> None:
    """Write a file whole, or not at all.

    Raises:
        AccessDeniedError, StorageError: it cannot be written.
    """
    try:
        with whole_file(file) as sink:
            sink.write(text.encode())
    except OSError as error:
        raise not_written(file, error) from error
