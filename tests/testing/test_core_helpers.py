"""The helpers for users' tests do what they say."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings

import datom_core as dc
from datom_core.testing import FailingStore, column_of, column_types, memory_project, tables

Frame = Callable[[int], pd.DataFrame]


def test_a_project_of_a_test_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dm: Frame) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")  # no author there
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with memory_project(author="Ada <ada@example.org>") as project:
        project.write("dm", dm(3), message="first")
        [version] = project.reader.history("dm")
        assert (str(version.author), str(version.timestamp)[:10]) == ("Ada <ada@example.org>", "2026-01-01")
        assert any(tmp_path.iterdir())
    assert list(tmp_path.glob("datom-test-*")) == []
    assert not (tmp_path / "cache").exists()


def test_a_store_fails_where_a_test_says(dm: Frame) -> None:
    store = FailingStore(dc.MemoryStore())
    with memory_project(store=store) as project:
        store.fail("create", "*.parquet")
        with pytest.raises(dc.StorageError, match="a test said so"):
            project.write("dm", dm(3))
        assert not project.reader.list()
        assert project.write("dm", dm(3)).action == "created"
        store.fail("get", error=dc.AccessDeniedError("no", action="get", resource="x"), times=None)
        for _ in range(2):
            with pytest.raises(dc.AccessDeniedError):
                project.reader.read("dm")
        store.heal()
        assert len(project.reader.read("dm")) == 3
        assert {c.operation for c in store.calls if c.changes} >= {"create", "replace"}


def test_something_happens_between_a_look_and_a_write() -> None:
    store = FailingStore(dc.MemoryStore(), lambda call: store.inner.create("k", b"theirs") if call.changes else None)
    assert store.head("k") is None
    assert store.create("k", b"ours") is False


def test_what_cannot_fail_is_refused() -> None:
    with pytest.raises(dc.InvalidInputError, match=r"operation is one of.*times is at least 1"):
        FailingStore(dc.MemoryStore()).fail("put", times=0)  # type: ignore[arg-type]


@settings(max_examples=25)
@given(tables(max_rows=3, max_columns=2))
def test_every_table_can_be_written(table: pa.Table) -> None:
    assert 1 <= table.num_rows <= 3
    assert all(report.ok for report in dc.check_hashable(table))


def test_every_type_that_is_stored_has_a_strategy() -> None:
    kinds = [kind for kind, _ in column_types()]
    assert len(set(kinds)) == len(kinds) == 33
    assert column_of(pa.float16(), [None, 1.5]).to_pylist() == [None, 1.5]


def test_without_hypothesis_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(dc.MissingPackageError, match=r"datom-dagster\[testing\]"):
        tables()
