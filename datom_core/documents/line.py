"""line.json: which branch, and which commit of it, storage shows.

A document of this package that lies in storage alone; R neither reads nor disturbs it. It is written before anything
of a commit is projected, and so names the newest commit that anything in storage may come from. A writer whose branch
does not contain that commit would take storage back to another history, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from datom_core.documents import canonical
from datom_core.documents.parsing import Buffer, optional, parse_object, required, schema_of, strings
from datom_core.errors import FormatError

_SCHEMA = 1
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Line:
    """A line of history. Every edit returns a new one; other writers' fields survive in ``raw``.

    Attributes:
        raw: the document as it was read or built.
        branch: the branch that storage projects.
        commit: the commit of it that was projected last, or was about to be.
        let_go: versions that storage once showed and somebody gave up on purpose, by table.
    """

    raw: Mapping[str, Any] = field(repr=False)
    branch: str
    commit: str
    let_go: Mapping[str, frozenset[str]]

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> Line:
        """Read a stored document.

        Raises:
            FormatError: not such a document, no commit's id, or a newer schema.
        """
        raw = parse_object(data, source)
        schema_of(raw, source, ceiling=_SCHEMA)
        branch, commit = required(raw, "branch", str, source), required(raw, "commit", str, source)
        if not branch or not _COMMIT.fullmatch(commit):
            raise FormatError(f"{source}: {commit[:80]!r} of {branch[:80]!r} is no commit.", source=source)
        let_go = optional(raw, "let_go", dict, source) or {}
        return cls(MappingProxyType(raw), branch, commit, {t: frozenset(strings(let_go, t, source)) for t in let_go})

    @classmethod
    def new(cls, branch: str, commit: str) -> Line:
        """The document for storage that shows nothing yet."""
        raw = {"schema_version": _SCHEMA, "branch": branch, "commit": commit}
        return cls(MappingProxyType(raw), branch, commit, {})

    def at(self, branch: str, commit: str) -> Line:
        """The same line, advanced to another commit."""
        raw = {**self.raw, "branch": branch, "commit": commit}
        return Line(MappingProxyType(raw), branch, commit, self.let_go)

    def letting_go(self, versions: Iterable[tuple[str, str]]) -> Line:
        """The same line after these versions, each with its table, were given up."""
        let_go = dict(self.let_go)
        for table, version in versions:
            let_go[table] = let_go.get(table, frozenset()) | {version}
        if not let_go:
            return self
        raw = {**self.raw, "let_go": {table: sorted(let_go[table]) for table in sorted(let_go)}}
        return Line(MappingProxyType(raw), self.branch, self.commit, let_go)

    def to_json(self) -> bytes:
        return canonical.dump(dict(self.raw))
