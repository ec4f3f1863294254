"""What Dagster's page shows about a version."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import dagster as dg
import pyarrow as pa

import datom_core as dc
from datom_dagster.events.changes_told import CHANGES, REPORT
from datom_dagster.events.examples import SHOWN, TABLES, cut, rows_table
from datom_dagster.events.metadata_keys import (
    AUTHOR,
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    CUT,
    OUTSIDE,
    REASON,
    SOURCE_SYSTEM,
    VERSION,
)
from datom_dagster.rules import MASKED, Finding

#: Key under which an event shows what its step loaded.
LOADED = "datom/loaded"
#: Key under which an event shows what its cut stood for, and stands for now.
CUT_HISTORY = "datom/cut_history"
#: Who approved the cut.
APPROVALS = "datom/approvals"
#: Key under which it says how many of the recordings are shown, if not all are.
CUT_HISTORY_SHOWN = "datom/cut_history_shown"
#: Key under which an event shows the first rows.
PREVIEW = "datom/preview"

_WEB_URL = re.compile(r"https?://(?P<host>[^/@]+)/(?P<path>.+?)(?:\.git)?/?$")
_SSH_URL = re.compile(r"(?:ssh://)?[^/@\s]+@(?P<host>[^:/]+)(?::\d+/|[:/])(?P<path>.+?)(?:\.git)?/?$")
# Did anything change; what, why, and who did it; and, each in a line that opens more, the whole of it.
_FIRST = ("datom/changed", "datom/change", "datom/message", AUTHOR, "dagster/row_count", REPORT, CHANGES)
# What was loaded, and what the table is; then anything that may be taller than the window, so that it hides nothing.
_TALL = (LOADED, PREVIEW, COLUMN_SCHEMA, COLUMN_LINEAGE)
_TALLEST = (CUT_HISTORY_SHOWN, CUT_HISTORY, SHOWN, *TABLES)
_CELL = 40
# A whole name runs past the window's edge, and this many characters are accepted wherever a version is asked for.
_ID = 12
# What Arrow's field metadata says about a column, besides its label: names from extract files and common usage.
_SHOWN_OF_COLUMN = ("format", "units", "unit")
_RECORDINGS = 50


def write_metadata(result: dc.WriteResult) -> dict[str, Any]:
    """The metadata of a materialization that wrote, or found unchanged, ``result``."""
    shown: dict[str, Any] = {
        VERSION: result.version,
        "datom/data_sha": result.data_sha,
        "datom/action": result.action,
        "datom/changed": result.changed,
        "datom/message": result.recording.message,
        AUTHOR: str(result.recording.author),
        "datom/recorded_at": result.recording.recorded_at,
        "datom/bytes": result.bytes,
    }
    if result.cut is not None:
        shown[CUT] = result.cut
    told = result.recording.provenance
    if told is not None and told.reason:
        shown[REASON] = told.reason
    if told is not None and told.source is not None:
        shown[SOURCE_SYSTEM] = str(told.source)
    return shown


def recorded_metadata(version: dc.Version, metadata: dc.Metadata) -> dict[str, Any]:
    """The metadata of an event about a version that was written elsewhere."""
    said = version.latest
    shown = {
        VERSION: version.version,
        "datom/data_sha": version.data_sha,
        "datom/message": said.message,
        AUTHOR: str(said.author),
        "datom/recorded_at": said.recorded_at,
        OUTSIDE: True,
        "dagster/row_count": metadata.rows,
        "dagster/column_schema": dg.TableSchema([dg.TableColumn(name) for name in metadata.column_names]),
    }
    return {key: value for key, value in shown.items() if value is not None}


def source_metadata(extract: dc.Extract) -> dict[str, Any]:
    """The metadata that names the file a table was read from."""
    return {"datom/source_file": extract.file, "datom/source_sha": extract.origin.sha}


def commit_metadata(commit: str | None, remote: str) -> dict[str, Any]:
    """The commit, and its page if it has one."""
    if commit is None:
        return {}
    url = commit_url(remote, commit)
    return {"datom/commit": commit} | ({} if url is None else {"datom/commit_url": dg.MetadataValue.url(url)})


def in_reading_order(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader asks first comes first, and anything longer than a line last: the page keeps this order."""
    tall = (
        dg.TableMetadataValue,
        dg.MarkdownMetadataValue,
        dg.TableSchemaMetadataValue,
        dg.TableColumnLineageMetadataValue,
    )
    first = {key: shown[key] for key in _FIRST if key in shown}
    tallest = {key: shown[key] for key in _TALLEST if key in shown}
    others = [k for k, v in shown.items() if isinstance(v, (*tall, dg.TableSchema, dg.TableColumnLineage))]
    last = {key: shown[key] for key in (*_TALL, *others) if key in shown and key not in tallest}
    return {**first, **{k: v for k, v in shown.items() if k not in {**last, **tallest}}, **last, **tallest}


