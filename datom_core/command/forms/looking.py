"""Answers of the verbs that show what there is."""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class TableLine:
    """A table or set of the project.

    Attributes:
        name, kind: ``kind`` is ``"table"`` or ``"set"``.
        version: what is current.
        versions: how many there are.
        size_bytes: payload of the current version.
        last_updated: when it was last written (ISO 8601, UTC).
    """

    name: str
    kind: str
    version: str | None
    versions: int
    size_bytes: int | None
    last_updated: str | None


@dataclass(frozen=True)
class ListAnswer(Answer):
    """``datom list``."""

    form = "datom-list/1"
    project: str
    tables: tuple[TableLine, ...]
