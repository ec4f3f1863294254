"""Answers of the verbs that create a project and write to it."""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class PlaceAnswer(Answer):
    """``datom init`` and ``datom use``.

    Attributes:
        project: its name.
        location: where its data lies; ``None`` if only a register says so.
        remote: its git repository; without one it is only read.
        register: where the register that it belongs to lies.
        schema, tables: 1 or 2, and how many tables there are; ``None`` if nothing was looked at.
        file: the settings file that says so; ``None`` if none does.
    """

    form = "datom-place/1"
    project: str | None
    location: str | None
    remote: str | None
    register: str | None
    schema: int | None
    tables: int | None
    file: str | None


@dataclass(frozen=True)
class TableWritten:
    """What a write did to a table, or would do.

    Attributes:
        table: its name.
        version: the version that holds what was written.
        action: ``created``, ``metadata_only``, ``unchanged`` or ``repaired``.
        rows: how many there are.
        change: difference to what was current before.
        cut: the cut that stands for this version.
    """

    table: str
    version: str
    action: str
    rows: int
    change: str
    cut: str | None


@dataclass(frozen=True)
class WriteAnswer(Answer):
    """``datom write``.

    Attributes:
        project: its name.
        dry_run: whether nothing was done.
        commit: the commit that was made; ``None`` when none was needed.
        tables: what was written.
    """

    form = "datom-write/1"
    project: str
    dry_run: bool
    commit: str | None
    tables: tuple[TableWritten, ...]


@dataclass(frozen=True)
class FileSynced:
    """A file of a folder, and what became of it.

    Attributes:
        file, table: its name, and the table that it belongs to.
        status: ``new``, ``changed``, ``unchanged``, ``unsupported``, ``ignored`` or ``failed``.
        reason: why, where the status does not say it.
        action: what was done, as in ``datom write``; ``None`` when nothing was.
        rows: how many were read.
        version: the table's version for this file.
        retyped: columns whose type differs from the version before.
        notes: distinctions that the file makes and the table does not.
    """

    file: str
    table: str | None
    status: str
    reason: str | None
    action: str | None
    rows: int | None
    version: str | None
    retyped: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SyncAnswer(Answer):
    """``datom sync``.

    Attributes:
        project, location: of the project, and of the folder.
        dry_run: whether nothing was done.
        ok: whether the folder was complete, and every extract was taken in.
        waiting: why the folder is not complete; then nothing was read.
        commits: the commits made.
        files: what became of each file.
    """

    form = "datom-sync/1"
    project: str
    location: str
    dry_run: bool
    ok: bool
    waiting: tuple[str, ...]
    commits: tuple[str, ...]
    files: tuple[FileSynced, ...]


@dataclass(frozen=True)
class NamedAnswer(Answer):
    """``datom cut`` and ``datom review``.

    Attributes:
        project: its name.
        name: of the cut, or of the review mark.
        kind: ``"cut"`` or ``"review"``.
        dry_run: whether nothing was done.
        commit: the commit that was made; ``None`` when the name already stood for these versions.
        versions: table -> version for which the name stands.
    """

    form = "datom-named/1"
    project: str
    name: str
    kind: str
    dry_run: bool
    commit: str | None
    versions: dict[str, str]
