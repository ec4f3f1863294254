"""What a write is asked to do: the tables, their payloads, and who asks, when and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from datom_core.documents import Author, Declared, Provenance, SourceFile, SourceSystem


@dataclass(frozen=True)
class TableWrite:
    """A table to be written: its name, its content, and what its writer declares about it.

    Attributes:
        file, source: the file that it was imported from, and the system that it comes from.
    """

    table: str
    data_sha: str
    rows: int
    column_names: tuple[str, ...]
    declared: Declared = field(default_factory=Declared)
    file: SourceFile | None = field(default=None, compare=False)
    source: SourceSystem | None = field(default=None, compare=False)

    def provenance(self, said: Provenance) -> Provenance:
        """What is recorded of this table, where ``said`` is what is known of the whole write."""
        if self.file is None and self.source is None:
            return said
        return replace(said, file=self.file, source=said.source or self.source)


@dataclass(frozen=True)
class Payload:
    """The stored object of a content: SHA-256 of its bytes, and its size."""

    sha: str
    size: int


@dataclass(frozen=True)
class Stamp:
    """Who writes, when, why, and with which program; ``provenance`` says more about it."""

    at: str
    author: Author
    message: str
    writer: str
    provenance: Provenance | None = None

    def provenance_of(self, write: TableWrite) -> Provenance | None:
        """What is recorded of one table."""
        return None if self.provenance is None else write.provenance(self.provenance)
