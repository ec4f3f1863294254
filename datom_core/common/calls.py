"""Calls whose arguments do not fit: what to write instead, in place of Python's own words."""

from __future__ import annotations

from datom_core.errors import InvalidInputError


def refuse_more(given: tuple[object, ...], example: str) -> None:
    """Refuse arguments without a name where none belongs: most often, two are swapped.

    Raises:
        InvalidInputError: with an example of a right call.
    """
    if given:
        raise InvalidInputError(
            f"There are {len(given)} arguments without a name too many. Are the arguments swapped? Write {example}."
        )
