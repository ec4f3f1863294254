"""What is refused, with which error, and that nothing was touched."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
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

Frame = Callable[[int], pd.DataFrame]


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def untouched(project: dc.Project, store: dc.LocalStore, remote: Path, dm: Frame) -> Iterator[None]:
    """Whatever the test does, git and storage are afterwards as they were."""
    project.write("dm", dm(3), cut="c")
    before = ({o.key: store.get(o.key).data for o in store.list()}, git(remote, "rev-parse", "HEAD"))
    yield
    assert ({o.key: store.get(o.key).data for o in store.list()}, git(remote, "rev-parse", "HEAD")) == before


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


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("_name", "build", "message"), FRAMES, ids=[f[0] for f in FRAMES])
def test_frames(project: dc.Project, _name: str, build: Callable[[], Any], message: str) -> None:
    with pytest.raises(dc.InvalidInputError, match=message):
        project.write("t", build())


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


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("_name", "call", "error", "message"), BAD_CALLS, ids=[c[0] for c in BAD_CALLS])
def test_calls(
    project: dc.Project,
    dm: Frame,
    _name: str,
    call: Callable[[dc.Project, Any], Any],
    error: type[dc.DatomError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        call(project, dm(4))


def test_a_name_that_is_a_file_in_the_data_repo(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path, dm: Frame
) -> None:
    edit(remote, tmp_path / "clone", lambda folder: (folder / "NOTES").write_text("hello"))
    with pytest.raises(dc.InvalidInputError, match="NOTES is a file in the data repo"):
        project.write("NOTES", dm(3))
    assert [o.key for o in store.list()] == [".metadata/manifest.json"]


def edit(remote: Path, clone: Path, change: Callable[[Path], Any]) -> None:
    """Change files of the data repo by hand, as a person with a clone would."""
    subprocess.run(["git", "clone", "-q", remote, clone], check=True)
    change(clone)
    subprocess.run(["git", "-C", clone, "add", "-A"], check=True)
    subprocess.run(["git", "-C", clone, "commit", "-qm", "by hand"], check=True)
    subprocess.run(["git", "-C", clone, "push", "-q"], check=True)


class TestReading:
    @pytest.mark.parametrize(
        ("kwargs", "error", "message"),
        [
            ({"version": "ffffffffff"}, dc.NotFoundError, "no version ffffffffff; the newest are"),
            ({"version": "../../x"}, dc.InvalidInputError, "hex digits"),
            ({"version": ""}, dc.InvalidInputError, "hex digits"),
            ({"cut": "nope"}, dc.NotFoundError, "no cut 'nope'; the latest are 'c'"),
            ({"cut": "c", "version": "0"}, dc.InvalidInputError, "by version or by cut"),
            ({"as_of": "yesterday"}, dc.InvalidInputError, "as_of must be"),
            ({"as_of": "2020-01-01"}, dc.NotFoundError, "the first is of"),
            ({"as_of": 3}, dc.InvalidInputError, "as_of must be"),
            ({"as_of": pd.NaT}, dc.InvalidInputError, "as_of must be"),
            ({"columns": ["AGE", "NOPE", "NADA"]}, dc.InvalidInputError, "'NOPE', 'NADA'.*it has"),
            ({"columns": ["AGE", "AGE"]}, dc.InvalidInputError, "Asked for twice: 'AGE'"),
            ({"columns": "AGE"}, dc.InvalidInputError, r"write \['AGE'\]"),
        ],
    )
    def test_arguments(
        self, project: dc.Project, dm: Frame, kwargs: dict[str, Any], error: type[dc.DatomError], message: str
    ) -> None:
        project.write("dm", dm(3), cut="c")
        with pytest.raises(error, match=message):
            project.reader.read("dm", **kwargs)

    def test_unknown_table_names_the_known_ones(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3))
        for call in (project.reader.read, project.reader.metadata, project.reader.parents, project.parent):
            with pytest.raises(dc.NotFoundError, match=r"no table 'ex'\. It has: dm"):
                call("ex")
        with pytest.raises(dc.NotFoundError):
            project.reader.history("ex")

    def test_a_table_that_a_cut_does_not_hold(self, project: dc.Project, dm: Frame) -> None:
        project.write("dm", dm(3), cut="c")
        project.write("ex", dm(3))
        with pytest.raises(dc.NotFoundError, match="does not hold ex; it holds dm"):
            project.reader.read("ex", cut="c")

    def test_an_ambiguous_prefix_names_the_candidates(self, project: dc.Project, dm: Frame) -> None:
        versions = [project.write("dm", dm(n)).version for n in range(1, 18)]  # 17 into 16 first digits
        digit, _ = Counter(v[0] for v in versions).most_common(1)[0]
        with pytest.raises(dc.InvalidInputError, match="Give more digits") as caught:
            project.reader.read("dm", version=digit)
        assert all(v[:16] in str(caught.value) for v in versions if v[0] == digit)

    @pytest.mark.parametrize("flip", [0, 4, 200, -5, -1])
    def test_a_corrupt_payload(self, project: dc.Project, dm: Frame, store: dc.LocalStore, flip: int) -> None:
        result = project.write("dm", dm(3))
        path = Path(store.location.root) / "datom" / "dm" / f"{result.data_sha}.parquet"
        data = bytearray(path.read_bytes())
        data[flip] ^= 0x10
        path.write_bytes(data)
        for kwargs in ({}, {"version": result.version}, {"columns": ["AGE"]}):
            with pytest.raises(dc.IntegrityError, match="Do not use this data") as caught:
                project.reader.read("dm", **kwargs)
        assert caught.value.expected != caught.value.actual

    @pytest.mark.parametrize("harm", [b"", b"<html>", b"PAR1"])
    def test_a_replaced_payload(self, project: dc.Project, dm: Frame, store: dc.LocalStore, harm: bytes) -> None:
        result = project.write("dm", dm(3))
        (Path(store.location.root) / "datom" / "dm" / f"{result.data_sha}.parquet").write_bytes(harm)
        with pytest.raises(dc.IntegrityError):
            project.reader.read("dm")

    @pytest.mark.parametrize("key", ["dm/.metadata/metadata.json", "dm/.metadata/version_history.json"])
    @pytest.mark.parametrize(
        "harm",
        [
            lambda data: data[: len(data) // 2],
            lambda _: b"",
            lambda _: b"\xff\xfe",
            lambda _: b"[" * 100_000,
            lambda _: b'{"a": NaN}',
            lambda _: b'{"data_sha": "x", "data_sha": "y"}',
            lambda _: b"null",
            lambda _: b"7",
            lambda _: b'[{"version": 3}]',
            lambda _: b'{"data_sha": {"a": 1}}',
            lambda data: data.replace(b'"nrow": 3', b'"nrow": 1e999').replace(
                b'"timestamp"', b'"x": 1e999, "timestamp"'
            ),
        ],
    )
    def test_a_damaged_document(
        self, project: dc.Project, dm: Frame, store: dc.LocalStore, key: str, harm: Callable[[bytes], bytes]
    ) -> None:
        version = project.write("dm", dm(3)).version
        stored = store.get(key)
        store.replace(key, harm(stored.data), stored.etag)
        with pytest.raises(dc.FormatError, match=key.rsplit("/", 1)[-1]):
            project.reader.read("dm", version=version)

    @pytest.mark.parametrize("field", ["data_sha"])
    def test_a_document_that_points_outside(
        self, project: dc.Project, dm: Frame, store: dc.LocalStore, field: str
    ) -> None:
        project.write("dm", dm(3))
        stored = store.get("dm/.metadata/metadata.json")
        document = {**json.loads(stored.data), field: "../../../etc/passwd"}
        store.replace("dm/.metadata/metadata.json", json.dumps(document).encode(), stored.etag)
        with pytest.raises(dc.FormatError, match="not a content hash"):
            project.reader.read("dm")


class TestPlaces:
    def test_a_store_that_is_not_there(self, project: dc.Project, tmp_path: Path, remote: Path) -> None:
        nowhere = dc.LocalStore(tmp_path / "nowhere")
        with pytest.raises(dc.NotFoundError, match="is not there"):
            dc.ProjectReader.open(nowhere, "STUDY_001")
        with pytest.raises(dc.NotFoundError, match="is not there"):
            dc.Project.open(nowhere, remote=remote)

    def test_a_path_in_place_of_a_store(self, tmp_path: Path, remote: Path) -> None:
        for call in (
            lambda: dc.ProjectReader.open(str(tmp_path), "S"),  # type: ignore[arg-type]
            lambda: dc.Project.open(str(tmp_path), remote=remote),  # type: ignore[arg-type]
            lambda: dc.Project.init("S", tmp_path, remote=remote),  # type: ignore[arg-type]
        ):
            with pytest.raises(dc.InvalidInputError, match="LocalStore"):
                call()

    def test_a_store_without_a_project(self, tmp_path: Path) -> None:
        with pytest.raises(dc.NotFoundError, match="holds no datom project"):
            dc.ProjectReader.open(dc.LocalStore(tmp_path), "STUDY_001")

    def test_a_store_with_another_project(self, project: dc.Project, store: dc.LocalStore) -> None:
        with pytest.raises(dc.NotFoundError, match="holds the project 'STUDY_001', not 'STUDY_002'"):
            dc.ProjectReader.open(store, "STUDY_002")

    def test_another_store_than_the_recorded_one(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        other = dc.LocalStore(tmp_path / "other")
        (tmp_path / "other").mkdir()
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.Project.open(other, remote=remote)
        assert str(project.store.location) in str(caught.value)
        assert str(other.location) in str(caught.value)
        assert "relocate=True" in str(caught.value)

    @pytest.mark.parametrize("url", ["{tmp}/nowhere.git", "file://{tmp}/nowhere.git"])
    def test_a_remote_that_is_not_there(self, store: dc.LocalStore, tmp_path: Path, url: str) -> None:
        with pytest.raises(dc.NotFoundError, match="no git repository at"):
            dc.Project.open(store, remote=url.format(tmp=tmp_path))

    def test_a_server_that_is_not_there(self, store: dc.LocalStore) -> None:
        with pytest.raises(dc.StorageError, match="Failed to connect"):
            dc.Project.open(store, remote="http://127.0.0.1:9/x.git")

    def test_an_empty_remote(self, store: dc.LocalStore, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--bare", tmp_path / "empty.git"], check=True)
        with pytest.raises(dc.NotFoundError, match="is empty: there is no project yet"):
            dc.Project.open(store, remote=tmp_path / "empty.git")

    @pytest.fixture
    def source_code(self, tmp_path: Path) -> Path:
        remote = tmp_path / "code.git"
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", remote], check=True)
        edit(remote, tmp_path / "code", lambda folder: (folder / "main.py").write_text("print()"))
        return remote

    def test_a_remote_that_holds_something_else(self, store: dc.LocalStore, source_code: Path) -> None:
        head = git(source_code, "rev-parse", "main")
        with pytest.raises(dc.NotFoundError, match=r"holds no datom project.*main\.py"):
            dc.Project.open(store, remote=source_code)
        with pytest.raises(dc.AlreadyExistsError, match="is not empty and holds no datom project"):
            dc.Project.init("S", store, remote=source_code)
        assert git(source_code, "rev-parse", "main") == head
        assert list(store.list()) == []

    def test_a_remote_of_another_project(self, project: dc.Project, remote: Path, tmp_path: Path) -> None:
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_001'"):
            dc.Project.init("STUDY_002", dc.LocalStore(tmp_path / "two"), remote=remote)
        assert not (tmp_path / "two").exists()

    def test_a_folder_that_is_no_repository(self, store: dc.LocalStore, tmp_path: Path) -> None:
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "x.txt").write_text("x")
        with pytest.raises(dc.AlreadyExistsError, match="not a git repository"):
            dc.Project.init("S", store, remote=tmp_path / "files")

    def test_a_namespace_with_other_objects(self, tmp_path: Path) -> None:
        store = dc.LocalStore(tmp_path / "s")
        store.create("dm/x.parquet", b"x")
        with pytest.raises(dc.AlreadyExistsError, match="holds objects but no datom project"):
            dc.Project.init("S", store, remote=tmp_path / "r.git")
        assert not (tmp_path / "r.git").exists()

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("https://user:planted-secret@example.org/x.git", "carries credentials"),
            ("https://planted-secret@example.org/x.git", "carries credentials"),
            ("ext::sh -c planted-secret", "transport helper"),
            ("ftp://example.org/x.git", "not accepted"),
            ("--upload-pack=touch /tmp/x", "not a URL"),
            ("", "needs the URL"),
        ],
    )
    def test_remotes_that_are_never_used(self, store: dc.LocalStore, url: str, message: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=message) as caught:
            dc.Project.init("S", store, remote=url)
        if "ext::" not in url:
            assert "planted-secret" not in str(caught.value)
            assert "planted-secret" not in repr(caught.value.details)

    def test_bad_branch(self, store: dc.LocalStore, tmp_path: Path) -> None:
        with pytest.raises(dc.InvalidInputError, match="branch"):
            dc.Project.init("S", store, remote=tmp_path / "r.git", branch="--force")

    def test_a_work_tree_cannot_be_pushed_to(self, store: dc.LocalStore, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--initial-branch=main", tmp_path / "tree"], check=True)
        with pytest.raises(dc.AccessDeniedError, match="checked out branch"):
            dc.Project.init("S", store, remote=tmp_path / "tree", branch="main")

    def test_a_hook_that_says_no(self, project: dc.Project, remote: Path, dm: Frame) -> None:
        hook = remote / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'protected branch: ask for a review' >&2\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(dc.AccessDeniedError, match="ask for a review"):
            project.write("dm", dm(3))
        hook.unlink()
        assert project.write("dm", dm(3)).action == "created"

    def test_without_a_git_program_reading_works_and_writing_says_what_is_missing(
        self, project: dc.Project, store: dc.LocalStore, remote: Path, dm: Frame
    ) -> None:
        project.write("dm", dm(3))
        script = f"""
