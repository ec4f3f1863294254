"""A project moves with every version, resumes wherever it broke off, and no write is lost on the way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import Clock
from tests.s3.proxy import Fault, Proxy
from tests.s3.server import S3Server

LONG = bool(os.environ.get("DATOM_LONG"))

Frame = Callable[[int], pd.DataFrame]
Place = Callable[[str], dc.ObjectStore]


def git(remote: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", remote, *args], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def place(tmp_path: Path, s3_server: S3Server, bucket: str) -> Place:
    """Stores by name: ``local/...`` or ``s3/...``, the rest a prefix; ``s3b/...`` is another bucket."""
    other: dict[str, str] = {}

    def make(name: str) -> dc.ObjectStore:
        kind, _, prefix = name.partition("/")
        if kind == "local":
            return dc.LocalStore(tmp_path / "data", prefix)
        if kind == "s3b":
            other.setdefault("bucket", s3_server.bucket())
        return s3_server.store(other["bucket"] if kind == "s3b" else bucket, prefix)

    return make


def fill(project: dc.Project, dm: Frame) -> None:
    """Versions of every kind: a revert, a metadata-only one, parents, a cut, an odd name."""
    for n in (2, 3, 2):
        project.write("dm", dm(n), message=f"{n} subjects", table_type="imported")
    project.write("dm", dm(2), custom={"reviewed": True}, table_type="imported")
    project.cut("lock", {"Lab (v1)": dm(5), "ex": dm(1)}, message="Database lock")
    project.write("adsl", dm(4), parents=[project.parent("dm")])


def everything(reader: dc.ProjectReader) -> dict[str, Any]:
    """All that a reader can learn."""
    found: dict[str, Any] = {"cuts": {name: dict(cut) for name, cut in reader.cuts().items()}}
    for table in reader.list():
        for entry in reader.history(table.name):
            metadata = reader.metadata(table.name, entry.version)
            content = dc.hash_table(reader.read_arrow(table.name, entry.version)).data_sha
            found[f"{table.name}@{entry.version}"] = (entry, dict(metadata.raw), content, metadata.parents)
        found[table.name] = (table, reader.resolve(table.name))
    return found


MOVES = [
    ("local/", "s3/team"),
    ("s3/team", "local/back"),
    ("s3/a", "s3b/b"),
    ("s3/a", "s3/a/b"),
    ("local/a", "local/b"),
]


# The older schema changes documents alone, which are copied as bytes: one move shows that, `make test-long` all.
@pytest.mark.parametrize(
    ("start", "end", "schema"), [(*move, 2) for move in MOVES] + [(*move, 1) for move in (MOVES if LONG else MOVES[:1])]
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


@pytest.fixture
def project(place: Place, remote: Path, clock: Clock, dm: Frame) -> dc.Project:
    project = dc.Project.init("STUDY_001", place("local/"), remote=remote, clock=clock)
    fill(project, dm)
    return project


def test_writers_of_the_old_place_are_told_of_the_new_one(project: dc.Project, place: Place, dm: Frame) -> None:
    dc.migrate(project, place("s3/team"))
    with pytest.raises(dc.ConflictError, match=r"has moved to s3:.*/team"):
        project.write("dm", dm(7))


def test_a_plan_alone_does_nothing(project: dc.Project, place: Place, remote: Path) -> None:
    head, target = git(remote, "rev-parse", "HEAD"), place("s3/team")
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


class TestRefusals:
    def test_the_same_place(self, project: dc.Project) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"lies in .* already"):
            dc.migrate(project, project.store)

    @pytest.mark.parametrize("alias", ["split", "link"])
    def test_one_folder_by_another_name(self, project: dc.Project, tmp_path: Path, alias: str) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "data")
        same = dc.LocalStore(tmp_path, "data") if alias == "split" else dc.LocalStore(tmp_path / "link")
        before = everything(project.reader)
        with pytest.raises(dc.InvalidInputError, match="already"):
            dc.migrate(project, same, delete_source=True)
        assert everything(project.reader) == before

    def test_one_place_that_nobody_could_tell(self, project: dc.Project, tmp_path: Path, remote: Path) -> None:
        """Two mounts of one disk, or two names of one server: what is written here shows there."""

        class Alias(dc.LocalStore):
            @property
            def location(self) -> dc.Location:
                return dc.Location("local", "/somewhere/else")

        before, head = everything(project.reader), git(remote, "rev-parse", "HEAD")
        alias = Alias(project.store.location.root)
        alias.delete(".metadata/manifest.json")  # else it would be seen as a copy of the project
        with pytest.raises((dc.InvalidInputError, dc.AlreadyExistsError)):
            dc.migrate(project, alias, delete_source=True)
        assert git(remote, "rev-parse", "HEAD") == head
        project.mirror()
        assert everything(project.reader) == before
        with pytest.raises(dc.InvalidInputError, match="are one place"):
            dc.migrate(project, alias, delete_source=True)
        assert everything(project.reader) == before

    def test_a_source_that_is_another_project(
        self, project: dc.Project, place: Place, remote: Path, tmp_path: Path, dm: Frame
    ) -> None:
        dc.migrate(project, place("s3/team"))
        other = dc.Project.init("STUDY_002", place("local/two"), remote=tmp_path / "two.git")
        other.write("dm", dm(2))
        before = everything(other.reader)
        moved = dc.Project.open(place("s3/team"), remote=remote)
        with pytest.raises(dc.InvalidInputError, match=r"holds the project 'STUDY_002'.*, not 'STUDY_001'"):
            dc.migrate(moved, place("s3/team"), source=other.store, delete_source=True)
        assert everything(other.reader) == before

    def test_a_namesake_without_tables(self, project: dc.Project, place: Place, tmp_path: Path) -> None:
        dc.Project.init("STUDY_001", place("s3/team"), remote=tmp_path / "two.git")
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_001'"):
            dc.migrate(project, place("s3/team"))

    def test_another_project(self, project: dc.Project, place: Place, tmp_path: Path) -> None:
        dc.Project.init("STUDY_002", place("s3/team"), remote=tmp_path / "two.git")
        with pytest.raises(dc.AlreadyExistsError, match="holds the project 'STUDY_002'"):
            dc.migrate(project, place("s3/team"))

    def test_another_project_of_the_same_name(
        self, project: dc.Project, place: Place, tmp_path: Path, dm: Frame
    ) -> None:
        twin = dc.Project.init("STUDY_001", place("s3/team"), remote=tmp_path / "two.git")
        twin.write("dm", dm(8))
        with pytest.raises(dc.AlreadyExistsError, match="with other versions of dm"):
            dc.migrate(project, place("s3/team"))

    def test_objects_of_nobody_knows_whom(self, project: dc.Project, place: Place) -> None:
        place("s3/team").create("dm/x.parquet", b"?")
        with pytest.raises(dc.AlreadyExistsError, match="holds objects, but no datom project"):
            dc.migrate(project, place("s3/team"))

    def test_another_migration_under_way(self, project: dc.Project, place: Place) -> None:
        place("s3/team").create(".metadata/claim.json", b'{"project": "other"}')
        for dry_run in (True, False):
            with pytest.raises(dc.AlreadyExistsError, match="is being filled by another"):
                dc.migrate(project, place("s3/team"), dry_run=dry_run)

    def test_a_source_that_lacks_data(self, project: dc.Project, place: Place) -> None:
        entries = project.reader.history("dm")
        project.store.delete(f"dm/{entries[-1].data_sha}.parquet")
        with pytest.raises(dc.IntegrityError, match="lacks the data of 2 versions") as caught:
            dc.migrate(project, place("s3/team"))
        lost = sorted(f"dm@{e.version[:8]}" for e in entries if e.data_sha == entries[-1].data_sha)
        assert list(caught.value.versions) == lost

    @pytest.mark.parametrize("end", ["s3/team", "local/b"])
    def test_a_source_whose_bytes_were_changed(
        self, project: dc.Project, place: Place, remote: Path, tmp_path: Path, end: str
    ) -> None:
        key = f"ex/{project.reader.resolve('ex').data_sha}.parquet"
        path = tmp_path / "data" / "datom" / key
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        head = git(remote, "rev-parse", "HEAD")
        with pytest.raises(dc.IntegrityError, match=key):
            dc.migrate(project, place(end))
        assert git(remote, "rev-parse", "HEAD") == head, "nothing was moved"

    def test_a_target_whose_bytes_were_changed(self, project: dc.Project, tmp_path: Path, remote: Path) -> None:
        """What an earlier attempt left behind is not trusted for its size."""
        target = dc.LocalStore(tmp_path / "t")
        mortal(6, target)
        with pytest.raises(Killed):
            dc.migrate(project, target)
        path = next((tmp_path / "t").rglob("*.parquet"))
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        head = git(remote, "rev-parse", "HEAD")
        with pytest.raises(dc.IntegrityError, match=path.name):
            dc.migrate(project, dc.LocalStore(tmp_path / "t"))
        assert git(remote, "rev-parse", "HEAD") == head, "nothing was moved"

    def test_too_little_space(self, project: dc.Project, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dc.LocalStore, "free_bytes", lambda _: 10)
        with pytest.raises(dc.InvalidInputError, match="10 bytes free"):
            dc.migrate(project, place("local/b"))

    def test_a_bad_option(self, project: dc.Project, place: Place) -> None:
        with pytest.raises(dc.InvalidInputError, match="verify is one of hash, size"):
            dc.migrate(project, place("local/b"), verify="maybe")  # type: ignore[arg-type]
        with pytest.raises(dc.InvalidInputError, match="must be an ObjectStore"):
            dc.migrate(project, "s3://bucket")  # type: ignore[arg-type]

    @pytest.mark.parametrize("bad", [{"message": " "}, {"author": "nobody"}, {"sunset_at": "soon"}])
    def test_what_cannot_be_recorded_before_anything_is_copied(
        self, project: dc.Project, place: Place, bad: dict[str, Any]
    ) -> None:
        target = place("local/b")
        with pytest.raises(dc.InvalidInputError):
            dc.migrate(project, target, **bad)
        assert list(target.list()) == []


class Killed(BaseException):
    """As sudden as a kill: nothing in the code catches it."""


def mortal(effects: int, *stores: dc.ObjectStore, after: bool = True) -> None:
    """Let the process die before the n-th effect on these stores, or right after it."""
    left = [effects]

    def dying(act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0 and not after:
                raise Killed
            result = act(*args, **kwargs)
            if left[0] < 0:
                raise Killed
            return result

        return run

    for store in stores:
        for name in ("create", "replace", "delete", "copy_from"):
            if hasattr(store, name):
                setattr(store, name, dying(getattr(store, name)))


# What dies after an effect dies before the next one, but for what other threads have begun.
@pytest.mark.parametrize("after", [False, True] if LONG else [False], ids=["before", "after"] if LONG else ["before"])
@pytest.mark.parametrize("kind", ["local", "s3"])
def test_killed_at_any_effect_it_is_completed_by_the_same_call(
    tmp_path: Path,
    clock: Clock,
    dm: Frame,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    after: bool,
) -> None:
    """Each effect on either place in turn is the last; then once more, from a process that knows nothing.

    Every few effects, unless `make test-long` asks for all.
    """
    step = 1 if LONG else {"local": 3, "s3": 9}[kind]
    # moto does not heed the condition on copies, and nobody else is here: so that copies within the server die, too.
    monkeypatch.setattr("datom_core.storage.s3.conditions.Conditions.known", lambda *_: True)
    bucket, outcomes = s3_server.bucket(), 0

    def place(name: str) -> dc.ObjectStore:
        return s3_server.store(bucket, name) if kind == "s3" else dc.LocalStore(tmp_path / name)

    for effects in range(2 * after, 100, step):
        source, target, remote = f"s{effects}", f"t{effects}", tmp_path / f"{effects}.git"
        project = dc.Project.init("STUDY_001", place(source), remote=remote, clock=clock)
        project.write("dm", dm(2))
        project.cut("lock", {"dm": dm(3), "ex": dm(1)})
        before = everything(project.reader)
        new = place(target)
        mortal(effects, new, project.store, after=after)
        try:
            dc.migrate(project, new, delete_source=True)
        except Killed:
            outcomes += 1
        else:
            break
        recorded = target if _moved(remote, target) else source
        assert everything(dc.ProjectReader.open(place(recorded))) == before, f"after {effects} effects"
        again = dc.Project.open(place(recorded), remote=remote, clock=clock)
        dc.migrate(again, place(target), source=place(source), delete_source=True)
        assert everything(dc.ProjectReader.open(place(target))) == before
        assert dc.Project.open(place(target), remote=remote).status().level
        assert [o.key for o in place(target).list() if "claim" in o.key] == []
        assert list(place(source).list()) == []
    assert outcomes * step > 25, "up to the last effect"


def _moved(remote: Path, target: str) -> bool:
    recorded = git(remote, "show", "HEAD:.datom/project.yaml")
    return f"/{target}\n" in recorded or f"prefix: {target}\n" in recorded


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

        report = self.migrate_with(project, place("s3/team"), events())
        assert report.late == 2
        reader = dc.ProjectReader.open(place("s3/team"))
        assert [len(reader.read(t)) for t in ("dm", "vs")] == [11, 12]
        with pytest.raises(dc.ConflictError, match="has moved"):
            colleague.write("dm", dm(13))
        assert dc.Project.open(place("s3/team"), remote=remote).status().level

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

        source, target = project.store, place("s3/team")
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

        dc.migrate(project, place("s3/team"), verify=verify, on_progress=tell)
        assert len(dc.ProjectReader.open(place("s3/team")).read("dm")) == 11

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
                moved.append(dc.migrate(project, place("s3/team"), delete_source=True))
            return level(self, *args, **kwargs)

        colleague = dc.Project.open(dc.LocalStore(project.store.location.root), remote=remote, clock=clock)
        monkeypatch.setattr(Projector, "bring_level", stalled)
        assert colleague.write(table, dm(11)).action == "created"
        assert moved
        left = [o.key for o in project.store.list()]
        assert all(len(key.rpartition("/")[2]) == 69 for key in left), "snapshots at most: nothing points to anything"
        assert len(dc.ProjectReader.open(place("s3/team")).read(table)) == 11

    def test_two_migrations_at_once(self, project: dc.Project, place: Place, remote: Path, clock: Clock) -> None:
        rival = dc.Project.open(project.store, remote=remote, clock=clock)

        def events() -> Iterator[object]:
            yield dc.migrate(rival, place("local/b"))

        with pytest.raises(dc.ConflictError, match="has moved to local:"):
            self.migrate_with(project, place("s3/team"), events())
        assert dc.Project.open(place("local/b"), remote=remote).status().level


def test_and_back_again(project: dc.Project, place: Place, remote: Path, clock: Clock, dm: Frame) -> None:
    """The old place still holds what it held; it is completed, not refused."""
    dc.migrate(project, place("s3/team"))
    there = dc.Project.open(place("s3/team"), remote=remote, clock=clock)
    there.write("dm", dm(9))
    before = everything(there.reader)
    report = dc.migrate(there, place("local/"))
    assert report.present > 0
    assert everything(dc.ProjectReader.open(place("local/"))) == before


def test_an_old_copy_is_not_taken_for_the_project(project: dc.Project, place: Place, remote: Path, dm: Frame) -> None:
    dc.migrate(project, place("s3/team"))
    dc.Project.open(place("s3/team"), remote=remote).write("dm", dm(9))
    with pytest.raises(dc.NotFoundError, match="may be an old copy"):
        dc.Project.open(project.store, remote=remote, relocate=True)


def test_resumed_by_another_name_of_the_remote(project: dc.Project, tmp_path: Path, remote: Path, dm: Frame) -> None:
    target = dc.LocalStore(tmp_path / "t")
    mortal(4, target)
    with pytest.raises(Killed):
        dc.migrate(project, target)
    again = dc.Project.open(project.store, remote=f"file://{remote}")
    dc.migrate(again, dc.LocalStore(tmp_path / "t"))
    assert dc.Project.open(dc.LocalStore(tmp_path / "t"), remote=remote).status().level


def test_what_is_not_the_projects_stays_where_it_is(project: dc.Project, place: Place) -> None:
    project.store.create("notes/by-hand.txt", b"not ours")
    dc.migrate(project, place("s3/team"))
    assert place("s3/team").head("notes/by-hand.txt") is None
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


def test_a_target_that_fails_in_the_middle_is_completed_by_the_same_call(
    project: dc.Project, s3_server: S3Server, proxy: Proxy, bucket: str, remote: Path
) -> None:
    from tests.s3.conftest import HASTY

    target = s3_server.store(bucket, "t", endpoint_url=proxy.endpoint, config=HASTY)
    before = everything(project.reader)
    proxy.only("PUT", "Lab", Fault(status=503), times=100)
    with pytest.raises(dc.StorageError):
        dc.migrate(project, target)
    proxy.fault = lambda _: None
    report = dc.migrate(project, target)
    assert report.present > 0
    assert everything(dc.ProjectReader.open(target)) == before
