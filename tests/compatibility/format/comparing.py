"""What the stranger reads, beside what our reader reads."""

from __future__ import annotations

import pyarrow as pa

import datom_core as dc
from tests.compatibility.format.stranger import Stranger


def assert_same_values(theirs: pa.Table, ours: pa.Table) -> None:
    assert theirs.schema.equals(ours.schema, check_metadata=True)
    for name, there, here in zip(theirs.column_names, theirs.columns, ours.columns, strict=True):
        # NaN is equal to nothing, but is written as itself.
        assert there.equals(here) or repr(there.to_pylist()) == repr(here.to_pylist()), name


def assert_read_alike(stranger: Stranger, reader: dc.ProjectReader) -> int:
    """All that there is, read by both; how many versions of tables that are."""
    listed = {t.name: (t.version, t.versions, t.kind) for t in reader.list()}
    assert listed == {
        n: (stranger.current(n), len(stranger.histories[n]), row.get("kind", "table"))
        for n, row in stranger.rows.items()
    }
    for name, entries in stranger.histories.items():
        assert [e["version"] for e in entries] == [v.version for v in reader.history(name)]
    states = (*reader.cuts().items(), *reader.reviews().items())
    assert stranger.cuts() == {name: dict(state) for name, state in states}
    read = list(stranger.read_all())
    for name, version, table in read:
        assert_same_values(table, reader.read_arrow(name, version, verify="bytes"))
    return len(read)
