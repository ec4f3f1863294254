"""A project's documents at one commit: what every plan starts from, and ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datom_core.documents import Cuts, GovernanceFile, History, Manifest, Metadata, Signers, Version

if TYPE_CHECKING:
    from datom_core.documents import ProjectFile


@dataclass(frozen=True)
class TableState:
    """A table's documents at one commit."""

    metadata: Metadata | None = None
    history: History = field(default_factory=History)

    @property
    def current(self) -> Version | None:
        return None if self.metadata is None else self.history.current(self.metadata)


@dataclass(frozen=True)
class ProjectState:
    """A project's documents at one commit.

    Attributes:
        file, manifest, cuts: the project's own documents.
        governance: the register that it belongs to, if any.
        tables: the requested tables that exist.
        root_files: files at the top of the data repo; no table can have their names.
        signers: whose keys may sign.
        files: other files that a plan puts into the data repo: a set's members, and what lies beside it.
    """

    file: ProjectFile
    manifest: Manifest
    cuts: Cuts
    governance: GovernanceFile | None
    tables: Mapping[str, TableState]
    root_files: frozenset[str] = frozenset()
    signers: Signers = field(default_factory=Signers)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def table(self, name: str) -> TableState:
        return self.tables.get(name, TableState())
