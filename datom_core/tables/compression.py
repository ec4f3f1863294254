"""How payloads are compressed."""

from __future__ import annotations

from typing import Literal, get_args

from datom_core.errors import InvalidInputError

#: How the pages of a payload are compressed.
Compression = Literal["snappy", "zstd"]


def check_compression(compression: object) -> None:
    """Refuse what is not a `Compression`.

    Raises:
        InvalidInputError: names the valid ones.
    """
    if compression not in get_args(Compression):
        raise InvalidInputError(f"compression is one of {get_args(Compression)}, not {compression!r}.")
