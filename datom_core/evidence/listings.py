"""Lists of what a bag holds, as text with tabs: each a line per record, and a line of headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datom_core.documents import Author, History, canonical
from datom_core.evidence.results import HeldVersion

STATE = "data/state.tsv"
UNPROVEN = "data/unproven.tsv"
RECORDED = "data/recorded.tsv"
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


def recorded_list(histories: Mapping[str, History]) -> bytes:
    """Each time that a version of anything was recorded, or became current again: when, by whom, why."""
    lines: list[tuple[object, ...]] = []
    for table, history in histories.items():
        for v in history:
            lines.append((v.timestamp or "-", table, v.version, "recorded", _who(v.author), v.message, v.commit_sha))
            for r in v.reinstatements:
                lines.append((r.recorded_at, table, v.version, "reinstated", _who(r.author), r.message, None))
    lines.sort(key=lambda line: str(line[0]))  # what was recorded in one second stays in the order of the histories
    return _listed(("at", "table", "version", "what", "who", "why", "commit"), lines)


def approval_list(records: Iterable[tuple[Mapping[str, Any], str]]) -> bytes:
    """Approvals and withdrawals, each with its commit; texts as JSON writes them, as for `state_list`."""
    lines: list[tuple[object, ...]] = []
    for record, commit in records:
        signer: Mapping[str, Any] = record.get("signer") or {}
        told = [record.get(field) for field in ("id", "kind", "cut", "meaning")]
        told += [signer.get("email"), signer.get("key"), record.get("recorded_at")]
        lines.append((*(canonical.format_string(str(value or ""))[1:-1] for value in told), commit))
    return _listed(("id", "kind", "cut", "meaning", "signer", "key", "recorded_at", "commit"), lines)


def _who(author: Author) -> str:
    return f"{author.name} <{author.email}>" if author.email else author.name


def _listed(headings: Iterable[str], lines: Iterable[Iterable[object]]) -> bytes:
    # A field is never empty: a shell takes two tabs for one.
    rows = ("\t".join(str(v or "-").translate(_PLAIN) for v in line) for line in (headings, *lines))
    return "".join(f"{row}\n" for row in rows).encode()
