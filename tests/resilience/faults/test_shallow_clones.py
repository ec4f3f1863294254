"""A new clone begins with the newest commit alone; whoever walks the history gets all of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.git_http import bare_repository, served
from tests.long import LONG
from tests.patience import PATIENCE


def frame(n: int) -> pa.Table:
    return pa.table({"USUBJID": ["01", "02"], "N": [n, n + 1]})


@pytest.fixture(params=["file", "http"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    bare_repository(tmp_path / "served" / "study.git")
    if request.param == "file":
        yield str(tmp_path / "served" / "study.git")
        return
    with served(tmp_path / "served") as server:
        yield server.url("study.git")


@pytest.fixture
def old(store: dc.LocalStore, remote: str, tmp_path: Path, clock: Clock) -> dc.Project:
    """A project with a history."""
    project = dc.Project.init("STUDY_001", store, remote=remote, cache_dir=tmp_path / "old", clock=clock)
    for n in range(6):
        project.write("dm", frame(n))
    project.write("ae", frame(0))
    return project


def commits_at_hand(cache: Path) -> int:
    [clone] = cache.glob("*.git")
    out = subprocess.run(["git", f"--git-dir={clone}", "rev-list", "--all", "--count"], capture_output=True, check=True)
    return int(out.stdout)


def opened(old: dc.Project, cache: Path, clock: Clock) -> dc.Project:
    return dc.Project.open(old.store, remote=old.remote, cache_dir=cache, clock=clock)


def test_writers_need_the_newest_commit_alone(old: dc.Project, tmp_path: Path, clock: Clock) -> None:
    cache = tmp_path / "new"
    project = opened(old, cache, clock)
    assert commits_at_hand(cache) == 1
    assert not project.status().behind
    first = project.write("dm", frame(10))
    old.write("dm", frame(11))
    second = project.write("dm", frame(12))
    assert project.write("dm", frame(12)).action == "unchanged"
    assert project.cut("lock", {"dm": frame(12), "ae": frame(1)}).commit_sha
    assert commits_at_hand(cache) <= 6
    history = project.reader.history("dm")
    assert [v.version for v in history][:3:2] == [second.version, first.version]
    assert len(history) == 9
    assert all(v.commit_sha for v in history)


def test_what_walks_the_history_gets_it(old: dc.Project, tmp_path: Path, clock: Clock) -> None:
    cache = tmp_path / "new"
    project = opened(old, cache, clock)
    kept = [(v.version, v.commit_sha) for v in project.reader.history("dm")]
    for info in list(old.store.list()):
        if "/.metadata/" in info.key:
            old.store.delete(info.key)
    project.mirror()
    assert [(v.version, v.commit_sha) for v in project.reader.history("dm")] == kept
    assert commits_at_hand(cache) == 8
    assert project.validate("full").ok


_MIRROR = """
import sys, datom_core as dc
store, remote, cache = sys.argv[1:]
project = dc.Project.open(dc.LocalStore(store), remote=remote, cache_dir=cache, author="A <a@example.org>")
project.mirror()
project.validate("deep")
"""


def test_several_processes_begin_and_deepen_one_clone(old: dc.Project, tmp_path: Path, clock: Clock) -> None:
    for info in list(old.store.list()):
        if "/.metadata/" in info.key:
            old.store.delete(info.key)
    cache = tmp_path / "new"
    command = [sys.executable, "-c", _MIRROR, old.store.location.root, old.remote, str(cache)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4 if LONG else 2)]
    for process in running:
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said.decode()
    assert commits_at_hand(cache) == 8
    assert len(list(cache.glob("*.git"))) == 1
    assert not list(cache.glob("old-*")), "nobody had to throw a clone away"


def test_a_push_of_unknown_outcome_is_looked_up_in_the_whole_history(
    old: dc.Project, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to a push is lost, others push after it, and the clone is gone."""
    import shutil

    from datom_core.git import cache as clones

    cache = tmp_path / "new"
    project = opened(old, cache, clock)
    real, lost = clones.CloneCache.run, []

    def run(self: clones.CloneCache, *args: str, **options: object) -> bytes:
        out = real(self, *args, **options)  # type: ignore[arg-type]
        if "push" in args and str(self.path).startswith(str(cache)) and not lost:
            lost.append(args)
            shutil.rmtree(self.path)
            for n in range(3):
                old.write("ae", frame(50 + n))
            raise clones.GitFailedError("fatal: the remote end hung up unexpectedly")
        return out

    monkeypatch.setattr(clones.CloneCache, "run", run)
    written = project.write("dm", frame(20), message="Arrived")
    assert lost
    assert written.action == "created"
    found = [v.message for v in project.reader.history("dm")]
    assert found.count("Arrived") == 1
    assert len(project.reader.history("ae")) == 4
