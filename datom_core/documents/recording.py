"""Who made a version current, when and why: an entry of a history, or of a cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datom_core.common import fitting
from datom_core.documents.author import Author, read_author
from datom_core.documents.parsing import optional, required, required_sha
from datom_core.documents.provenance import Provenance, read_provenance


@fitting
@dataclass(frozen=True)
class Recording:
    """Says that a table, or a cut, has stood for a version since some time.

    Attributes:
        version: the full version id.
        recorded_at: when (ISO 8601, UTC).
        author, message: who, and why. For a version that R made current again, both are unknown.
        provenance: who asked and who wrote, in which run and from which file, as far as it was recorded.
    """

    version: str
    recorded_at: str
    author: Author
    message: str
    provenance: Provenance | None = field(default=None, repr=False)

    @classmethod
    def from_document(cls, raw: Mapping[str, Any], source: str) -> Recording:
        return cls(
            required_sha(raw, "version", source),
            required(raw, "recorded_at", str, source),
            read_author(raw.get("author")),
            optional(raw, "message", str, source) or "",
            read_provenance(raw.get("provenance")),
        )