def cut_history(cuts: dc.Cuts, cut: str, table: str) -> dict[str, Any]:
    """Every version of a table that the cut ever stood for, newest first: who recorded it, when and why."""
    recordings = cuts[cut].recordings.get(table, ()) if cut in cuts else ()
    rows = [
        dg.TableRecord(
            {
                "recorded_at": r.recorded_at,
                "message": r.message or "",
                "author": str(r.author),
                "version": r.version[:_ID],
            }
        )
        for r in recordings[:_RECORDINGS]
    ]
    if not rows:
        return {}
    shown: dict[str, Any] = {CUT_HISTORY: dg.MetadataValue.table(rows)}
    if len(rows) < len(recordings):
        shown[CUT_HISTORY_SHOWN] = f"the newest {len(rows)} of {len(recordings):,}"
    return shown


def approvals_metadata(cuts: dc.Cuts, cut: str) -> dict[str, Any]:
    """Who approved a cut, in a line; nothing if nobody did."""
    told = [
        f"{r.meaning} by {r.signer.name}, {r.recorded_at}" + (" (of older versions)" if r.outdated else "")
        for r in cuts.approvals.of(cut).standing()
    ]
    return {APPROVALS: "; ".join(told)} if told else {}


def findings_metadata(findings: Sequence[Finding]) -> dict[str, Any]:
    """What rules found, and each rule's offending rows, with how many of how many are shown."""
    told: list[dict[str, Any]] = [
        {"rule": f.name, "passed": f.passed, "rows": f.count, "found": f.text} for f in findings
    ]
    shown: dict[str, Any] = {"datom/findings": dg.MetadataValue.table([dg.TableRecord(record) for record in told])}
    parts = [f"{f.name}: {f.part}" for f in findings if f.rows]
    tables = {f"datom/rows_{f.name}": rows_table(f.rows) for f in findings if f.rows}
    return {**shown, SHOWN: "; ".join(parts), **tables} if parts else shown


def facts(report: Any) -> dict[str, Any]:
    """One of datom's reports, field by field, leaving out the fields that say nothing."""
    shown = {f.name: _fact(getattr(report, f.name)) for f in fields(report)}
    return {f"datom/{name}": value for name, value in shown.items() if value is not None}


def _fact(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return dg.MetadataValue.json(dict(value))
    if not isinstance(value, tuple):
        text = str(value)
        return (dg.MetadataValue.url(text) if _WEB_URL.match(text) else text) if text else None
    if not value:
        return None
    if not all(is_dataclass(item) for item in value):
        return dg.MetadataValue.md("\n".join(f"- `{item}`" for item in value))
    rows = [{f.name: _plain(getattr(item, f.name)) for f in fields(item)} for item in value]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows])


