"""What a write asks for: the tables, and why and by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from datom_core.documents import Author, Machine, Provenance
from datom_core.planning import TableWrite
from datom_core.tables import ContentHash, Encoding


@dataclass(frozen=True)
class Job:
    """A table to write, its content, and its file."""

    write: TableWrite
    encoding: Encoding
    content: ContentHash

    def hashed(self) -> Job:
        """The same job, with a content hash that was computed, not just remembered."""
        return replace(self, write=replace(self.write, data_sha=self.content.hashed()))


@dataclass(frozen=True)
class Standing:
    """Who writes to a project, unless a call says otherwise.

    Attributes:
        author: of commits.
        named: whether somebody named that author; otherwise it is the git configuration's.
        machine: what writes.
        clock: the current time.
    """

    author: Author
    named: bool
    machine: Machine
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Intent:
    """Why and by whom, for the history and the commit.

    Attributes:
        message: for the history and the commit.
        author: who.
        trailers: git trailers, for the commit only.
        provenance: who asked and who writes, for the documents.
        cut: name under which the tables are recorded, if any.
    """

    message: str
    author: Author
    trailers: Mapping[str, str]
    provenance: Provenance
    cut: str | None = None

    @property
    def committer(self) -> Author | None:
        """Who makes the commit: the machine."""
        machine = self.provenance.written_by
        return None if machine is None else machine.identity

    def commit_message(self, message: str) -> str:
        lines = "\n".join(f"{key}: {value}" for key, value in self.trailers.items())
        return f"{message}\n\n{lines}\n" if lines else message
