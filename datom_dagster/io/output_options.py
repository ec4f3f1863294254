"""What an IO manager does with every table that it stores, beside storing it."""

from __future__ import annotations

from dataclasses import dataclass, field

from datom_dagster.events import ReportPlace, Required
from datom_dagster.rules import Compare


@dataclass(frozen=True)
class OutputOptions:
    """What an IO manager does with every table that it stores, beside storing it.

    Attributes:
        template: the commit message if nobody gives another one.
        preview_rows: how many rows an event shows; 0 shows no value of the data at all.
        compare: of which tables it is told what changed, if the asset does not say so itself.
        compare_rows: the most rows that either version may have to be compared.
        reports: where the whole report of each change is written; ``None`` for nowhere.
        required: what the run has to say.
        pipeline_commit: the git commit of the pipeline's code, where it is configured.
    """

    template: str
    preview_rows: int
    compare: Compare = "all"
    compare_rows: int = 5_000_000
    reports: ReportPlace | None = None
    required: Required = field(default_factory=Required)
    pipeline_commit: str | None = None
