"""Storage projects one line of history: does a commit continue it, and if not, what would be lost?

Two things tell. `names.LINE_KEY` names the branch and the commit that storage shows; the next commit to be projected
must contain that one. And git must have every version that storage shows: R and earlier releases project without
updating that document, and storage that they filled has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from datom_core.common import names
from datom_core.documents import Cuts, History, Line, Version
from datom_core.errors import DivergedError, FormatError
from datom_core.git import GitRepo, LostRaceError
from datom_core.planning import LostVersion, ProjectState, StorageView, lagging_tables, read_snapshot
from datom_core.publishing.loading import load_state
from datom_core.storage import ObjectStore, find

_SHOWN = 10  # versions in a message

#: What stands against a commit: its history lacks the recorded commit; another branch is recorded, and still
#: exists; or storage shows versions that the commit lacks.
_HISTORY, _BRANCH, _VERSIONS = "history", "branch", "versions"


@dataclass(frozen=True)
class Divergence:
    """Why a commit must not be projected.

    Attributes:
        kind: ``"history"``, ``"branch"`` or ``"versions"``.
        line: the branch and commit that storage says it shows, if it does.
        tip: the commit.
        lost: versions that storage shows and the commit's history lacks, in the order of storage's histories.
        cuts: cuts that storage shows and the commit's history lacks.
        marks: the same of review marks.
        approvals: the same of approvals and withdrawals, as they read.
    """

    kind: str
    line: Line | None
    tip: str
    lost: tuple[LostVersion, ...]
    cuts: tuple[str, ...]
    marks: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()


class Lines:
    """Compares what storage shows with a branch.

    Args:
        repo: the branch.
        store: the storage.
    """

    def __init__(self, repo: GitRepo, store: ObjectStore) -> None:
        self._repo, self._store = repo, store

    def check(self, seen: StorageView, tip: str, state: ProjectState, *, restoring: bool = False) -> None:
        """Refuse a commit that does not continue what storage shows.

        Args:
            seen: a look at storage.
            tip: the commit, or the one it will be made on.
            state: the documents there.
            restoring: a damaged document may be rewritten, if that loses nothing.

        Raises:
            DivergedError: names what storage shows and the branch lacks, and what to do.
            LostRaceError: the branch has moved on; look again.
            FormatError: storage's document about its line is damaged.
        """
        if not restoring:
            self._refuse_damaged(seen)
        line = seen.line()
        if line is not None and not self._repo.surely_contains(tip, line.commit):
            self._refuse_overtaken(tip)  # the usual reason, and cheaper to check than the whole history
        found = self.divergence(seen, tip, state)
        if found is None:
            return
        self._refuse_overtaken(tip)
        raise self.refusal(found)

    def refusal(self, found: Divergence) -> DivergedError:
        """The error that names what storage shows and the branch lacks, and what to do."""
        return DivergedError(
            f"{self.told(found)}\nNothing was written to storage.",
            recorded_branch=found.line.branch if found.line is not None else None,
            recorded_commit=found.line.commit if found.line is not None else None,
            branch=self._repo.branch,
            commit=found.tip,
            lost=found.lost,
            lost_cuts=found.cuts,
            lost_marks=found.marks,
            lost_approvals=found.approvals,
        )

    def divergence(self, seen: StorageView, tip: str, state: ProjectState) -> Divergence | None:
        """What stands against projecting the commit, if anything."""
        stored = seen.manifest()
        if stored is not None and stored.project != state.manifest.project:
            return None  # another project's storage, which is refused elsewhere
        line = seen.line()
        kind = None
        if line is not None and line.branch != self._repo.branch and line.branch in self._repo.other_branches():
            # A renamed branch no longer exists under its old name.
            kind = _BRANCH
        elif line is not None and not self._repo.contains(tip, line.commit):
            kind = _HISTORY
        # Versions that were given up are missing from git on purpose, and may still show if that was interrupted.
        let_go = line.let_go if line is not None and kind is None else {}
        lost = self._lost(seen, tip, state, let_go)
        stored_cuts = seen.cuts() if line is None or kind is not None else None
        cuts, marks = _lost_cuts(state.cuts, stored_cuts), _lost_marks(state.cuts, stored_cuts)
        approvals = _lost_approvals(state.cuts, stored_cuts)
        if kind is None and not (lost or cuts or marks or approvals):
            return None
        return Divergence(kind or _VERSIONS, line, tip, lost, cuts, marks, approvals)

    def _refuse_overtaken(self, tip: str) -> None:
        """Lose the race if the branch has moved on: storage may show a commit after this one."""
        if self._repo.tip() != tip:
            raise LostRaceError(f"{self._repo.remote} moved past {tip[:8]}. Try again.")

    def _refuse_damaged(self, seen: StorageView) -> None:
        if seen.documents.get(names.LINE_KEY) is not None and seen.line() is None:
            raise FormatError(
                f"{names.LINE_KEY} in {self._store.location} cannot be read: it says which commit storage shows. "
                "Nothing was written. project.validate(fix=True) writes it anew, if storage shows nothing that git "
                "does not have.",
                source=names.LINE_KEY,
            )

    def _lost(
        self, seen: StorageView, tip: str, state: ProjectState, let_go: Mapping[str, frozenset[str]]
    ) -> tuple[LostVersion, ...]:
        found: list[LostVersion] = []
        tables = self._odd_tables(seen, state)
        unknown = [t for t in tables if t not in state.tables]
        at_tip = {**load_state(self._repo, tip, unknown).tables, **state.tables} if unknown else state.tables
        for table in tables:
            if table in state.manifest.entries and table not in at_tip:
                continue  # git contradicts itself; nothing of the table is projected, so nothing is lost
            stored = self._history(seen, table)
            if stored is None:
                continue
            known = {e["version"] for e in at_tip[table].history.raw} if table in at_tip else set()
            if any(entry["version"] not in known for entry in stored.raw):
                given_up = let_go.get(table, frozenset())
                extra = [v for v in stored if v.version not in known]
                extra = [v for v in extra if v.version not in given_up or not self._gave_up(tip, table, v.version)]
                found += [_lost_version(table, v) for v in extra if self._is_real(table, v)]
        return tuple(found)

    def _gave_up(self, tip: str, table: str, version: str) -> bool:
        """Whether a commit says that the version was given up; storage saying so is no evidence."""
        return self._repo.says(tip, f"- {table}@{version} of ")

    def _odd_tables(self, seen: StorageView, state: ProjectState) -> list[str]:
        """Tables whose rows differ, whose histories have been read, or that only storage knows."""
        stored = seen.manifest()
        if stored is None:
            keys = [info.key for info in self._store.list()]
            odd = {key.partition("/")[0] for key in keys if key == names.history(key.partition("/")[0])}
        else:
            odd = {*lagging_tables(state.manifest, stored), *(set(stored.entries) - set(state.manifest.entries))}
        odd |= {t for t in map(_table_of, seen.documents) if t is not None}
        return sorted(t for t in odd if names.is_name(t))

    def _history(self, seen: StorageView, table: str) -> History | None:
        key = names.history(table)
        if key not in seen.documents:
            seen = StorageView({key: find(self._store, key)})
        return seen.history(table)

    def _is_real(self, table: str, version: Version) -> bool:
        """Whether storage also has the version's document: an entry alone is a damaged history, which git heals."""
        if not names.is_sha(version.version):
            return False
        key = names.snapshot(table, version.version)
        found = find(self._store, key)
        snapshot = read_snapshot(found.data, key) if found is not None else None
        return snapshot is not None and snapshot.data_sha == version.data_sha

    def told(self, found: Divergence) -> str:
        """What stands against the commit, and what to do, in words."""
        build: dict[str, Callable[[Divergence], str]] = {_BRANCH: self._of_branch, _HISTORY: self._of_history}
        return build.get(found.kind, self._of_versions)(found)

    def in_short(self, found: Divergence) -> str:
        """What stands against the commit, in one line, without the versions."""
        line, ours = found.line, f"the branch {self._repo.branch!r} (at {found.tip[:12]})"
        cuts = f"; lost cuts: {', '.join(map(repr, found.cuts[:_SHOWN]))}" if found.cuts else ""
        cuts += f"; lost review marks: {', '.join(map(repr, found.marks[:_SHOWN]))}" if found.marks else ""
        cuts += f"; {len(found.approvals)} lost approvals" if found.approvals else ""
        if line is None or found.kind == _VERSIONS:
            return f"storage shows what {ours} does not have{cuts}"
        link = ", and this project writes to {}" if found.kind == _BRANCH else ", which {} does not contain"
        return f"storage shows commit {line.commit[:12]} of the branch {line.branch!r}{link.format(ours)}{cuts}"

    def _of_branch(self, found: Divergence) -> str:
        assert found.line is not None
        recorded, ours = found.line.branch, self._repo.branch
        return (
            f"{self._store.location} shows the branch {recorded!r} (commit {found.line.commit[:8]}), and this project "
            f"writes to {ours!r} (commit {found.tip[:8]}). Two branches over one store would erase each other's "
            f"versions. Open the project with branch={recorded!r}, or begin a project of its own in another place; "
            f"project.accept_history(reason=...) lets storage follow {ours!r} from now on."
        )

    def _of_history(self, found: Divergence) -> str:
        assert found.line is not None
        line, repo = found.line, self._repo
        push = f"git push {repo.remote} {line.commit}:refs/heads/{repo.branch}"
        clone = repo.clone_holding(line.commit, found.tip)
        here = f"; the clone that is cached on this machine can: git --git-dir={clone}{push[3:]}" if clone else ""
        return (
            f"{self._store.location} shows commit {line.commit[:12]} of the branch {line.branch!r}, which the branch "
            f"{repo.branch!r} of {repo.remote} (at {found.tip[:12]}) does not contain: it was set back or rewritten, "
            f"it is another line of history, or {names.LINE_KEY} was altered. "
            + (
                f"{_listed(found)}To bring back what is lost, push the lost commits from any clone that has them "
                f"({push}{here}), or let project.recover_versions() record the versions again from storage. To go on "
                "without, with the reason in a commit: project.accept_history(reason=...)."
                if found.lost or found.cuts or found.marks or found.approvals
                else "No version is lost by that, as far as storage tells. To let storage follow the branch as it is, "
                "with the reason in a commit: project.accept_history(reason=...). To have the commits that it lacks "
                f"again, push them from any clone that has them ({push}{here})."
            )
        )

    def _of_versions(self, found: Divergence) -> str:
        repo = self._repo
        return (
            f"{self._store.location} shows what the branch {repo.branch!r} of {repo.remote} (at {found.tip[:12]}) does "
            "not have: it was set back or rewritten, a commit has dropped that from its documents, or it is another "
            f"line of history. {_listed(found)}"
            "To bring that back, push the lost commits from any clone that has them, or let project.recover_versions() "
            "record the versions again from storage. To go on without, with the reason in a commit: "
            "project.accept_history(reason=...)."
        )


