"""One version of a table, or of a set: an entry of its history (docs/format.md, "version_history.json")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from datom_core.documents.author import Author, read_author
from datom_core.documents.parsing import objects, optional, required_sha, sha, strings
from datom_core.documents.provenance import Provenance, read_provenance
from datom_core.documents.recording import Recording


@dataclass(frozen=True)
class Version:
    """One version of a table, as its history records it.

    Attributes:
        version: 64 hex digits.
        data_sha: content hash; versions that differ only in metadata share it.
        timestamp: when it was first recorded (ISO 8601, UTC, whole seconds).
        author, message: who recorded it first, and why.
        payload_sha: SHA-256 of the stored object, when recorded.
        commit_sha: the git commit that recorded it first; known in storage only.
        original_file_sha: SHA-256 of the extract file that it was imported from.
        reinstated_at: when it became current again after another version.
        reinstatements: the same with who and why.
        raw_provenance: what the document holds of `provenance`, with what this release does not know.
    """

    version: str
    data_sha: str
    timestamp: str | None
    author: Author
    message: str
    payload_sha: str | None = field(default=None, repr=False)
    commit_sha: str | None = None
    reinstated_at: tuple[str, ...] = ()
    reinstatements: tuple[Recording, ...] = field(default=(), repr=False)
    is_set: bool = field(default=False, repr=False)
    original_file_sha: str | None = field(default=None, repr=False)
    raw_provenance: Any = field(default=None, repr=False, compare=False)

    @classmethod
    def from_document(cls, raw: Mapping[str, Any], source: str) -> Version:
        version = required_sha(raw, "version", source)
        document_sha = sha(raw, "document_sha", source)
        times = strings(raw, "reinstated_at", source)
        details = {d.get("at"): d for d in objects(raw, "reinstated", source) or ()}
        return cls(
            version=version,
            data_sha=required_sha(raw, "data_sha", source),
            timestamp=optional(raw, "timestamp", str, source),
            author=read_author(raw.get("author")),
            message=optional(raw, "commit_message", str, source) or "",
            payload_sha=sha(raw, "parquet_sha", source) or document_sha,
            commit_sha=optional(raw, "commit_sha", str, source),
            reinstated_at=times,
            reinstatements=tuple(
                Recording.from_document({"version": version, "recorded_at": at, **details.get(at, {})}, source)
                for at in times
            ),
            is_set=document_sha is not None,
            original_file_sha=sha(raw, "original_file_sha", source),
            raw_provenance=raw.get("provenance"),
        )

    @cached_property
    def provenance(self) -> Provenance | None:
        """Who asked for it and who wrote it first, in which run and from which file, as far as it was recorded."""
        return read_provenance(self.raw_provenance)  # when asked for: a history may be long

    @property
    def first(self) -> Recording:
        """The first time that this version was made current."""
        return Recording(self.version, self.timestamp or "", self.author, self.message, self.provenance)

    @property
    def latest(self) -> Recording:
        """The last time that this version was made current: when, by whom, and why."""
        return self.reinstatements[-1] if self.reinstatements else self.first
