"""Cuts that refuse to move: locked by a record, until a signed record takes that back.

A document alone neither unlocks by what it says nor by what it leaves out: the commits say who locked, and who might
unlock.
"""

from __future__ import annotations

from collections.abc import Collection

from datom_core.documents import LOCKED, Approval
from datom_core.errors import InvalidInputError
from datom_core.git import GitRepo
from datom_core.planning import ProjectState
from datom_core.signatures.records import records_through
from datom_core.signatures.trust import trust_through


def open_locks(repo: GitRepo, tip: str, state: ProjectState, cuts: Collection[str] | None = None) -> list[Approval]:
    """The locks that hold cuts in place: of these cuts, or of all.

    A project that never had signers has none, and git is not asked.
    """
    said = [r for r in state.cuts.approvals if r.meaning == LOCKED]
    if not said and not state.signers.lines:
        return []
    trust = trust_through(repo, tip)
    proven = [found.record for found in records_through(repo, tip, trust, locks_alone=True) if found.problem is None]
    records = [record for record in proven if record is not None]
    undone = {(r.withdraws, r.cut) for r in records if r.kind == "withdrawal"}
    locks = {r.id: r for r in [*said, *records] if r.kind == "approval" and r.meaning == LOCKED}
    return [r for r in locks.values() if (r.id, r.cut) not in undone and (cuts is None or r.cut in cuts)]


def check_unlocked(repo: GitRepo, tip: str, state: ProjectState, cuts: Collection[str] | None = None) -> None:
    """Refuse to move these cuts, or any, if they are locked.

    Raises:
        InvalidInputError: says by whom, when and why, and how they are unlocked.
    """
    locks = open_locks(repo, tip, state, cuts)
    if locks:
        raise locked(locks)


def locked(locks: Collection[Approval]) -> InvalidInputError:
    """The error for cuts that are locked."""
    told = "; ".join(f"{r.cut!r} by {r.signer}, {r.recorded_at}: {r.reason}" for r in locks)
    names = tuple(dict.fromkeys(r.cut for r in locks))
    return InvalidInputError(
        f"Locked, and not to be moved: {told}. Record it under another name, or let a signer withdraw the lock: "
        f"project.withdraw({names[0]!r}, meaning={LOCKED!r}, reason=...).",
        cuts=names,
        locks=tuple(locks),
    )
