"""Documents of the register, and where a registered project lies (docs/format.md, "The register")."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from datom_core.common import normalise_prefix
from datom_core.documents import canonical
from datom_core.documents.author import Author
from datom_core.documents.location import Location, kind_of_document, shared_kinds
from datom_core.documents.parsing import Buffer, objects, optional, parse, parse_object, required, schema_of
from datom_core.errors import FormatError, InvalidInputError

#: dispatch.json: written at registration, and read by nothing yet.
DISPATCH = canonical.dump({"methods": {"r": {"default": "datom::datom_read"}, "python": {"default": "datom.read"}}})

_SCHEMA = 1  # nobody writes a schema number into these documents yet
_PLACE = ("type", "root", "prefix", "region")


@dataclass(frozen=True)
class GovernanceFile:
    """governance.json: the register that a project belongs to. Canonical in the data repo, mirrored in storage.

    Attributes:
        raw: the document.
        remote: URL of the governance repo.
        storage: where its mirror lies.
        attached_at: when the project was attached.
    """

    raw: Mapping[str, Any] = field(repr=False)
    remote: str
    storage: Location
    attached_at: str | None

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> GovernanceFile:
        """Read a stored document.

        Raises:
            FormatError: not such a document, or of a newer schema.
        """
        raw = parse_object(data, source)
        schema_of(raw, source, ceiling=_SCHEMA)
        remote = required(raw, "gov_repo_url", str, source)
        if not remote.strip():
            raise FormatError(f"{source}: 'gov_repo_url' is empty.", source=source, field="gov_repo_url")
        storage = location_of(required(raw, "gov_storage", dict, source), f"{source}, gov_storage")
        return cls(MappingProxyType(raw), remote, storage, optional(raw, "attached_at", str, source))

    @classmethod
    def new(cls, remote: str, storage: Location, now: str) -> GovernanceFile:
        """The document of a project that is being attached."""
        raw = {"gov_repo_url": remote, "gov_storage": location_block(storage), "attached_at": now}
        return cls(MappingProxyType(raw), remote, storage, now)

    def to_json(self) -> bytes:
        return canonical.dump(dict(self.raw))


@dataclass(frozen=True)
class FormerPlace:
    """A place that a project's data has left.

    Attributes:
        location: the place.
        migrated_at: when it was left.
        sunset_at: until when it is kept, if anybody said.
    """

    location: Location
    migrated_at: str | None = None
    sunset_at: str | None = None

    def __str__(self) -> str:
        until = f", kept until {self.sunset_at}" if self.sunset_at else ""
        return f"{self.location} (left {self.migrated_at or 'at an unknown time'}{until})"


@dataclass(frozen=True)
class Decommission:
    """The mark of a project that is being decommissioned: all that is needed to continue.

    Attributes:
        began_at, by: when, and who.
        remote: URL of the project's data repo.
        governance: URL of the governance repo.
    """

    began_at: str
    by: str
    remote: str
    governance: str


@dataclass(frozen=True)
class Ref:
    """ref.json: where a registered project's data lies.

    Attributes:
        raw: the document.
        current: the place.
        previous: where it lay before, most recent first.
        decommission: set as soon as the project is being decommissioned.
    """

    raw: Mapping[str, Any] = field(repr=False)
    current: Location
    previous: tuple[FormerPlace, ...] = ()
    decommission: Decommission | None = None

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> Ref:
        """Read a stored document.

        Raises:
            FormatError: not such a document, or of a newer schema.
        """
        raw = parse_object(data, source)
        schema_of(raw, source, ceiling=_SCHEMA)
        mark = optional(raw, "decommission", dict, source)
        return cls(
            raw=MappingProxyType(raw),
            current=location_of(required(raw, "current", dict, source), f"{source}, current"),
            previous=tuple(_former_places(objects(raw, "previous", source) or (), source)),
            decommission=None if mark is None else _mark(mark, f"{source}, decommission"),
        )

    @classmethod
    def new(cls, current: Location) -> Ref:
        """The document of a project that is being registered."""
        return cls(MappingProxyType({"current": location_block(current), "previous": []}), current)

    def moved(self, to: Location, now: str, sunset_at: str | None) -> Ref:
        """The document after a move; the place just left comes first among the previous ones."""
        # Whatever others wrote about the place moves along with it.
        others = {k: v for k, v in self.raw["current"].items() if k not in _PLACE}
        left = {**location_block(self.current), **others, "migrated_at": now}
        left |= {} if sunset_at is None else {"sunset_at": sunset_at}
        previous = [left, *(self.raw.get("previous") or [])]
        former = FormerPlace(self.current, now, sunset_at)
        raw = {**self.raw, "current": location_block(to), "previous": previous}
        return Ref(MappingProxyType(raw), to, (former, *self.previous), self.decommission)

    def marked(self, mark: Decommission) -> Ref:
        """The document of a project that is going to be decommissioned."""
        block = {"began_at": mark.began_at, "by": mark.by, "remote": mark.remote, "gov_repo_url": mark.governance}
        return Ref(MappingProxyType({**self.raw, "decommission": block}), self.current, self.previous, mark)

    def to_json(self) -> bytes:
        return canonical.dump(dict(self.raw))


@dataclass(frozen=True)
class Event:
    """One entry of migration_history.json.

    Attributes:
        kind: ``"data_migration"``, ``"decommission"``, or what another writer calls it.
        at: when.
        by: whoever did it, as the entry names them.
        source, target: from where, to where; ``None`` when the entry does not say.
        reason: why.
        objects, bytes: how much was moved.
    """

    kind: str
    at: str | None
    by: str | None = None
    source: Location | None = None
    target: Location | None = None
    reason: str | None = None
    objects: int | None = None
    bytes: int | None = None

    def __str__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        places = " -> ".join(str(place) for place in (self.source, self.target) if place is not None)
        # The reason is free text, of any number of lines.
        reason = f" ({self.reason.splitlines()[0]})" if self.reason and self.reason.strip() else ""
        return f"{self.at or 'undated'} {self.kind}{by}" + (f": {places}" if places else "") + reason


@dataclass(frozen=True)
class Events:
    """migration_history.json: what happened to a registration, most recent first."""

    raw: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> Events:
        """Read a stored document.

        Raises:
            FormatError: not an array of objects.
        """
        value = parse(data, source)
        if value == {}:  # how R sometimes writes an empty list
            return cls()
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise FormatError(f"{source} should hold an array of objects.", source=source)
        return cls(tuple(value))

    def with_event(self, kind: str, now: str, author: Author | None, facts: Mapping[str, Any]) -> Events:
        """The document after an event. Both names of the time are written (docs/format.md, "The register")."""
        actor = {} if author is None else {"git_name": author.name, "git_email": author.email}
        entry = {"occurred_at": now, "event_type": kind, "timestamp": now, "actor": actor, **facts}
        return Events((entry, *self.raw))

    def to_json(self) -> bytes:
        return canonical.dump([dict(e) for e in self.raw])

    def __iter__(self) -> Any:
        return iter(_event(e) for e in self.raw)

    def __len__(self) -> int:
        return len(self.raw)


def location_block(location: Location) -> dict[str, Any]:
    """A place as the documents of governance hold it, without the fields that it does not have."""
    block = {"type": location.backend, "root": location.root}
    block |= {"prefix": location.spelled_prefix} if location.prefix else {}
    return block | ({"region": location.region} if location.region else {})


def location_of(block: Mapping[str, Any], source: str) -> Location:
    """The place that a block holds. Old files write an absent prefix as null, "", {} or [].

    Raises:
        FormatError: no root, an unknown backend, or an impossible prefix.
    """
    backend, root = required(block, "type", str, source), required(block, "root", str, source)
    kind = kind_of_document(backend)
    if kind is None:
        raise FormatError(f"{source}: 'type' is one of {', '.join(shared_kinds())}, not {backend!r}.", source=source)
    if not root.strip() or (kind.root_is_path and not root.startswith("/")):
        # A relative path would mean another folder to each reader.
        raise FormatError(f"{source}: 'root' should be an absolute path or a bucket, not {root!r}.", source=source)
    given = None if block.get("prefix") == [] else optional(block, "prefix", str, source)
    try:
        prefix = normalise_prefix(given)
    except InvalidInputError as error:
        raise FormatError(f"{source}: {error}", source=source, field="prefix") from error
    region = kind.default_region and (optional(block, "region", str, source) or kind.default_region)
    return Location(backend, root, prefix, region, given)


def _former_places(blocks: Iterable[Mapping[str, Any]], source: str) -> Iterator[FormerPlace]:
    """Those that can be parsed: a damaged entry about the past must not block the present. ``raw`` keeps all."""
    for block in blocks:
        with contextlib.suppress(FormatError):
            yield _former(block, source)


def _former(block: Mapping[str, Any], source: str) -> FormerPlace:
    where = f"{source}, previous"
    # One design note of R spells it sunset_date.
    sunset = optional(block, "sunset_at", str, where) or optional(block, "sunset_date", str, where)
    return FormerPlace(location_of(block, where), optional(block, "migrated_at", str, where), sunset)


def _mark(block: Mapping[str, Any], source: str) -> Decommission:
    began_at, by, remote, governance = (
        required(block, key, str, source) for key in ("began_at", "by", "remote", "gov_repo_url")
    )
    return Decommission(began_at, by, remote, governance)


def _event(raw: Mapping[str, Any]) -> Event:
    """An entry, as far as it can be parsed: several writers have added entries, each with its own fields."""

    def text(value: Any) -> str | None:
        return value if isinstance(value, str) and value else None

    def number(value: Any) -> int | None:
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def place(value: Any) -> Location | None:
        try:
            return location_of(value, "") if isinstance(value, Mapping) else None
        except FormatError:
            return None

    actor = raw.get("actor")
    who = actor if isinstance(actor, Mapping) else {}
    return Event(
        kind=text(raw.get("event_type")) or "data_migration",
        at=text(raw.get("occurred_at")) or text(raw.get("timestamp")),
        by=next((v for key in ("git_email", "git_name", "github_login") if (v := text(who.get(key)))), None),
        source=place(raw.get("from")),
        target=place(raw.get("to")),
        reason=text(raw.get("reason")),
        objects=number(raw.get("objects_copied")),
        bytes=number(raw.get("bytes_copied")),
    )
