"""Sets as a reader sees them: their members, and the members' data, of this project or another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datom_core.common import Moment
from datom_core.documents import Metadata, Rows, Version, hash_set, parse_object, rows
from datom_core.errors import IntegrityError, InvalidInputError, NotFoundError
from datom_core.planning import SetInfo
from datom_core.reading.citation import Citation, citation_id
from datom_core.reading.stored_documents import StoredDocuments
from datom_core.reading.version_choice import choose
from datom_core.sets import Member, SetPayload, Tags, VersionSet, carries, check_tags


class Sets:
    """The part of `ProjectReader` that reads sets."""

    _documents: StoredDocuments
    _project: str

    def set(
        self,
        name: str,
        version: str | None = None,
        *,
        as_of: Moment | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> VersionSet:
        """A version of a set: its members, which are versions, and their tags. None of their data is read.

        Its bytes are compared with their recorded SHA-256 before anything parses them, and its content with its hash.

        Args:
            name: of the set.
            version: its id, or the first digits; by default the current one.
            as_of: the version that was current then. A date means its end.
            tags: the version that carries all these labels, and was made current last: ``{"cut": "2026-02"}``.

        Raises:
            NotFoundError: no such set or version.
            InvalidInputError: it is a table, or the digits begin several versions.
            IntegrityError: it is not what was recorded.
            FormatError: it is no list of members.
        """
        if tags is not None:
            if version is not None or as_of is not None:
                raise InvalidInputError("Choose a set by version, by as_of or by tags, not by more than one of them.")
            return self._tagged(name, check_tags(tags, "the set asked for"))
        current, entry = self._chosen(name, version, as_of)
        return self._of_version(name, current, entry)

    def _of_version(self, name: str, current: Metadata, entry: Version) -> VersionSet:
        if current.kind != "set":
            raise InvalidInputError(f"{name} is a {current.kind}, not a set; read it with reader.read.", table=name)
        data = self._documents.set_payload(name, entry.data_sha, entry.payload_sha)
        where = self._documents.where(name, entry)
        if (found := hash_set(parse_object(data, where))) != entry.data_sha:
            raise IntegrityError(
                f"{where} does not hold the members that its content hash stands for ({entry.data_sha[:8]}). Do not "
                "use it; restore the object from a backup.",
                table=name,
                expected=entry.data_sha,
                actual=found,
            )
        payload = SetPayload.from_json(data, where)
        project = current.raw.get("project") or self._project
        return VersionSet(name, project, payload.members, payload.tags, entry.version, entry.data_sha)

    def _tagged(self, name: str, wanted: Tags) -> VersionSet:
        current, _ = self._chosen(name, None, None)
        history = self._documents.history(name).versions
        for entry in sorted(history, key=lambda v: v.latest.recorded_at, reverse=True):
            found = self._of_version(name, current, entry)
            if carries(found.tags, wanted):
                return found
        told = ", ".join(f"{label}: {' and '.join(values)}" for label, values in wanted.items())
        raise NotFoundError(f"No version of the set {name} carries the labels {told}.", set=name)

    def sets(self) -> Rows[SetInfo]:
        """Every set, in order of first write."""
        found = [e for e in self._documents.manifest() if e.kind == "set"]
        return rows(SetInfo(e.name, e.version, e.data_sha, e.members, e.version_count, e.last_updated) for e in found)

    def member(
        self,
        name: str,
        version: str | None = None,
        *,
        cut: str | None = None,
        as_of: Moment | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> Member:
        """A version of a table or set of this project, to be put into a set.

        Args:
            name, version, cut, as_of: as `ProjectReader.read`; a version's first digits are enough.
            tags: its labels in the set.

        Raises:
            As `ProjectReader.read`. The version's document must be there, and say that it is that version.
        """
        _, entry = self._chosen(name, version, as_of, cut)
        return Member.of(self._project, name, entry, self._documents.proven(name, entry), tags)

    def cite(self, name: str, version: str | None = None) -> Citation:
        """How to cite a version of a table or set, the current one by default.

        Args:
            name: of the table or set.
            version: its id, or the first digits.

        Raises:
            NotFoundError, InvalidInputError: as `member`.
        """
        _, entry = self._chosen(name, version, None)
        metadata = self._documents.proven(name, entry)
        project = metadata.raw.get("project") or self._project
        held = self.set(name, entry.version) if metadata.kind == "set" else None
        return Citation(
            project=project,
            name=name,
            kind=metadata.kind,
            version=entry.version,
            author=entry.author,
            recorded_at=entry.timestamp or "",
            data_sha=entry.data_sha,
            size=metadata.rows if held is None else len(held),
            parts=tuple(citation_id(m.project, m.name, m.version) for m in held or ()),
        )

    def _chosen(
        self, name: str, version: str | None, as_of: Moment | None, cut: str | None = None
    ) -> tuple[Metadata, Version]:
        current, entry = choose(self._documents, name, version, cut, as_of, sets=True)
        entry = entry or self._documents.history(name).current(current)
        if entry is None:
            raise NotFoundError(f"The history of {name} does not hold its current version.", table=name)
        return current, entry