import datom_core as dc
store = dc.LocalStore({store.location.root!r})
assert len(dc.ProjectReader.open(store, "STUDY_001").read("dm")) == 3
try:
    dc.Project.open(store, remote={str(remote)!r})
except dc.NotFoundError as error:
    assert "git program" in str(error), error
else:
    raise AssertionError("opened without git")
"""
        import sys

        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT")} | {"PATH": "/nonexistent"}
        subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, env=environment)


def change_json(path: Path, change: Callable[[Any], Any]) -> Callable[[Path], Any]:
    def apply(folder: Path) -> None:
        document = json.loads((folder / path).read_text())
        change(document)
        (folder / path).write_text(json.dumps(document))

    return apply


NEWER: list[tuple[str, Callable[[Path], Any], str]] = [
    ("manifest schema", change_json(Path(".datom/manifest.json"), lambda d: d.update(schema_version=3)), "schema 3"),
    ("table schema", change_json(Path("dm/metadata.json"), lambda d: d.update(schema_version=3)), "schema 3"),
    ("odd schema", change_json(Path(".datom/manifest.json"), lambda d: d.update(schema_version=True)), "whole number"),
    ("manifest field", change_json(Path(".datom/manifest.json"), lambda d: d.update(retention={})), "retention"),
    (
        "entry field",
        change_json(Path(".datom/manifest.json"), lambda d: d["artifacts"]["dm"].update(locked=True)),
        r"dm\.locked",
    ),
    ("table field", change_json(Path("dm/metadata.json"), lambda d: d.update(signature="x")), "signature"),
    ("cuts schema", change_json(Path(".datom/cuts.json"), lambda d: d.update(schema_version=2)), "schema 2"),
    (
        "writer floor",
        lambda folder: (folder / ".datom/project.yaml").open("a").write('min_writer_version: "9.0.0"\n'),
        "datom 9.0.0 or newer",
    ),
    (
        "writer floor that cannot be read",
        lambda folder: (folder / ".datom/project.yaml").open("a").write("min_writer_version: soon\n"),
        "soon",
    ),
    ("governance", lambda folder: (folder / ".datom/governance.json").write_text("{}"), "gov_repo_url"),
    ("damaged manifest", lambda folder: (folder / ".datom/manifest.json").write_text("{"), "not a readable JSON"),
    ("damaged project file", lambda folder: (folder / ".datom/project.yaml").write_text("a: ["), "not a readable YAML"),
    ("no history", lambda folder: (folder / "dm/version_history.json").unlink(), "version_history.json is missing"),
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(("_name", "change", "message"), NEWER, ids=[n[0] for n in NEWER])
def test_documents_that_this_release_may_not_rewrite(
    project: dc.Project,
    store: dc.LocalStore,
    remote: Path,
    tmp_path: Path,
    dm: Frame,
    _name: str,
    change: Callable[[Path], Any],
    message: str,
) -> None:
    project.write("dm", dm(3), cut="c")
    edit(remote, tmp_path / "clone", change)
    head = git(remote, "rev-parse", "HEAD")
    before = {o.key: store.get(o.key).data for o in store.list()}
    with pytest.raises(dc.FormatError, match=message):
        project.write("dm", dm(4))
    with pytest.raises(dc.FormatError, match=message):
        project.cut("next", {"ex": dm(2), "dm": dm(4)})
    assert git(remote, "rev-parse", "HEAD") == head
    assert {o.key: store.get(o.key).data for o in store.list()} == before
    assert len(project.reader.read("dm")) == 3
