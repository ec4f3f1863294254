"""Storage and git that change while they are looked at, or fail: no false alarm, and nothing certain is withheld."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import datom_core as dc
from datom_core.testing import FailingStore, StoreCall
from tests.resilience.faults.test_writers import StallingStore, frame
from tests.resilience.faults.validation.damaging import ME, OLD, Prepared, Study, edit_git, gone


class CallingStore(FailingStore):
    """Calls back just before it is listed."""

    before: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self) -> None:
        super().__init__(dc.MemoryStore(), self._listed)

    def _listed(self, call: StoreCall) -> None:
        if (call.operation, call.key) == ("list", ""):
            self.before()


def test_storage_that_is_newer_than_the_commit_it_is_compared_with(prepared: Prepared, tmp_path: Path) -> None:
    study = Study(prepared, tmp_path, store := CallingStore())
    other = dc.Project.open(store, remote=study.remote, author=ME)

    def write() -> None:
        store.before = lambda: None
        other.write("dm", frame(7))
        other.write("lb", frame(1))

    store.before = write
    report = study.project.validate("full")
    assert (report.versions, report.strangers) == (9, ())


def test_a_payload_whose_commit_comes_after_the_look_is_no_stranger(study: Study, tmp_path: Path) -> None:
    donor = dc.Project.init("DONOR", dc.MemoryStore(), remote=tmp_path / "donor.git")
    key = f"dm/{donor.write('dm', frame(7)).data_sha}.parquet"
    study.store.create(key, donor.store.get(key).data)
    assert study.project.validate("deep").strangers == (key,)
    commits = []

    def commit(_: dc.Progress) -> None:
        if not commits:
            commits.append(study.project.write("dm", frame(7)).commit_sha)

    assert study.project.validate("deep", on_progress=commit).strangers == ()
    assert commits != [None]


def test_storage_that_lags_behind_for_a_moment(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0, 0.0, 0.0))
    study = Study(prepared, tmp_path, store := CallingStore())
    edit_git(study.remote, {".datom/manifest.json": lambda m: {**m, "updated_at": "2026-03-02T00:00:00Z"}})
    looks = []

    def catch_up() -> None:
        looks.append(0)
        if len(looks) == 3:
            study.project.mirror()

    store.before = catch_up
    assert study.project.validate("deep").ok
    assert len(looks) >= 3


@pytest.mark.parametrize("damaged", [False, True])
def test_writers_that_never_rest(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._LOOKS", 6)
    study = Study(prepared, tmp_path, store := CallingStore())
    other = dc.Project.open(store, remote=study.remote, author=ME)
    rows = iter(range(10, 99))
    store.before = lambda: void(other.write("ex", frame(next(rows))))
    if damaged:  # what they do not touch is certain all the same
        study.damage(OLD, gone)
        assert [p.key for p in study.problems("deep").problems] == [study.key(OLD)]
    else:
        with pytest.raises(dc.ConflictError, match="Validate again"):
            study.project.validate("deep")


def void(_: object) -> None:
    return None


def test_a_writer_at_work_is_no_false_alarm(
    project: dc.Project, store: dc.LocalStore, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.2, 0.8, 2.0))
    project.write("dm", frame(1))
    failed: list[BaseException] = []

    def write() -> None:
        try:
            writer = dc.Project.open(store, remote=remote)
            for n in range(2, 22):
                writer.write("dm" if n % 3 else "ex", frame(n), cut=f"c{n % 4}")
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    runs = 0
    while thread.is_alive():
        assert project.validate("deep").ok
        runs += 1
    thread.join()
    assert failed == []
    assert runs > 1
    assert project.validate("full").versions == 21


def test_a_writer_that_died_after_its_push(project: dc.Project, store: dc.LocalStore, remote: Path) -> None:
    project.write("dm", frame(2))

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dc.Project.open(StallingStore(store.location.root, die), remote=remote).write("dm", frame(3), cut="c")
    study = object.__new__(Study)
    study.project = project
    assert {p.kind for p in study.problems("quick").problems} == {"missing", "stale"}
    assert project.validate("deep", fix=True).ok
    assert len(project.reader.read("dm", cut="c")) == 3


@pytest.mark.parametrize("error", [dc.StorageError, dc.AccessDeniedError])
@pytest.mark.parametrize("at", ["list", "manifest.json", ".parquet", "{dm1}.json"])
def test_a_store_that_fails_is_not_a_store_that_lacks_something(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[dc.DatomError], at: str
) -> None:
    study = Study(prepared, tmp_path)
    real = study.store.get

    def get(key: str) -> dc.StoredObject:
        if key.endswith(study.key(at)):
            raise error("no")
        return real(key)

    def fail(_: str = "") -> Iterator[dc.ObjectInfo]:
        raise error("no")

    monkeypatch.setattr(study.store, *(("list", fail) if at == "list" else ("get", get)))
    with pytest.raises(error, match="no"):
        study.project.validate("full", fix=True)
