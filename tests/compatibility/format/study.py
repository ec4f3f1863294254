"""The project whose files docs/format.md shows: made anew, so that the page shows what is written today."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

import datom_core as dc

AUTHOR = "Ada Lovelace <ada@example.org>"
REVIEWER = "Grace Hopper <grace@example.org>"
CSV = "USUBJID,AGE\n01-001,63\n01-002,71\n"
PREFIX = "studies/001"


class ClaimedStore(dc.LocalStore):
    """A folder that remembers the claims that stood in it."""

    claims: tuple[str, ...] = ()

    def create(self, key: str, data: bytes | memoryview, metadata: Mapping[str, str] | None = None) -> bool:
        if key == ".metadata/claim.json":
            self.claims = (*self.claims, bytes(data).decode())
        return super().create(key, data, metadata)


def visits(weight: float | None) -> pa.Table:
    """A column per family of values, each with a missing one."""
    nine = datetime(2026, 1, 5, 9, 30, 0, 250_000, UTC)
    return pa.table(
        {
            "USUBJID": ["01-001", "01-002"],
            "SITE": pa.array(["Zürich", None]).dictionary_encode(),
            "WEIGHT": [63.5, weight],
            "SMOKER": [True, None],
            "BIRTH": pa.array([date(1963, 4, 1), None]),
            "VISIT": pa.array([nine, None], pa.timestamp("us", "UTC")),
            "STAY": pa.array([timedelta(seconds=90), None], pa.duration("s")),
            "BARCODE": pa.array([2**53 + 1, None]),
        }
    )


def clock() -> Callable[[], datetime]:
    """Noon, one day on at every look."""
    days = itertools.count()
    return lambda: datetime(2026, 1, 10, 12, tzinfo=UTC) + timedelta(days=next(days))


def make(folder: Path) -> tuple[str, ...]:
    """The study, and the claims that stood meanwhile.

    Its data lies in ``folder/data`` in the end, its history in ``folder/history.git``, its register in
    ``folder/register`` and ``folder/register.git``.
    """
    disk, data, ticks = ClaimedStore(folder / "disk"), ClaimedStore(folder / "data", PREFIX), clock()
    project = dc.Project.init("STUDY_001", disk, remote=folder / "history.git", author=AUTHOR, clock=ticks)
    drop = folder / "drop"
    drop.mkdir()
    (drop / "dm.csv").write_text(CSV)
    project.sync(drop, message="Demographics as delivered")
    first = project.cut("2026-01", {"visits": visits(None)}, message="First extract")["visits"]
    afternoon = dc.Project.open(
        disk, remote=folder / "history.git", author=REVIEWER, clock=lambda: datetime(2026, 1, 12, 15, tzinfo=UTC)
    )
    afternoon.mark_reviewed("2026-01", message="No open queries")
    told = dc.Provenance(
        run=dc.Run("9b1f6c1e-0f5c-4f0e-8f57-0c2a4a8f3d11", "nightly", "visits", "2026-01", "7", "4c1d" * 10),
        source=dc.SourceSystem("EDC", "2026-01-09T06:00:00Z"),
        reason="Query 17 was answered",
    )
    project.write("visits", visits(71.0), message="Weight of 01-002 added", provenance=told)
    project.write("visits", visits(None), message="The weight was another subject's")
    parents = [project.parent("visits", first.version), project.parent("dm")]
    custom = {"source": "EDC", "share": 1 / 3, "locked": True}
    project.write("sites", pa.table({"SITE": ["Zürich"]}), parents=parents, custom=custom, message="One row a site")
    governance = dc.Governance.init(
        dc.LocalStore(folder / "register"), remote=folder / "register.git", author=AUTHOR, clock=ticks
    )
    project = governance.attach(project)
    dc.migrate(project, data, message="The disk is retired", sunset_at="2026-12-31")
    return *disk.claims, *data.claims
