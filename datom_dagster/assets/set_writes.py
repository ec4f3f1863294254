"""Write a set as a step does: against what it held before, with a message that says what was edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import datom_core as dc
from datom_dagster.events import set_metadata
from datom_dagster.io import before_in

#: The label that tells for which cut a version of a set was made.
CUT_LABEL = "cut"


@dataclass(frozen=True)
class SetRequest:
    """A set that a step wants written.

    Attributes:
        name: of the set in its project.
        members: what it will hold.
        labels: its labels, without that of its cut.
        message, trailers: for the commit.
        provenance: who asked for it, and the run.
        cut: the cut that it stands for, if any.
        order: the cuts in their order, where they have one.
        allow: why members that contradict one another are right.
        files: as for `datom_core.Project.write_set`.
        readers: of the members' projects.
    """

    name: str
    members: Sequence[dc.Member]
    labels: Mapping[str, Any]
    message: str
    trailers: Mapping[str, str]
    provenance: dc.Provenance
    cut: str | None = None
    order: Sequence[str] = ()
    allow: str | None = None
    files: Mapping[str, Any] = field(default_factory=dict)
    readers: Iterable[dc.ProjectReader] = ()
    dry_run: bool = False


def write_set(project: dc.Project, asked: SetRequest) -> tuple[dc.SetResult, dict[str, Any]]:
    """Write the set; return what came of it, and what the page shows.

    Raises:
        The errors of `datom_core.Project.write_set`.
    """
    since = _since(project.reader, asked)
    before = since if since is not None else dc.VersionSet.new(asked.name, project.name)
    made = before.to_hold(*asked.members).with_tags(_labels(asked))
    result = project.write_set(
        asked.name,
        made,
        files=asked.files or None,
        message="\n\n".join(filter(None, [asked.message, "\n".join(map(str, made.edits))])),
        trailers=asked.trailers,
        provenance=asked.provenance,
        allow=asked.allow,
        readers=asked.readers,
        dry_run=asked.dry_run,
    )
    if asked.dry_run and result.changed:
        return result, {"datom/dry_run": True, "datom/action": result.action, "datom/member_count": result.members}
    entry = next(v for v in project.reader.history(asked.name) if v.version == result.version)
    shown = set_metadata(made, since, result, entry, project.remote)
    allowed = {"datom/allowed_because": asked.allow} if result.allowed else {}
    return result, {**shown, **allowed, "datom/citation": project.reader.cite(asked.name, result.version).id}


def _labels(asked: SetRequest) -> Mapping[str, Any]:
    return asked.labels if asked.cut is None else {**asked.labels, CUT_LABEL: asked.cut}


def _since(reader: dc.ProjectReader, asked: SetRequest) -> dc.VersionSet | None:
    """What the set held before: for its cut, else for the nearest cut before it, else what is current."""
    if asked.name not in {info.name for info in reader.sets()}:
        return None
    current = reader.set(asked.name)
    if asked.cut is None:
        return current
    made = _by_cut(reader, asked.name)
    return next((made[c] for c in (asked.cut, *before_in(asked.order, asked.cut)) if c in made), current)


def _by_cut(reader: dc.ProjectReader, name: str) -> dict[str, dc.VersionSet]:
    """For each cut, the version of the set that was made last for it."""
    found: dict[str, dc.VersionSet] = {}
    for entry in sorted(reader.history(name), key=lambda v: v.latest.recorded_at, reverse=True):
        made = reader.set(name, entry.version)
        for cut in made.tags.get(CUT_LABEL, ()):
            found.setdefault(cut, made)
    return found
