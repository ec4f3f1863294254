"""What storage alone proves of a project: that its documents agree, and that its payloads are what they are called.

Others may write meanwhile. Documents are read from the manifest on, against the order in which they are written, and
objects are listed afterwards; and what is wrong must be so in several looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, get_args

from datom_core.common import OnProgress, did_you_mean, names
from datom_core.documents import Version, rows
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.planning import Depth, Problem, VerificationReport
from datom_core.reading.storage_look import Look, StorageExaminer

if TYPE_CHECKING:
    from datom_core.reading.stored_documents import StoredDocuments

# Seconds between the looks that must agree: in total, longer than a writer takes from a table's documents to the lists.
_PAUSES = (0.2, 0.8, 2.0)


class Verifications:
    """The part of `ProjectReader` that proves what its other parts read."""

    _documents: StoredDocuments

    def verify(
        self,
        depth: Depth = "quick",
        *,
        tables: Collection[str] | None = None,
        versions: Mapping[str, Version] | None = None,
        on_progress: OnProgress | None = None,
    ) -> VerificationReport:
        """Examine what storage holds, by storage alone: no git, and no right to write. Others may write meanwhile.

        What git says is not asked: a project that was set back or forged as a whole, so that everything in it agrees,
        is found by `Project.validate` alone; or here, by ``versions`` that the caller has kept.

        Args:
            depth: ``"quick"``: documents can be read and agree with one another, and current payloads are there in
                their recorded size. ``"deep"``: also, the document of every version proves the version's id, and every
                payload is there. ``"full"``: also, every payload's bytes have the recorded SHA-256, and its content is
                the one that its name says.
            tables: only these, and what the project's lists say of them.
            versions: only these versions of their tables, such as those of a `StudyState`.
            on_progress: called for each table, document of a version, and payload that was read.

        Returns:
            What was found; ``report.ok`` says whether all is well.

        Raises:
            NotFoundError: no such table, or the project is gone.
            FormatError: the manifest cannot be read, or a newer release wrote a document.
            AccessDeniedError, StorageError: the store failed, so nothing is known.
        """
        if depth not in get_args(Depth):
            raise InvalidInputError(f"depth is one of {', '.join(get_args(Depth))}, not {depth!r}.")
        chosen, only = _chosen(tables, versions)
        known = self._documents.manifest().entries
        unknown = [t for t in chosen or () if t not in known]
        if unknown:
            hint = "".join(did_you_mean(t, known) for t in unknown)
            raise NotFoundError(
                f"{self._documents.project} has no table {', '.join(map(repr, unknown))}.{hint}", tables=tuple(unknown)
            )
        examiner = StorageExaminer(self._documents, depth, only, on_progress)
        found = examiner.look(None if chosen is None else frozenset(chosen))
        return _report(self._documents, depth, found, _lasting(found, examiner.look))


def _lasting(found: Look, look: Callable[[Collection[str]], Look]) -> list[Problem]:
    """The problems that further looks find as well."""
    problems = found.problems
    for pause in _PAUSES:
        if problems:
            time.sleep(pause)
            again = set(look({p.table for p in problems if p.table is not None}).problems)
            problems = [p for p in problems if p in again]
    return problems


def _report(documents: StoredDocuments, depth: Depth, found: Look, problems: list[Problem]) -> VerificationReport:
    return VerificationReport(
        project=documents.project,
        depth=depth,
        location=str(documents.store.location),
        tables=found.tables,
        versions=found.versions,
        payloads=found.payloads,
        bytes=found.bytes,
        problems=rows(sorted(problems, key=lambda p: (p.table or "", p.key, p.version or ""))),
        unproven=tuple(sorted(found.unproven)),
    )


def _chosen(
    tables: object, versions: Mapping[str, Version] | None
) -> tuple[tuple[str, ...] | None, Mapping[str, Version]]:
    """The tables to look at, ``None`` for all; and those of which one version is meant."""
    given: object = {} if versions is None else versions
    if not isinstance(given, Mapping) or not all(isinstance(v, Version) for v in given.values()):
        raise InvalidInputError(f"versions is a mapping from table to an entry of its history, not {versions!r}.")
    if isinstance(tables, str) or not (tables is None or isinstance(tables, Collection)):
        raise InvalidInputError(f"tables is a list of names, not {tables!r}.")
    if tables is None and versions is None:
        return None, {}
    listed = dict.fromkeys([*(tables or ()), *given])
    for table in listed:
        names.check_name(table)
    return tuple(listed), given
