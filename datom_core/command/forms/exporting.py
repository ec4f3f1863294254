"""Answers of the verbs that give data to other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class ReadAnswer(Answer):
    """``datom read``.

    Attributes:
        project, table: what was read.
        state: what was asked for; ``None`` is now.
        version: what that is.
        dataset: the data, as CDISC Dataset-JSON 1.1.
    """

    form = "datom-read/1"
    project: str
    table: str
    state: str | None
    version: str
    dataset: Mapping[str, Any]


@dataclass(frozen=True)
class ExportedFile:
    """A file that was written, or would be.

    Attributes:
        path: where it lies.
        form: ``csv``, ``tsv``, ``parquet``, ``xlsx``, ``xpt``, ``xpt8``, ``json`` or ``ndjson``.
        table, version: what it holds.
        rows: of the table.
        bytes, sha256: of the file.
    """

    path: str
    form: str
    table: str
    version: str | None
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ExportAnswer(Answer):
    """``datom export``.

    Attributes:
        project: whose tables.
        state: what was asked for; ``None`` is now.
        dry_run: nothing was written.
        files: one per table.
    """

    form = "datom-export/1"
    project: str
    state: str | None
    dry_run: bool
    files: tuple[ExportedFile, ...]
