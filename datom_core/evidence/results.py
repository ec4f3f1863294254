"""What came of making a bag of evidence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from datom_core.documents import Version


@dataclass(frozen=True)
class HeldVersion:
    """A version that a bag is about.

    Attributes:
        table: of which table or set.
        version: which one.
        key: of its payload in storage, and its path below ``data/datom`` in the bag.
        payload_sha: SHA-256 of the payload's bytes; as recorded, or as found where nothing was recorded.
    """

    table: str
    version: Version
    key: str
    payload_sha: str | None


@dataclass(frozen=True)
class EvidenceBag(os.PathLike[str]):
    """A bag of evidence; where a path is expected, it is its own.

    Attributes:
        path: the folder, or the zip file.
        project: whose it is.
        state: what it is about: the name of a cut, a moment, names of tables, or ``"now"``.
        cut: the cut, if it is one.
        commit: up to which the git history is in it; ``None`` without one.
        versions: what it holds.
        unproven: table and version of those whose id nobody can compute again, with why.
        files, bytes: in it.
        digest: SHA-256 of ``tagmanifest-sha256.txt``, which stands for the whole bag: tell it to whom the bag is for in
            another way. ``None`` after a dry run.
        dry_run: nothing was written.
    """

    path: Path
    project: str
    state: str
    cut: str | None
    commit: str | None
    versions: tuple[HeldVersion, ...] = field(repr=False)
    unproven: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    files: int = 0
    bytes: int = 0
    digest: str | None = None
    dry_run: bool = False

    def __fspath__(self) -> str:
        return str(self.path)
