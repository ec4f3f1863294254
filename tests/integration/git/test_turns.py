"""Writers of one machine wait for each other, and only as long as that is of use."""

from __future__ import annotations

import io
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import datom_core as dc
from datom_core.git.cache import CloneCache
from datom_core.git.turns import Turns
from datom_core.planning.project_state import ProjectState
from datom_core.publishing.loading import load_state
from datom_core.publishing.projector import Known, Projector
from tests.patience import PATIENCE, wait_until


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)]})


class FakeTime:
    """Time that passes by sleeping alone; a sleeper can be waited for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleepers: set[int] = set()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleepers.add(threading.get_ident())
        time.sleep(0.001)


class TestTurns:
    def test_nobody_loses_a_race_on_one_machine(
        self, store: dc.LocalStore, project: dc.Project, remote: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        pushes = []
        run = CloneCache.run

        def counting(self: CloneCache, *args: str, **options: Any) -> bytes:
            if "push" in args:
                pushes.append(args)
            return run(self, *args, **options)

        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
            patch.setattr(CloneCache, "run", counting)
            patch.setattr("datom_core.git.turns._PATIENCE", PATIENCE)
            list(pool.map(lambda n: dc.Project.open(store, remote=remote).write(f"t{n}", frame(1)), range(12)))
        assert len(pushes) == 12, "each push arrived at its first try"

    def test_one_who_stops_in_his_turn_is_not_waited_for_twice(
        self, project: dc.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = FakeTime()
        monkeypatch.setattr("datom_core.git.turns.time", clock)
        ours, theirs = Turns(tmp_path / "x.turn"), Turns(tmp_path / "x.turn")
        waited = []
        with theirs.turn():
            for _ in range(2):
                begun = clock.now
                with ours.turn():
                    waited.append(clock.now - begun)
        assert waited[0] > 5
        assert waited[1] == 0
        with theirs.turn():  # another turn of theirs is waited for again
            begun = clock.now
            with ours.turn():
                assert clock.now - begun > 5

    def test_a_cache_that_cannot_be_written_costs_the_turn_alone(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with Turns(tmp_path / "file" / "x.turn").turn():
            pass

    def test_large_tables_are_uploaded_before_the_turn(
        self, project: dc.Project, store: dc.LocalStore, remote: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order: list[str] = []
        put, turn = dc.LocalStore.create, Turns.turn

        def create(self: dc.LocalStore, key: str, *args: Any) -> bool:
            order.append(key.rsplit(".", maxsplit=1)[-1])
            return put(self, key, *args)

        def taking(self: Turns) -> Any:
            order.append("turn")
            return turn(self)

        monkeypatch.setattr(dc.LocalStore, "create", create)
        monkeypatch.setattr(Turns, "turn", taking)
        project.write("lb", pd.DataFrame({"LBSTRESN": range(200_000)}))
        assert order[:2] == ["parquet", "turn"]
        order.clear()
        project.write("dm", frame(3))
        assert order[:2] == ["turn", "parquet"]

    def test_a_large_table_that_was_uploaded_is_not_read_back(
        self, project: dc.Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        got: list[str] = []
        get = dc.LocalStore.get

        def noting(self: dc.LocalStore, key: str) -> dc.StoredObject:
            got.append(key)
            return get(self, key)

        monkeypatch.setattr(dc.LocalStore, "get", noting)
        project.write("lb", pd.DataFrame({"LBSTRESN": range(200_000)}))
        assert [key for key in got if key.endswith(".parquet")] == []

    def test_one_that_somebody_replaced_in_between_is_looked_at(
        self, project: dc.Project, store: dc.LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """R overwrites a payload with its own bytes of the same content."""
        data = pd.DataFrame({"LBSTRESN": range(200_000)})
        turn = Turns.turn

        def replaced(self: Turns) -> Any:
            (payload,) = (key for key in (o.key for o in store.list()) if key.endswith(".parquet"))
            sink = io.BytesIO()
            pq.write_table(dc.normalise(data), sink, compression="zstd")
            store.replace(payload, sink.getvalue(), store.get(payload).etag)
            return turn(self)

        with monkeypatch.context() as patch:
            patch.setattr(Turns, "turn", replaced)
            project.write("lb", data)
        assert project.reader.read("lb")["LBSTRESN"].tolist() == list(range(200_000))
        assert project.validate("full").ok


class TestTogether:
    """One projects for all who wait."""

    def test_whoever_returns_has_been_served_by_a_run_that_began_later(self, tmp_path: Path) -> None:
        published: set[int] = set()
        served: set[int] = set()

        def serve(alone: bool, item: int) -> None:
            # Alone, one knows only what is one's own.
            covers = {item} if alone else set(published)
            time.sleep(0.002)
            served.update(covers)

        def ask(worker: int) -> list[int]:
            turns, missing = Turns(tmp_path / "x.projection"), []
            for n in range(25):
                item = worker * 1000 + n
                published.add(item)
                turns.together(lambda alone, item=item: serve(alone, item))  # type: ignore[misc]
                missing += [item] if item not in served else []
                time.sleep(random.uniform(0, 0.004))
            return missing

        with ThreadPoolExecutor(8) as pool:
            assert [m for missing in pool.map(ask, range(8)) for m in missing] == []

    def test_one_run_serves_all_who_wait(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock, go = FakeTime(), threading.Event()
        monkeypatch.setattr("datom_core.git.turns.time", clock)
        monkeypatch.setattr("datom_core.git.turns._PATIENCE", float("inf"))
        runs: list[bool] = []

        def work(alone: bool) -> None:
            runs.append(alone)
            if alone:
                go.wait(PATIENCE)

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(Turns(tmp_path / "x.projection").together, work) for _ in range(8)]
            wait_until(lambda: len(clock.sleepers) == 7)
            go.set()
            for each in asked:
                each.result(PATIENCE)
        assert runs == [True, False]

    def test_an_error_is_only_its_own_and_the_next_does_the_work(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = FakeTime()
        monkeypatch.setattr("datom_core.git.turns.time", clock)
        monkeypatch.setattr("datom_core.git.turns._PATIENCE", float("inf"))
        turns, started, go = Turns(tmp_path / "x.projection"), threading.Event(), threading.Event()
        done: list[str] = []

        def first(alone: bool) -> None:
            assert alone
            started.set()
            go.wait(PATIENCE)

        def fails(alone: bool) -> None:
            raise dc.StorageError("no network")

        with ThreadPoolExecutor(3) as pool:
            held = pool.submit(turns.together, first)
            started.wait(PATIENCE)
            broken = pool.submit(turns.together, fails)
            wait_until(lambda: clock.sleepers)
            go.set()
            assert isinstance(broken.exception(PATIENCE), dc.StorageError)
            held.result(PATIENCE)
            turns.together(lambda alone: done.append("again"))
        assert done == ["again"]

    def test_a_run_that_was_killed_serves_nobody(self, tmp_path: Path) -> None:
        path = tmp_path / "x.projection"
        path.write_bytes(b"somebody" + (7).to_bytes(8, "little") + (3).to_bytes(8, "little"))
        done: list[bool] = []
        Turns(path).together(done.append)
        assert done == [True]

    def test_a_cache_that_cannot_be_written_costs_the_sharing_alone(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        done: list[bool] = []
        Turns(tmp_path / "file" / "x.projection").together(done.append)
        assert done == [False]


def test_what_a_writer_knows_is_what_its_commit_holds(project: dc.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documents are not read again from a commit just made; so they must be those that it holds."""
    given: list[tuple[Known, ProjectState]] = []
    level = Projector.bring_level

    def noting(self: Projector, tables: Any, *, known: Known | None = None, **more: Any) -> Any:
        tables = list(tables)
        if known is not None:
            given.append((known, load_state(self.repo, known.tip, known.state.tables)))
        return level(self, tables, known=known, **more)

    monkeypatch.setattr(Projector, "bring_level", noting)
    project.write("dm", frame(1))
    project.cut("2026-01", {"dm": frame(2), "ae": frame(3)})
    project.write("dm", frame(1))  # a version that is there
    project.write("ae", frame(3), custom={"reason": "wording"})
    assert len(given) == 4
    for known, read in given:
        assert documents(known.state) == documents(read)


def documents(state: ProjectState) -> list[bytes]:
    parts = [state.manifest.to_json(), state.cuts.to_json(), state.file.to_yaml()]
    for _, table in sorted(state.tables.items()):
        assert table.metadata is not None
        parts += [table.metadata.to_json(), table.history.to_json()]
    return parts
