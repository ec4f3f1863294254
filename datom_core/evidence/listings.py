"""Lists of what a bag holds, as text with tabs: each a line per record, and a line of headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from datom_core.auditing import AuditEvent
from datom_core.documents import canonical
from datom_core.evidence.results import HeldVersion

STATE = "data/state.tsv"
UNPROVEN = "data/unproven.tsv"
AUDIT = "data/audit.tsv"
APPROVALS = "data/approvals.tsv"
# What would end a field or a line, or could be taken for a command by a terminal.
_PLAIN = {n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160))} | {9: "\\t", 10: "\\n", 13: "\\r"}


def state_list(versions: Iterable[HeldVersion], payloads: Mapping[str, str], cut: str | None) -> bytes:
    """What the bag is about; the cut as JSON writes it, because ``verify.sh`` looks for it in a document."""
    named = "-" if cut is None else canonical.format_string(cut)[1:-1]
    lines = (
        (v.table, v.version.version, v.version.data_sha, payloads[v.key], f"data/datom/{v.key}", named)
        for v in versions
    )
    return _listed(("table", "version", "data_sha", "payload_sha", "path", "cut"), lines)


def unproven_list(unproven: Iterable[tuple[str, str, str]]) -> bytes:
    """The versions whose id nobody can compute again, and why."""
    return _listed(("table", "version", "why"), unproven)


def audit_list(events: Iterable[AuditEvent]) -> bytes:
    """Everything that ever happened to the project, in order; what concerns several tables is a line for each."""
    columns = [f.name for f in fields(AuditEvent)]
    return _listed(columns, [[_told(getattr(event, c)) for c in columns] for event in events])


def _told(value: object) -> object:
    return ", ".join(value) if isinstance(value, tuple) else value


def approval_list(records: Iterable[tuple[Mapping[str, Any], str]]) -> bytes:
    """Approvals and withdrawals, each with its commit; texts as JSON writes them, as for `state_list`."""
    lines: list[tuple[object, ...]] = []
    for record, commit in records:
        signer: Mapping[str, Any] = record.get("signer") or {}
        told = [record.get(field) for field in ("id", "kind", "cut", "meaning")]
        told += [signer.get("email"), signer.get("key"), record.get("recorded_at")]
        lines.append((*(canonical.format_string(str(value or ""))[1:-1] for value in told), commit))
    return _listed(("id", "kind", "cut", "meaning", "signer", "key", "recorded_at", "commit"), lines)


def _listed(headings: Iterable[str], lines: Iterable[Iterable[object]]) -> bytes:
    # A field is never empty: a shell takes two tabs for one.
    rows = ("\t".join(str(v or "-").translate(_PLAIN) for v in line) for line in (headings, *lines))
    return "".join(f"{row}\n" for row in rows).encode()
