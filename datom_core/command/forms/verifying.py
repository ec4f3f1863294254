"""Answers of the verbs that check a project, and mend it."""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.command.forms.base import Answer
from datom_core.command.forms.signing import SignaturesChecked


@dataclass(frozen=True)
class ProblemLine:
    """Something that is wrong.

    Attributes:
        kind: what kind of problem it is, as `Problem.kind`.
        table, version: whose; ``null`` for a document of the project, or of all versions.
        key: in storage; of what git says, the path there.
        message: what is wrong, and what to do where git cannot help.
        fixable: whether ``datom validate --fix`` puts it right.
        grave: whether neither git nor an upload that may still come puts it right.
    """

    kind: str
    table: str | None
    version: str | None
    key: str
    message: str
    fixable: bool
    grave: bool


@dataclass(frozen=True)
class VerifyAnswer(Answer):
    """``datom verify`` and ``datom validate``.

    Attributes:
        project, location, depth: what was looked at, where, and how closely.
        against: what storage was compared with: ``"git"``, or with itself alone, ``"storage"``.
        commit: the commit in git; ``null`` where git was not asked.
        tables, versions: how many were looked at.
        objects: how many there are in storage; of ``"storage"`` alone, how many payloads were looked for.
        bytes: how large those are.
        ok: whether nothing is wrong, or everything was put right.
        problems: what is wrong, and was not put right.
        fixed: what was wrong, and was put right.
        unproven: keys of what may be what its name says, as only R could tell.
        strangers: keys in storage that nothing in git explains; they do no harm.
        signatures: what those in git are worth; ``null`` where git was not asked.
    """

    form = "datom-verify/1"
    project: str
    location: str
    depth: str
    against: str
    commit: str | None
    tables: int
    versions: int
    objects: int
    bytes: int
    ok: bool
    problems: tuple[ProblemLine, ...]
    fixed: tuple[ProblemLine, ...]
    unproven: tuple[str, ...]
    strangers: tuple[str, ...]
    signatures: SignaturesChecked | None = None


@dataclass(frozen=True)
class MirrorAnswer(Answer):
    """``datom mirror``.

    Attributes:
        project: which one.
        written: keys that were put into storage, or would be.
        waiting: tables whose payload is not in storage; readers keep what they have.
        dry_run: whether nothing was written.
    """

    form = "datom-mirror/1"
    project: str
    written: tuple[str, ...]
    waiting: tuple[str, ...]
    dry_run: bool


@dataclass(frozen=True)
class LostLine:
    """A version that storage shows, and that git no longer has.

    Attributes:
        table, version: which one.
        recorded_at: when it was recorded first (ISO 8601, UTC).
        author, message: by whom, and why.
        commit: the commit that recorded it; ``null`` when storage does not say.
    """

    table: str
    version: str
    recorded_at: str
    author: str
    message: str
    commit: str | None


@dataclass(frozen=True)
class RecoverAnswer(Answer):
    """``datom recover``.

    Attributes:
        project: which one.
        versions: those that git had lost.
        dry_run: whether nothing was recorded.
    """

    form = "datom-recover/1"
    project: str
    versions: tuple[LostLine, ...]
    dry_run: bool


@dataclass(frozen=True)
class AcceptAnswer(Answer):
    """``datom accept``.

    Attributes:
        project: which one.
        commit: the commit with the reason; ``null`` if none was made.
        versions, cuts, marks, approvals: what storage showed and the branch does not have: it is given up, or would be.
        dry_run: whether nothing was done.
    """

    form = "datom-accept/1"
    project: str
    commit: str | None
    versions: tuple[LostLine, ...]
    cuts: tuple[str, ...]
    marks: tuple[str, ...]
    approvals: tuple[str, ...]
    dry_run: bool
