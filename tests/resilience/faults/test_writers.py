"""Several writers at once, writers that stall, and a colleague who writes with R."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import FailingStore, StoreCall
from tests.patience import PATIENCE
from tests.r_colleague import RColleague, frame

# Processes that come of one which has imported all that they need, and has opened nothing: to import takes seconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def write_many(root: str, remote: str, worker: int, times: int, results: Any, environment: dict[str, str]) -> None:
    """One process: half of its writes go to a table of its own, half to the one that all share."""
    os.environ.update(environment)
    project = dc.Project.open(dc.LocalStore(root), remote=remote, author=f"W{worker} <w{worker}@example.org>")
    done = []
    for i in range(times):
        table = "shared" if i % 2 else f"own_{worker}"
        result = project.write(table, frame(i + 1, f"w{worker}"), message=f"worker {worker}, write {i}")
        done.append((table, result.version, result.data_sha, i + 1))
    results.put((worker, done))


def test_processes_lose_nothing(project: dc.Project, store: dc.LocalStore, remote: Path) -> None:
    workers, times = 4, 6
    results = PROCESSES.Queue()
    processes = [
        PROCESSES.Process(
            target=write_many, args=(store.location.root, str(remote), w, times, results, dict(os.environ))
        )
        for w in range(workers)
    ]
    for process in processes:
        process.start()
    written = dict(results.get(timeout=PATIENCE) for _ in processes)
    for process in processes:
        process.join(timeout=PATIENCE)
    assert [p.exitcode for p in processes] == [0] * workers

    reader = project.reader
    for done in written.values():
        for table, version, data_sha, rows in done:
            assert [v.data_sha for v in reader.history(table) if v.version == version] == [data_sha]
            assert len(reader.read(table, version)) == rows
    shared = sum(table == "shared" for done in written.values() for table, *_ in done)
    assert len(reader.history("shared")) == shared
    assert project.status().level
    assert project.mirror().written == ()
    log = subprocess.run(["git", "-C", remote, "rev-list", "--count", "HEAD"], capture_output=True, text=True).stdout
    assert int(log) == workers * times + 1
    subprocess.run(["git", "-C", remote, "fsck", "--strict"], check=True, capture_output=True)


class StallingStore(FailingStore):
    """Runs something just before its first change to a pointer or list."""

    skip = 0  # changes to let through first

    def __init__(self, path: str, meanwhile: Any) -> None:
        super().__init__(dc.LocalStore(path), self._interrupt)
        self.meanwhile = meanwhile

    def _interrupt(self, call: StoreCall) -> None:
        if call.operation not in ("create", "replace") or ".metadata/" not in call.key:
            return
        if self.skip:
            self.skip -= 1
        elif self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()


@pytest.mark.parametrize("others", [1, 3])
def test_a_writer_that_stalls_between_push_and_projection_does_no_harm(
    project: dc.Project, store: dc.LocalStore, remote: Path, others: int
) -> None:
    project.write("dm", frame(2))

    def meanwhile() -> None:
        for i in range(others):
            project.write("dm", frame(10 + i), message=f"newer {i}")
        project.write("ex", frame(5))

    stalled = dc.Project.open(StallingStore(store.location.root, meanwhile), remote=remote)
    stalled.write("dm", frame(3), message="stalled")
    assert len(project.reader.read("dm")) == 9 + others
    assert [v.message for v in project.reader.history("dm")][-2:] == ["stalled", "Update dm"]
    assert project.status().level


def test_a_writer_that_never_projects_is_brought_level_by_the_next_write_of_any_table(
    project: dc.Project, store: dc.LocalStore, remote: Path
) -> None:
    project.write("dm", frame(2))

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        dc.Project.open(StallingStore(store.location.root, die), remote=remote).write("dm", frame(3), cut="c")
    assert len(project.reader.read("dm")) == 2
    assert project.status().behind == ("dm",)
    project.write("ex", frame(1))
    assert len(project.reader.read("dm")) == 3
    assert dict(project.reader.cuts()["c"])
    assert project.status().level


def test_an_unchanged_write_brings_other_tables_level_and_stays_unchanged(
    project: dc.Project, store: dc.LocalStore, remote: Path
) -> None:
    project.write("dm", frame(2))
    project.write("ex", frame(2))
    old = {o.key: store.get(o.key).data for o in store.list()}
    project.write("ex", frame(3))
    for key in ("ex/.metadata/metadata.json", "ex/.metadata/version_history.json", ".metadata/manifest.json"):
        store.replace(key, old[key], store.get(key).etag)
    assert project.write("dm", frame(2)).action == "unchanged"
    assert len(project.reader.read("ex")) == 3


def test_no_pointer_to_a_payload_that_is_not_up_yet(
    project: dc.Project, store: dc.LocalStore, colleague: RColleague, donor: dc.Project
) -> None:
    project.write("dm", frame(1))
    payload = colleague.push_version_of("lb", donor, 4)
    project.write("dm", frame(2), cut="c")
    reader = project.reader
    assert [t.name for t in reader.list()] == ["dm"]
    with pytest.raises(dc.NotFoundError):
        reader.read("lb")
    assert project.status().waiting == ("lb",)
    # Late, but it comes.
    store.create(f"lb/{dc.hash_table(frame(4, 'r')).data_sha}.parquet", payload)
    project.write("dm", frame(3))
    assert len(reader.read("lb")) == 4
    assert [v.message for v in reader.history("lb")] == ["from R, 4 rows"]
    assert project.status().level


def test_the_old_version_stays_current_while_the_payload_of_the_new_one_is_missing(
    project: dc.Project, store: dc.LocalStore, colleague: RColleague, donor: dc.Project
) -> None:
    store.create(f"lb/{dc.hash_table(frame(2, 'r')).data_sha}.parquet", colleague.push_version_of("lb", donor, 2))
    project.mirror()
    before = project.reader.list()[0]
    colleague.push_version_of("lb", donor, 5)  # never uploaded
    project.write("dm", frame(1))
    assert project.reader.list("lb")[0] == before
    assert len(project.reader.read("lb")) == 2
    report = project.mirror()
    assert report.waiting == ("lb",)
    assert len(project.reader.read("lb")) == 2


def test_the_trap_of_an_unpublished_payload_is_healed_by_writing_the_frame(
    project: dc.Project, colleague: RColleague, donor: dc.Project
) -> None:
    # R's own retry says "none" here for ever, and the table stays unreadable.
    colleague.push_version_of("lb", donor, 4)
    assert project.write("lb", frame(4, "r")).action == "repaired"
    assert len(project.reader.read("lb")) == 4
    assert project.status().level


def test_a_cache_that_is_deleted_or_damaged_costs_time_alone(project: dc.Project, tmp_path: Path) -> None:
    project.write("dm", frame(1))
    cache = tmp_path / "cache" / "datom"
    assert cache.is_dir()
    for n, harm in enumerate((shutil.rmtree, corrupt, truncate_refs, drop_packs), 2):
        harm(cache)
        assert project.write("dm", frame(n)).action == "created"
        assert len(project.reader.history("dm")) == n
    assert project.mirror().written == ()


def corrupt(cache: Path) -> None:
    for path in cache.rglob("objects/??/*"):
        path.chmod(0o644)
        path.write_bytes(b"junk")


def truncate_refs(cache: Path) -> None:
    for path in cache.rglob("refs/datom/*"):
        path.write_bytes(b"")
    for path in cache.rglob("HEAD"):
        path.write_bytes(b"")


def drop_packs(cache: Path) -> None:
    for path in [*cache.rglob("objects/pack/*"), *cache.rglob("objects/??/*")]:
        os.chmod(path, 0o644)
        path.unlink()


def test_caches_of_two_projects_do_not_meet(project: dc.Project, tmp_path: Path) -> None:
    other = dc.Project.init("STUDY_002", dc.MemoryStore(), remote=tmp_path / "two.git")
    other.write("dm", frame(1))
    assert len(project.reader.list()) == 0
    assert len(list((tmp_path / "cache" / "datom" / "git").glob("*.git"))) == 2


def test_the_cache_is_for_its_user_alone(project: dc.Project, tmp_path: Path) -> None:
    assert (tmp_path / "cache" / "datom" / "git").stat().st_mode & 0o777 == 0o700


class InFlightError(Exception):
    """A writer died whose last request is still on its way."""


class LateStore(FailingStore):
    """Handles one creation otherwise: by default it dies there, with the request on its way."""

    key = ""
    request: bytes | None = None

    def __init__(self, path: str) -> None:
        super().__init__(dc.LocalStore(path), self._handle)

    def _handle(self, call: StoreCall) -> None:
        if (call.operation, call.key) != ("create", self.key):
            return
        self.key = ""
        if self.request is None:
            self.request = bytes(call.data)
            raise InFlightError
        assert self.inner.create(call.key, self.request)  # it arrives after the other has looked


@pytest.mark.parametrize(
    "key", ["dm/.metadata/version_history.json", "dm/.metadata/metadata.json", ".metadata/cuts.json"]
)
def test_an_older_document_that_appears_between_look_and_swap_does_not_stay(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path, key: str
) -> None:
    dying, late = LateStore(store.location.root), LateStore(store.location.root)
    dying.key = key
    with pytest.raises(InFlightError):
        dc.Project.open(dying, remote=remote, cache_dir=tmp_path / "a").write("dm", frame(2), cut="lock")
    late.key, late.request = key, dying.request
    written = dc.Project.open(late, remote=remote, cache_dir=tmp_path / "b").write("dm", frame(3), cut="lock")
    assert late.key == ""
    assert project.status().level
    assert project.reader.history("dm")[0].version == written.version
    for how in ({}, {"cut": "lock"}, {"version": written.version}):
        assert len(project.reader.read("dm", **how)) == 3
