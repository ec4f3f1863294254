"""Set a mark of review: which versions of a study somebody has looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from datom_core.common import names
from datom_core.documents import Author, Provenance, Review, ReviewMove
from datom_core.errors import InvalidInputError
from datom_core.planning import ProjectState
from datom_core.writing.document_edits import Edit, version_at


def marked_reviewed(
    name: str,
    cut: str | None,
    versions: Mapping[str, str | None],
    author: Author,
    message: str,
    *,
    backwards: bool,
    provenance: Provenance | None = None,
) -> Edit:
    """Let the mark ``name`` stand for what a cut holds, or for versions.

    Args:
        name: of the mark.
        cut: a cut; or ``None``, and
        versions: table -> version, or ``None`` for the current one.
        author, message: who, and why.
        backwards: whether the mark may go back to what was recorded before that for which it stands.
        provenance: who asked and who writes.

    Raises:
        NotFoundError: there is no such cut, table or version.
        InvalidInputError: a cut has that name, or the mark would go back.
    """

    def edit(state: ProjectState, now: str) -> ProjectState:
        if cut is not None:
            reviewed = dict(state.cuts.find(cut))
        else:
            reviewed = {table: version_at(state, table, asked).version for table, asked in versions.items()}
        move = ReviewMove(reviewed, now, author, message, cut, provenance)
        mark = state.cuts.reviews.get(name)
        if mark is not None and mark.cut == cut and dict(mark) == reviewed:
            return state
        cuts = state.cuts.with_review(name, move)
        if mark is not None and not backwards:
            _refuse_back(state, mark, move)
        # The manifest is written last and so proves that storage has everything: it must change with the cuts.
        return replace(state, cuts=cuts, manifest=state.manifest.with_rows(state.manifest.rows(), now))

    names.check_mark_name(name)
    return edit


def _refuse_back(state: ProjectState, mark: Review, move: ReviewMove) -> None:
    """Refuse to hide that something was reviewed.

    Raises:
        InvalidInputError: the move goes back; says from where, and how to insist.
    """
    order = list(state.cuts)
    if mark.cut in state.cuts and move.cut in state.cuts:
        back = order.index(str(move.cut)) < order.index(str(mark.cut))
        what = f"the cut {move.cut!r} was recorded before that"
    else:
        earlier = [t for t in mark if t in move.versions and _age(state, t, move.versions[t]) < _age(state, t, mark[t])]
        back, what = bool(earlier), f"what was given of {', '.join(earlier)} is older than that"
    if back:
        at, latest = f"the cut {mark.cut!r}" if mark.cut is not None else "versions", mark.latest
        raise InvalidInputError(
            f"The review mark {mark.name!r} stands at {at} ({latest.author.name}, {latest.recorded_at}), and {what}. "
            "To set it back all the same, say so: backwards=True.",
            mark=mark.name,
            cut=move.cut,
        )


def _age(state: ProjectState, table: str, version: str) -> tuple[str, int]:
    """Orders the versions of a table by when they were last made current."""
    history = state.table(table).history
    found = history.find(version)
    place = next((n for n, entry in enumerate(history) if entry.version == version), 0)
    return ("" if found is None else found.latest.recorded_at, -place)
