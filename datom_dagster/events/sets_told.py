"""What Dagster's page shows about a version of a set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events.event_metadata import commit_metadata, in_reading_order
from datom_dagster.events.metadata_keys import AUTHOR, CUT, VERSION

#: Key under which an event lists the members of a set.
MEMBERS = "datom/members"
#: Key under which it says what was edited since the version before.
EDITS = "datom/edits"
#: Key under which it names members that contradict one another.
MISMATCHES = "datom/mismatches"

_ID = 12
_EDITS = 200


def set_metadata(
    made: dc.VersionSet, since: dc.VersionSet | None, result: dc.SetResult, entry: dc.Version, remote: str
) -> dict[str, Any]:
    """What an event says of a set that was written, or found unchanged.

    Args:
        made: the set, with what was edited.
        since: the version that it was edited from.
        result: of the write.
        entry: of the set's history.
        remote: of the project.
    """
    said = entry.latest
    shown: dict[str, Any] = {
        "datom/changed": since is None or bool(made.edits),
        "datom/change": _change(made, since),
        "datom/message": said.message,
        AUTHOR: str(said.author),
        "datom/recorded_at": said.recorded_at,
        VERSION: result.version,
        "datom/data_sha": result.data_sha,
        "datom/action": result.action,
        "datom/member_count": result.members,
        **_labels(made.tags),
        **commit_metadata(result.commit_sha or entry.commit_sha, remote),
        MEMBERS: _members(made),
    }
    if since is not None and made.edits:
        shown["datom/previous_version"] = since.version
        lines = [str(edit) for edit in made.edits[:_EDITS]]
        more = len(made.edits) - len(lines)
        shown[EDITS] = dg.MetadataValue.md("\n".join([*lines, *([f"- and {more} more"] if more else [])]))
    if result.allowed:
        shown[MISMATCHES] = mismatches_table(result.allowed)
    if result.unread:
        shown["datom/unread"] = ", ".join(map(str, result.unread))
    return in_reading_order(shown)


def _change(made: dc.VersionSet, since: dc.VersionSet | None) -> str:
    if since is None:
        return f"first version: {_counted(len(made), 'member')}"
    if not made.edits:
        return f"no change: {_counted(len(made), 'member')}"
    words = {"add": "added", "repoint": "repointed", "drop": "dropped"}
    counts = {word: sum(e.action == action for e in made.edits) for action, word in words.items()}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    cut = f"the cut {since.tags['cut'][0]}" if since.tags.get("cut") else f"the version {str(since.version)[:8]}"
    return f"{told} of {_counted(len(made), 'member')} since {cut}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _labels(tags: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    others = {name: values for name, values in tags.items() if name != "cut"}
    cut = {CUT: tags["cut"][0]} if len(tags.get("cut", ())) == 1 else {}
    return {**cut, "datom/labels": _label_text(others)} if others else cut


def _label_text(tags: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(f"{name}: {' and '.join(values)}" for name, values in tags.items())


def _members(made: dc.VersionSet) -> dg.MetadataValue:
    """Each member with its version, and what was edited of it."""
    kept = [e for e in made.edits if e.action != "drop"]
    edited = {e.member.key: "added" if e.before is None else f"was {e.before[:_ID]}" for e in kept}
    rows = [
        dg.TableRecord(
            {
                "project": m.project,
                "name": m.name,
                "kind": m.kind,
                "version": m.version[:_ID],
                "labels": _label_text(m.tags),
                "edit": edited.get(m.key, ""),
            }
        )
        for m in made
    ]
    return dg.MetadataValue.table(rows)


def mismatches_table(found: Iterable[dc.Mismatch]) -> dg.MetadataValue:
    """Members that were derived from other versions than a set lists, one in a row."""
    rows = [
        dg.TableRecord(
            {
                "member": str(m.member),
                "derived_from": f"{m.parent.source}/{m.parent.table}@{m.parent.version[:_ID]}",
                "listed": ", ".join(version[:_ID] for version in m.listed),
            }
        )
        for m in found
    ]
    return dg.MetadataValue.table(rows)
