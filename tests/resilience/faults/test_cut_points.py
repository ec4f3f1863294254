"""Every operation is broken off before each of its effects, read, and run again.

The cut points are counted while an operation runs, not kept in a list: a new effect cannot be forgotten. In the
short run it is done before the first effect of each kind and before the last.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.testing import FailingStore, StoreCall
from tests.long import long, telling

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone: no handler may catch it."""


@dataclass
class Fuse:
    """Burns down by one at each effect, and kills before the last one; no other effect follows."""

    left: int = 10**9
    kinds: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def effects(self) -> int:
        return len(self.kinds)

    def burn(self, effect: Callable[[], Any], kind: str = "push") -> Any:
        with self.lock:
            self.kinds.append(kind)
            self.left -= 1
            left = self.left
        if left <= 0:
            raise Killed
        return effect()


class FusedStore(FailingStore):
    """A store whose every change burns the fuse."""

    def __init__(self, inner: dc.ObjectStore, fuse: Fuse) -> None:
        super().__init__(inner, lambda call: fuse.burn(lambda: None, kind_of(call)) if call.changes else None)


def kind_of(call: StoreCall) -> str:
    """What is done, and to which kind of object: of no table, and of no version."""
    name = call.key.rpartition("/")[2]
    return f"{call.operation} {re.sub('[0-9a-f]{32,}', '*', name)}"


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)], "AGE": range(40, 40 + n)})


