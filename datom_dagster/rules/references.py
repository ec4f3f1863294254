"""The versions that rules compare with: the one before, that of a cut, what somebody has reviewed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import datom_core as dc
from datom_dagster.rules.subject import Before, Named, Since
from datom_dagster.rules.table_rules import TableRules


def version_before(
    reader: dc.ProjectReader, table: str, version: str | None, rules: TableRules, what: str | None = None
) -> Before | None:
    """What the rules need to know about the previous version; its data is read only if they need it.

    Args:
        reader: the project's reader.
        table: the table's name.
        version: the previous version; ``None`` if there is none.
        rules: the rules to be checked.
        what: what to call the version; by default, its id.
    """
    if version is None or not rules.compares:
        return None
    data = reader.read_arrow(table, version) if rules.compares_schema or rules.compares_rows else None
    rows = reader.metadata(table, version).rows if data is None else data.num_rows
    schema = None if data is None else data.schema
    return Before(what or f"version {version[:8]}", rows, schema, data if rules.compares_rows else None)


@dataclass(frozen=True)
class Looked:
    """What is compared with named states.

    Attributes:
        data_sha: its content hash.
        cut: the cut that it belongs to.
        version: its id; ``None`` if it is about to be written.
        recorded_at: when it was recorded, for its cut or else as the current version.
        replaces: the content hash of what it would replace.
    """

    data_sha: str
    cut: str | None = None
    version: str | None = None
    recorded_at: str | None = None
    replaces: str | None = None


def named_states(reader: dc.ProjectReader, table: str, rules: TableRules, looked: Looked) -> Named:
    """The states that rules ask for by name; data is read only of those whose content differs.

    Raises:
        The errors of `datom_core.ProjectReader.read_arrow`.
    """
    if not rules.names:
        return {}
    cuts = reader.cuts()
    found: dict[tuple[str, str], Since] = {}
    for cut in rules.locked:
        found[("locked", cut)] = _compared(reader, table, looked, f"the cut {cut}", *_locked(cuts, table, cut, looked))
    if rules.changes_since is not None:
        name = rules.changes_since
        what, version = _reviewed(cuts, table, name)
        if version is None:
            told = f"there is no cut or review mark {name} that holds {table}"
            # Before anything was recorded, nothing can have been reviewed.
            found[("changes_since", name)] = Since(what, told, passed=looked.version is None)
        else:
            found[("changes_since", name)] = _compared(reader, table, looked, what, version, None)
    return found


def _compared(
    reader: dc.ProjectReader, table: str, looked: Looked, what: str, version: str | None, told: str | None
) -> Since:
    if version is None:
        return Since(what, told or "")
    if looked.version is None and looked.replaces == looked.data_sha:
        return Since(what, "nothing new would be recorded")
    held = reader.resolve(table, version)
    if held.data_sha == looked.data_sha:
        return Since(what, f"has the content of {what}")
    return Since(what, table=reader.read_arrow(table, held))


def _locked(cuts: dc.Cuts, table: str, cut: str, looked: Looked) -> tuple[str | None, str | None]:
    """The version that may not change any more; or why nothing is compared."""
    recordings = cuts[cut].recordings.get(table, ()) if cut in cuts else ()
    if not recordings:
        return None, f"the cut {cut} does not hold {table} yet"
    newest = recordings[0]
    if looked.version is None:
        return newest.version, None
    if looked.cut == cut:
        # A cut that was recorded again replaced what may not change.
        ids = [r.version for r in recordings]
        older = ids[ids.index(looked.version) + 1 :] if looked.version in ids else ids
        held = next((v for v in older if v != looked.version), None)
        return held, f"is what the cut {cut} was recorded with"
    if looked.recorded_at is not None and looked.recorded_at < newest.recorded_at:
        return None, f"was recorded before the cut {cut}"
    return newest.version, None


def _reviewed(cuts: dc.Cuts, table: str, name: str) -> tuple[str, str | None]:
    """What a name stands for: the version of a cut, or the one up to which somebody has reviewed the table."""
    # Marks stand beside the cuts, in the same document; no mark has the name of a cut.
    for what, states in _states(cuts):
        if name in states:
            return f"{what} {name}", states[name].get(table)
    return name, None


def _states(cuts: dc.Cuts) -> Iterator[tuple[str, Mapping[str, Mapping[str, str]]]]:
    yield "the cut", cuts
    yield "the review mark", cuts.reviews
