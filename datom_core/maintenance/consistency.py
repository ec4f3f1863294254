"""Whether the documents in git agree with one another. No effects."""

from __future__ import annotations

from collections.abc import Iterator

from datom_core.common import names
from datom_core.planning import Problem, ProjectState, altered_approvals, history_faults, row_faults, unknown_versions


def disagreements(state: ProjectState) -> Iterator[Problem]:
    """Where the manifest, the tables' documents and the cuts contradict one another."""
    for table in state.manifest.entries:
        if table not in state.tables:
            yield _inconsistent(table, names.MANIFEST_FILE, f"lists it, and {names.metadata_file(table)} is not there")
    for table, at_tip in state.tables.items():
        for what in history_faults(at_tip):
            yield _inconsistent(table, names.history_file(table), what)
        for what in row_faults(state.manifest.entries.get(table), at_tip):
            yield _inconsistent(table, names.MANIFEST_FILE, what)
    for name in state.cuts.reviews:
        if name in state.cuts:
            what = f"in git has {name!r} as the name of a cut and of a review mark"
            yield Problem("inconsistent", None, None, names.CUTS_FILE, what, fixable=False)
    for what in altered_approvals(state.cuts):
        yield Problem("inconsistent", None, None, names.CUTS_FILE, f"in git {what}", fixable=False)
    for table, version, named in unknown_versions(state.cuts, state.tables):
        what = f"has it in {named}, and there is no such version"
        yield Problem("inconsistent", table, version, names.CUTS_FILE, what, fixable=False)


def _inconsistent(table: str, path: str, what: str) -> Problem:
    return Problem("inconsistent", table, None, path, f"in git {what}", fixable=False)
