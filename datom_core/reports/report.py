"""What a report says, whatever its form: the tables in order, counted, masked, with the facts about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

from datom_core.comparing import StudyChanges, TableChanges
from datom_core.errors import InvalidInputError
from datom_core.reports.counts import Counts, count
from datom_core.reports.lines import Block, blocks
from datom_core.reports.masking import Masking, check_masked, masked_in, masking_of
from datom_core.version import __version__

TOOL = "datom for Dagster"


@dataclass(frozen=True)
class Part:
    """One table: what changed, how much, what may be shown, and its lines by kind (none when values are masked)."""

    changes: TableChanges
    counts: Counts
    masking: Masking
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """What every form is made of.

    Attributes:
        study: what changed.
        parts: by table, in the order of ``study``.
        masked: every column whose values are masked, in any table.
        values: whether any value is shown.
        preview: how many lines of each kind a form for reading shows.
    """

    study: StudyChanges
    parts: tuple[Part, ...]
    masked: tuple[str, ...]
    values: bool
    preview: int
    tool: str = f"{TOOL} {__version__}"

    @property
    def unchanged(self) -> bool:
        """Whether no table differs in anything."""
        return all(p.changes.fate == "unchanged" for p in self.parts)


def report_of(
    changes: StudyChanges | TableChanges,
    *,
    project: str,
    masked: Iterable[str],
    preview_rows: int | None,
    default: int,
) -> Report:
    """The report; ``default`` is how many lines a form shows where ``preview_rows`` does not say so.

    Raises:
        InvalidInputError: a column that should be masked is in no table, or ``preview_rows`` is no count.
    """
    if not isinstance(changes, StudyChanges | TableChanges):
        raise InvalidInputError(
            f"A report is of StudyChanges or TableChanges, as a comparison returns them, not {changes!r}."
        )
    if not isinstance(project, str):
        raise InvalidInputError(f"project must be the name of a project, not {project!r}.")
    names = _names(masked)
    if preview_rows is not None and not is_count(preview_rows):
        raise InvalidInputError(
            f"preview_rows must be 0 (no values at all) or a number of rows; got {preview_rows!r}.",
            preview_rows=preview_rows,
        )
    study = changes if isinstance(changes, StudyChanges) else _of_one(changes, project)
    check_masked(study, names)
    maskings = {name: masking_of(table, names, preview_rows != 0) for name, table in study.items()}
    parts = tuple(
        Part(table, count(table), maskings[name], blocks(table, maskings[name]) if preview_rows != 0 else ())
        for name, table in study.items()
    )
    preview = default if preview_rows is None else preview_rows
    return Report(study, parts, masked_in(maskings), preview_rows != 0, preview)


def is_count(number: object) -> bool:
    """Whether this is a whole number from 0."""
    return not isinstance(number, bool) and isinstance(number, Integral) and int(number) >= 0


def _names(masked: object) -> tuple[str, ...]:
    names = (masked,) if isinstance(masked, str) else tuple(masked) if isinstance(masked, Iterable) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(f"masked must be column names; got {masked!r}.")
    return tuple(dict.fromkeys(names))


def _of_one(changes: TableChanges, project: str) -> StudyChanges:
    """A study of one table, whose states are named as its versions are."""
    names = []
    for side in (changes.before, changes.after):
        if side is None:
            names.append("no such table")
        else:
            names.append(side.cut or (side.version.version[:8] if side.version else "a data frame"))
    return StudyChanges(project, names[0], names[1], {changes.table: changes})
