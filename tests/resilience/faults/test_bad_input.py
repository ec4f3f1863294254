"""Frames and arguments that are refused, with which error, and that nothing was touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import datom_core as dc
from tests.resilience.faults.by_hand import Frame, edit, git


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[dc.Project, Path]:
    """A project for all tests, since none of them may change it, and its remote."""
    folder = tmp_path_factory.mktemp("kept")
    store, remote = dc.LocalStore(folder / "store"), folder / "remote.git"
    project = dc.Project.init("STUDY_001", store, remote=remote, cache_dir=folder / "cache", author="A <a@example.org>")
    project.write("dm", pd.DataFrame({"USUBJID": ["s1", "s2", "s3"]}), cut="c")
    return project, remote


@pytest.fixture
def untouched(kept: tuple[dc.Project, Path]) -> Iterator[dc.Project]:
    """The project. Whatever the test does, git and storage are afterwards as they were."""
    project, remote = kept

    def now() -> Any:
        objects = {o.key: bytes(project.store.get(o.key).data) for o in project.store.list()}
        return objects, git(remote, "rev-parse", "HEAD")

    before = now()
    yield project
    assert now() == before


def duplicated() -> pa.Table:
    return pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])


FRAMES: list[tuple[str, Callable[[], Any], str]] = [
    ("lists", lambda: pd.DataFrame({"x": [[1]], "ok": [1]}), "'x' .*one value per row"),
    ("mappings", lambda: pa.table({"x": [{"a": 1}]}), "'x' .*nested columns have no content hash"),
    ("bytes", lambda: pd.DataFrame({"x": [b"a"]}), "'x' .*base64"),
    ("decimals", lambda: pa.table({"x": pa.array([1], pa.decimal128(5, 2))}), r"'x' .*normalise\(table, decimals"),
    ("complex numbers", lambda: pd.DataFrame({"x": [1j]}), "'x'"),
    ("periods", lambda: pd.DataFrame({"x": pd.period_range("2026-01", periods=1)}), "'x'"),
    ("intervals", lambda: pd.DataFrame({"x": pd.interval_range(0, 1)}), "'x'"),
    ("mixed types", lambda: pd.DataFrame({"x": [1, "a"]}), "'x' .*mixes Python types"),
    ("truth values among text", lambda: pd.DataFrame({"x": [True, "a"]}), "'x' .*mixes Python types"),
    ("Python objects", lambda: pd.DataFrame({"x": [object()]}), "'x'"),
    ("polars objects", lambda: pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)}), "'x'"),
    ("polars lists", lambda: pl.DataFrame({"x": [[1]]}), "'x' .*list columns"),
    ("a lone surrogate", lambda: pd.DataFrame({"x": pd.Series(["\ud800"], dtype=object)}), "'x' .*lone surrogates"),
    ("a NUL", lambda: pd.DataFrame({"x": ["a\0b"]}), "'x' .*NUL"),
    ("a NUL in a category", lambda: pd.DataFrame({"x": pd.Categorical(["a\0b"])}), "'x' .*NUL"),
    ("bytes that are not UTF-8", lambda: pa.table({"x": invalid_utf8()}), "'x' .*UTF-8"),
    ("R's missing integer", lambda: pa.table({"x": pa.array([-(2**31)], pa.int32())}), "'x' .*missing"),
    ("R's missing integer in int64", lambda: pa.table({"x": pa.array([-(2**31), 1])}), "'x' .*missing"),
    ("R's missing integer64", lambda: pa.table({"x": pa.array([-(2**63), 1])}), "'x' .*missing"),
    ("huge unsigned", lambda: pa.table({"x": pa.array([2**60], pa.uint64())}), "'x' .*rounded"),
    ("nanoseconds", lambda: pa.table({"x": pa.array([1], pa.timestamp("ns"))}), "'x' .*below a microsecond"),
    ("a far time", lambda: pa.table({"x": pa.array([2**60 + 1], pa.timestamp("us"))}), "'x' .*2242"),
    ("dates among times", lambda: objects(date(2026, 1, 1), at(0)), "'x' .*mixes dates and times"),
    ("times of two zones", lambda: objects(at(0), at(2)), r"'x' .*mixes time zones \(UTC, UTC\+02:00\)"),
    ("zoned and naive times", lambda: objects(at(0), at(0).replace(tzinfo=None)), "'x' .*mixes time zones"),
    ("times of day with a zone", lambda: objects(time(1, tzinfo=UTC)), "'x' .*drop the zone"),
    ("nanoseconds in objects", lambda: objects(pd.Timestamp(1), pd.Timestamp(2)), "'x' .*below a microsecond"),
    ("a very long duration", lambda: pa.table({"x": pa.array([2**60 + 1], pa.duration("us"))}), "'x' .*durations"),
    ("a column name with a NUL", lambda: pa.table({"a\0b": [1]}), "name holds a NUL"),
    ("equal column names", duplicated, "'a' occurs 2 times"),
    ("an empty column name", lambda: pd.DataFrame({"": [1]}), "empty name"),
    ("labels that are numbers", lambda: pd.DataFrame({0: [1]}), "must be strings"),
    ("labels of two levels", lambda: pd.DataFrame({("a", "b"): [1]}), "must be strings"),
    ("no rows", lambda: pd.DataFrame({"x": pd.Series([], dtype="int64")}), "at least one row"),
    ("no columns", lambda: pd.DataFrame(index=range(3)), "at least one row and one column"),
    ("a named index", lambda: pd.DataFrame({"x": [1]}, index=pd.Index(["s1"], name="id")), "reset_index"),
    ("a named index of integers", lambda: pd.DataFrame({"x": [1]}, index=pd.RangeIndex(1, name="id")), "named 'id'"),
    ("an index of text", lambda: pd.DataFrame({"x": [1]}, index=["s1"]), r"\('s1'\) .*reset_index\(drop=True\)"),
    ("an index of numbers", lambda: pd.DataFrame({"x": [1]}, index=[0.0]), "not an unnamed one of integers"),
    ("an index of dates", lambda: pd.DataFrame({"x": [1]}, index=pd.to_datetime(["2026-01-01"])), "reset_index"),
    ("an index of categories", lambda: pd.DataFrame({"x": [1]}, index=pd.CategoricalIndex([1])), "reset_index"),
    ("an index of truth values", lambda: pd.DataFrame({"x": [1]}, index=[True]), "reset_index"),
    ("an index of many kinds", lambda: pd.DataFrame({"x": [1, 2]}, index=[0, "total"]), "reset_index"),
    ("an index of two levels", lambda: pd.DataFrame({"x": [1]}, index=pd.MultiIndex.from_tuples([(0, 1)])), "reset_i"),
    ("a grouped frame", lambda: pd.DataFrame({"g": [1], "x": [1]}).groupby("g").sum(), r"named 'g' \(1\) has a name"),
    ("a dict", lambda: {"x": [1]}, "dict is not a table"),
    ("an array", lambda: np.zeros((2, 2)), "ndarray is not a table"),
    ("a lazy frame", lambda: pl.LazyFrame({"x": [1]}), "LazyFrame is not a table"),
    ("a pandas column", lambda: pd.Series([1], name="x"), "is not a table|is one column"),
    ("a polars column", lambda: pl.Series("x", [1]), "Series is one column, not a table"),
    ("an Arrow array", lambda: pa.array([1]), "not a table"),
    ("nothing", lambda: None, "NoneType is not a table"),
]


def objects(*values: object) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=object)})


def at(hours: int) -> datetime:
    """Noon in the zone ``hours`` east of Greenwich."""
    return datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=hours)))


def nested(levels: int) -> dict[str, Any]:
    """Metadata of so many levels; more than a few dozen are a structure that contains itself."""
    root: dict[str, Any] = {}
    root["a"] = root if levels > 100 else {"b": 1}
    return root


def invalid_utf8() -> pa.Array:
    offsets = pa.py_buffer(np.array([0, 2], dtype=np.int32).tobytes())
    return pa.StringArray.from_buffers(1, offsets, pa.py_buffer(b"\xff\xfe"))


@pytest.mark.parametrize(("_name", "build", "message"), FRAMES, ids=[f[0] for f in FRAMES])
def test_frames(untouched: dc.Project, _name: str, build: Callable[[], Any], message: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=message):
        untouched.write("t", build())


def test_all_offenders_at_once_with_advice(project: dc.Project) -> None:
    frame = pd.DataFrame({"a": [[1]], "ok": [1], "b": ["x\0"], "c": [1j]})
    with pytest.raises(dc.UnsupportedColumnsError) as caught:
        project.write("t", frame)
    assert caught.value.columns == ("a", "b", "c")
    assert all(r.recourse for r in caught.value.reports)
    assert str(caught.value).startswith("3 columns are not accepted in t:")


BAD_CALLS: list[tuple[str, Callable[[dc.Project, Any], Any], type[dc.DatomError], str]] = [
    ("table name", lambda p, f: p.write("1dm", f), dc.InvalidInputError, "1dm"),
    ("reserved name", lambda p, f: p.write("renv", f), dc.InvalidInputError, "reserved"),
    ("name that R skips", lambda p, f: p.write("tests", f), dc.InvalidInputError, "skips"),
    ("case twin", lambda p, f: p.write("DM", f), dc.InvalidInputError, "differ only in case"),
    ("empty message", lambda p, f: p.write("dm", f, message=""), dc.InvalidInputError, "message is empty"),
    ("blank message", lambda p, f: p.write("dm", f, message=" \n"), dc.InvalidInputError, "message is empty"),
    ("NUL in message", lambda p, f: p.write("dm", f, message="a\0"), dc.InvalidInputError, "NUL"),
    ("message not text", lambda p, f: p.write("dm", f, message=3), dc.InvalidInputError, "must be text"),
    ("cut name", lambda p, f: p.write("dm", f, cut=" x"), dc.InvalidInputError, "cut name"),
    ("cut of nothing", lambda p, f: p.cut("x", {}), dc.InvalidInputError, "at least one"),
    ("cut with stray parents", lambda p, f: p.cut("x", {"dm": f}, parents={"ex": []}), dc.InvalidInputError, "ex"),
    ("cut of twins", lambda p, f: p.cut("x", {"lb": f, "LB": f}), dc.InvalidInputError, "differ only in case"),
    ("cut recorded of nothing", lambda p, _: p.record_cut("x", []), dc.InvalidInputError, "at least one table"),
    ("cut recorded of text", lambda p, _: p.record_cut("x", "dm"), dc.InvalidInputError, "names of tables"),
    ("cut with a blank at its end", lambda p, f: p.write("dm", f, cut="x "), dc.InvalidInputError, "cut name"),
    ("endless message", lambda p, f: p.write("dm", f, message="x" * 10_001), dc.InvalidInputError, "at most 10000"),
    ("parents not a list", lambda p, f: p.write("x", f, parents=5), dc.InvalidInputError, "parents"),
    ("trailers as a list", lambda p, f: p.write("dm", f, trailers=["a"]), dc.InvalidInputError, "mapping of keys"),
    (
        "parents of an extract",
        lambda p, f: p.write("x", f, parents=[p.parent("dm")], table_type="imported"),
        dc.InvalidInputError,
        "source of lineage",
    ),
    ("NUL in custom", lambda p, f: p.write("dm", f, custom={"a": "x\0"}), dc.InvalidInputError, "a: .*NUL"),
    ("NUL in a key", lambda p, f: p.write("dm", f, custom={"a\0": 1}), dc.InvalidInputError, "key .*NUL"),
    (
        "a surrogate in a key",
        lambda p, f: p.write("dm", f, custom={"a": {"\ud800": 1}}),
        dc.InvalidInputError,
        "lone surrogate",
    ),
    ("custom that holds itself", lambda p, f: p.write("dm", f, custom=nested(999)), dc.InvalidInputError, "20 levels"),
    ("author", lambda p, f: p.write("dm", f, author="Ada"), dc.InvalidInputError, "author must look like"),
    (
        "author with a line break",
        lambda p, f: p.write("dm", f, author=dc.Author("A\nB", "x")),
        dc.InvalidInputError,
        "line breaks",
    ),
    ("trailer", lambda p, f: p.write("dm", f, trailers={"a b": "c"}), dc.InvalidInputError, "Trailers"),
    ("trailer of two lines", lambda p, f: p.write("dm", f, trailers={"A": "c\nd"}), dc.InvalidInputError, "Trailers"),
    ("table type", lambda p, f: p.write("dm", f, table_type="raw"), dc.InvalidInputError, "imported"),
    (
        "parent without version",
        lambda p, f: p.write("x", f, parents=[{"table": "dm"}]),
        dc.InvalidInputError,
        "entry 1",
    ),
    ("parent by name", lambda p, f: p.write("x", f, parents=["dm"]), dc.InvalidInputError, "expected a Parent"),
    (
        "parent that is not there",
        lambda p, f: p.write("x", f, parents=[dc.Parent("STUDY_001", "dm", "0" * 64, "0" * 64)]),
        dc.NotFoundError,
        "dm@00000000",
    ),
    ("custom with NaN", lambda p, f: p.write("dm", f, custom={"a": float("nan")}), dc.InvalidInputError, "a: nan"),
    ("custom with a date", lambda p, f: p.write("dm", f, custom={"a": pd.Timestamp(0)}), dc.InvalidInputError, "a:"),
    (
        "custom with None inside",
        lambda p, f: p.write("dm", f, custom={"a": {"b": None}}),
        dc.InvalidInputError,
        r"a\.b",
    ),
    ("custom mixing types", lambda p, f: p.write("dm", f, custom={"a": [1, "x"]}), dc.InvalidInputError, "one type"),
    ("custom with a huge number", lambda p, f: p.write("dm", f, custom={"a": 10**15}), dc.InvalidInputError, "as text"),
    (
        "custom with odd keys",
        lambda p, f: p.write("dm", f, custom={1: "x"}),
        dc.InvalidInputError,
        "key 1 is not a string",
    ),
    ("custom not a mapping", lambda p, f: p.write("dm", f, custom=["x"]), dc.InvalidInputError, "mapping"),
]


@pytest.mark.parametrize(("_name", "call", "error", "message"), BAD_CALLS, ids=[c[0] for c in BAD_CALLS])
def test_calls(
    untouched: dc.Project,
    dm: Frame,
    _name: str,
    call: Callable[[dc.Project, Any], Any],
    error: type[dc.DatomError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        call(untouched, dm(4))


def test_a_name_that_is_a_file_in_the_data_repo(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path, dm: Frame
) -> None:
    edit(remote, tmp_path / "clone", lambda folder: (folder / "NOTES").write_text("hello"))
    with pytest.raises(dc.InvalidInputError, match="NOTES is a file in the data repo"):
        project.write("NOTES", dm(3))
    assert [o.key for o in store.list()] == [".metadata/manifest.json"]
