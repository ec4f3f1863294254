"""cuts.json: named states of several tables that belong together, and how far they were reviewed.

A document of this package; R neither reads nor disturbs it. For each cut and each table it keeps every
version that the name ever stood for, newest first, so that a re-delivered cut hides nothing. Marks of review
(`datom_core.documents.reviews`) and approvals (`datom_core.documents.approvals`) lie beside the cuts in the same
document, so that all are always of one moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from datom_core.common import did_you_mean
from datom_core.documents import canonical
from datom_core.documents.approvals import LOCKED, Approvals, records_united, records_where
from datom_core.documents.author import Author
from datom_core.documents.parsing import (
    Buffer,
    format_timestamp,
    objects,
    optional,
    parse_object,
    required,
    schema_of,
    timestamp,
)
from datom_core.documents.provenance import Provenance
from datom_core.documents.recording import Recording
from datom_core.documents.reviews import ReviewMove, Reviews, moves_united, moves_where, with_move
from datom_core.errors import FormatError, InvalidInputError, NotFoundError

_SCHEMA = 1


@dataclass(frozen=True, eq=False)
class Cut(Mapping[str, str]):
    """A named cut: a mapping from table to version id.

    Attributes:
        name: name of the cut.
        recordings: per table every version that the name stood for, newest first.
    """

    name: str
    recordings: Mapping[str, tuple[Recording, ...]]

    def __getitem__(self, table: str) -> str:
        return self.recordings[table][0].version

    def __iter__(self) -> Iterator[str]:
        return iter(self.recordings)

    def __len__(self) -> int:
        return len(self.recordings)

    @property
    def latest(self) -> Recording:
        """The last recording of the cut, for any of its tables: when, by whom and why."""
        return max((r[0] for r in self.recordings.values()), key=lambda r: r.recorded_at)

    @property
    def recorded_at(self) -> str:
        """When the cut was last recorded, for any of its tables."""
        return self.latest.recorded_at

    def version_of(self, table: str, as_of: datetime | None = None) -> str:
        """The version that this cut stands for; with ``as_of``, the one that it stood for then.

        Raises:
            NotFoundError: the cut does not hold the table, or did not yet; says what it holds, and since when.
        """
        if table not in self.recordings:
            raise NotFoundError(
                f"The cut {self.name!r} does not hold {table}; it holds {', '.join(self.recordings)}.",
                cut=self.name,
                table=table,
            )
        if as_of is None:
            return self[table]
        recordings = self.recordings[table]
        for recording in recordings:
            if timestamp(recording.recorded_at, f"the cut {self.name!r}") <= as_of:
                return recording.version
        raise NotFoundError(
            f"The cut {self.name!r} held no {table} as of {format_timestamp(as_of)}; it was first recorded at "
            f"{recordings[-1].recorded_at}.",
            cut=self.name,
            table=table,
        )

    def __repr__(self) -> str:
        held = ", ".join(f"{table}: {version[:8]}" for table, version in self.items())
        return f"Cut({self.name!r}, {{{held}}}, recorded_at={self.recorded_at})"


@dataclass(frozen=True, eq=False)
class Cuts(Mapping[str, Cut]):
    """All cuts of a project by name, in order of their first recording.

    Attributes:
        reviews: how far the project was reviewed; marks are no cuts, and this mapping does not have them.
        approvals: who approved which cuts, and what they stood for then.
    """

    raw: Mapping[str, Any] = field(
        default_factory=lambda: MappingProxyType({"schema_version": _SCHEMA, "cuts": {}}), repr=False
    )
    cuts: Mapping[str, Cut] = field(default_factory=dict)
    reviews: Reviews = field(default_factory=Reviews)
    approvals: Approvals = field(default_factory=Approvals)

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> Cuts:
        """Read a stored document.

        Raises:
            FormatError: not a document of cuts, or a newer schema.
        """
        return cls._of(parse_object(data, source), source)

    @classmethod
    def _of(cls, raw: dict[str, Any], source: str = "cuts.json") -> Cuts:
        schema_of(raw, source, ceiling=_SCHEMA)
        cuts = required(raw, "cuts", dict, source) if raw.get("cuts") else {}
        reviews = Reviews.from_document(optional(raw, "reviews", dict, source), source)
        held = MappingProxyType({n: _cut(n, c, source) for n, c in cuts.items()})
        return cls(MappingProxyType(raw), held, reviews, Approvals.from_document(raw, held, source))

    def to_json(self) -> bytes:
        return canonical.dump(dict(self.raw))

    def __getitem__(self, name: str) -> Cut:
        return self.cuts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cuts)

    def __len__(self) -> int:
        return len(self.cuts)

    def find(self, name: str) -> Cut:
        """The cut of this name.

        Raises:
            NotFoundError: there is none; the latest names are given.
        """
        if name not in self.cuts:
            known = ", ".join(map(repr, list(self.cuts)[-5:]))
            hint = f"the latest are {known}" if known else "no cut was ever recorded"
            raise NotFoundError(f"There is no cut {name!r}; {hint}.{did_you_mean(name, self.cuts)}", cut=name)
        return self.cuts[name]

    def stands_for(self, name: str, table: str, version: str) -> bool:
        """Whether the cut already stands for this version of the table."""
        return name in self.cuts and self.cuts[name].get(table) == version

    def check_new_cut(self, name: str) -> None:
        """Refuse a cut that has the name of a mark: a state of the study must have one meaning.

        Raises:
            InvalidInputError: there is such a mark.
        """
        if name in self.reviews and name not in self.cuts:
            raise InvalidInputError(f"{name!r} is the name of a review mark. Give the cut another name.", cut=name)

    def moved_since(self, before: Cuts) -> tuple[str, ...]:
        """The cuts that stand for something else than before, or that are new, or gone."""
        names = {*self.cuts, *before.cuts}
        return tuple(sorted(n for n in names if dict(self.cuts.get(n, {})) != dict(before.cuts.get(n, {}))))

    @property
    def locked(self) -> tuple[str, ...]:
        """The cuts that refuse to move."""
        return tuple(dict.fromkeys(record.cut for record in self.approvals.standing(LOCKED)))

    def with_approval(self, record: Mapping[str, Any]) -> Cuts:
        """The document once a record is in it."""
        return self._with_approvals([dict(record), *(self.raw.get("approvals") or [])])

    def _with_approvals(self, approvals: list[Any]) -> Cuts:
        if not approvals and "approvals" not in self.raw:
            return self
        return Cuts._of({**self.raw, "approvals": approvals})

    def with_review(self, name: str, move: ReviewMove) -> Cuts:
        """The document once the mark ``name`` is set.

        Raises:
            InvalidInputError: there is a cut of that name.
        """
        if name in self.cuts:
            raise InvalidInputError(f"{name!r} is the name of a cut. Give the review mark another name.", mark=name)
        return self._with_reviews(with_move(self.raw.get("reviews") or {}, name, move))

    def _with_reviews(self, reviews: Mapping[str, Any]) -> Cuts:
        if not reviews and "reviews" not in self.raw:
            return self
        return Cuts._of({**self.raw, "reviews": dict(reviews)})

    def with_recordings(
        self,
        name: str,
        versions: Mapping[str, str],
        *,
        at: str,
        author: Author,
        message: str,
        provenance: Mapping[str, Provenance] | None = None,
    ) -> Cuts:
        """The cuts once ``name`` is recorded to stand for a version of each of these tables.

        ``provenance`` is of the tables whose histories do not say it.
        """
        if not versions:
            return self
        told = {"recorded_at": at, "author": author.to_json(), "message": message}
        all_cuts = dict(self.raw.get("cuts") or {})
        cut = dict(all_cuts.get(name) or {})
        tables = dict(cut.get("tables") or {})
        for table, version in versions.items():
            entry = {"version": version, **told}
            if provenance is not None and table in provenance:
                entry["provenance"] = provenance[table].to_json()
            tables[table] = [entry, *tables.get(table, [])]
        return Cuts._of({**self.raw, "cuts": {**all_cuts, name: {**cut, "tables": tables}}})

    def limited_to(self, readable: Mapping[str, frozenset[str]]) -> Cuts:
        """The cuts, marks and approvals without versions that readers of these tables cannot reach yet.

        Args:
            readable: per table concerned, the versions that can be read.
        """

        def kept(table: str, entries: list[Any]) -> list[Any]:
            return [e for e in entries if table not in readable or e["version"] in readable[table]]

        cuts = {}
        for name, cut in (self.raw.get("cuts") or {}).items():
            tables = {t: left for t, entries in cut.get("tables", {}).items() if (left := kept(t, entries))}
            if tables:
                cuts[name] = {**cut, "tables": tables}

        def keep(table: str, version: str) -> bool:
            return table not in readable or version in readable[table]

        reviews = moves_where(self.raw.get("reviews") or {}, keep)
        approvals = records_where(self.raw.get("approvals") or [], keep)
        return Cuts._of({**self.raw, "cuts": cuts})._with_reviews(reviews)._with_approvals(approvals)

    def united(self, other: Cuts, known: Mapping[str, Collection[str]]) -> Cuts:
        """These cuts, marks and approvals together with what another document records of known versions.

        Args:
            other: the other document.
            known: per table, its versions.
        """
        cuts = {name: dict(cut) for name, cut in (self.raw.get("cuts") or {}).items()}
        for name, theirs in (other.raw.get("cuts") or {}).items():
            cut = cuts.get(name, {**theirs, "tables": {}})
            tables = {table: list(entries) for table, entries in cut["tables"].items()}
            for table, entries in theirs["tables"].items():
                ours = tables.get(table, [])
                there = {(e["version"], e["recorded_at"]) for e in ours}
                more = [
                    e
                    for e in entries
                    if (e["version"], e["recorded_at"]) not in there and e["version"] in known.get(table, ())
                ]
                if more:
                    tables[table] = sorted([*more, *ours], key=lambda e: str(e["recorded_at"]), reverse=True)
            if tables:
                cuts[name] = {**cut, "tables": tables}

        def keep(table: str, version: str) -> bool:
            return version in known.get(table, ())

        reviews = moves_united(self.raw.get("reviews") or {}, moves_where(other.raw.get("reviews") or {}, keep))
        theirs = records_where(other.raw.get("approvals") or [], keep)
        approvals = records_united(self.raw.get("approvals") or [], theirs)
        return Cuts._of({**self.raw, "cuts": cuts})._with_reviews(reviews)._with_approvals(approvals)

    def __repr__(self) -> str:
        return "Cuts(\n" + "".join(f"  {cut!r},\n" for cut in self.cuts.values()) + ")"


def _cut(name: str, raw: Any, source: str) -> Cut:
    where = f"{source}, cut {name!r}"
    tables = raw.get("tables") if isinstance(raw, dict) else None
    if not isinstance(tables, dict) or not tables:
        raise FormatError(f"{where}: 'tables' should be an object with at least one table.", source=source)
    recordings = {t: tuple(Recording.from_document(e, where) for e in objects(tables, t, where) or ()) for t in tables}
    empty = [t for t, entries in recordings.items() if not entries]
    if empty:
        raise FormatError(f"{where}: no version is recorded for {empty}.", source=source)
    return Cut(name, MappingProxyType(recordings))
