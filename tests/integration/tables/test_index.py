"""An unnamed index of a pandas frame is not stored, and makes no version."""

from __future__ import annotations

import pandas as pd

import datom_core as dc
from tests.unit.tables.test_index import frame


def test_nothing_of_it_is_stored(project: dc.Project) -> None:
    given = frame().sort_values("USUBJID", ascending=False)
    before = given.copy()
    first = project.write("dm", given)
    stored = project.reader.read_arrow("dm")
    assert stored.column_names == list(given.columns)
    assert stored.schema.metadata is None
    assert stored["USUBJID"].to_pylist() == ["s4", "s3", "s1", None]
    assert project.write("dm", given.reset_index(drop=True)).version == first.version
    assert project.reader.read("dm").index.equals(pd.RangeIndex(4))
    pd.testing.assert_frame_equal(given, before)
