"""Storage shows what the branch lacks: bring that back into git, or let it go for a stated reason.

Until then, nobody can project (`datom_core.publishing.lines`). Both end by recording in storage which commit it
follows from then on; if interrupted before that, nobody gets past, and the same call continues.
"""

from __future__ import annotations

from dataclasses import dataclass

from datom_core.common import names
from datom_core.documents import Author, Line, format_timestamp
from datom_core.errors import ConflictError, DivergedError, InvalidInputError
from datom_core.git import LostRaceError
from datom_core.planning import LostVersion, ProjectState, StorageView, changed_files, check_writable
from datom_core.publishing import Divergence, Remains, check_remains, cuts_united, last_state, states, until_published
from datom_core.writing import DocumentEditor, upgraded


@dataclass(frozen=True)
class _BothSides:
    """Git and storage, as one look showed them."""

    tip: str
    state: ProjectState
    seen: StorageView
    found: Divergence | None


class Reconciliation:
    """Brings storage and the branch back together.

    Args:
        editor: of the project.
        author: of the commits.
    """

    def __init__(self, editor: DocumentEditor, author: Author) -> None:
        self._editor, self._author = editor, author
        self._repo, self._projector = editor.repo, editor.projector

    def accept(self, reason: str) -> str | None:
        """As `Project.accept_history`."""
        given: object = reason
        if not isinstance(given, str) or not given.strip():
            raise InvalidInputError("Say why the history is accepted as it is: the reason goes into a commit.")
        return until_published(lambda: self._accept(reason.strip()))

    def refusal(self) -> DivergedError | None:
        """As `Project.divergence`."""
        sides = until_published(self._both_sides)
        return None if sides.found is None else self._projector.lines.refusal(sides.found)

    def recover(self) -> tuple[LostVersion, ...]:
        """As `Project.recover_versions`."""
        return until_published(self._recover)

    def _accept(self, reason: str) -> str | None:
        now, sides = self._editor.clock(), self._both_sides()
        if sides.found is None:
            return None
        lost = sides.found.lost
        commit = self._repo.publish(
            {},
            _accepted(sides.found, self._repo.branch, reason),
            parent=sides.tip,
            author=self._author,
            committer=self._editor.committer,
            at=now,
        )
        self._point(sides, commit, lost)
        return commit

    def _recover(self) -> tuple[LostVersion, ...]:
        sides = self._both_sides()
        found = sides.found
        if found is None:
            return ()
        if found.kind == "branch":
            raise DivergedError(f"{self._projector.lines.told(found)}\nNothing was written.", branch=self._repo.branch)
        check_writable(sides.state, {v.table for v in found.lost})
        remains = Remains(self._projector.store, sides.seen, sides.state)
        versions = remains.oldest_first(found.lost)
        check_remains(versions, self._projector.store.location)
        now = self._editor.clock()
        at = format_timestamp(now)
        tip, state, begun = sides.tip, sides.state, sides.state
        stored = sides.seen.manifest()
        if stored is not None and stored.schema > begun.manifest.schema:
            begun = upgraded(begun, at)  # the upgrade was lost, too
        for version, after in states(versions, begun, remains, at):
            message = version.commit_message()
            files = {**changed_files(state, after), **version.files}
            tip, state = (
                self._repo.publish(
                    files, message, parent=tip, author=self._author, committer=self._editor.committer, at=now
                ),
                after,
            )
        after = state if versions else begun
        after = cuts_united(last_state(versions, sides.state, after, remains, at), sides.seen.cuts(), at)
        if files := changed_files(state, after):
            message = "Recover what storage shows of a history that the branch had lost"
            tip = self._repo.publish(
                files, message, parent=tip, author=self._author, committer=self._editor.committer, at=now
            )
        self._point(sides, tip, ())
        return found.lost

    def _both_sides(self) -> _BothSides:
        tip, state = self._editor.load(None)
        check_writable(state, ())
        # Every table that either side knows, so that everything lost is found at once.
        stored = self._projector.view_storage(()).manifest()
        listed = [t for t in stored.entries if names.is_name(t)] if stored is not None else []
        seen = self._projector.view_storage({*state.tables, *listed})
        seen.refuse_newer()
        found = self._projector.lines.divergence(seen, tip, state)
        if found is not None and self._repo.tip() != tip:
            raise LostRaceError(f"{self._repo.remote} moved past {tip[:8]}. Try again.")
        return _BothSides(tip, state, seen, found)

    def _point(self, sides: _BothSides, commit: str, let_go: tuple[LostVersion, ...]) -> None:
        """Record in storage that it follows this commit from now on; then make it follow."""
        store, key = self._projector.store, names.LINE_KEY
        line = sides.seen.line() or Line.new(self._repo.branch, commit)
        data = line.at(self._repo.branch, commit).letting_go((v.table, v.version) for v in let_go).to_json()
        before = sides.seen.documents[key]
        if before is not None:
            store.replace(key, data, before.etag)
        elif not store.create(key, data):
            raise ConflictError(f"{key} appeared in {store.location} meanwhile. Call this again.", key=key)
        self._projector.bring_level(sides.state.manifest.entries, thorough=True)


def _accepted(found: Divergence, branch: str, reason: str) -> str:
    """The message of the commit that storage follows from then on."""
    subject, _, rest = reason.partition("\n")
    lines = [f"Accept the history of {branch}: {subject}", ""]
    lines += [rest.strip(), ""] if rest.strip() else []
    if found.line is not None:
        lines.append(f"Storage showed {found.line.branch} at commit {found.line.commit}.")
    if found.lost or found.cuts or found.marks or found.approvals:
        lines += ["", "No longer in the history:"]
        lines += [f"- {version}" for version in found.lost]
        lines += [f"- the cut {name!r}" for name in found.cuts]
        lines += [f"- the review mark {name!r}" for name in found.marks]
        lines += [f"- the approval of {said.splitlines()[0]}" for said in found.approvals]
    return "\n".join(lines) + "\n"
