"""Processes that are killed, with SIGKILL: before every effect of every operation, and at any moment of many writes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datom_core as dc
from tests.governance.test_cut_points import OPERATIONS as OF_A_REGISTER
from tests.governance.test_cut_points import World, fuse_git
from tests.patience import PATIENCE
from tests.resilience.faults.test_cut_points import NOW, Fuse, FusedStore, frame
from tests.resilience.faults.test_cut_points import OPERATIONS as OF_A_PROJECT
from tests.resilience.torture.outcome import Outcome
from tests.resilience.torture.place import Place
from tests.resilience.torture.writers import PROCESSES, Done, Report, count_disorder, count_losses
from tests.resilience.torture.writers import frame as content

Prepare = Callable[[World], None]
Operate = Callable[[World, Fuse], Any]


class Deadly(Fuse):
    """Where the fuse has burnt down, the process is gone."""

    def burn(self, effect: Callable[[], Any], kind: str = "push") -> Any:
        with self.lock:
            self.kinds.append(kind)
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return effect()


def _on_disk(name: str) -> tuple[Prepare, Operate]:
    """An operation on a project, in a world on this machine's disk."""
    prepare, operate, schema = OF_A_PROJECT[name]

    def begin(world: World) -> None:
        prepare(dc.Project.init("STUDY_001", world.data, remote=world.remote, schema=schema, clock=lambda: NOW))

    return begin, lambda world, fuse: operate(world.open(fuse))


def _nothing(world: World) -> None:
    world.folder.mkdir()


def _init(world: World, fuse: Fuse) -> None:
    try:
        dc.Project.init("STUDY_001", FusedStore(world.data, fuse), remote=world.remote, clock=lambda: NOW)
    except dc.AlreadyExistsError:
        assert world.open(Fuse()).status().level  # it was complete already


def _dropped(world: World) -> None:
    dc.Project.init("STUDY_001", world.data, remote=world.remote, clock=lambda: NOW).write("dm", frame(1))
    (world.folder / "drop").mkdir()
    for table, n in (("dm", 2), ("ae", 3), ("lb", 4)):
        frame(n).to_csv(world.folder / "drop" / f"{table}.csv", index=False)


#: All operations of several effects. The effects are counted when they run, so that none can be forgotten.
OPERATIONS: dict[str, tuple[Prepare, Operate]] = {
    "init": (_nothing, _init),
    **{name: _on_disk(name) for name in OF_A_PROJECT},
    "sync": (_dropped, lambda world, fuse: world.open(fuse).sync(world.folder / "drop").check()),
    **{name: (prepare, operate) for name, (prepare, operate, _) in OF_A_REGISTER.items()},
}
# There, something is missing before the start, which readers are told.
_BROKEN_BEFORE = frozenset({"mirror", "validate fix", "repair of a payload", "repair"})


def _run(what: str, name: str, folder: Path, cut_point: int) -> None:
    """One process: ``what`` is prepare, count, kill, read or again."""
    os.environ["XDG_CACHE_HOME"] = str(folder.with_name("cache"))
    prepare, operate = OPERATIONS[name]
    world = World(folder)
    if what == "prepare":
        prepare(world)
    elif what == "read":
        if name not in _BROKEN_BEFORE:
            world.check_readers()
    else:
        fuse = Deadly(cut_point) if what == "kill" else Fuse()
        fuse_git(fuse)
        operate(world, fuse)
        folder.with_name("effects").write_text(str(fuse.effects))


def _process(*args: Any) -> int | None:
    process = PROCESSES.Process(target=_run, args=args)
    process.start()
    process.join(timeout=PATIENCE)
    return process.exitcode


def killed_at_each_effect(name: str, folder: Path, step: int = 1) -> Outcome:
    """Kill an operation before each of its effects; then read, then run it again, each in a process of its own."""
    outcome, world, kept = Outcome(f"SIGKILL: {name}"), folder / "world", folder / "prepared"
    assert _process("prepare", name, world, 0) == 0
    shutil.move(world, kept)

    def fresh() -> None:
        shutil.rmtree(world, ignore_errors=True)
        shutil.copytree(kept, world)

    fresh()
    assert _process("count", name, world, 0) == 0
    expected = World(world).end_state()
    effects = int((folder / "effects").read_text())
    for cut_point in range(1, effects + 1, step):
        fresh()
        outcome.operations += 1
        outcome.faults += 1
        ended = _process("kill", name, world, cut_point)
        read, again = _process("read", name, world, 0), _process("again", name, world, 0)
        read_again = _process("read", name, world, 0)
        same = World(world).end_state() == expected
        outcome.wrong += (read != 0) + (read_again != 0)
        outcome.recovered += again == 0 and same
        if (ended, read, again, read_again, same) != (-signal.SIGKILL, 0, 0, 0, True):
            outcome.problems.append(
                f"before effect {cut_point} of {effects}: ended {ended}, read {read}, again {again}, read again "
                f"{read_again}, the same end {same}"
            )
    outcome.note = f"{effects} effects"
    return outcome


def _write_on(place: Place, worker: int, first: int, told: Path) -> None:
    """One process: writes until it is killed; each write that reported success is put on disk."""
    project = place.open(f"Writer {worker} <w{worker}@example.org>")
    with told.open("a") as file:
        for number in range(first, first + 10_000):
            done = project.write("shared", content(worker, number), message=f"writer {worker}, write {number}")
            file.write(json.dumps([done.version, done.data_sha, done.commit_sha, number]) + "\n")
            file.flush()
            os.fsync(file.fileno())


def killed_at_any_moment(place: Place, kills: int, writers: int = 3) -> Outcome:
    """Writers that are killed after some milliseconds, and others that go on in their place."""
    place.init()
    chance, outcome = random.Random(3), Outcome(f"SIGKILL at any moment, {place.name}")
    for round_ in range(kills):
        processes = [
            PROCESSES.Process(target=_write_on, args=(place, n, round_ * 10_000, place.folder / f"told-{n}.jsonl"))
            for n in range(writers)
        ]
        for process in processes:
            process.start()
        time.sleep(0.4)  # until they have opened the project
        for process in processes:
            time.sleep(chance.uniform(0, 0.4))
            os.kill(int(process.pid or 0), signal.SIGKILL)
            process.join()
            outcome.faults += 1
    reports = []
    for worker in range(writers):
        told = place.folder / f"told-{worker}.jsonl"
        lines = told.read_text().splitlines() if told.exists() else []
        reports.append(Report(worker, [Done("shared", v, d, c, worker, n) for v, d, c, n in map(json.loads, lines)]))
    outcome.operations = sum(len(r.done) for r in reports)
    place.open().write("other", content(99, 0))  # whoever writes next, anything, brings storage level
    for lock in place.repository.rglob("*.lock"):
        outcome.problems.append(f"{lock} is left over")
    count_losses(place, reports, outcome)
    count_disorder(place, outcome)
    outcome.recovered = outcome.faults if outcome.ok or not outcome.problems else 0
    outcome.note = f"{outcome.operations} writes reported success"
    return outcome
