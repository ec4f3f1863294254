"""Answers of the verbs that compare; what changed itself is of the form ``datom-changes/1``, as any report's JSON."""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.command.forms.base import Answer


@dataclass(frozen=True)
class ReportAnswer(Answer):
    """``datom report``.

    Attributes:
        project: the study.
        table: which table; ``null`` for all.
        before, after: the two states, as they were asked for.
        differs: whether anything changed.
        files: the reports that were written.
    """

    form = "datom-report/1"
    project: str
    table: str | None
    before: str
    after: str
    differs: bool
    files: tuple[str, ...]
