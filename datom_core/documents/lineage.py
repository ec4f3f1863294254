"""Where a table's data came from: the parents that a writer declared, and the sources behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datom_core.common import check_name, is_sha
from datom_core.documents.parsing import required, required_sha
from datom_core.errors import FormatError, InvalidInputError


@dataclass(frozen=True)
class Source:
    """One imported table at the root of a lineage.

    Attributes:
        project, table: where it lives.
        data_sha: the content that was imported (the documents call it ``version_sha``).
    """

    project: str
    table: str
    data_sha: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], source: str) -> Source:
        return cls(
            required(raw, "project", str, source),
            required(raw, "table", str, source),
            required_sha(raw, "version_sha", source),
        )

    def to_json(self) -> dict[str, str]:
        return {"project": self.project, "table": self.table, "version_sha": self.data_sha}


@dataclass(frozen=True)
class Parent:
    """One version of a table from which another table was derived.

    Attributes:
        source: the project that holds it.
        table: its name there.
        version: its full version id.
        data_sha: its content hash.
        source_lineage: the imported tables behind it.
    """

    source: str
    table: str
    version: str
    data_sha: str
    source_lineage: tuple[Source, ...] = ()

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], source: str) -> Parent:
        """Read one entry of a metadata document's ``parents``."""
        return cls(
            source=required(raw, "source", str, source),
            table=required(raw, "table", str, source),
            version=required_sha(raw, "version", source),
            data_sha=required_sha(raw, "data_sha", source),
        )

    def to_json(self) -> dict[str, str]:
        return {"source": self.source, "table": self.table, "version": self.version, "data_sha": self.data_sha}

    def __str__(self) -> str:
        return f"{self.source}/{self.table}@{self.version[:8]}"


def check_parents(parents: Iterable[object] | None) -> tuple[Parent, ...] | None:
    """The declared parents as a tuple without duplicates; ``None`` stays ``None`` (nothing declared).

    Raises:
        InvalidInputError: names every entry that is not a complete parent.
    """
    if parents is None:
        return None
    if isinstance(parents, (Parent, Mapping, str)) or not isinstance(parents, Iterable):
        raise InvalidInputError("parents is a list; put a single one into brackets.")
    checked: dict[Parent, None] = {}
    problems = []
    for number, entry in enumerate(parents, 1):
        try:
            checked[_check_parent(entry)] = None
        except (InvalidInputError, FormatError) as error:
            problems.append(f"  - entry {number}: {error}")
    if problems:
        raise InvalidInputError(
            "Some parents are not complete; declare them with project.parent(table, version):\n" + "\n".join(problems)
        )
    return tuple(checked)


def _check_parent(entry: object) -> Parent:
    if isinstance(entry, Mapping):
        lineage = entry.get("source_lineage") or ()
        parent = Parent.from_json(entry, "the parent")
        sources = tuple(Source.from_json(s, "the parent's source_lineage") for s in lineage)
        parent = Parent(parent.source, parent.table, parent.version, parent.data_sha, sources)
    elif isinstance(entry, Parent):
        parent = entry
    else:
        raise InvalidInputError(f"expected a Parent, not {type(entry).__name__}")
    check_name(parent.source, "project")
    check_name(parent.table)
    if not is_sha(parent.version) or not is_sha(parent.data_sha):
        raise InvalidInputError(f"{parent.table}: 'version' and 'data_sha' must be 64 lower-case hex digits")
    return parent


def union(parents: Sequence[Parent]) -> tuple[Source, ...]:
    """The sources behind all parents, without duplicates, in order of first appearance."""
    return tuple(dict.fromkeys(source for parent in parents for source in parent.source_lineage))
