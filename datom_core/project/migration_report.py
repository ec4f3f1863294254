"""What a migration did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from datom_core.documents import block


@dataclass(frozen=True)
class MigrationReport:
    """What a migration did, or would do.

    Attributes:
        project, source, target: what was moved, from where, to where.
        dry_run: whether nothing was done.
        objects, bytes: what belongs in the new place.
        present: how many of the objects were already there.
        commit_sha: the commit that recorded the new place; ``None`` when it was recorded before.
        late: objects that others wrote to the old place meanwhile, and that were fetched afterwards.
        deleted: objects removed from the old place.
        left: keys in the old place that are not this project's, and stay.
    """

    project: str
    source: str
    target: str
    dry_run: bool
    objects: int
    bytes: int
    present: int
    commit_sha: str | None = None
    late: int = 0
    deleted: int = 0
    left: tuple[str, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return block(self)
