"""A member of a set: one version of a table or set, of this project or another, and its tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datom_core.common import check_name, did_you_mean, fitting, is_sha
from datom_core.documents import Metadata, Version
from datom_core.errors import FormatError, InvalidInputError
from datom_core.sets.tags import NO_TAGS, Tags, check_tags, read_tags, stored_tags

KINDS = ("table", "set")
_ID = ("kind", "name", "project", "version")


@dataclass(frozen=True)
class Member:
    """A version that a set holds.

    Attributes:
        project: the project that has it.
        name: the table's or set's name there.
        version: its full version id.
        kind: ``"table"`` or ``"set"``.
        tags: its labels in this set: name -> values.

    Raises:
        InvalidInputError: a name, id, kind or tag that no member can have.
    """

    project: str
    name: str
    version: str
    kind: str = "table"
    tags: Tags = field(default_factory=lambda: NO_TAGS)

    @fitting
    def __init__(
        self, project: str, name: str, version: str, kind: str = "table", tags: Mapping[str, Any] | None = None
    ) -> None:
        check_name(project, "project")
        check_name(name, "member")
        if not is_sha(version):
            raise InvalidInputError(
                f"A member is a full version id, 64 hex digits, and {version!r} of {name} is none. "
                "reader.member(name, version) finds it from its first digits.",
                version=version,
            )
        if kind not in KINDS:
            raise InvalidInputError(f"A member is a table or a set, not {kind!r}.{did_you_mean(str(kind), KINDS)}")
        self._set(project, name, version, kind, check_tags(tags, f"the member {project}/{name}"))

    def _set(self, project: str, name: str, version: str, kind: str, tags: Tags) -> None:
        for key, value in {"project": project, "name": name, "version": version, "kind": kind, "tags": tags}.items():
            object.__setattr__(self, key, value)

    @classmethod
    def of(cls, project: str, name: str, entry: Version, metadata: Metadata, tags: Mapping[str, Any] | None) -> Member:
        """A version as its history and its document tell of it."""
        return cls(metadata.raw.get("project") or project, name, entry.version, metadata.kind, tags)

    @classmethod
    def from_document(cls, raw: object, where: str) -> Member:
        """A member as it was stored, by whomever.

        Raises:
            FormatError: it does not name a version.
        """
        names = raw.get("id") if isinstance(raw, Mapping) else None
        if not isinstance(raw, Mapping) or not isinstance(names, Mapping):
            raise FormatError(f"{where} should be an object with an 'id'.", source=where)
        found = {key: _single(names.get(key)) for key in _ID}
        wrong = [key for key, value in found.items() if not isinstance(value, str) or not value]
        if wrong:
            raise FormatError(f"{where}: {', '.join(wrong)} of its id should be text.", source=where, fields=wrong)
        member = cls.__new__(cls)
        member._set(found["project"], found["name"], found["version"], found["kind"], read_tags(raw.get("tags")))
        return member

    def to_json(self) -> dict[str, Any]:
        """The member as documents hold it, in the order that a set's bytes have."""
        document: dict[str, Any] = {"id": {key: getattr(self, key) for key in _ID}}
        return {**document, "tags": stored_tags(self.tags)} if self.tags else document

    @property
    def is_in(self) -> tuple[str, str]:
        """The project and the name: what it is a version of."""
        return self.project, self.name

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        """Orders the members of a set."""
        return self.project.encode(), self.name.encode(), self.version.encode()

    def at(self, version: str) -> Member:
        """The same table or set, with the same tags, at another version."""
        return Member(self.project, self.name, version, self.kind, self.tags)

    def tagged(self, tags: Mapping[str, Any] | None) -> Member:
        """The same version with other tags."""
        return Member(self.project, self.name, self.version, self.kind, tags)

    def __hash__(self) -> int:
        return hash((self.key, self.kind, tuple(self.tags.items())))

    def __str__(self) -> str:
        return f"{self.project}/{self.name}@{self.version[:8]}"

    def __repr__(self) -> str:
        tags = f", tags={stored_tags(self.tags)}" if self.tags else ""
        kind = f", kind={self.kind!r}" if self.kind != "table" else ""
        return f"Member({str(self)!r}{kind}{tags})"


def _single(value: object) -> Any:
    """An id's field; an array of one text is that text, as R reads it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
