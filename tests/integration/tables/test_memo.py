"""What a large table hashed to is remembered by its memory: for seeing that nothing changed, and for nothing else."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import datom_core as dc
from datom_core.tables import content_hash
from datom_core.tables.hash_cache import HashCache, fingerprint
from datom_core.tables.hashing import hash_normalised
from datom_core.tables.normalisation import Normalised
from datom_core.tables.tabular import normalised
from datom_core.testing import column_of, column_types

ROWS = 100_000


def lab(last: float = 0.0) -> pa.Table:
    values = np.arange(ROWS, dtype=np.float64)
    values[-1] = last
    return pa.table({"LBSEQ": np.arange(ROWS), "LBSTRESN": values})


def print_of(table: object) -> str:
    return fingerprint(normalised(table))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of every table whose hash was computed."""
    done: list[int] = []

    def noting(data: Normalised) -> dc.TableHash:
        done.append(data.table.num_rows)
        return hash_normalised(data)

    monkeypatch.setattr(content_hash, "hash_normalised", noting)
    return done


def folder_of(project: dc.Project) -> Path:
    memo = project._parts.memo
    assert memo is not None
    return memo.folder


def test_what_comes_again_unchanged_is_hashed_once(project: dc.Project, hashed: list[int]) -> None:
    first = project.write("lb", lab())
    assert (first.action, hashed) == ("created", [ROWS])
    again = project.write("lb", lab())
    assert (again.action, again.version, again.data_sha) == ("unchanged", first.version, first.data_sha)
    assert hashed == [ROWS]
    assert project.cut("lock", {"lb": lab()})["lb"].action == "unchanged"
    assert hashed == [ROWS, ROWS], "a cut is a commit, and what is recorded is hashed"
    project.cut("lock", {"lb": lab()})
    assert hashed == [ROWS, ROWS], "the same cut again is not"


def test_what_is_recorded_is_hashed_each_time(project: dc.Project, hashed: list[int]) -> None:
    first = project.write("lb", lab())
    project.write("lb", lab(1.0))
    hashed.clear()
    assert project.write("lb", lab(1.0), custom={"reason": "renamed"}).action == "metadata_only"
    assert hashed == [ROWS]
    assert project.write("lb", lab()).data_sha == first.data_sha, "an older state is a write as any other"
    assert hashed == [ROWS, ROWS]


def test_the_switch(project: dc.Project, store: dc.LocalStore, hashed: list[int], tmp_path: Path) -> None:
    project.write("lb", lab())
    without = dc.Project.open(store, remote=project.remote, cache_dir=tmp_path / "other", memo=False)
    for _ in range(2):
        assert without.write("lb", lab()).action == "unchanged"
    assert hashed == [ROWS] * 3
    assert not (tmp_path / "other" / "hashes").exists()


def test_a_small_table_is_not_worth_a_file(project: dc.Project) -> None:
    project.write("dm", pa.table({"USUBJID": ["01"]}))
    assert not folder_of(project).exists()


def test_the_folder_is_only_a_cache(project: dc.Project, hashed: list[int]) -> None:
    project.write("lb", lab())
    folder = folder_of(project)
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    shutil.rmtree(folder)
    assert project.write("lb", lab()).action == "unchanged"
    folder.chmod(0o500)
    for entry in folder.iterdir():
        entry.write_text("deadbeef")  # broken off
    assert project.write("lb", lab()).action == "unchanged"
    assert hashed == [ROWS] * 3


def test_no_version_is_made_by_an_entry(project: dc.Project, hashed: list[int], tmp_path: Path) -> None:
    """Whatever an entry says, what is recorded was hashed."""
    project.write("lb", lab())
    [entry] = folder_of(project).iterdir()
    entry.write_text("ab" * 32)
    again = project.write("lb", lab())
    assert (again.action, again.data_sha) == ("unchanged", dc.hash_table(lab()).data_sha)
    assert entry.read_text() == again.data_sha
    HashCache(folder_of(project).parent).keep(print_of(lab(2.0)), "cd" * 32)
    changed = project.write("lb", lab(2.0))
    assert (changed.action, changed.data_sha) == ("created", dc.hash_table(lab(2.0)).data_sha)
    assert project.validate("full").ok


def test_lost_data_is_put_back_whatever_is_remembered(
    project: dc.Project, store: dc.LocalStore, hashed: list[int]
) -> None:
    written = project.write("lb", lab())
    store.delete(f"lb/{written.data_sha}.parquet")
    assert project.write("lb", lab()).action == "repaired"
    assert hashed == [ROWS, ROWS]
    assert project.validate("full").ok


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    memo = HashCache(tmp_path)
    memo.folder.mkdir()
    for n in range(1499):
        kept = memo.folder / f"{n:064x}"
        kept.write_text("ab" * 32)
        os.utime(kept, ns=(n, n))
    memo.keep(f"{1499:064x}", "ab" * 32)
    assert len(list(memo.folder.iterdir())) <= 1024
    assert memo.recall(f"{1499:064x}") == "ab" * 32
    assert memo.recall(f"{0:064x}") is None


def test_a_slice_is_itself_alone() -> None:
    whole = lab()
    assert len({print_of(whole.slice(n, 1000)) for n in range(20)}) == 20
    text = pa.table({"x": ["a", "b", "c"] * 1000})
    assert print_of(text.slice(0, 1500)) != print_of(text)
    assert print_of(text.slice(3, 1500)) == print_of(text.slice(6, 1500)), "the same values of the same column"


def test_names_types_and_chunks_tell_apart() -> None:
    values = pa.array([1, 2, 3], pa.int32())
    tables = [
        pa.table({"x": values}),
        pa.table({"y": values}),
        pa.table({"x": values.cast(pa.uint32())}),
        pa.table({"x": values, "y": values}),
        pa.table({"x": values.cast(pa.float32())}),
        pa.table({"x": pa.array([1, 2, None], pa.int32())}),
        pa.table({"x": pa.array(["a", "bc"])}),
        pa.table({"x": pa.array(["ab", "c"])}),
        pa.table({"x": pa.array(["a", "b"]).dictionary_encode()}),
        pa.table({"x": pa.array(["a", "c"]).dictionary_encode()}),
    ]
    assert len({print_of(t) for t in tables}) == len(tables)


def test_a_frame_of_pandas_has_the_same_twice() -> None:
    def frame() -> pd.DataFrame:
        return pd.DataFrame({"USUBJID": ["01", None] * 100, "AGE": [1.5, 2.5] * 100, "N": range(200)})

    assert print_of(frame()) == print_of(frame())


@given(st.data())
def test_tables_that_share_a_fingerprint_have_one_hash(data: st.DataObject) -> None:
    kind, values = data.draw(st.sampled_from(column_types()))
    rows = st.lists(st.none() | values, min_size=1, max_size=4)
    # Few enough values that equal tables, and equal parts of unequal ones, do occur.
    seen: dict[str, str] = {}
    base = data.draw(rows)
    for _ in range(4):
        column = pa.chunked_array([column_of(kind, base), column_of(kind, data.draw(rows))])
        table = pa.table({"x": column})
        start = data.draw(st.integers(0, len(column) - 1))
        for part in (table, table.slice(start), table.slice(0, start + 1)):
            try:
                done = normalised(part)
            except dc.DatomError:
                continue
            sha = hash_normalised(done).data_sha
            assert seen.setdefault(fingerprint(done), sha) == sha
