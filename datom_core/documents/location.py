"""Where a namespace lies, and what the documents must know of each kind of place: the table of kinds is here."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from datom_core.errors import InvalidInputError


@dataclass(frozen=True)
class Location:
    """Where a storage namespace lies. It never holds credentials.

    Attributes:
        backend: ``"local"``, ``"s3"``, ``"memory"``, or one that was registered (docs/extending.md).
        root: the folder's absolute path, or the bucket.
        prefix: path below the root, without slashes at its ends.
        region: region of a bucket, else ``None``.
        given_prefix: the prefix as it was given or recorded, when that is another spelling. The place is the same, but
            R compares spellings, so that is what is recorded.
    """

    backend: str
    root: str
    prefix: str = ""
    region: str | None = None
    given_prefix: str | None = field(default=None, repr=False, compare=False)

    @property
    def spelled_prefix(self) -> str:
        """The prefix as it is recorded; ``""`` if there is none, however that was spelled."""
        return (self.given_prefix or self.prefix) if self.prefix else ""

    def uri(self, path: str) -> str:
        """The address of a path below the root, for those who look at it."""
        return kind_of(self).uri(self, path)

    def __str__(self) -> str:
        region = f" ({self.region})" if self.region else ""
        return f"{self.backend}:{self.root}" + (f"/{self.prefix}" if self.prefix else "") + region


def root_and_prefix(location: Location) -> Hashable:
    """What two places of most kinds are compared by. The name of a bucket is its own in all regions."""
    return location.root, location.prefix


def no_code(location: Location) -> str:
    """Stands for a store in code that a person completes."""
    return f"...  # {location}"


def plain_uri(location: Location, path: str) -> str:
    """The address of something below a root, for those who only look at it."""
    return f"{location.backend}:{location.root}/{path}"


@dataclass(frozen=True, kw_only=True)
class PlaceKind:
    """What is asked of a place before anybody opens it.

    Attributes:
        name: the ``type`` that documents record.
        shared: whether another process can open such a place, so that a register may name it.
        root_is_path: whether the root is a path, which must be absolute to be one place for everybody.
        default_region: the region that a document means which names none; ``None`` where there are no regions.
        identity: what two locations have in common exactly when they are one place.
        code: how Python code makes a store there, after ``dc.``; for the README of a new project.
        uri: the address of a path below the root, which Dagster shows.
    """

    name: str
    shared: bool = True
    root_is_path: bool = False
    default_region: str | None = None
    identity: Callable[[Location], Hashable] = root_and_prefix
    code: Callable[[Location], str] = no_code
    uri: Callable[[Location, str], str] = plain_uri


_KINDS: dict[str, PlaceKind] = {}


def add_kind(kind: PlaceKind) -> None:
    """Make a kind of place known.

    Raises:
        InvalidInputError: the name is taken.
    """
    if kind.name in _KINDS:
        raise InvalidInputError(
            f"There is a backend {kind.name!r} already. Register each once, where its module is imported first."
        )
    _KINDS[kind.name] = kind


def kind_of(location: Location) -> PlaceKind:
    """The kind of a place; of an unknown one, a kind that nobody can open."""
    return _KINDS.get(location.backend) or PlaceKind(name=location.backend, shared=False)


def kind_of_document(name: str) -> PlaceKind | None:
    """The kind that a document may name, or ``None`` when no other process could open such a place."""
    found = _KINDS.get(name)
    return found if found is not None and found.shared else None


def shared_kinds() -> tuple[str, ...]:
    """The names that documents may hold."""
    return tuple(name for name, kind in _KINDS.items() if kind.shared)


def same_place(one: Location, other: Location) -> bool:
    """Whether both locations name one namespace, however they are spelled."""
    if one.backend != other.backend:
        return False
    identity = kind_of(one).identity
    return identity(one) == identity(other)