def _listed(found: Divergence) -> str:
    shown = [f"  - {version}" for version in found.lost[:_SHOWN]]
    if len(found.lost) > _SHOWN:
        shown.append(f"  - and {len(found.lost) - _SHOWN} more, in error.lost")
    if found.cuts:
        shown.append(f"  - the cuts {', '.join(map(repr, found.cuts[:_SHOWN]))}")
    if found.marks:
        shown.append(f"  - the review marks {', '.join(map(repr, found.marks[:_SHOWN]))}, as they were set")
    shown += [f"  - the approval of {said}" for said in found.approvals[:_SHOWN]]
    return "No longer in git:\n" + "\n".join(shown) + "\n" if shown else ""


def _lost_version(table: str, version: Version) -> LostVersion:
    return LostVersion(
        table, version.version, version.timestamp or "", version.author, version.message, version.commit_sha
    )


def _table_of(key: str) -> str | None:
    """The table that this history key belongs to."""
    table = key.partition("/")[0]
    return table if key == names.history(table) else None


def _lost_cuts(git: Cuts, stored: Cuts | None) -> tuple[str, ...]:
    """Cuts that stand, or stood, for a version without git knowing of it."""

    def recorded(cuts: Cuts, name: str) -> set[tuple[str, str, str]]:
        found = cuts.cuts.get(name)
        recordings = found.recordings if found is not None else {}
        return {(t, r.version, r.recorded_at) for t, held in recordings.items() for r in held}

    return tuple(name for name in stored or () if not recorded(stored or git, name) <= recorded(git, name))


def _lost_marks(git: Cuts, stored: Cuts | None) -> tuple[str, ...]:
    """Review marks that were set in storage without git knowing of it."""

    def moves(cuts: Cuts, name: str) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        found = cuts.reviews.get(name)
        return {(m.recorded_at, frozenset(m.versions.items())) for m in (found.moves if found is not None else ())}

    shown = Cuts() if stored is None else stored
    return tuple(name for name in shown.reviews if not moves(shown, name) <= moves(git, name))


def _lost_approvals(git: Cuts, stored: Cuts | None) -> tuple[str, ...]:
    """Approvals and withdrawals that storage shows without git knowing of them."""
    return tuple(str(r) for r in (stored.approvals if stored is not None else ()) if git.approvals.find(r.id) is None)