class World:
    """A project on a memory store and a bare repository, and the operation under test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = dc.MemoryStore()
        self.remote = folder / "remote.git"

    def init(self, store: dc.ObjectStore, schema: int = 2) -> dc.Project:
        return dc.Project.init("STUDY_001", store, remote=self.remote, schema=schema, clock=lambda: NOW)

    def open(self, store: dc.ObjectStore) -> dc.Project:
        return dc.Project.open(store, remote=self.remote, clock=lambda: NOW)

    def git(self, *args: str) -> bytes:
        return subprocess.run(["git", "-C", self.remote, *args], check=True, capture_output=True).stdout

    def files(self) -> dict[str, str]:
        """All files of the newest commit."""
        with tarfile.open(fileobj=io.BytesIO(self.git("archive", "--format=tar", "HEAD"))) as archive:
            members = [member for member in archive if member.isfile()]
            return {member.name: archive.extractfile(member).read().decode() for member in members}  # type: ignore[union-attr]

    def end_state(self) -> tuple[dict[str, bytes], dict[str, str]]:
        """All of storage and all files in git, without what differs from run to run: folders and commit ids."""
        tree = {path: text.replace(str(self.folder.parent), "") for path, text in self.files().items()}
        log = [line.partition(" ") for line in self.git("log", "--format=%H %s").decode().splitlines()]
        objects = {}
        for info in self.store.list():
            data = bytes(self.store.get(info.key).data).decode("latin-1")
            for commit, _, message in log:
                data = data.replace(commit, message)
            objects[info.key] = data.encode("latin-1")
        return objects, tree


def nothing(_: dc.Project) -> None:
    return None


def three_versions(project: dc.Project) -> None:
    for n in (2, 3, 4):
        project.write("dm", frame(n), cut=f"c{n}", message=f"{n} rows")


def lost_documents(project: dc.Project) -> None:
    three_versions(project)
    for info in list(project.store.list()):
        if not info.key.endswith(".parquet"):
            project.store.delete(info.key)


def lost_payload(project: dc.Project) -> None:
    project.write("dm", frame(3).astype({"USUBJID": "category"}))
    project.store.delete(f"dm/{dc.hash_table(frame(3)).data_sha}.parquet")


OPERATIONS: dict[str, tuple[Callable[[dc.Project], Any], Callable[[dc.Project], Any], int]] = {
    "first write": (nothing, lambda p: p.write("dm", frame(3)), 2),
    "new version": (three_versions, lambda p: p.write("dm", frame(5), message="five"), 2),
    "metadata only": (three_versions, lambda p: p.write("dm", frame(4), custom={"a": 1}), 2),
    "revert": (three_versions, lambda p: p.write("dm", frame(2)), 2),
    "cut of three": (three_versions, lambda p: p.cut("c", {"dm": frame(5), "ex": frame(2), "lb": frame(3)}), 2),
    "cut of unchanged data": (three_versions, lambda p: p.write("dm", frame(4), cut="lock"), 2),
    "mark of a review": (three_versions, lambda p: p.mark_reviewed("c3"), 2),
    "repair of a payload": (lost_payload, lambda p: p.write("dm", frame(3)), 2),
    "mirror": (lost_documents, lambda p: p.mirror(), 2),
    "validate fix": (lost_documents, lambda p: p.validate("full", fix=True), 2),
    "upgrade": (three_versions, lambda p: p.upgrade(), 1),
}


@pytest.fixture
def fused_git(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fuse], None]:
    """Let every push burn the fuse too."""
    from datom_core.git import GitRepo  # the one white box here: a push is an effect like any other

    real = GitRepo.publish

    def install(fuse: Fuse) -> None:
        def publish(self: GitRepo, *args: Any, **kwargs: Any) -> str:
            return str(fuse.burn(lambda: real(self, *args, **kwargs)))

        monkeypatch.setattr(GitRepo, "publish", publish)

    return install


def check_readable(world: World) -> None:
    """Whatever a reader is shown is really there."""
    try:
        reader = dc.ProjectReader.open(world.store, "STUDY_001")
    except dc.NotFoundError:
        return  # not founded yet, and it says so
    for info in reader.list():
        assert len(reader.read(info.name)) > 0
        reader.read(info.name, version=info.version)
        current = reader.resolve(info.name)
        assert reader.metadata(info.name, current.version).data_sha == current.data_sha
    for cut in reader.cuts().values():
        for table in cut:
            reader.read(table, cut=cut.name)


def check_commits(world: World) -> None:
    """No commit names a payload that is not in storage."""
    for path, text in world.files().items():
        if path.endswith("/metadata.json"):
            data_sha = json.loads(text)["data_sha"]
            assert world.store.head(f"{path.split('/')[0]}/{data_sha}.parquet") is not None


# Those that make a new version have the same effects as that of another content.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=long) if name in ("metadata only", "revert") else name for name in OPERATIONS]
)
def test_broken_off_anywhere_and_run_again(
    name: str, tmp_path: Path, fused_git: Callable[[Fuse], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datom_core.maintenance.validation._PAUSES", (0.0,))
    prepare, operate, schema = OPERATIONS[name]

    fused_git(Fuse())
    prepared = World(tmp_path / "prepared")
    prepare(prepared.init(prepared.store, schema))

    def fresh(label: str) -> World:
        world = World(tmp_path / label)
        shutil.copytree(prepared.folder, world.folder)
        for info in prepared.store.list():
            world.store.create(info.key, prepared.store.get(info.key).data)
        return world

    undisturbed = fresh("undisturbed")
    counter = Fuse()
    fused_git(counter)
    operate(undisturbed.open(FusedStore(undisturbed.store, counter)))
    expected = undisturbed.end_state()
    assert counter.effects >= 2

    # Killed after an effect is killed before the next one: nothing happens in between.
    for cut_point in (*(1 + n for n in telling(counter.kinds)), counter.effects + 1):
        world, fuse = fresh(f"{cut_point}"), Fuse(cut_point)
        fused_git(fuse)
        with pytest.raises(Killed) if cut_point <= counter.effects else contextlib.nullcontext():
            operate(world.open(FusedStore(world.store, fuse)))
        fused_git(Fuse())
        if name not in (
            "mirror",
            "validate fix",
            "repair of a payload",
        ):  # there, something is missing before the start
            check_readable(world)
            check_commits(world)
        operate(world.open(world.store))
        check_readable(world)
        assert world.end_state() == expected, f"cut before effect {cut_point}"
        assert world.open(world.store).status().level


def test_init_broken_off_anywhere_and_run_again(tmp_path: Path, fused_git: Callable[[Fuse], None]) -> None:
    counter = Fuse()
    fused_git(counter)
    World(tmp_path / "count").init(FusedStore(dc.MemoryStore(), counter))
    assert counter.effects == 4  # claim, commit, manifest, claim withdrawn
    for cut_point in range(1, counter.effects + 2):
        world = World(tmp_path / f"{cut_point}")
        fuse, complete = Fuse(cut_point), cut_point > counter.effects
        fused_git(fuse)
        with contextlib.nullcontext() if complete else pytest.raises(Killed):
            world.init(FusedStore(world.store, fuse))
        fused_git(Fuse())
        check_readable(world)
        if complete:
            with pytest.raises(dc.AlreadyExistsError):
                world.init(world.store)
        project = world.open(world.store) if complete else world.init(world.store)
        assert [o.key for o in world.store.list()] == [".metadata/manifest.json"]
        assert project.status().level
        assert project.write("dm", frame(2)).action == "created"


def test_a_writer_that_stalls_right_after_its_push_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datom_core.git import GitRepo

    world = World(tmp_path / "w")
    project = world.init(world.store)
    project.write("dm", frame(2))
    real = GitRepo.publish
    stalled = world.open(world.store)

    def publish(self: GitRepo, *args: Any, **kwargs: Any) -> str:
        commit = real(self, *args, **kwargs)
        monkeypatch.setattr(GitRepo, "publish", real)
        project.write("dm", frame(7), message="newer")
        return commit

    monkeypatch.setattr(GitRepo, "publish", publish)
    stalled.write("dm", frame(3), message="stalled")
    assert len(project.reader.read("dm")) == 7
    assert [v.message for v in project.reader.history("dm")] == ["newer", "stalled", "Update dm"]
    assert project.status().level


def test_a_push_whose_answer_is_lost_is_not_made_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datom_core.git.cache import CloneCache, GitFailedError

    world = World(tmp_path / "w")
    project = world.init(world.store)
    real = CloneCache.run

    def run(self: CloneCache, *args: str, **kwargs: Any) -> bytes:
        answer = real(self, *args, **kwargs)
        if args[0] == "push":
            raise GitFailedError("fatal: the remote end hung up unexpectedly")
        return answer

    monkeypatch.setattr(CloneCache, "run", run)
    assert project.write("dm", frame(3)).action == "created"
    assert world.git("rev-list", "--count", "HEAD").strip() == b"2"
    assert project.status().level
