"""What Arrow can hold and pandas cannot is stored, and read as the nearest that pandas can hold."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc

YEAR_12000 = 316_516_204_800  # seconds since 1970


def days(count: int) -> pa.Array:
    return pa.array([count, None], pa.int32()).cast(pa.date32())


BEYOND = {
    "year 0": (days(-719_529), "-001-12-31"),
    "year 11998": (days(3_663_000), "11998-12-15"),
    "an instant": (pa.array([YEAR_12000, None], pa.timestamp("s")), "12000-01-01"),
    "one in UTC": (pa.array([YEAR_12000, None], pa.timestamp("s", "UTC")), "12000-01-01"),
    "before the year 1": (pa.array([-99_999_999_999, None], pa.timestamp("s")), "-1199-02-15"),
    "a zone": (pa.array([1, None], pa.timestamp("us", "Mars/Phobos")), "1970-01-01"),
    "25 hours": (pa.array([90_000_000_000, None]).view(pa.time64("us")), "1 day"),
    "less than midnight": (pa.array([-5, None], pa.int32()).view(pa.time32("s")), "-1 day"),
}
beyond = pytest.mark.parametrize("case", BEYOND)


def table(case: str) -> pa.Table:
    return pa.table({"WHEN": BEYOND[case][0], "ID": ["a", "b"]})


@beyond
def test_it_is_stored_and_read(project: dc.Project, case: str) -> None:
    version = project.write("ae", table(case)).version
    frame = project.reader.read("ae", version)
    assert str(frame["WHEN"].iloc[0]).startswith(BEYOND[case][1])
    assert pd.isna(frame["WHEN"].iloc[1])
    assert repr(frame)
    assert dc.hash_table(project.reader.read_arrow("ae", version)) == dc.hash_table(table(case))
    assert project.validate("full").ok


@beyond
def test_diff_and_checks_survive_it(case: str) -> None:
    before = table(case)
    after = before.set_column(0, "WHEN", pa.array([None, None], BEYOND[case][0].type))
    change: Any = dc.diff(before, after, key="ID")
    assert change.changed == 1
    assert change.changed_rows[0].cells[0].before
    assert dc.diff(before, before.slice(1), key="WHEN").removed == 1


def test_the_first_and_the_last_are_dates(project: dc.Project) -> None:
    frame = pa.table(
        {
            "D": pa.array([-719_162, 2_932_896], pa.int32()).cast(pa.date32()),
            "T": pa.array([0, 86_399], pa.int32()).cast(pa.time32("s")),
            "Z": pa.array([0, 1], pa.timestamp("us", "+05:30")),
        }
    )
    project.write("ae", frame)
    assert [str(v) for v in project.reader.read("ae")["D"]] == ["0001-01-01", "9999-12-31"]
