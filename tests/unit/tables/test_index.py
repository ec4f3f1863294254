"""An unnamed integer index of a pandas frame is where its rows once stood, and is no part of the table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import datom_core as dc

Made = Callable[[pd.DataFrame], pd.DataFrame]


class Mine(pd.DataFrame):
    """A class of somebody's own, as geopandas has one."""

    @property
    def _constructor(self) -> type[Mine]:
        return Mine


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": ["s3", None, "s1", "s4"],
            "AGE": pd.array([3, None, 1, 4], dtype="Int64"),
            "DTC": pd.to_datetime(["2026-01-03", None, "2026-01-01", "2026-01-04"]),
            "SEX": pd.Categorical(["F", "M", None, "F"]),
        }
    )


def indexed(labels: object) -> Made:
    def put(given: pd.DataFrame) -> pd.DataFrame:
        return given.set_axis(pd.Index(labels), axis=0)  # type: ignore[arg-type]

    return put


INDEXES: dict[str, Made] = {
    "filtered": lambda f: f[f["AGE"].fillna(9) > 1],
    "sorted": lambda f: f.sort_values("USUBJID"),
    "reversed": lambda f: f.iloc[::-1],
    "concatenated": lambda f: pd.concat([f, f]),
    "concatenated with an empty one": lambda f: pd.concat([f, f.iloc[:0]]),
    "sampled twice": lambda f: f.loc[[2, 2, 0]],
    "every other": lambda f: f.iloc[1::2],
    "exploded": lambda f: f.assign(AGE=[[1], [2, 3], [4], [5]]).explode("AGE").astype({"AGE": "int64"}),
    "without missing values": lambda f: f.dropna(),
    "from one": lambda f: f.set_axis(pd.RangeIndex(1, 5), axis=0),
    "unsigned": indexed(np.array([7, 7, 8, 9], dtype="uint8")),
    "nullable": indexed(pd.array([1, 2, None, 4], dtype="Int64")),
    "of Arrow": indexed(pd.array([4, 3, 2, 1], dtype=pd.ArrowDtype(pa.int32()))),
    "of Python's objects": lambda f: f.set_axis(pd.Index([5, 6, 7, 8], dtype=object), axis=0),
    "of a class of one's own": lambda f: Mine(f.iloc[::-1]),
}


@pytest.mark.parametrize("made", INDEXES.values(), ids=INDEXES)
def test_it_is_dropped_and_the_rows_keep_their_order(made: Made) -> None:
    given = made(frame())
    plain = pd.DataFrame(given).reset_index(drop=True)
    assert dc.normalise(given).equals(dc.normalise(plain))
    assert dc.hash_table(given) == dc.hash_table(plain)
    assert all(report.ok for report in dc.check_hashable(given))


def test_order_is_content() -> None:
    """Two orders of the same rows are two contents, however their indexes would put them."""
    assert dc.hash_table(frame()).data_sha != dc.hash_table(frame().iloc[::-1]).data_sha


def test_frames_are_compared_by_rows_not_by_index() -> None:
    found = dc.diff(frame(), frame().dropna(subset=["USUBJID"]).iloc[::-1], "USUBJID")
    assert (found.removed, found.added, found.changed, found.reordered) == (1, 0, 0, True)


def test_a_frame_without_rows_is_refused_for_that() -> None:
    with pytest.raises(dc.InvalidInputError, match="at least one row"):
        dc.hash_table(frame().set_axis([f"r{n}" for n in range(4)], axis=0).iloc[:0])


def test_what_the_index_says_is_not_lost() -> None:
    totals = frame().groupby(["SEX", "USUBJID"], observed=True)["AGE"].sum().to_frame()
    with pytest.raises(dc.InvalidInputError, match=r"named 'SEX', 'USUBJID' .* reset_index\(\) to keep it as columns"):
        dc.hash_table(totals)
    assert dc.normalise(totals.reset_index()).column_names == ["SEX", "USUBJID", "AGE"]


def test_a_named_index_of_a_class_of_ones_own_does_not_become_a_column() -> None:
    with pytest.raises(dc.InvalidInputError, match="named 'id'"):
        dc.hash_table(Mine(frame().rename_axis("id")))
