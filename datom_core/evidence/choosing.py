"""Which versions a bag of evidence is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from datom_core.common import Moment, check_cut_name, check_name, did_you_mean, moment_of, names
from datom_core.documents import Cuts, History, Manifest, Metadata, Version
from datom_core.errors import InvalidInputError, NotFoundError
from datom_core.evidence.results import HeldVersion


class Documents(Protocol):
    """A project's documents, as storage has them."""

    def manifest(self) -> Manifest: ...

    def cuts(self) -> Cuts: ...

    def pointer(self, table: str) -> Metadata: ...

    def history(self, table: str) -> History: ...


@dataclass(frozen=True)
class Asked:
    """What a bag should be about: a cut, a moment, some tables, or without any of them all tables as they are now.

    Attributes:
        cut: name of a cut.
        as_of: a moment.
        tables: names, for their current versions; or a mapping from name to version id, or its first digits.
    """

    cut: str | None = None
    as_of: Moment | None = None
    tables: Mapping[str, str] | Collection[str] | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("cut", "as_of", "tables") if getattr(self, name) is not None]
        if len(given) > 1:
            raise InvalidInputError(f"Say what the bag is about by one of them, not by {' and '.join(given)}.")
        if self.cut is not None:
            check_cut_name(self.cut)
        if self.as_of is not None:
            moment_of(self.as_of)
        tables: object = self.tables
        if isinstance(tables, str) or not (tables is None or isinstance(tables, Collection)):
            raise InvalidInputError(f"tables is a list of names, or a mapping from name to version, not {tables!r}.")
        if tables is not None and not tables:
            raise InvalidInputError("tables names no table.")
        for table in tables or ():
            check_name(table)

    @property
    def name(self) -> str:
        """The state in words."""
        if self.cut is not None:
            return self.cut
        if self.as_of is not None:
            return str(self.as_of)
        return "now" if self.tables is None else ", ".join(self.tables)


def choose_versions(documents: Documents, asked: Asked) -> tuple[HeldVersion, ...]:
    """The versions, in the order of the cut or of the manifest.

    Raises:
        NotFoundError: there is no such cut, table or version, or nothing at that moment; names every table.
        InvalidInputError: the first digits of a version are those of several.
    """
    manifest = documents.manifest()
    if asked.cut is not None:
        cut = documents.cuts().find(asked.cut)
        return tuple(_held(table, documents.history(table).resolve(version, table)) for table, version in cut.items())
    chosen = list(manifest.entries) if asked.tables is None else list(dict.fromkeys(asked.tables))
    unknown = [table for table in chosen if table not in manifest.entries]
    if unknown:
        hint = "".join(did_you_mean(table, manifest.entries) for table in unknown)
        raise NotFoundError(f"{manifest.project} has no table {', '.join(map(repr, unknown))}.{hint}")
    found = []
    for table in chosen:
        history = documents.history(table)
        if isinstance(asked.tables, Mapping):
            found.append(_held(table, history.resolve(asked.tables[table], table)))
            continue
        pointer = documents.pointer(table)
        if asked.as_of is None:
            current = history.current(pointer)
            if current is None:
                raise NotFoundError(f"The history of {table} does not hold its current version.", table=table)
            found.append(_held(table, current))
            continue
        try:
            found.append(_held(table, history.as_of(moment_of(asked.as_of), pointer, table)))
        except NotFoundError:
            continue  # it came later
    if not found:
        raise NotFoundError(f"{manifest.project} had no table yet at {asked.name}.")
    return tuple(found)


def _held(table: str, version: Version) -> HeldVersion:
    key = names.set_payload if version.is_set else names.payload
    return HeldVersion(table, version, key(table, version.data_sha), version.payload_sha)
