"""Which objects in storage a project wrote, judged by their keys and its documents."""

from __future__ import annotations

from datom_core.common import names
from datom_core.planning import ProjectState


def is_list(key: str, state: ProjectState) -> bool:
    """Whether an object says what is current, or marks a moment."""
    table = key.partition("/")[0]
    pointer = table in state.manifest.entries and key == names.pointer(table)
    lists = (names.MANIFEST_KEY, names.CUTS_KEY, names.GOVERNANCE_KEY, names.CLAIM_KEY, names.LINE_KEY)
    return pointer or key in lists


def is_snapshot(key: str, state: ProjectState) -> bool:
    """Whether an object is a version's document."""
    table, _, name = key.partition("/.metadata/")
    return state.table(table).history.find(name.removesuffix(".json")) is not None


def is_ours(key: str, state: ProjectState) -> bool:
    """Whether this project wrote the document."""
    history = any(key == names.history(table) for table in state.manifest.entries)
    return history or is_list(key, state) or is_snapshot(key, state)
