"""What all forms of answers have in common, and how one becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time
from typing import Any, ClassVar


@dataclass(frozen=True)
class Answer:
    """An answer of a verb. ``form`` names the class and its release: ``datom-list/1``."""

    form: ClassVar[str]


@dataclass(frozen=True)
class ErrorAnswer(Answer):
    """What any verb says on standard error, with ``--json``, when something goes wrong.

    Attributes:
        error: its kind: usage, exists, missing-package, not-found, access, integrity, format, conflict, storage,
            interrupted, or internal.
        message: what is wrong, and what to do.
        exit_code: of the command.
    """

    form = "datom-error/1"
    error: str
    message: str
    exit_code: int


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, tuple | list):
        return [plain(held) for held in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value
