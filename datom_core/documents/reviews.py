"""Marks of review: up to where somebody has looked at a study. A part of cuts.json (docs/format.md, "cuts.json").

A mark names the versions that were looked at, not only the cut: a cut that is delivered again holds what nobody has
reviewed yet. Every move of a mark is kept, newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from datom_core.common import did_you_mean
from datom_core.documents.author import Author, read_author
from datom_core.documents.parsing import objects, optional, required, required_sha
from datom_core.documents.provenance import Provenance, read_provenance
from datom_core.errors import FormatError, NotFoundError


@dataclass(frozen=True)
class ReviewMove:
    """A time that a mark was set.

    Attributes:
        versions: table -> the version that was reviewed.
        recorded_at: when (ISO 8601, UTC).
        author, message: who, and why.
        cut: the cut that was reviewed, if it was one.
        provenance: who asked and who wrote, and in which run, as far as it was recorded.
    """

    versions: Mapping[str, str]
    recorded_at: str
    author: Author
    message: str
    cut: str | None = None
    provenance: Provenance | None = field(default=None, repr=False)

    @classmethod
    def from_document(cls, raw: Mapping[str, Any], where: str) -> ReviewMove:
        versions = required(raw, "versions", dict, where)
        if not versions:
            raise FormatError(f"{where}: 'versions' should name at least one table.", source=where, field="versions")
        return cls(
            MappingProxyType({table: required_sha(versions, table, where) for table in versions}),
            required(raw, "recorded_at", str, where),
            read_author(raw.get("author")),
            optional(raw, "message", str, where) or "",
            optional(raw, "cut", str, where),
            read_provenance(raw.get("provenance")),
        )


@dataclass(frozen=True, eq=False)
class Review(Mapping[str, str]):
    """A mark of review: a mapping from table to the version up to which it was reviewed.

    Attributes:
        name: name of the mark.
        moves: every time that it was set, newest first.
    """

    name: str
    moves: tuple[ReviewMove, ...]

    @property
    def latest(self) -> ReviewMove:
        """Where it stands: since when, by whom and why."""
        return self.moves[0]

    @property
    def cut(self) -> str | None:
        """The cut that was reviewed, if it was one."""
        return self.latest.cut

    def __getitem__(self, table: str) -> str:
        return self.latest.versions[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self.latest.versions)

    def __len__(self) -> int:
        return len(self.latest.versions)

    def __repr__(self) -> str:
        held = ", ".join(f"{table}: {version[:8]}" for table, version in self.items())
        at = f"cut={self.cut!r}, " if self.cut is not None else ""
        return f"Review({self.name!r}, {at}{{{held}}}, by {self.latest.author.name}, {self.latest.recorded_at})"


@dataclass(frozen=True, eq=False)
class Reviews(Mapping[str, Review]):
    """All marks of a project by name, in the order in which they were first set."""

    marks: Mapping[str, Review] = field(default_factory=dict)

    @classmethod
    def from_document(cls, raw: Mapping[str, Any] | None, source: str) -> Reviews:
        """Read what a document holds of marks.

        Raises:
            FormatError: it holds something else.
        """
        found = {}
        for name in raw or {}:
            where = f"{source}, review mark {name!r}"
            moves = tuple(ReviewMove.from_document(move, where) for move in objects(raw or {}, name, where) or ())
            if not moves:
                raise FormatError(f"{where}: it was never set.", source=source)
            found[name] = Review(name, moves)
        return cls(MappingProxyType(found))

    def find(self, name: str) -> Review:
        """The mark of this name.

        Raises:
            NotFoundError: there is none; names those that there are.
        """
        if name not in self.marks:
            known = ", ".join(map(repr, self.marks))
            hint = f"there are {known}" if known else "none was ever set"
            raise NotFoundError(f"There is no review mark {name!r}; {hint}.{did_you_mean(name, self.marks)}", mark=name)
        return self.marks[name]

    def __getitem__(self, name: str) -> Review:
        return self.marks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.marks)

    def __len__(self) -> int:
        return len(self.marks)

    def __repr__(self) -> str:
        return "Reviews(\n" + "".join(f"  {mark!r},\n" for mark in self.marks.values()) + ")"


def with_move(raw: Mapping[str, Any], name: str, move: ReviewMove) -> dict[str, Any]:
    """What a document holds of marks, once ``name`` is set."""
    entry: dict[str, Any] = {} if move.cut is None else {"cut": move.cut}
    entry |= {"versions": dict(move.versions), "recorded_at": move.recorded_at}
    entry |= {"author": move.author.to_json(), "message": move.message}
    if move.provenance is not None:
        entry["provenance"] = move.provenance.to_json()
    return {**raw, name: [entry, *raw.get(name, [])]}


def moves_where(raw: Mapping[str, Any], keep: Callable[[str, str], bool]) -> dict[str, Any]:
    """What a document holds of marks, with those moves alone all of whose versions (table, version) are kept.

    A move is kept whole or not at all: a part of it would say that less was reviewed.
    """
    kept = {
        name: [m for m in moves if all(keep(t, v) for t, v in m["versions"].items())] for name, moves in raw.items()
    }
    return {name: moves for name, moves in kept.items() if moves}


def moves_united(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """The moves of two documents, each once, newest first."""
    united = dict(ours)
    for name, moves in theirs.items():
        held: Sequence[Any] = united.get(name, [])
        more = [move for move in moves if move not in held]
        if more:
            united[name] = sorted([*more, *held], key=lambda move: str(move["recorded_at"]), reverse=True)
    return united