def _plain(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def column_schema(schema: pa.Schema, declared: dg.TableSchema | None) -> dg.TableSchema:
    """Columns with their types. What the asset declares about a column stays; labels in the data describe the others.

    Formats and units in the data, such as those from an extract file, are shown as constraints.
    """
    known = {c.name: c for c in declared.columns} if declared is not None else {}
    columns = [_column(field, known.get(field.name)) for field in schema]
    return dg.TableSchema(columns, declared.constraints if declared is not None else None)


def _column(field: pa.Field, declared: dg.TableColumn | None) -> dg.TableColumn:
    said = {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in (field.metadata or {}).items()}
    declared = declared or dg.TableColumn(field.name)
    shown = [f"{name}: {said[name][:_CELL]}" for name in _SHOWN_OF_COLUMN if said.get(name)]
    constraints = declared.constraints
    return dg.TableColumn(
        name=field.name,
        type=str(field.type),
        description=declared.description or said.get("label") or None,
        constraints=dg.TableColumnConstraints(
            nullable=constraints.nullable, unique=constraints.unique, other=[*constraints.other, *shown]
        ),
        tags=declared.tags,
    )


def preview(table: pa.Table, rows: int, masked: Sequence[str] = ()) -> dg.MetadataValue:
    """The first rows as a Markdown table, and below it how many of how many rows those are.

    Args:
        table: what is shown.
        rows: how many.
        masked: columns whose values are not shown.
    """
    head = table.slice(0, rows)
    lines = [_row(table.column_names), _row(["---"] * table.num_columns)]
    columns = [
        [MASKED] * head.num_rows if name in masked else _texts(head.column(place))
        for place, name in enumerate(head.column_names)
    ]
    lines += [_row(values) for values in zip(*columns, strict=True)]
    if head.num_rows < table.num_rows:
        lines += ["", f"The first {head.num_rows:,} of {table.num_rows:,} rows."]
    return dg.MetadataValue.md("\n".join(lines))


def _texts(column: pa.ChunkedArray) -> list[str]:
    return [text or "" for text in dc.as_text(column)]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_cell(c) for c in cells) + " |"


def _cell(text: str) -> str:
    """The text, escaped so that Markdown and HTML show it as it is."""
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", html.escape(" ".join(cut(text, _CELL).split()), quote=False))


def parents_metadata(parents: Sequence[dc.Parent]) -> dg.MetadataValue:
    """The versions that a step loaded, as a table; their whole names are stored with the version that it wrote."""
    rows = [(p.source, p.table, p.version[:_ID], p.data_sha[:_ID]) for p in parents]
    names = ("project", "table", "version", "data_sha")
    return dg.MetadataValue.table([dg.TableRecord(dict(zip(names, row, strict=True))) for row in rows])


def datom_parents(*parents: dc.Parent) -> dg.MetadataValue:
    """Parents of a version, as the metadata ``datom/parents`` takes them: ``{"datom/parents": datom_parents(dm)}``.

    Raises:
        InvalidInputError: names anything that is not a `datom_core.Parent`.
    """
    return dg.MetadataValue.json(
        [
            {**p.to_json(), "source_lineage": [s.to_json() for s in p.source_lineage]}
            for p in dc.check_parents(parents) or ()
        ]
    )


def commit_url(remote: str, commit: str) -> str | None:
    """The commit's page on the git host; ``None`` for a remote without pages."""
    found = _WEB_URL.match(remote) or _SSH_URL.match(remote)
    # A path from the root of a machine's disk, or one of Azure's ssh paths, leads to no page.
    if found is None or found["path"].startswith(("/", "v3/")):
        return None
    host, path, scheme = found["host"], found["path"], "http" if remote.startswith("http://") else "https"
    infix = "/-/commit/" if "gitlab" in host else "/commits/" if "bitbucket" in host else "/commit/"
    return f"{scheme}://{host}/{path}{infix}{commit}"


def uri(location: dc.Location, table: str) -> str:
    """The URI of the place where a table's payloads lie."""
    folder = "/".join(filter(None, (location.prefix, "datom", table)))
    return location.uri(folder)
