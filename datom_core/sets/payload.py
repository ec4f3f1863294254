"""set.json: the members and tags of one version of a set, and their hash (docs/format.md, "Sets")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from datom_core.documents import Buffer, canonical, hash_set, parse_object
from datom_core.errors import FormatError, InvalidInputError
from datom_core.sets.members import Member
from datom_core.sets.tags import Tags, read_tags, stored_tags


@dataclass(frozen=True)
class SetPayload:
    """What a version of a set holds.

    Attributes:
        members: in the order of the document.
        tags: labels of the set itself.
    """

    members: tuple[Member, ...]
    tags: Tags

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> SetPayload:
        """Read a stored document, of whichever writer: nothing is sorted, and unknown fields are passed over.

        Raises:
            FormatError: no list of members, or a member that names no version.
        """
        raw = parse_object(data, source)
        members = raw.get("members")
        if not isinstance(members, list):
            raise FormatError(f"{source}: 'members' should be an array.", source=source, field="members")
        read = tuple(Member.from_document(m, f"{source}, member {n}") for n, m in enumerate(members, 1))
        return cls(read, read_tags(raw.get("tags")))

    @classmethod
    def of(cls, name: str, project: str, members: Iterable[Member], tags: Tags) -> SetPayload:
        """The members of a new version: each once, ordered by project, name and version.

        Args:
            name, project: of the set.
            members, tags: what it will hold.

        Raises:
            InvalidInputError: none at all; one version with different tags; or the set itself.
        """
        once = sorted(dict.fromkeys(members), key=lambda m: m.key)
        if not once:
            raise InvalidInputError(f"The set {name} would have no members. Add at least one.", set=name)
        times = Counter(m.key for m in once)
        twice = [str(m) for m in once if times[m.key] > 1]
        if twice:
            raise InvalidInputError(
                f"The set {name} would hold one version with different tags: {', '.join(dict.fromkeys(twice))}. "
                "Give each version its tags once.",
                members=tuple(dict.fromkeys(twice)),
            )
        own = [str(m) for m in once if m.is_in == (project, name)]
        if own:
            raise InvalidInputError(f"The set {name} cannot be its own member ({', '.join(own)}).", members=tuple(own))
        return cls(tuple(once), tags)

    def document(self) -> dict[str, Any]:
        tags = {"tags": stored_tags(self.tags)} if self.tags else {}
        return {**tags, "members": [m.to_json() for m in self.members]}

    def to_json(self) -> bytes:
        """The bytes that are stored, the same as R's."""
        return canonical.dump(self.document())

    @property
    def data_sha(self) -> str:
        """The content hash, ``datom-sv1``."""
        found = hash_set(self.document())
        assert found is not None  # its members were checked
        return found
