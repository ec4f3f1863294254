"""metadata.json: what one version of a table or set is (docs/format.md, "metadata.json")."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from datom_core.common import is_text
from datom_core.documents import canonical
from datom_core.documents.lineage import Parent, Source, union
from datom_core.documents.parsing import (
    Buffer,
    count,
    objects,
    optional,
    parse_object,
    required_sha,
    schema_of,
    sha,
    strings,
)
from datom_core.errors import FormatError, InvalidInputError

_MAX_DEPTH = 20
_MAX_WHOLE = 10**15  # above this, releases of R's JSON package disagree about the digits


@dataclass(frozen=True)
class Metadata:
    """One metadata document. Fields that this release does not know stay in ``raw`` and are never dropped.

    Attributes:
        raw: the document as it was read or built.
        kind: ``"table"`` or ``"set"``.
        data_sha: content hash, and the payload's address.
        hash_algo: the algorithm that computed it; ``None`` in documents that predate the field.
        rows, columns, column_names: the shape of a table.
        created_at: when this version was first recorded (ISO 8601, UTC).
        payload_sha: SHA-256 of the stored object, when recorded.
        size_bytes: size of the payload as its writer serialised it.
        table_type: ``"derived"`` or ``"imported"``.
        parents: declared parents, or ``None`` when none were declared.
        lineage: imported tables behind the parents, or ``None``.
        custom: the writer's own metadata.
    """

    raw: Mapping[str, Any] = field(repr=False)
    kind: str
    data_sha: str
    hash_algo: str | None
    rows: int | None
    columns: int | None
    column_names: tuple[str, ...]
    created_at: str | None
    payload_sha: str | None
    size_bytes: int | None
    table_type: str | None
    parents: tuple[Parent, ...] | None
    lineage: tuple[Source, ...] | None
    custom: Mapping[str, Any]

    @classmethod
    def from_json(cls, data: Buffer, source: str) -> Metadata:
        """Read a stored document; ``source`` names it in errors.

        Raises:
            FormatError: not a metadata document, a newer schema, or a field of the wrong type.
        """
        return cls.from_document(parse_object(data, source), source)

    @classmethod
    def from_document(cls, raw: dict[str, Any], source: str) -> Metadata:
        """As `from_json`, for a document that has been parsed already."""
        schema_of(raw, source)
        parents = objects(raw, "parents", source)
        lineage = objects(raw, "source_lineage", source)
        kind = optional(raw, "kind", str, source) or "table"
        return cls(
            raw=MappingProxyType(raw),
            kind=kind,
            data_sha=required_sha(raw, "data_sha", source),
            hash_algo=optional(raw, "hash_algo", str, source),
            rows=count(raw, "nrow", source),
            columns=count(raw, "ncol", source),
            column_names=strings(raw, "colnames", source),
            created_at=optional(raw, "created_at", str, source),
            payload_sha=sha(raw, "document_sha" if kind == "set" else "parquet_sha", source),
            size_bytes=count(raw, "size_bytes", source),
            table_type=optional(raw, "table_type", str, source),
            parents=None if parents is None else tuple(Parent.from_json(p, source) for p in parents),
            lineage=None if lineage is None else tuple(Source.from_json(s, source) for s in lineage),
            custom=MappingProxyType(optional(raw, "custom", dict, source) or {}),
        )

    def to_json(self) -> bytes:
        return canonical.dump(dict(self.raw))

    def version(self) -> str:
        """The version id computed from this document.

        For a stored document the history's own entry is authoritative: R does not compute
        the same id again for some custom metadata (docs/format.md, "metadata.json").
        """
        return canonical.metadata_sha(self.raw)

    def with_fields(self, **fields: Any) -> Metadata:
        """A copy with some fields replaced; a value of ``None`` removes the field."""
        raw = {k: v for k, v in {**self.raw, **fields}.items() if v is not None}
        return Metadata.from_document(raw, "metadata.json")

    def check_writable(self, source: str) -> None:
        """Refuse a document with fields that only a newer release knows.

        Raises:
            FormatError: names the fields.
        """
        unknown = sorted(set(self.raw) - canonical.IDENTITY_FIELDS - canonical.OTHER_FIELDS)
        if unknown:
            raise FormatError(
                f"{source} has fields that this release does not know: {unknown}. A newer release wrote it; "
                "install that one before writing here.",
                source=source,
                fields=tuple(unknown),
            )


@dataclass(frozen=True)
class Origin:
    """The file that an imported table was read from.

    Attributes:
        sha: SHA-256 of its bytes; a part of the version (docs/format.md, "metadata.json").
        format: its extension, as spelled in the file's name.
    """

    sha: str
    format: str


@dataclass(frozen=True)
class Declared:
    """What a writer declares about a table besides its content.

    Attributes:
        parents: versions that it was derived from; ``None`` declares nothing.
        custom: own metadata, cleaned by `clean_custom`.
        table_type: ``"derived"``, or ``"imported"`` for an extract.
        origin: the file of an extract that was read by `Project.sync`.
    """

    parents: tuple[Parent, ...] | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)
    table_type: str = "derived"
    origin: Origin | None = None


def identity_fields(
    schema: int,
    *,
    data_sha: str,
    hash_algo: str,
    rows: int,
    column_names: tuple[str, ...],
    declared: Declared,
    imported_as: Source | None = None,
) -> dict[str, Any]:
    """The fields of a table's document that make its version, in the order in which they are written.

    ``imported_as`` is the table itself when it is imported: the source of all lineage.
    """
    names: Any = column_names[0] if len(column_names) == 1 else list(column_names)
    document: dict[str, Any] = {"schema_version": 2, "kind": "table"} if schema == 2 else {}
    document |= {"data_sha": data_sha, "hash_algo": hash_algo, "table_type": declared.table_type}
    document |= {"nrow": rows, "ncol": len(column_names), "colnames": names}
    if declared.origin is not None:
        document["original_file_sha"] = declared.origin.sha
    if declared.parents is not None:
        document["parents"] = [p.to_json() for p in declared.parents]
        document["source_lineage"] = [s.to_json() for s in union(declared.parents)]
    elif imported_as is not None:
        document["source_lineage"] = [imported_as.to_json()]
    if declared.custom:
        document["custom"] = dict(declared.custom)
    return document


def complete(
    identity: Mapping[str, Any],
    *,
    payload_sha: str | None,
    created_at: str,
    writer: str,
    project: str,
    size: int,
    origin: Origin | None = None,
) -> dict[str, Any]:
    """The whole document around its identity, in the order of docs/format.md, "metadata.json"."""
    rest = dict(identity)
    document: dict[str, Any] = {
        k: rest.pop(k) for k in ("schema_version", "kind", "data_sha", "hash_algo") if k in rest
    }
    if payload_sha is not None:
        document["parquet_sha"] = payload_sha
    document |= {k: rest.pop(k) for k in ("table_type", "nrow", "ncol", "colnames") if k in rest}
    document |= {"created_at": created_at, "datom_version": writer}
    if "schema_version" in document:
        document["project"] = project
    document |= {k: rest.pop(k) for k in ("original_file_sha",) if k in rest}
    if origin is not None and "schema_version" in document:
        document["original_format"] = origin.format
    custom = {"custom": rest.pop("custom")} if "custom" in rest else {}
    return {**document, **rest, "size_bytes": size, **custom}


def clean_custom(custom: Mapping[str, Any] | None) -> dict[str, Any]:
    """Custom metadata in the form that hashes and reads back alike in Python and R (docs/format.md, "metadata.json").

    Top-level ``None`` values are dropped; floats keep four decimals.

    Raises:
        InvalidInputError: names every value that JSON, or R, would change.
    """
    if custom is None:
        return {}
    given: Any = custom
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"custom must be a mapping of names to values, not {type(custom).__name__}.")
    problems: list[str] = []
    cleaned = {k: _clean(v, str(k), problems) for k, v in given.items() if v is not None}
    problems += [why for k in given if (why := _bad_key(k))]
    if problems:
        raise InvalidInputError("custom metadata has values that cannot be kept:\n  - " + "\n  - ".join(problems))
    return cleaned


def _bad_key(key: object) -> str | None:
    if not isinstance(key, str):
        return f"the key {key!r} is not a string"
    return f"the key {key!r} holds a lone surrogate or a NUL" if not is_text(key) or "\0" in key else None


def _clean(value: Any, path: str, problems: list[str]) -> Any:
    if path.count(".") + path.count("[") > _MAX_DEPTH:
        problems.append(f"{path[:60]}...: nested more than {_MAX_DEPTH} levels deep")
        return None
    if isinstance(value, Mapping):
        problems += [f"{path}: {why}" for k in value if (why := _bad_key(k))]
        return {k: _clean(v, f"{path}.{k}", problems) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        if len({type(v) for v in value}) > 1 or any(isinstance(v, (list, tuple, Mapping)) for v in value):
            problems.append(f"{path}: a list must hold plain values of one type")
            return None
        return [_clean(v, f"{path}[{i}]", problems) for i, v in enumerate(value)]
    if isinstance(value, str) and not is_text(value):
        problems.append(f"{path}: the text holds lone surrogates")
    if isinstance(value, str) and "\0" in value:
        problems.append(f"{path}: the text holds a NUL character")
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        return _clean_number(value, path, problems)
    problems.append(f"{path}: {type(value).__name__} is not text, a number, a truth value, a list or a mapping")
    return None


def _clean_number(value: int | float, path: str, problems: list[str]) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        problems.append(f"{path}: {value} has no JSON form")
        return None
    if abs(value) >= _MAX_WHOLE:
        problems.append(f"{path}: {value} is too large for R's JSON; write it as text")
        return None
    text = canonical.format_number(value)
    if text == "-0":
        return 0
    return float(text) if any(c in text for c in ".e") else int(text)
