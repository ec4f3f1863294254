"""A registered project moves: the register says where to, since when, by whom and why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from tests.s3.server import S3Server

Frame = Callable[[int], pd.DataFrame]


@pytest.fixture
def attached(governance: dc.Governance, project: dc.Project) -> dc.Project:
    return governance.attach(project)


@pytest.fixture
def target(tmp_path: Path) -> dc.LocalStore:
    return dc.LocalStore(tmp_path / "new", "studies/001")


def test_what_the_register_says(
    governance: dc.Governance, attached: dc.Project, target: dc.LocalStore, gov_remote: Path
) -> None:
    was = attached.store.location
    report = dc.migrate(
        attached, target, sunset_at="2027-01-31", message="to the new disk", author="Mo Ver <mo@example.org>"
    )
    record = governance.project("STUDY_001")
    assert record.location == target.location
    (former,) = record.previous
    assert (former.location, former.sunset_at) == (was, "2027-01-31")
    (event,) = record.events
    assert (event.kind, event.by, event.source, event.target) == (
        "data_migration",
        "mo@example.org",
        was,
        target.location,
    )
    assert (event.reason, event.objects, event.bytes) == ("to the new disk", report.objects, report.bytes)
    shown = repr(record)
    for text in (
        f"{was} (left ",
        "kept until 2027-01-31)",
        f"by mo@example.org: {was} -> {target.location} (to the new",
    ):
        assert text in shown
    raw = json.loads(bytes(governance.store.get("projects/STUDY_001/migration_history.json").data))[0]
    assert raw["occurred_at"] == raw["timestamp"]
    assert (raw["verified"], raw["verify_mode"]) == (True, "hash")
    log = subprocess.run(["git", "-C", gov_remote, "log", "-1", "--format=%B"], capture_output=True, text=True).stdout
    assert log.strip() == "Update ref for STUDY_001\n\nto the new disk"
    # The note for readers who come without the register moved along.
    assert target.head(".metadata/governance.json") is not None


def test_writers_of_the_old_place(
    attached: dc.Project, target: dc.LocalStore, remote: Path, dm: Frame, governance: dc.Governance
) -> None:
    dc.migrate(attached, target)
    with pytest.raises(dc.ConflictError, match="has moved to"):
        attached.write("dm", dm(9))
    moved = dc.Project.open(target, remote=remote)
    assert moved.write("dm", dm(9)).action == "created"
    assert len(dc.ProjectReader.find("STUDY_001", governance=governance.store).read("dm")) == 9


def test_back_and_forth(
    attached: dc.Project, target: dc.LocalStore, remote: Path, governance: dc.Governance, dm: Frame
) -> None:
    home = attached.store
    dc.migrate(attached, target, delete_source=True)
    dc.migrate(dc.Project.open(target, remote=remote), home, delete_source=True)
    record = governance.project("STUDY_001")
    assert record.location == home.location
    assert [f.location for f in record.previous] == [target.location, home.location]
    assert dc.Project.open(home, remote=remote).write("dm", dm(3)).action == "unchanged"
    assert list(target.list()) == []


def test_a_dry_run_changes_nothing(attached: dc.Project, target: dc.LocalStore, governance: dc.Governance) -> None:
    dc.migrate(attached, target, dry_run=True)
    assert governance.project("STUDY_001").location == attached.store.location


def test_an_unknown_project_is_not_moved(
    attached: dc.Project, target: dc.LocalStore, governance: dc.Governance
) -> None:
    governance.register.remove("STUDY_001", "gone")
    with pytest.raises(dc.NotFoundError, match=r"Governance\.attach"):
        dc.migrate(attached, target)
    assert list(target.list()) == []


def test_moved_elsewhere_meanwhile(
    attached: dc.Project, target: dc.LocalStore, governance: dc.Governance, tmp_path: Path
) -> None:
    third = dc.Location("local", "/third")
    governance.register.change("STUDY_001", lambda found, now: found and found.moved(third, now), "by hand")
    with pytest.raises(dc.ConflictError, match="local:/third"):
        dc.migrate(attached, target)


def test_registered_since_it_was_opened(governance: dc.Governance, project: dc.Project, target: dc.LocalStore) -> None:
    governance.attach(project)
    with pytest.raises(dc.ConflictError, match="Open it again"):
        dc.migrate(project, target)


class Stopped(BaseException):
    """The process is gone."""


@pytest.fixture
def stop_after_the_register(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    from datom_core.project.migration import _Migration

    def stop(self: Any, *args: Any) -> None:
        raise Stopped

    def install() -> None:
        monkeypatch.setattr(_Migration, "switch", stop)

    return install


def test_broken_off_after_the_switch_heals_on_the_next_open(
    attached: dc.Project,
    target: dc.LocalStore,
    remote: Path,
    dm: Frame,
    governance: dc.Governance,
    stop_after_the_register: Callable[[], None],
) -> None:
    stop_after_the_register()
    with pytest.raises(Stopped):
        dc.migrate(attached, target)
    # Readers have the new place already, and whoever writes to the old one is told.
    assert len(dc.ProjectReader.find("STUDY_001", governance=governance.store).read("dm")) == 3
    with pytest.raises(dc.ConflictError, match="has moved to"):
        attached.write("dm", dm(9))
    healed = dc.Project.open(target, remote=remote)
    assert healed.status().level
    assert healed.write("dm", dm(9)).action == "created"
    assert target.head(".metadata/claim.json") is None


def test_a_late_write_to_the_old_place_is_not_forgotten(
    attached: dc.Project,
    target: dc.LocalStore,
    remote: Path,
    dm: Frame,
    monkeypatch: pytest.MonkeyPatch,
    stop_after_the_register: Callable[[], None],
) -> None:
    from datom_core.reading.placement import PlacementGuard

    stop_after_the_register()
    with pytest.raises(Stopped):
        dc.migrate(attached, target)
    with monkeypatch.context() as patched:
        patched.setattr(PlacementGuard, "check", lambda *_: None)  # as R, which asked just before the switch
        attached.write("dm", dm(7), message="late")
    with pytest.raises(dc.ConflictError, match=r"not complete.*dm@"):
        dc.Project.open(target, remote=remote)
    monkeypatch.undo()
    dc.migrate(dc.Project.open(attached.store, remote=remote), target)
    assert len(dc.Project.open(target, remote=remote).reader.read("dm")) == 7


def test_to_s3_and_found_with_a_readers_keys_alone(
    attached: dc.Project, s3_server: S3Server, governance: dc.Governance, remote: Path, dm: Frame
) -> None:
    bucket = s3_server.bucket()
    dc.migrate(attached, s3_server.store(bucket, "p"))
    keys = s3_server.user(dc.iam_policy(s3_server.store(bucket, "p"), "reader"))
    found = dc.ProjectReader.find(
        "STUDY_001", governance=governance.store, credentials=keys, endpoint_url=s3_server.endpoint
    )
    assert len(found.read("dm")) == 3
    with pytest.raises(dc.InvalidInputError, match="give credentials="):
        dc.ProjectReader.find("STUDY_001", governance=governance.store)
    assert dc.Project.open(s3_server.store(bucket, "p"), remote=remote).write("dm", dm(4)).action == "created"
    # The same bucket, said to be in another region, is not what was registered.
    elsewhere = s3_server.store(bucket, "p", region="eu-west-1", check=False)
    elsewhere._checked = True  # a server that knows no regions
    with pytest.raises(dc.ConflictError, match="store of that region"):
        dc.Project.open(elsewhere, remote=remote).write("dm", dm(5))


def test_everything_on_s3(s3_server: S3Server, tmp_path: Path, dm: Frame) -> None:
    bucket = s3_server.bucket()
    governance = dc.Governance.init(s3_server.store(bucket, "gov"), remote=tmp_path / "gov.git")
    made = dc.Project.init("S", s3_server.store(bucket, "s"), remote=tmp_path / "s.git")
    governance.attach(made).write("dm", dm(2))
    # The register is reached with the credentials of the data's own bucket.
    assert dc.Project.open(made.store, remote=tmp_path / "s.git").write("dm", dm(3)).action == "created"
    policy = dc.iam_policy(s3_server.store(bucket, ""), "reader", scope="prefix")
    theirs = s3_server.store(bucket, "gov", credentials=s3_server.user(policy))
    found = dc.ProjectReader.find("S", governance=theirs)
    assert len(found.read("dm")) == 3
