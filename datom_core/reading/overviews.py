"""What a person looks at before reading: the log, a version at one look, where it came from and what came of it."""

from __future__ import annotations

from datom_core.common import Moment
from datom_core.documents import Approvals, Cuts, Reviews, Rows, rows
from datom_core.errors import InvalidInputError
from datom_core.reading.ancestry import Dependent, LineageNode, downstream, upstream
from datom_core.reading.description import TableDescription, describe
from datom_core.reading.log import LogEntry, LogFilter, log_of_study, log_of_table
from datom_core.reading.states import StateLike, Versions
from datom_core.reading.stored_documents import StoredDocuments


class Overviews(Versions):
    """The part of `ProjectReader` that gathers what several documents say."""

    _documents: StoredDocuments

    def cuts(self) -> Cuts:
        """Every named cut: a mapping from name to `Cut`, itself a mapping from table to version."""
        return self._documents.cuts()

    def reviews(self) -> Reviews:
        """How far the project was reviewed: a mapping from the name of a mark to `Review`, with every time it was set.

        `Project.mark_reviewed` sets a mark; `changes` and `changes_between` take its name for a state.
        """
        return self._documents.cuts().reviews

    def approvals(self, cut: str | None = None) -> Approvals:
        """Who approved which cuts, what they meant by it, and whether it still stands; newest first, withdrawn too.

        Each knows the versions that it is of, and says of itself if the cut has moved since. That it was signed is said
        by git: `Project.verify_signatures`.

        Args:
            cut: only those of one cut.

        Raises:
            NotFoundError: there is no such cut.
        """
        cuts = self._documents.cuts()
        return cuts.approvals if cut is None else cuts.approvals.of(cuts.find(cut).name)

    def log(
        self,
        table: str | None = None,
        state: StateLike | None = None,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        author: str | None = None,
        grep: str | None = None,
        limit: int | None = None,
    ) -> Rows[LogEntry]:
        """Each time that a version became current, newest first: of a table, or of all tables and sets.

        Args:
            table: its name.
            state: tell the history up to there: up to the last time that this version was current, or the last before
                the cut or mark was recorded, or before the moment.
            since, until: moments; a date means its beginning, or its end.
            author, grep: text that the author (name or address) or the message holds, in any case.
            limit: no more than this many.

        Raises:
            NotFoundError: no such table or state.
            InvalidInputError: an argument does not fit.
        """
        given: object = limit
        if given is not None and (not isinstance(given, int) or isinstance(given, bool) or given < 0):
            raise InvalidInputError(f"limit is how many entries to give, 0 or more, not {limit!r}.")
        asked = LogFilter.of(since, until, author, grep)
        if table is not None:
            found = log_of_table(self, self._documents, table, state)
        else:
            found = log_of_study(self, self._documents, state)  # type: ignore[arg-type]  # it is checked there
        return rows([e for e in found if asked.fits(e)][:limit])

    def describe(self, table: str, state: StateLike | None = None, *, rows: int = 5) -> TableDescription:
        """A version of a table at one look: who, when, why; columns with types and labels; cuts; the first rows.

        Args:
            table: its name.
            state: as for `version_at`.
            rows: how many rows to show.

        Raises:
            NotFoundError, InvalidInputError: as `version_at`.
            IntegrityError: stored bytes are not those that were recorded.
        """
        return describe(self, self._documents, table, state, rows)

    def upstream(self, table: str, state: StateLike | None = None) -> LineageNode:
        """The versions from which a version was derived, and those from which they were, as a tree.

        It follows the parents that writers declared, within this project. Each version's own parents are told once.
        """
        return upstream(self, self._documents, table, state)

    def downstream(self, table: str) -> Rows[Dependent]:
        """The tables whose current versions name this table as a parent, and whether they are level with it."""
        return downstream(self, self._documents, table)
