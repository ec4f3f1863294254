"""Payloads that are lost, late, damaged, or not the ones that were recorded."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock, FailingStore, StoreCall
from tests.r_colleague import RColleague, frame
from tests.resilience.faults.test_writers import StallingStore


def other_bytes(n: int) -> pd.DataFrame:
    """The content of ``frame(n, "r")``, which parquet stores in other bytes."""
    return frame(n, "r").astype("category")


def key(n: int) -> str:
    return f"lb/{dc.hash_table(frame(n, 'r')).data_sha}.parquet"


def before_a_payload(store: dc.ObjectStore, act: Callable[[], object]) -> dc.ObjectStore:
    """The store, with something that happens just before the first payload is created."""
    waiting = [act]

    def before(call: StoreCall) -> None:
        if waiting and call.operation == "create" and call.key.endswith(".parquet"):
            waiting.pop()()

    return FailingStore(store, before)


def test_readers_keep_what_they_have_until_the_bytes_are_there(
    project: dc.Project, store: dc.LocalStore, colleague: RColleague, donor: dc.Project, remote: Path
) -> None:
    store.create(key(2), colleague.push_version_of("lb", donor, 2))
    project.mirror()
    colleague.push_version_of("lb", donor, 4)  # pushed by R, not yet uploaded
    seen = []
    watched = before_a_payload(store, lambda: seen.append(len(project.reader.read("lb"))))
    result = dc.Project.open(watched, remote=remote).write("lb", other_bytes(4))
    assert seen == [2]
    assert result.action == "repaired"
    assert len(project.reader.read("lb")) == 4
    assert project.status().level


def test_a_late_upload_by_r_after_our_repair_is_recorded_as_it_is(
    project: dc.Project, store: dc.LocalStore, colleague: RColleague, donor: dc.Project
) -> None:
    late = colleague.push_version_of("lb", donor, 4)
    assert project.write("lb", other_bytes(4)).action == "repaired"
    (Path(store.location.root) / "datom" / key(4)).write_bytes(late)  # R overwrites
    with pytest.raises(dc.IntegrityError):
        project.reader.read("lb")
    assert project.write("lb", frame(4, "r")).action == "repaired"
    assert len(project.reader.read("lb")) == 4
    assert project.write("lb", frame(4, "r")).action == "unchanged"


def test_an_upload_between_our_look_and_our_own_is_taken_as_it_is(
    project: dc.Project, store: dc.LocalStore, colleague: RColleague, donor: dc.Project, remote: Path
) -> None:
    late = colleague.push_version_of("lb", donor, 4)
    watched = before_a_payload(store, lambda: store.create(key(4), late))
    result = dc.Project.open(watched, remote=remote).write("lb", other_bytes(4))
    assert result.action == "repaired"
    assert len(project.reader.read("lb")) == 4
    assert project.status().level


def test_two_encoders_that_repair_at_once(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path
) -> None:
    first = project.write("lb", frame(3, "r"))
    store.delete(key(3))
    rival = dc.Project.open(store, remote=remote, cache_dir=tmp_path / "rival")
    watched = before_a_payload(store, lambda: rival.write("lb", frame(3, "r")))
    dc.Project.open(watched, remote=remote).write("lb", other_bytes(3))
    assert len(project.reader.read("lb", first.version)) == 3
    assert project.status().level


@pytest.mark.parametrize("harm", [b"", b"PAR1junkPAR1"])
def test_a_cut_does_not_name_data_that_cannot_be_read(
    project: dc.Project, store: dc.LocalStore, remote: Path, harm: bytes
) -> None:
    project.write("lb", frame(3, "r"))
    (Path(store.location.root) / "datom" / key(3)).write_bytes(harm)
    before = project.status().commit
    with pytest.raises(dc.IntegrityError, match="Restore it from a backup, or remove it"):
        project.write("lb", frame(3, "r"), cut="lock")
    assert project.status().commit == before
    store.delete(key(3))
    assert project.write("lb", frame(3, "r"), cut="lock").action == "repaired"
    assert len(project.reader.read("lb", cut="lock")) == 3


def test_a_cut_is_not_recorded_of_a_version_whose_data_is_lost(project: dc.Project, store: dc.LocalStore) -> None:
    old = project.write("lb", frame(3, "r"))
    project.write("lb", frame(4, "r"))
    store.delete(key(3))
    with pytest.raises(dc.NotFoundError, match=f"lb@{old.version[:8]} is not in"):
        project.record_cut("lock", {"lb": old.version})
    assert "lock" not in project.reader.cuts()


def test_a_store_that_went_away_is_not_made_anew(project: dc.Project, store: dc.LocalStore, tmp_path: Path) -> None:
    project.write("dm", frame(2))
    Path(store.location.root).rename(tmp_path / "unmounted")
    for call in (
        lambda: project.write("dm", frame(3)),
        lambda: project.record_cut("c", ["dm"]),
        project.mirror,
        project.upgrade,
    ):
        with pytest.raises(dc.NotFoundError, match="is not there"):
            call()
    assert not Path(store.location.root).exists()
    (tmp_path / "unmounted").rename(store.location.root)
    assert project.write("dm", frame(3)).action == "created"
    assert project.status().level


def test_a_project_is_not_founded_over_a_history_whose_store_is_empty(
    project: dc.Project, store: dc.LocalStore, remote: Path
) -> None:
    project.write("dm", frame(2))
    for info in list(store.list()):
        store.delete(info.key)
    with pytest.raises(dc.AlreadyExistsError, match=r"with 1 tables, but .* is empty"):
        dc.Project.init("STUDY_001", store, remote=remote)


def test_who_still_holds_the_old_place_writes_nowhere(
    project: dc.Project, store: dc.LocalStore, remote: Path, tmp_path: Path
) -> None:
    project.write("dm", frame(2))
    Path(store.location.root).rename(tmp_path / "moved")
    dc.Project.open(dc.LocalStore(tmp_path / "moved"), remote=remote, relocate=True)
    Path(store.location.root).mkdir()
    for call in (lambda: project.record_cut("c", ["dm"]), project.upgrade, project.mirror, project.status):
        with pytest.raises(dc.ConflictError, match="has moved to"):
            call()
    assert list(store.list()) == []


def test_a_newer_document_in_storage_is_refused_before_the_push(
    project: dc.Project, store: dc.LocalStore, remote: Path
) -> None:
    project.write("dm", frame(2))
    before = project.status().commit
    stored = store.get("dm/.metadata/metadata.json")
    store.replace(
        "dm/.metadata/metadata.json", stored.data.replace(b'"schema_version": 2', b'"schema_version": 3'), stored.etag
    )
    with pytest.raises(dc.FormatError, match="schema 3"):
        project.write("dm", frame(3))
    assert (remote / "refs" / "heads" / "main").read_text().strip() == before


def test_a_revert_by_r_is_part_of_the_past_also_after_we_write(
    project: dc.Project, colleague: RColleague, clock: Clock
) -> None:
    a = project.write("dm", frame(2))
    project.write("dm", frame(3))
    reverted_at = colleague.revert("dm", a.version, hours_later=5)
    project.mirror()
    assert len(project.reader.read("dm", as_of=reverted_at + timedelta(minutes=5))) == 2
    clock.now = reverted_at + timedelta(hours=2)
    project.write("dm", frame(5))
    assert len(project.reader.read("dm", as_of=reverted_at + timedelta(minutes=5))) == 2
    assert len(project.reader.read("dm")) == 5


def test_two_inits_of_one_place(store: dc.LocalStore, tmp_path: Path) -> None:
    def meanwhile() -> None:
        with pytest.raises(dc.AlreadyExistsError, match="is being created"):
            dc.Project.init("BBB", store, remote=tmp_path / "b.git")

    slow = StallingStore(store.location.root, meanwhile)
    slow.skip = 1
    dc.Project.init("AAA", slow, remote=tmp_path / "a.git")
    assert dc.ProjectReader.open(store).project == "AAA"
    assert not (tmp_path / "b.git").exists()


def test_another_projects_documents_are_never_overwritten(
    project: dc.Project, store: dc.LocalStore, tmp_path: Path
) -> None:
    project.write("dm", frame(2))
    stored = store.get(".metadata/manifest.json")
    foreign = stored.data.replace(b"STUDY_001", b"STUDY_999")
    store.replace(".metadata/manifest.json", foreign, stored.etag)
    with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_999'"):
        project.write("dm", frame(3))
    assert store.get(".metadata/manifest.json").data == foreign


def test_init_leaves_nothing_where_the_store_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(dc.StorageError, match="Check the path"):
        dc.Project.init("S", dc.LocalStore(tmp_path / "file" / "store"), remote=tmp_path / "r.git")
    assert not (tmp_path / "r.git").exists()


def test_init_takes_its_claim_back_when_the_remote_refuses(tmp_path: Path, store: dc.LocalStore) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "r.git"], check=True)
    hook = tmp_path / "r.git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(dc.AccessDeniedError):
        dc.Project.init("S", store, remote=tmp_path / "r.git")
    assert list(store.list()) == []
    hook.unlink()
    assert dc.Project.init("S", store, remote=tmp_path / "r.git").name == "S"
