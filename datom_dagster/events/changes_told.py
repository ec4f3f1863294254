"""What an event says of what changed: one line, numbers that Dagster plots, a summary, examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events.examples import changed_rows

#: Key under which an event holds the summary of what changed.
CHANGES = "datom/changes"
#: Key under which it names the file that holds the whole of it.
REPORT = "datom/report"
#: Key under which it says why nothing was compared.
NOT_COMPARED = "datom/not_compared"

_SUMMARY_BYTES = 16_000  # an event lies in a database, and a person reads the rest in the report
_KEYED = {"domain": " (a natural key)", "data": " (the key of the data's metadata)"}
_CLASSES = ("added", "removed", "changed", "renumbered", "rekeyed", "duplicates")


def change_metadata(change: dc.Change, since: str | None) -> dict[str, Any]:
    """What changed by shape, and since when: the previous version, or the cut called ``since``."""
    text = str(change) + (_since(since) if change.previous is not None else "")
    previous = {} if change.previous is None else {"datom/previous_version": change.previous}
    return {"datom/change": text, **previous}


def changes_metadata(
    changes: dc.TableChanges, since: str | None, *, project: str, values: bool, examples: int
) -> dict[str, Any]:
    """Everything that changed, as counts, as a summary of bounded size, and with examples.

    Args:
        changes: what changed.
        since: the cut since which it changed; ``None`` for the previous version.
        project: the project's name.
        values: whether any value may be shown.
        examples: how many rows of each kind to show.
    """
    summary = dc.render_report(
        changes, "markdown", project=project, preview_rows=None if values else 0, max_bytes=_SUMMARY_BYTES
    )
    return {
        "datom/change": change_line(changes) + _since(since),
        "datom/key_used": changes.key.why,
        **row_counts(changes),
        CHANGES: dg.MetadataValue.md(summary.decode()),
        **(changed_rows(changes, examples) if values else {}),
    }


def row_counts(changes: dc.TableChanges | None) -> dict[str, int]:
    """Row counts as numbers, which Dagster plots over time; all are 0 for no change, ``None``."""
    counts = dict.fromkeys(_CLASSES, 0)
    if changes is not None:
        counts |= {name: getattr(changes, name).num_rows for name in _CLASSES if name != "changed"}
        counts["changed"] = changes.changed
    return {f"datom/rows_{name}": count for name, count in counts.items()}


def change_line(changes: dc.TableChanges) -> str:
    """What changed, in one line, with the key by which rows were told apart."""
    key = changes.key
    by = f" by {', '.join(key.columns)}{_KEYED.get(key.source, '')}" if key.columns else " by whole rows"
    rows = ", ".join(_of_rows(changes))
    parts = [rows + by] if rows else []
    if changes.reordered and not rows:
        parts.append("the same rows in another order")
    parts += _of_columns(changes)
    return "; ".join(parts) or f"the same rows{by}"


def _of_rows(changes: dc.TableChanges) -> Iterator[str]:
    words = {"rekeyed": "with another key", "duplicates": "with duplicate keys"}
    told = ((name, count) for name, count in zip(_CLASSES, row_counts(changes).values(), strict=True) if count)
    for place, (name, count) in enumerate(told):
        rows = "" if place else "row " if count == 1 else "rows "
        yield f"{count:,} {rows}{words.get(name, name)}"


def _of_columns(changes: dc.TableChanges) -> Iterator[str]:
    for names, what in ((changes.columns_added, "added"), (changes.columns_removed, "removed")):
        if names:
            yield f"columns {what}: {_some(names)}"
    retyped = [f"{c.column} ({c.before} → {c.after})" for c in changes.columns_changed if c.what == "type"]
    if retyped:
        yield f"columns retyped: {_some(retyped)}"
    others = len(changes.columns_changed) - len(retyped) + len(changes.attributes_changed)
    if others:
        yield f"{others:,} {'label or format' if others == 1 else 'labels or formats'} changed"


def _some(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5:,} more"


def _since(since: str | None) -> str:
    return "" if since is None else f" since the cut {since}"
