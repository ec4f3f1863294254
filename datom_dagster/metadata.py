"""From a version to what Dagster's page shows of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc

#: Keys that an asset may carry in its definition or output metadata.
TABLE = "datom/table"
COMMIT_MESSAGE = "datom/commit_message"
ON_EMPTY = "datom/on_empty"
PARENTS = "datom/parents"
CUSTOM = "datom/custom"
#: Keys that an input may carry: ``AssetIn(metadata={...})``.
VERSION = "datom/version"
CUT = "datom/cut"
AS_OF = "datom/as_of"
COLUMNS = "datom/columns"
#: Key under which an event shows what its step loaded.
LOADED = "datom/loaded"

_WEB_URL = re.compile(r"https?://(?P<host>[^/@]+)/(?P<path>.+?)(?:\.git)?/?$")
_SSH_URL = re.compile(r"(?:ssh://)?[^/@\s]+@(?P<host>[^:/]+)(?::\d+/|[:/])(?P<path>.+?)(?:\.git)?/?$")
_CELL = 40


def write_metadata(
    project: dc.Project, result: dc.WriteResult, table: pa.Table, message: str, preview_rows: int
) -> dict[str, Any]:
    """The metadata of a materialization that wrote, or found unchanged, ``result``."""
    entry = project.reader.resolve(result.table, result.version)
    shown: dict[str, Any] = {
        "dagster/row_count": result.rows,
        "dagster/column_schema": column_schema(table.schema),
        "datom/version": result.version,
        "datom/data_sha": result.data_sha,
        "datom/action": result.action,
        "datom/changed": result.changed,
        "datom/change": str(result.change) if result.changed else "no change",
        "datom/message": entry.message if not result.changed else message,
        "datom/author": str(entry.author),
        "datom/bytes": result.bytes,
    }
    if result.change.previous is not None and result.changed:
        shown["datom/previous_version"] = result.change.previous
    if result.cut is not None:
        shown["datom/cut"] = result.cut
    commit = result.commit_sha or entry.commit_sha
    if commit is not None:
        shown["datom/commit"] = commit
        url = commit_url(project.remote, commit)
        if url is not None:
            shown["datom/commit_url"] = dg.MetadataValue.url(url)
    if preview_rows > 0:
        shown["datom/preview"] = dg.MetadataValue.md(preview(table, preview_rows))
    return shown


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """Columns with their types, and their labels as descriptions where the data carries them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=str(field.type),
                description=(field.metadata or {}).get(b"label", b"").decode("utf-8", "replace") or None,
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in schema
        ]
    )


def preview(table: pa.Table, rows: int) -> str:
    """The first rows as a markdown table."""
    head = table.slice(0, rows)
    lines = [_row(table.column_names), _row(["---"] * table.num_columns)]
    lines += [_row(["" if v is None else str(v) for v in row.values()]) for row in head.to_pylist()]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(c[:_CELL].replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def parents_metadata(parents: Sequence[dc.Parent]) -> dg.MetadataValue:
    """The versions that a step loaded, as a table."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"project": p.source, "table": p.table, "version": p.version, "data_sha": p.data_sha})
            for p in parents
        ]
    )


def commit_url(remote: str, commit: str) -> str | None:
    """The commit's page on the git host, or ``None`` for a remote that has no pages."""
    found = _WEB_URL.match(remote) or _SSH_URL.match(remote)
    if found is None:
        return None
    host, path = found["host"], found["path"]
    infix = "/-/commit/" if "gitlab" in host else "/commits/" if "bitbucket" in host else "/commit/"
    return f"https://{host}/{path}{infix}{commit}"


def uri(location: dc.Location, table: str) -> str:
    """Where a table's payloads lie."""
    folder = "/".join(filter(None, (location.root, location.prefix, "datom", table)))
    return f"s3://{folder}" if location.backend == "s3" else f"file://{folder}"
