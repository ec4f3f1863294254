"""Changes of a project's own documents: where its data lies, its schema, and what its cuts stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from datom_core import names
from datom_core.documents import Author, Location, format_timestamp
from datom_core.errors import NotFoundError
from datom_core.git import GitRepo, LostRaceError
from datom_core.plan import ProjectState, changed_files, check_writable
from datom_core.projector import Projector
from datom_core.state import load_state

_ATTEMPTS = 40

#: From the documents at the tip, and the time, to the documents after the change.
Change = Callable[[ProjectState, str], ProjectState]


@dataclass(frozen=True)
class Upkeep:
    """Commits changes of a project's own documents and projects them."""

    repo: GitRepo
    projector: Projector
    clock: Callable[[], datetime]

    def run(self, change: Change, message: str, author: Author, tables: tuple[str, ...] = ()) -> str | None:
        """Make the change in one commit, planned again when another writer is faster.

        Returns:
            The commit, or ``None`` when there was nothing to change.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type(LostRaceError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=3),
            reraise=True,
        ):
            with attempt:
                return self._once(change, message, author, tables)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, change: Change, message: str, author: Author, tables: tuple[str, ...]) -> str | None:
        now = self.clock()
        tip, state = self.load(tables)
        check_writable(state, tables)
        files = changed_files(state, change(state, format_timestamp(now)))
        commit = self.repo.publish(files, message, parent=tip, author=author, at=now) if files else None
        self.projector.level(())
        return commit

    def load(self, tables: tuple[str, ...] | None = ()) -> tuple[str, ProjectState]:
        """The tip and the documents there; those of every table when ``tables`` is ``None``."""
        tip = self.repo.tip()
        if tip is None:
            raise NotFoundError(f"{self.repo.remote} has no branch {self.repo.branch} any more.")
        if tables is None:
            tables = tuple(load_state(self.repo, tip, ()).manifest.entries)
        return tip, load_state(self.repo, tip, tables)


def moved(location: Location) -> Change:
    """Record that the data lies at ``location``."""
    return lambda state, _: replace(state, file=state.file.moved(location))


def upgraded(state: ProjectState, now: str) -> ProjectState:
    """Convert the documents to schema 2; versions keep their ids."""
    if state.manifest.schema == 2:
        return state
    return replace(state, manifest=state.manifest.upgraded(now), file=state.file.with_schema())


def cut_recorded(cut: str, versions: Mapping[str, str | None], author: Author, message: str) -> Change:
    """Let ``cut`` stand for versions that exist; ``None`` means the current one.

    Raises:
        NotFoundError: a table or version that the project does not have.
    """

    def change(state: ProjectState, now: str) -> ProjectState:
        cuts = state.cuts
        for table, asked in versions.items():
            at_tip = state.table(table)
            entry = at_tip.current if asked is None else at_tip.history.resolve(asked, table)
            if entry is None:
                raise NotFoundError(f"{state.file.name} has no table {table!r}.", table=table)
            if not cuts.stands_for(cut, table, entry.version):
                cuts = cuts.with_recording(cut, table, entry.version, at=now, author=author, message=message)
        if cuts is state.cuts:
            return state
        return replace(state, cuts=cuts, manifest=state.manifest.with_rows(state.manifest.rows(), now))

    names.check_cut_name(cut)
    return change
