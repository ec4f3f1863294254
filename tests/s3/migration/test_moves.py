"""A project moves with every version, and no write is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.long import sampled
from tests.s3.migration.looking import ELSEWHERE, Frame, Place, everything, fill, git
from tests.s3.proxy import Proxy
from tests.s3.server import S3Server

MOVES = [
    ("local/", "s3/team"),
    ("s3/team", "local/back"),
    ("s3/a", "s3b/b"),
    ("s3/a", "s3/a/b"),
    ("local/a", "local/b"),
]


# The older schema changes documents alone, which are copied as bytes: one move shows that, `make test-long` all.
@pytest.mark.parametrize(
    ("start", "end", "schema"), sampled([(*move, schema) for schema in (2, 1) for move in MOVES], 3)
)
def test_every_version_reads_the_same_from_the_new_place(
    place: Place, remote: Path, clock: Clock, dm: Frame, start: str, end: str, schema: int
) -> None:
    source, target = place(start), place(end)
    project = dc.Project.init("STUDY_001", source, remote=remote, schema=schema, clock=clock)
    fill(project, dm)
    before, commits = everything(project.reader), git(remote, "rev-list", "HEAD").split()
    told: list[dc.Progress] = []
    report = dc.migrate(project, target, on_progress=told.append)
    assert everything(dc.ProjectReader.open(target, "STUDY_001")) == before
    assert git(remote, "rev-list", "HEAD").split()[1:] == commits, "one commit, nothing rewritten"
    assert git(remote, "log", "-1", "--format=%s|%an").strip() == (
        f"Move the data from {source.location} to {target.location}|Test Author"
    )
    assert (report.objects, report.present, report.late, report.deleted) == (len(told) - 1, 0, 0, 0)
    copied = [t for t in told if t.what == "copy"]
    assert (copied[-1].objects, copied[-1].bytes) == (report.objects, report.bytes)
    ours = dc.Project.open(target, remote=remote, clock=clock)
    assert ours.status().level
    assert ours.write("dm", dm(9)).action == "created"
    assert not any(o.key == ".metadata/claim.json" for o in target.list())


def test_writers_of_the_old_place_are_told_of_the_new_one(project: dc.Project, place: Place, dm: Frame) -> None:
    dc.migrate(project, place("s3/team"))
    with pytest.raises(dc.ConflictError, match=r"has moved to s3:.*/team"):
        project.write("dm", dm(7))


def test_a_plan_alone_does_nothing(project: dc.Project, place: Place, remote: Path) -> None:
    head, target = git(remote, "rev-parse", "HEAD"), place(ELSEWHERE)
    report = dc.migrate(project, target, dry_run=True)
    assert (report.dry_run, report.present, report.commit_sha) == (True, 0, None)
    assert report.bytes > 5000
    assert list(target.list()) == []
    assert git(remote, "rev-parse", "HEAD") == head
    assert "objects" in repr(report)


@pytest.mark.parametrize("verify", ["hash", "size"])
def test_the_old_place_is_emptied_of_what_was_ours(project: dc.Project, place: Place, verify: Any) -> None:
    project.store.create("notes/by-hand.txt", b"not ours")
    before = everything(project.reader)
    report = dc.migrate(project, place("s3/team"), verify=verify, delete_source=True)
    assert [o.key for o in project.store.list()] == ["notes/by-hand.txt"] == list(report.left)
    assert report.deleted > 10
    assert everything(dc.ProjectReader.open(place("s3/team"))) == before


class TestWritesMeanwhile:
    """Somebody writes to the old place while its objects are on their way."""

    def migrate_with(self, project: dc.Project, target: dc.ObjectStore, meanwhile: Iterator[object]) -> Any:
        """Migrate, and let one thing happen after the copy and one right after the switch."""

        def tell(progress: dc.Progress) -> None:
            if progress.what in ("copy", "switch") and progress.objects == progress.total_objects:
                next(meanwhile, None)

        return dc.migrate(project, target, on_progress=tell)

    def test_a_write_between_copy_and_switch(
        self, project: dc.Project, place: Place, remote: Path, clock: Clock, dm: Frame
    ) -> None:
        colleague = dc.Project.open(project.store, remote=remote, clock=clock)

        def events() -> Iterator[object]:
            yield colleague.write("dm", dm(11), message="late")
            yield colleague.write("vs", dm(12), message="later")

        report = self.migrate_with(project, place(ELSEWHERE), events())
        assert report.late == 2
        reader = dc.ProjectReader.open(place(ELSEWHERE))
        assert [len(reader.read(t)) for t in ("dm", "vs")] == [11, 12]
        with pytest.raises(dc.ConflictError, match="has moved"):
            colleague.write("dm", dm(13))
        assert dc.Project.open(place(ELSEWHERE), remote=remote).status().level

    @pytest.mark.parametrize("when", ["before the switch", "at the switch"])
    def test_a_commit_whose_payload_comes_late_as_r_does_it(
        self, project: dc.Project, place: Place, remote: Path, clock: Clock, dm: Frame, when: str
    ) -> None:
        colleague = dc.Project.open(project.store, remote=remote, clock=clock)
        payload: list[tuple[str, bytes]] = []

        def events() -> Iterator[object]:
            if when == "at the switch":
                yield
            written = colleague.write("dm", dm(11), message="pushed, not uploaded")
            key = f"dm/{written.data_sha}.parquet"
            payload.append((key, bytes(project.store.get(key).data)))
            project.store.delete(key)
            yield

        source, target = project.store, place(ELSEWHERE)
        with pytest.raises(dc.StorageError, match="in neither place yet"):
            self.migrate_with(project, target, events())
        recorded = target if when == "at the switch" else source
        if when == "at the switch":
            assert len(dc.ProjectReader.open(target).read("dm")) == 2, "readers of the new place see the version before"
        source.create(*payload[0])
        dc.migrate(dc.Project.open(recorded, remote=remote), target, source=source)
        assert len(dc.ProjectReader.open(target).read("dm")) == 11

    @pytest.mark.parametrize("verify", ["hash", "size"])
    def test_a_write_while_it_copies(
        self, project: dc.Project, place: Place, remote: Path, clock: Clock, dm: Frame, verify: Any
    ) -> None:
        colleague = dc.Project.open(project.store, remote=remote, clock=clock)
        written: list[dc.WriteResult] = []

        def tell(progress: dc.Progress) -> None:
            if progress.what == "copy" and not written:
                written.append(colleague.write("dm", dm(11)))

        dc.migrate(project, place(ELSEWHERE), verify=verify, on_progress=tell)
        assert len(dc.ProjectReader.open(place(ELSEWHERE)).read("dm")) == 11

    @pytest.mark.parametrize("table", ["dm", "new"])
    def test_a_writer_who_stalled_before_its_projection_leaves_the_emptied_place_alone(
        self,
        project: dc.Project,
        place: Place,
        remote: Path,
        clock: Clock,
        dm: Frame,
        monkeypatch: pytest.MonkeyPatch,
        table: str,
    ) -> None:
        from datom_core.publishing.projector import Projector

        level = Projector.bring_level
        moved: list[dc.MigrationReport] = []

        def stalled(self: Projector, *args: Any, **kwargs: Any) -> Any:
            if self.store is colleague.store and not moved:
                monkeypatch.setattr(Projector, "bring_level", level)
                moved.append(dc.migrate(project, place(ELSEWHERE), delete_source=True))
            return level(self, *args, **kwargs)

        colleague = dc.Project.open(dc.LocalStore(project.store.location.root), remote=remote, clock=clock)
        monkeypatch.setattr(Projector, "bring_level", stalled)
        assert colleague.write(table, dm(11)).action == "created"
        assert moved
        left = [o.key for o in project.store.list()]
        assert all(len(key.rpartition("/")[2]) == 69 for key in left), "snapshots at most: nothing points to anything"
        assert len(dc.ProjectReader.open(place(ELSEWHERE)).read(table)) == 11

    def test_two_migrations_at_once(self, project: dc.Project, place: Place, remote: Path, clock: Clock) -> None:
        rival = dc.Project.open(project.store, remote=remote, clock=clock)

        def events() -> Iterator[object]:
            yield dc.migrate(rival, place("local/b"))

        with pytest.raises(dc.ConflictError, match="has moved to local:"):
            self.migrate_with(project, place(ELSEWHERE), events())
        assert dc.Project.open(place("local/b"), remote=remote).status().level


def test_and_back_again(project: dc.Project, place: Place, remote: Path, clock: Clock, dm: Frame) -> None:
    """The old place still holds what it held; it is completed, not refused."""
    dc.migrate(project, place(ELSEWHERE))
    there = dc.Project.open(place(ELSEWHERE), remote=remote, clock=clock)
    there.write("dm", dm(9))
    before = everything(there.reader)
    report = dc.migrate(there, place("local/"))
    assert report.present > 0
    assert everything(dc.ProjectReader.open(place("local/"))) == before


def test_an_old_copy_is_not_taken_for_the_project(project: dc.Project, place: Place, remote: Path, dm: Frame) -> None:
    dc.migrate(project, place(ELSEWHERE))
    dc.Project.open(place(ELSEWHERE), remote=remote).write("dm", dm(9))
    with pytest.raises(dc.NotFoundError, match="may be an old copy"):
        dc.Project.open(project.store, remote=remote, relocate=True)


def test_what_is_not_the_projects_stays_where_it_is(project: dc.Project, place: Place) -> None:
    project.store.create("notes/by-hand.txt", b"not ours")
    dc.migrate(project, place(ELSEWHERE))
    assert place(ELSEWHERE).head("notes/by-hand.txt") is None
    assert project.store.head("notes/by-hand.txt") is not None


@pytest.mark.parametrize("heeded", [True, False])
def test_within_one_server_the_bytes_stay_there_if_it_heeds_conditions(
    s3_server: S3Server,
    proxy: Proxy,
    bucket: str,
    remote: Path,
    dm: Frame,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    heeded: bool,
) -> None:
    if heeded:  # moto does not
        monkeypatch.setattr("datom_core.storage.s3.conditions.Conditions.known", lambda *_: True)
    source, target = (s3_server.store(bucket, p, endpoint_url=proxy.endpoint) for p in ("a", "b"))
    project = dc.Project.init("S", source, remote=remote, clock=clock)
    project.write("dm", dm(2000))
    key = f"dm/{project.reader.resolve('dm').data_sha}.parquet"
    proxy.seen.clear()
    dc.migrate(project, target, verify="size")
    puts = [r for r in proxy.seen if r.method == "PUT" and r.path.endswith(key)]
    assert [(r.size == 0, "x-amz-copy-source" in {h.lower() for h in r.headers}) for r in puts] == [(heeded, heeded)]


def test_a_copy_within_a_server_overwrites_nothing(s3_server: S3Server, bucket: str) -> None:
    source, target = s3_server.store(bucket, "a"), s3_server.store(bucket, "b")
    source.create("dm/x.parquet", b"new")
    target.create("dm/x.parquet", b"OLD")
    assert target.copy_from(source, "dm/x.parquet", 3) is False
    assert target.get("dm/x.parquet").data == b"OLD"
