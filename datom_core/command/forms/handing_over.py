"""Answers of the verb that hands a project over."""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class HeldAnswer:
    """A version that is in it.

    Attributes:
        table, version: which one.
        payload_sha: SHA-256 of its data's bytes, as recorded.
    """

    table: str
    version: str
    payload_sha: str | None


@dataclass(frozen=True)
class EvidenceAnswer(Answer):
    """``datom evidence``.

    Attributes:
        project: whose it is.
        path: the folder, or the zip file.
        state: what it is about.
        cut: the cut, if it is one.
        commit: the git history is in it up to there; ``None`` without one.
        dry_run: nothing was written.
        versions: what it holds.
        unproven: versions whose id nobody can compute again, as ``TABLE@VERSION``.
        files, bytes: in it.
        digest: SHA-256 of ``tagmanifest-sha256.txt``, which stands for the whole bag.
    """

    form = "datom-evidence/1"
    project: str
    path: str
    state: str
    cut: str | None
    commit: str | None
    dry_run: bool
    versions: tuple[HeldAnswer, ...]
    unproven: tuple[str, ...]
    files: int
    bytes: int
    digest: str | None
