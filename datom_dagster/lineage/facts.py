"""What is told of a table that a step stored, before it has the form of an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import dagster as dg

import datom_core as dc
from datom_dagster.events import COLUMN_SCHEMA, CUT, VERSION, plain

#: What happens to an attempt at a step.
EventKind = Literal["START", "COMPLETE", "FAIL"]
#: A version that was loaded, and where its project lies.
Place = tuple[dc.Parent, dc.Location]


@dataclass(frozen=True)
class StoredVersion:
    """A version that an output became, or found unchanged.

    Attributes:
        version, data_sha: which one.
        payload_sha: SHA-256 of the stored bytes, if it is known.
        commit, cut, changed, message: as the event of the materialization has them.
        rows, bytes: of the table; ``None`` where the event does not say.
    """

    version: str
    data_sha: str
    payload_sha: str | None = None
    commit: str | None = None
    cut: str | None = None
    changed: bool | None = None
    message: str | None = None
    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class OutputFacts:
    """A table that a step stored.

    Attributes:
        project, table: which one.
        place: where its project lies.
        versions: what became of it: one, or one for each partition, the last of which is the table's newest.
        first: whether the first version was made; ``None`` if that is not known.
        columns: name, type and description of each.
        description: what the asset says that it is.
        owners: as the asset names them.
    """

    project: str
    table: str
    place: dc.Location
    versions: tuple[StoredVersion, ...]
    first: bool | None
    columns: tuple[tuple[str, str, str | None], ...] = ()
    description: str | None = None
    owners: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        project: dc.Project,
        table: str,
        shown: Sequence[tuple[str, Mapping[str, object]]],
        spec: dg.AssetSpec | None,
    ) -> OutputFacts:
        """What is known of an output once it is stored.

        Args:
            project: where.
            table: its name.
            shown: content hash and metadata of its event, or of each of them.
            spec: the asset.

        Raises:
            The errors of `datom_core.ProjectReader.history`.
        """
        history = {entry.version: entry for entry in project.reader.history(table)}
        versions = tuple(_version(sha, metadata, history) for sha, metadata in shown)
        last = shown[-1][1]
        return cls(
            project.name,
            table,
            project.store.location,
            versions,
            first=any(v.changed for v in versions) and len(history) == len({v.version for v in versions}),
            columns=_columns(last.get(COLUMN_SCHEMA)),
            description=None if spec is None else spec.description,
            owners=() if spec is None else tuple(spec.owners),
        )


def _version(data_sha: str, shown: Mapping[str, object], history: Mapping[str, dc.Version]) -> StoredVersion:
    told = {key: plain(value) for key, value in shown.items()}
    entry = history.get(str(told[VERSION]))
    return StoredVersion(
        version=str(told[VERSION]),
        data_sha=data_sha,
        payload_sha=None if entry is None else entry.payload_sha,
        commit=told.get("datom/commit") or (None if entry is None else entry.commit_sha),
        cut=told.get(CUT),
        changed=told.get("datom/changed"),
        message=told.get("datom/message"),
        rows=told.get("dagster/row_count"),
        bytes=told.get("datom/bytes"),
    )


def _columns(schema: object) -> tuple[tuple[str, str, str | None], ...]:
    found = schema.schema if isinstance(schema, dg.TableSchemaMetadataValue) else schema
    return tuple((c.name, c.type, c.description) for c in found.columns) if isinstance(found, dg.TableSchema) else ()
