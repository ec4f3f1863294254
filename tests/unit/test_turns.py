"""Writers of one machine wait for each other, and only as long as that is of use."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import datom_core as dc
from datom_core.git.cache import CloneCache
from datom_core.git.turns import Turns


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"01-{i}" for i in range(n)]})


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
            list(pool.map(lambda n: dc.Project.open(store, remote=remote).write(f"t{n}", frame(1)), range(12)))
        assert len(pushes) == 12, "each push arrived at its first try"

    def test_one_who_stops_in_his_turn_is_not_waited_for_twice(
        self, project: dc.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("datom_core.git.turns._PATIENCE", 0.3)
        ours, theirs = Turns(tmp_path / "x.turn"), Turns(tmp_path / "x.turn")
        waited = []
        with theirs.turn():
            for _ in range(2):
                begun = time.monotonic()
                with ours.turn():
                    waited.append(time.monotonic() - begun)
        assert waited[0] >= 0.3 > waited[1]
        with theirs.turn(), ThreadPoolExecutor(1) as pool:  # another turn of theirs is waited for again
            begun = time.monotonic()
            pool.submit(lambda: ours.turn().__enter__()).result()
            assert time.monotonic() - begun >= 0.3

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
