"""Answers of the verbs that show what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datom_core.command.forms.base import Answer
from datom_core.command.forms.signing import ApprovalLine


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


@dataclass(frozen=True)
class StatusAnswer(Answer):
    """``datom status``.

    Attributes:
        project, location, schema: which project, and where its data lies.
        tables, sets, versions, cuts, size_bytes: how much there is.
        last_updated: when storage was last written (ISO 8601, UTC).
        level: whether storage has everything that git has; null when git was not asked, as all that follows.
        remote, branch, commit: of the git repository.
        governed: whether the project is registered.
        behind: tables whose documents in storage differ from git.
        lists_behind: whether the manifest or the cuts do.
        waiting: tables whose current payload is not in storage.
        diverged: whether storage shows a history that the branch does not have.
    """

    form = "datom-status/1"
    project: str
    location: str
    schema: int
    tables: int
    sets: int
    versions: int
    cuts: int
    size_bytes: int
    last_updated: str | None
    level: bool | None = None
    remote: str | None = None
    branch: str | None = None
    commit: str | None = None
    governed: bool | None = None
    behind: tuple[str, ...] | None = None
    lists_behind: bool | None = None
    waiting: tuple[str, ...] | None = None
    diverged: bool | None = None


@dataclass(frozen=True)
class CutLine:
    """A cut, or a review mark.

    Attributes:
        name: its name.
        recorded_at, author, message: when it was last recorded, by whom, and why.
        tables: table -> version.
        cut: of a review mark, the cut that was reviewed, if it was one.
    """

    name: str
    recorded_at: str
    author: str
    message: str
    tables: Mapping[str, str]
    cut: str | None = None


@dataclass(frozen=True)
class CutsAnswer(Answer):
    """``datom cuts``: in the order in which they were first recorded; approvals newest first."""

    form = "datom-cuts/1"
    project: str
    cuts: tuple[CutLine, ...]
    reviews: tuple[CutLine, ...]
    approvals: tuple[ApprovalLine, ...]


@dataclass(frozen=True)
class CutMove:
    """A time that a cut, or a review mark, was recorded for a table.

    Attributes:
        table, version: which version it stood for since then.
        recorded_at, author, message: when, by whom, and why.
        stands: whether it still does.
        provenance: who asked and wrote, and in which run; null where the version's own history says it.
    """

    table: str
    version: str
    recorded_at: str
    author: str
    message: str
    stands: bool
    provenance: Mapping[str, Any] | None


@dataclass(frozen=True)
class CutAnswer(Answer):
    """``datom cuts NAME``.

    Attributes:
        kind: ``"cut"`` or ``"review mark"``.
        moves: every version that it stands for or ever stood for, newest first.
        approvals: of a cut, who approved it, and who took that back, newest first.
        hold: whether what a cut stands for is under legal hold, in words, if that was asked.
    """

    form = "datom-cut/1"
    project: str
    kind: str
    name: str
    moves: tuple[CutMove, ...]
    approvals: tuple[ApprovalLine, ...]
    hold: str | None = None


@dataclass(frozen=True)
class ColumnLine:
    """A column: ``type`` as Arrow calls it; ``label`` as the data has it."""

    name: str
    type: str
    label: str | None


@dataclass(frozen=True)
class RecordingLine:
    """A time that a version was made current."""

    recorded_at: str
    author: str
    message: str
    provenance: Mapping[str, Any] | None


@dataclass(frozen=True)
class ParentLine:
    """A version from which another one was derived."""

    project: str
    table: str
    version: str
    data_sha: str


@dataclass(frozen=True)
class SourceLine:
    """An imported table behind a version."""

    project: str
    table: str
    data_sha: str


@dataclass(frozen=True)
class ShowAnswer(Answer):
    """``datom show TABLE[@STATE]``.

    Attributes:
        project, table, version, data_sha: which version.
        current: whether it is current.
        recorded_at, author, message, commit_sha, provenance: its first recording; the last as its history's entry has
            it.
        reinstatements: each time that it became current again.
        table_type: ``"imported"`` or ``"derived"``.
        rows, size_bytes: how large it is.
        columns: in their order.
        cuts, reviews: names of the cuts and review marks that stand for it.
        parents, sources: null where nothing was declared or recorded.
        custom: the writer's own metadata.
        first_rows: as text, in the order of the columns; null is a missing value.
        page: the file with the page, if one was asked for.
    """

    form = "datom-show/1"
    project: str
    table: str
    version: str
    data_sha: str
    current: bool
    recorded_at: str | None
    author: str
    message: str
    commit_sha: str | None
    provenance: Mapping[str, Any] | None
    reinstatements: tuple[RecordingLine, ...]
    table_type: str | None
    rows: int
    size_bytes: int
    columns: tuple[ColumnLine, ...]
    cuts: tuple[str, ...]
    reviews: tuple[str, ...]
    parents: tuple[ParentLine, ...] | None
    sources: tuple[SourceLine, ...] | None
    custom: Mapping[str, Any]
    first_rows: tuple[tuple[str | None, ...], ...]
    page: str | None = None


@dataclass(frozen=True)
class TableAt:
    """A table at a state of the study, with the first recording of its version."""

    table: str
    version: str
    data_sha: str
    recorded_at: str | None
    author: str
    message: str


@dataclass(frozen=True)
class ShowStudyAnswer(Answer):
    """``datom show @STATE``.

    Attributes:
        state: as it was asked for; ``"now"``.
        cut: the cut, if it is one.
    """

    form = "datom-show-study/1"
    project: str
    state: str
    cut: str | None
    tables: tuple[TableAt, ...]
    page: str | None = None
