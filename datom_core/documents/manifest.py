"""manifest.json: every table and set of a project in one list (docs/format.md, "manifest.json")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from datom_core.documents import canonical
from datom_core.documents.metadata import Origin
from datom_core.documents.parsing import Buffer, count, optional, parse_object, required, schema_of, sha
from datom_core.errors import FormatError

_TOP = frozenset({"schema_version", "project_name", "artifacts", "tables", "summary", "updated_at"})
_ENTRY = frozenset(
    "kind current_version current_data_sha last_updated size_bytes version_count original_file_sha "
    "original_format member_count".split()
)


@dataclass(frozen=True)
class Entry:
    """One row of the manifest.

    Attributes:
        name, kind: ``kind`` is ``"table"`` or ``"set"``.
        version, data_sha: what is current.
        last_updated: when it was last written (ISO 8601, UTC).
        size_bytes: payload of the current version; ``None`` for a set.
        version_count: versions so far.
        members: how many a set holds, if its writer said so.
    """

    name: str
    kind: str
    version: str | None
    data_sha: str | None
    last_updated: str | None
    size_bytes: int | None
    version_count: int
    members: int | None = None

    @classmethod
    def from_document(cls, name: str, raw: Mapping[str, Any], source: str) -> Entry:
        where = f"{source}, entry {name!r}"
        sha(raw, "original_file_sha", where)
        return cls(
            name=name,
            kind=optional(raw, "kind", str, where) or "table",
            version=sha(raw, "current_version", where),
            data_sha=sha(raw, "current_data_sha", where),
            last_updated=optional(raw, "last_updated", str, where),
            size_bytes=count(raw, "size_bytes", where),
            version_count=count(raw, "version_count", where) or 0,
            members=count(raw, "member_count", where),
        )


@dataclass(frozen=True)
class Manifest:
    """A project's list of tables and sets. Every edit returns a new manifest.

    Attributes:
        raw: the document as it was read or built.
        project: name of the project.
        schema: 1 or 2; a project keeps the schema that its manifest declares.
        updated_at: time of the last write (ISO 8601, UTC).
        entries: the rows by name, in order of first write.
    """

    raw: Mapping[str, Any] = field(repr=False)
    project: str
    schema: int
    updated_at: str | None
    entries: Mapping[str, Entry]

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> Manifest:
        """Read a stored document.

        Raises:
            FormatError: not a manifest, a newer schema, or no list of tables.
        """
        return cls._of(parse_object(data, source), source)

    @classmethod
    def _of(cls, raw: dict[str, Any], source: str = "manifest.json") -> Manifest:
        schema = schema_of(raw, source)
        rows = raw.get(_key(schema))
        if not isinstance(rows, dict) or not all(isinstance(r, dict) for r in rows.values()):
            raise FormatError(f"{source}: {_key(schema)!r} should be an object of objects.", source=source)
        optional(raw, "summary", dict, source)  # a write adds to it
        return cls(
            raw=MappingProxyType(raw),
            project=required(raw, "project_name", str, source),
            schema=schema,
            updated_at=optional(raw, "updated_at", str, source),
            entries=MappingProxyType({name: Entry.from_document(name, row, source) for name, row in rows.items()}),
        )

    @classmethod
    def new(cls, project: str, schema: int, now: str) -> Manifest:
        """The manifest of a project without tables."""
        head: dict[str, Any] = {"project_name": project}
        if schema == 1:
            raw = {**head, "updated_at": now, "tables": {}, "summary": _summary({}, 1)}
        else:
            raw = {"schema_version": 2, **head, "artifacts": {}, "summary": _summary({}, 2), "updated_at": now}
        return cls._of(raw)

    @cached_property
    def _json(self) -> bytes:
        return canonical.dump(dict(self.raw))

    def to_json(self) -> bytes:
        """The document as it is stored, the same in git and in storage; long when there are many tables."""
        return self._json

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def check_writable(self, source: str) -> None:
        """Refuse a manifest with fields that only a newer release knows.

        Raises:
            FormatError: names every such field.
        """
        unknown = sorted(set(self.raw) - _TOP)
        for name, row in self.rows().items():
            unknown += [f"{name}.{key}" for key in sorted(set(row) - _ENTRY)]
        if unknown:
            raise FormatError(
                f"{source} has fields that this release does not know: {unknown}. A newer release wrote them; "
                "install that one before writing here.",
                source=source,
                fields=tuple(unknown),
            )

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        """The rows as documents, by name."""
        rows: Mapping[str, Mapping[str, Any]] = self.raw[_key(self.schema)]
        return rows

    def with_table(
        self, name: str, *, version: str, data_sha: str, now: str, size: int, count: int, origin: Origin | None = None
    ) -> Manifest:
        """The manifest after a write of one table; an existing row keeps its place."""
        row: dict[str, Any] = {"kind": "table"} if self.schema == 2 else {}
        row |= {"current_version": version, "current_data_sha": data_sha, "last_updated": now}
        row |= {"size_bytes": size, "version_count": count}
        if origin is not None:
            row |= {"original_file_sha": origin.sha, "original_format": origin.format}
        return self.with_rows({**self.rows(), name: row}, now)

    def with_set(self, name: str, *, version: str, data_sha: str, now: str, members: int, count: int) -> Manifest:
        """The manifest after a write of a set."""
        row: dict[str, Any] = {"kind": "set", "current_version": version, "current_data_sha": data_sha}
        row |= {"last_updated": now, "member_count": members, "version_count": count}
        return self.with_rows({**self.rows(), name: row}, now)

    def with_rows(self, rows: Mapping[str, Mapping[str, Any]], now: str | None = None) -> Manifest:
        """The manifest with these rows, its summary counted anew."""
        plain = {name: dict(row) for name, row in rows.items()}
        summary = {**(self.raw.get("summary") or {}), **_summary(plain, self.schema)}
        raw = {**self.raw, _key(self.schema): plain, "summary": summary}
        if now is not None:
            raw["updated_at"] = now
        return Manifest._of(raw)

    def upgraded(self, now: str) -> Manifest:
        """The same list in schema 2 (docs/format.md, "manifest.json": rename in place, then kinds, then the number)."""
        if self.schema == 2:
            return self
        rows = {name: {"kind": "table", **row} for name, row in self.rows().items()}
        raw = {"artifacts" if k == "tables" else k: v for k, v in self.raw.items()}
        raw |= {"artifacts": rows, "schema_version": 2}
        return Manifest._of(raw).with_rows(rows, now)


def _key(schema: int) -> str:
    return "tables" if schema == 1 else "artifacts"


def _summary(rows: Mapping[str, Mapping[str, Any]], schema: int) -> dict[str, int]:
    tables = [r for r in rows.values() if (r.get("kind") or "table") == "table"]
    summary = {
        "total_tables": len(tables),
        "total_size_bytes": int(sum(r.get("size_bytes") or 0 for r in tables)),
        "total_versions": int(sum(r.get("version_count") or 0 for r in tables)),
    }
    return summary if schema == 1 else {**summary, "total_sets": len(rows) - len(tables)}
