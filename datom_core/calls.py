"""Calls whose arguments do not fit: what to write instead, in place of Python's own words."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from datom_core.errors import InvalidInputError

P = ParamSpec("P")
R = TypeVar("R")


def written_as(example: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a call with too many, too few or unknown arguments refused with an example of a right one."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                reason = f"{function.__qualname__}: {error}. Are the arguments swapped, or is one without its name?"
                # Not from Python's error: its frames hold whatever was given.
                raise InvalidInputError(f"{reason} Write {example}.") from None
            return function(*args, **kwargs)

        return checked

    return decorate
