"""Every operation on a register is broken off before each of its effects, and run again.

The cut points are counted while an operation runs, not kept in a list: a new effect cannot be forgotten. Of long
operations every other one, unless `make test-long` asks for all.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import datom_core as dc
from datom_core.git import GitRepo
from tests.long import LONG
from tests.resilience.faults.test_cut_points import Fuse, FusedStore, Killed, frame

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Operation = Callable[["World", Fuse], Any]


class World:
    """A register, a project, and a place that it may move to, each on this machine's disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mirror = dc.LocalStore(folder / "gov")
        self.data = dc.LocalStore(folder / "data")
        self.target = dc.LocalStore(folder / "target")
        self.gov_remote = folder / "gov.git"
        self.remote = folder / "study.git"

    def init(self, fuse: Fuse) -> dc.Governance:
        return dc.Governance.init(FusedStore(self.mirror, fuse), remote=self.gov_remote, clock=lambda: NOW)

    def register(self, fuse: Fuse) -> dc.Governance:
        return dc.Governance.of(FusedStore(self.mirror, fuse), self.gov_remote, clock=lambda: NOW)

    def open(self, fuse: Fuse, store: dc.ObjectStore | None = None) -> dc.Project:
        return dc.Project.open(
            FusedStore(store or self.data, fuse),
            remote=self.remote,
            clock=lambda: NOW,
            governance=self.register(fuse) if self.is_governed() else None,
        )

    def is_governed(self) -> bool:
        return bool(self.git(self.remote, "ls-tree", "HEAD", ".datom/governance.json"))

    def git(self, remote: Path, *args: str) -> str:
        return subprocess.run(["git", "-C", remote, *args], capture_output=True, text=True).stdout

    def end_state(self) -> dict[str, Any]:
        """All documents and trees, with messages in the place of commit ids."""
        state: dict[str, Any] = {}
        for name, remote in (("gov", self.gov_remote), ("study", self.remote)):
            state[name] = self.git(remote, "ls-tree", "-r", "HEAD") if remote.exists() else None
            state[f"{name} log"] = self.git(remote, "log", "--format=%s") if remote.exists() else None
        commits = self.git(self.remote, "log", "--format=%H %s").splitlines() if self.remote.exists() else []
        for name, store in (("gov", self.mirror), ("data", self.data), ("target", self.target)):
            documents = {o.key: bytes(store.get(o.key).data).decode("latin-1").rstrip() for o in store.list()}
            for commit, _, message in (line.partition(" ") for line in commits):
                documents = {key: text.replace(commit, message) for key, text in documents.items()}
            state[f"{name} store"] = documents
        return state

    def check_readers(self) -> None:
        """Whoever finds the project finds all of it, or is told truly that it is not there."""
        for find in (
            lambda: dc.ProjectReader.find("STUDY_001", governance=self.mirror),
            lambda: dc.ProjectReader(self.data, "STUDY_001", 2),
        ):
            try:
                tables = find().list()
            except (dc.NotFoundError, dc.ConflictError):
                continue
            for info in tables:
                try:
                    assert len(find().read(info.name)) > 0
                except dc.NotFoundError:
                    assert self._is_going()

    def _is_going(self) -> bool:
        return "decommissioned_at" in self.git(self.remote, "show", "HEAD:.datom/project.yaml")


def founded(world: World) -> None:
    project = dc.Project.init("STUDY_001", world.data, remote=world.remote, clock=lambda: NOW)
    project.write("dm", frame(2), cut="one")
    project.write("dm", frame(3), cut="two")


def begun(world: World) -> None:
    founded(world)
    world.init(Fuse())


def attached(world: World) -> None:
    begun(world)
    world.register(Fuse()).attach(world.open(Fuse()))


def migrate(world: World, fuse: Fuse) -> None:
    target = FusedStore(world.target, fuse)
    try:
        project = world.open(fuse)
    except dc.InvalidInputError:  # recorded in git already; the rest is completed from there
        project = world.open(fuse, world.target)
        dc.migrate(project, target, source=FusedStore(world.data, fuse), delete_source=True)
    else:
        dc.migrate(project, target, delete_source=True)


def decommission(world: World, fuse: Fuse) -> None:
    try:
        world.open(fuse).decommission(confirm="STUDY_001")
    except dc.NotFoundError:
        # The repository is gone: from here on the register alone knows what was begun.
        again = dc.Governance.of(FusedStore(world.mirror, fuse), world.gov_remote, clock=lambda: NOW)
        if again.register.mirrored("STUDY_001") is not None:
            again.decommission("STUDY_001", confirm="STUDY_001")


def repair(world: World, fuse: Fuse) -> None:
    world.register(fuse).repair("STUDY_001")


def lost_mirror(world: World) -> None:
    attached(world)
    for info in list(world.mirror.list()):
        world.mirror.delete(info.key)


OPERATIONS: dict[str, tuple[Callable[[World], None], Operation, int]] = {
    "begin a register": (founded, World.init, 2),
    "attach": (begun, lambda world, fuse: world.register(fuse).attach(world.open(fuse)), 6),
    "repair": (lost_mirror, repair, 3),
    "move": (attached, migrate, 15),
    "decommission": (attached, decommission, 15),
}


CHANGES = {name: getattr(GitRepo, name) for name in ("publish", "create_if_local", "delete")}


def fuse_git(fuse: Fuse, patch: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let everything that changes a repository burn the fuse too."""
    for name, real in CHANGES.items():

        def fused(self: GitRepo, *args: Any, _real: Any = real, _name: str = name, **kwargs: Any) -> Any:
            return fuse.burn(lambda: _real(self, *args, **kwargs), _name)

        patch(GitRepo, name, fused)


@pytest.fixture
def fused_git(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fuse], None]:
    return lambda fuse: fuse_git(fuse, monkeypatch.setattr)


@pytest.mark.parametrize("name", OPERATIONS)
def test_broken_off_anywhere_and_run_again(name: str, tmp_path: Path, fused_git: Callable[[Fuse], None]) -> None:
    prepare, operate, least = OPERATIONS[name]
    fused_git(Fuse())
    prepare(World(tmp_path / "world"))
    shutil.move(tmp_path / "world", tmp_path / "prepared")

    def fresh() -> World:
        """The prepared world; always in the same place, which its documents name."""
        shutil.rmtree(tmp_path / "world", ignore_errors=True)
        shutil.copytree(tmp_path / "prepared", tmp_path / "world")
        return World(tmp_path / "world")

    undisturbed, counter = fresh(), Fuse()
    fused_git(counter)
    operate(undisturbed, counter)
    expected = undisturbed.end_state()
    assert counter.effects >= least

    # Killed after an effect is killed before the next one: nothing happens in between.
    step = 1 if LONG or counter.effects <= 10 else 2 if counter.effects <= 20 else 3
    for cut_point in range(1, counter.effects + 2, step):
        world, fuse = fresh(), Fuse(cut_point)
        fused_git(fuse)
        with pytest.raises(Killed) if cut_point <= counter.effects else contextlib.nullcontext():
            operate(world, fuse)
        fused_git(Fuse())
        world.check_readers()
        operate(world, Fuse())
        world.check_readers()
        assert world.end_state() == expected, f"cut before effect {cut_point} of {counter.effects}"
