"""Validate a project: compare storage with git, restore what git has, and say exactly what is lost.

Others may write meanwhile. Git is read before storage, so storage may be newer than the commit it is compared with;
and a writer's commit appears before its documents do. So a problem is reported only if several looks in a row find
it, over some seconds in which git says the same about it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import get_args

from datom_core.common import OnProgress, names
from datom_core.documents import rows
from datom_core.errors import ConflictError, IntegrityError, InvalidInputError
from datom_core.maintenance.evidence import Examiner
from datom_core.maintenance.findings import Evidence, inspect, strangers
from datom_core.planning import Depth, Problem, ValidationReport
from datom_core.writing import DocumentEditor

# Seconds between the looks that must agree: in total, longer than a writer takes from its commit to its documents.
_PAUSES = (0.2, 0.8, 2.0)
_LOOKS = 24  # in total, while others write
_SHOWN = 10  # problems in a message

_log = logging.getLogger(__name__)


def validate(
    editor: DocumentEditor, depth: Depth = "quick", *, fix: bool = False, on_progress: OnProgress | None = None
) -> ValidationReport:
    """As `Project.validate`."""
    if depth not in get_args(Depth):
        raise InvalidInputError(f"depth is one of {', '.join(get_args(Depth))}, not {depth!r}.")
    examiner = Examiner(editor, depth, on_progress)
    evidence, problems = _settle(examiner)
    fixed: tuple[Problem, ...] = ()
    if fix and any(p.fixable for p in problems):
        editor.projector.bring_level(evidence.state.manifest.entries, thorough=True)
        found = problems
        evidence, problems = _settle(examiner)
        left = {(p.key, p.version) for p in problems}
        fixed = tuple(p for p in found if (p.key, p.version) not in left)
    report = _report(examiner, evidence, problems, fixed)
    _log.info("validate: %s, %s: %d problems, %d fixed", report.project, depth, len(problems), len(fixed))
    if not report.ok:
        raise IntegrityError(_message(report), report=report)
    return report


def _settle(examiner: Examiner) -> tuple[Evidence, tuple[Problem, ...]]:
    """Look until it is certain what is wrong.

    Raises:
        ConflictError: others kept writing, and no problem lasted long enough to be certain.
    """
    ages: dict[tuple[Problem, tuple[str | None, ...]], int] = {}
    steady = 0
    for _ in range(_LOOKS):
        evidence = examiner.examine()
        problems = inspect(evidence)
        before, ages = ages, {s: ages.get(s, 0) + 1 for s in ((p, _basis(p, evidence)) for p in problems)}
        steady = steady + 1 if ages.keys() == before.keys() else 1
        # A commit never changes: if git contradicts itself, there is nothing to wait for.
        if steady > len(_PAUSES) or all(p.kind == "inconsistent" for p in problems):
            return evidence, problems
        time.sleep(_PAUSES[steady - 1])
    certain = tuple(problem for (problem, _), age in ages.items() if age > len(_PAUSES))
    if not certain:
        raise ConflictError(
            f"{examiner.store.location} did not come level with git while others wrote. Validate again.",
            problems=tuple(problem for problem, _ in ages),
        )
    return evidence, certain


def _basis(problem: Problem, evidence: Evidence) -> tuple[str | None, ...]:
    """What git says about the problem's subject, as blob ids: if that changes, it is another problem."""
    if problem.table is None:
        paths = (names.MANIFEST_FILE, names.CUTS_FILE)
    else:
        paths = (names.metadata_file(problem.table), names.history_file(problem.table))
    return tuple(evidence.files.get(path) for path in paths)


def _report(
    examiner: Examiner, evidence: Evidence, problems: Sequence[Problem], fixed: Sequence[Problem]
) -> ValidationReport:
    state, sizes = evidence.state, evidence.sizes
    strange = strangers(state, sizes)
    if strange:  # or explained by a commit made after the look
        strange = strangers(examiner.git()[1], strange)
    return ValidationReport(
        project=state.file.name,
        depth=examiner.depth,
        location=str(examiner.store.location),
        commit=evidence.tip,
        tables=len(state.manifest.entries),
        versions=sum(len(s.history) for s in state.tables.values()),
        objects=len(sizes),
        bytes=sum(sizes.values()),
        problems=rows(problems),
        fixed=rows(fixed),
        strangers=strange,
        unproven=tuple(sorted(key for key, v in evidence.verdicts.items() if not v.proven and not v.is_other)),
    )


def _message(report: ValidationReport) -> str:
    shown = [str(p) for p in report.problems[:_SHOWN]]
    if len(report.problems) > _SHOWN:
        shown.append(f"and {len(report.problems) - _SHOWN} more, in error.report.problems")
    count, fixable = len(report.problems), sum(p.fixable for p in report.problems)
    advice = []
    if fixable:
        advice.append(f"{fixable} of them can be put back from git: project.validate(fix=True).")
    if any(p.kind == "inconsistent" for p in report.problems):
        advice.append("What contradicts itself in git must be corrected there, in a commit.")
    if any(p.kind == "diverged" for p in report.problems):
        advice.append("Nothing is written until project.recover_versions() or project.accept_history(reason=...).")
    if any(p.kind in ("lost", "waiting", "altered", "forged") and not p.fixable for p in report.problems):
        advice.append("No payload of a table can come from git.")
    return (
        f"{report.project} in {report.location} has {count} problem{'s' if count > 1 else ''} ({report.depth}, commit "
        f"{report.commit[:8]}):\n  - " + "\n  - ".join(shown) + "\n" + " ".join(advice)
    ).rstrip()
