"""How every reader of extract files reports what is wrong with one."""

from __future__ import annotations

import codecs
import importlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from datom_core.common import needing
from datom_core.errors import InvalidInputError

_SHOWN = 10  # offenders that a message names


def bad_file(name: str, problem: str) -> InvalidInputError:
    """An error that says what is wrong with the file, and what to do about it."""
    return InvalidInputError(f"{name}: {problem}", file=name)


def brief_list(offenders: Iterable[object]) -> str:
    """The first offenders, and how many more there are."""
    every = list(offenders)
    more = f", and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(str(o) for o in every[:_SHOWN]) + more


def library(module: str, name: str) -> Any:
    """A package of the extra ``formats``, imported when a file first needs it.

    Raises:
        MissingPackageError: it is not installed; names the extra.
    """
    with needing(name, "formats"):
        return importlib.import_module(module)


def check_columns(names: Sequence[str], name: str) -> None:
    """Refuse column names that are empty or occur twice, all at once.

    Raises:
        InvalidInputError: names them.
    """
    problems = [f"{c!r} occurs {count} times" for c, count in Counter(names).items() if count > 1 and c]
    empty = [str(i) for i, c in enumerate(names, 1) if not c.strip()]
    problems += [f"column {brief_list(empty)} has no name"] if empty else []
    if problems:
        raise bad_file(name, f"{'; '.join(problems)}. Name every column, once, where the file is made.")


def check_encoding(encoding: str | None, name: str, *, of_text: bool = True) -> str:
    """The name of an encoding that Python knows; by default UTF-8, with or without its mark."""
    try:
        codec = codecs.lookup(encoding or "utf-8")
        if of_text and not getattr(codec, "_is_text_encoding", True):
            raise LookupError  # rot13 and the like turn text into text, or bytes into bytes
        found = codec.name
    except (LookupError, TypeError):
        raise bad_file(name, f"{encoding!r} is no encoding that Python knows. Common are utf-8 and cp1252.") from None
    return "utf-8" if found == "utf-8-sig" else found
