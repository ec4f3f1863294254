"""Answers of the verbs that look back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datom_core.command.forms.base import Answer
from datom_core.command.forms.looking import SourceLine


@dataclass(frozen=True)
class LogLine:
    """A time that a version of a table became current.

    Attributes:
        recorded_at: when (ISO 8601, UTC).
        table, version: which one.
        author, message: who, and why.
        reinstated: whether it had been current before.
        current: whether it is current now.
        cuts: the cuts that stand for this version now.
        commit_sha: the commit that recorded it; known for the first time alone.
        provenance: who asked and wrote, in which run, from which file, as a history's entry has it.
    """

    recorded_at: str
    table: str
    version: str
    author: str
    message: str
    reinstated: bool
    current: bool
    cuts: tuple[str, ...]
    commit_sha: str | None
    provenance: Mapping[str, Any] | None


@dataclass(frozen=True)
class LogAnswer(Answer):
    """``datom log``: newest first; ``table`` is null for the whole study, ``state`` for all of its history."""

    form = "datom-log/1"
    project: str
    table: str | None
    state: str | None
    entries: tuple[LogLine, ...]


@dataclass(frozen=True)
class LineageLine:
    """A version, with those from which it was derived.

    Attributes:
        project, table, version, data_sha: which one.
        known: ``"read"``; or why its parents do not follow: ``"repeated"``, ``"elsewhere"``, ``"missing"``,
            ``"too deep"``.
        table_type: ``"imported"`` or ``"derived"``.
        parents, sources: null where nothing was declared or recorded, or it is not known.
    """

    project: str
    table: str
    version: str
    data_sha: str
    known: str
    table_type: str | None
    parents: tuple[LineageLine, ...] | None
    sources: tuple[SourceLine, ...] | None


@dataclass(frozen=True)
class LineageAnswer(Answer):
    """``datom lineage TABLE[@STATE]``."""

    form = "datom-lineage/1"
    lineage: LineageLine


@dataclass(frozen=True)
class DependentLine:
    """A table whose current version was derived from a version of another one.

    Attributes:
        table, version: which one.
        parent_version: what it was derived from.
        level: whether that is still the current version.
    """

    table: str
    version: str
    parent_version: str
    level: bool


@dataclass(frozen=True)
class DependentsAnswer(Answer):
    """``datom lineage TABLE --down``."""

    form = "datom-dependents/1"
    project: str
    table: str
    dependents: tuple[DependentLine, ...]


@dataclass(frozen=True)
class CellLine:
    """A value that a cell had, until the next one of its column.

    Attributes:
        column, value: as text; null is a missing value.
        present: whether the row was there, and had such a column.
        recorded_at, author, message, version, commit_sha, run: the recording that brought it.
        cuts: the cuts that stand, or stood, for that version.
        original_file_sha: SHA-256 of the extract file that the version was imported from.
    """

    column: str
    value: str | None
    present: bool
    recorded_at: str
    author: str
    message: str
    version: str
    commit_sha: str | None
    run: str | None
    cuts: tuple[str, ...]
    original_file_sha: str | None


@dataclass(frozen=True)
class HistoryAnswer(Answer):
    """``datom history TABLE COLUMN=VALUE``.

    Attributes:
        key: column -> value, as it was asked for.
        versions: how many recordings of the table were looked at.
        cells: column by column, oldest first.
    """

    form = "datom-history/1"
    project: str
    table: str
    key: Mapping[str, str]
    versions: int
    cells: tuple[CellLine, ...]
