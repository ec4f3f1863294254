"""Whoever watches is told how far long work is, wherever it is done."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pyarrow as pa
import pytest

import datom_core as dc
from tests.s3.server import S3Server

PART = 5 * 2**20  # the smallest that S3 takes


@pytest.fixture
def watched() -> list[dc.Progress]:
    return []


def large() -> pa.Table:
    """Numbers that no encoding makes smaller: 16 MB."""
    chance = np.random.default_rng(1)
    return pa.table({"A": chance.random(1_000_000), "B": chance.random(1_000_000)})


def test_hash_upload_and_download(
    s3_server: S3Server,
    bucket: str,
    tmp_path: object,
    watched: list[dc.Progress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("transfer", "store"):
        monkeypatch.setattr(f"datom_core.storage.s3.{module}.PART_BYTES", PART)
    project = dc.Project.init("STUDY_001", s3_server.store(bucket, "study"), remote=f"{tmp_path}/study.git")
    frame = large()
    with dc.watching(watched.append):
        project.write("lb", frame)
        assert project.reader.read_arrow("lb").equals(frame)
        assert project.validate("full").ok
    project.write("lb", frame.slice(0, 900_000))  # nobody watches any more
    steps = {what: list(told) for what, told in groupby(watched, lambda p: p.what)}
    assert list(steps)[:3] == ["hash", "upload", "download"]
    assert [(p.objects, p.key) for p in steps["hash"]] == [(1, "A"), (2, "B")]
    size = project.reader.history("lb")[-1]
    stored = s3_server.store(bucket, "study").head(f"lb/{size.data_sha}.parquet")
    assert stored is not None
    for what in ("upload", "download"):
        told = steps[what]
        assert len(told) == told[-1].total_objects - (what == "download"), "the first range is no report of its own"
        assert [p.bytes for p in told] == sorted(p.bytes for p in told)
        assert (told[-1].bytes, told[-1].total_bytes) == (stored.size, stored.size)
    assert "payloads" in steps, "validation tells as well"


def test_an_error_of_who_watches_breaks_off_before_any_commit(project: dc.Project) -> None:
    def stop(progress: dc.Progress) -> None:
        raise KeyboardInterrupt

    with dc.watching(stop), pytest.raises(KeyboardInterrupt):
        project.write("lb", large())
    assert not list(project.reader.list())
    assert project.write("lb", large()).action == "created"


def test_each_thread_has_its_own_watcher(watched: list[dc.Progress]) -> None:
    with dc.watching(watched.append):
        with dc.watching(lambda p: None):
            dc.hash_table(large())
        assert watched == []
        dc.hash_table(large())
    assert len(watched) == 2
