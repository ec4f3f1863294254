"""A register against a plain dict: studies that begin, are written, move and end, with kills at any effect."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import datom_core as dc
from datom_core.testing import Clock
from tests.governance.test_cut_points import fuse_git
from tests.long import LONG
from tests.resilience.faults.test_cut_points import Fuse, FusedStore, Killed

NAMES = st.sampled_from(["ONE", "TWO"])
#: Effects after which an operation is killed; ``None`` lets it live.
KILL = st.one_of(st.none(), st.integers(1, 24))


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


class Study:
    """What is true of a study."""

    def __init__(self, name: str, place: int) -> None:
        self.name, self.place = name, place
        self.registered = False
        self.rows: int | None = None
        self.moves = 0


class PortfolioModel(RuleBasedStateMachine):
    """``studies`` is the whole truth about a register and its projects."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="datom-portfolio-"))
        self.clock = Clock()
        self.places = itertools.count()
        self.studies: dict[str, Study] = {}
        self.gone: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def mirror(self) -> dc.LocalStore:
        return dc.LocalStore(self.folder / "gov")

    def options(self) -> dict[str, Any]:
        return {"clock": self.clock, "cache_dir": self.folder / "c"}

    def register(self, fuse: Fuse | None = None) -> dc.Governance:
        store = self.mirror if fuse is None else FusedStore(self.mirror, fuse)
        return dc.Governance.of(store, self.folder / "gov.git", **self.options())

    def store(self, place: int) -> dc.LocalStore:
        return dc.LocalStore(self.folder / f"data-{place}")

    def open(self, study: Study, fuse: Fuse | None = None) -> dc.Project:
        store = self.store(study.place)
        return dc.Project.open(
            store if fuse is None else FusedStore(store, fuse),
            remote=self.folder / f"{study.name}.git",
            governance=self.register(fuse) if study.registered else None,
            **self.options(),
        )

    def killed(self, effects: int | None, operation: Callable[[Fuse], Any]) -> bool:
        """Run an operation that may be killed; whether it was."""
        fuse = Fuse() if effects is None else Fuse(effects)
        fuse_git(fuse)
        try:
            with contextlib.suppress(Killed):
                operation(fuse)
                return False
            return True
        finally:
            fuse_git(Fuse())

    @initialize()
    def begin(self) -> None:
        dc.Governance.init(self.mirror, remote=self.folder / "gov.git", **self.options())

    @rule(name=NAMES)
    def found(self, name: str) -> None:
        if name not in self.studies and name not in self.gone:
            study = self.studies[name] = Study(name, next(self.places))
            remote = self.folder / f"{name}.git"
            dc.Project.init(name, self.store(study.place), remote=remote, **self.options())

    @precondition(lambda self: self.studies)
    @rule(choice=st.randoms(use_true_random=False), n=st.integers(1, 3))
    def write(self, choice: Any, n: int) -> None:
        study = self.studies[choice.choice(sorted(self.studies))]
        self.open(study).write("dm", frame(n))
        study.rows = n

    @precondition(lambda self: self.studies)
    @rule(choice=st.randoms(use_true_random=False), effects=KILL)
    def attach(self, choice: Any, effects: int | None) -> None:
        study = self.studies[choice.choice(sorted(self.studies))]
        if study.registered:
            return

        def operate(fuse: Fuse) -> None:
            self.register(fuse).attach(self.open(study, fuse))

        if self.killed(effects, operate):
            self.register().attach(self.open(study))
        study.registered = True

    @precondition(lambda self: any(s.registered and s.rows for s in self.studies.values()))
    @rule(choice=st.randoms(use_true_random=False), effects=KILL)
    def move(self, choice: Any, effects: int | None) -> None:
        study = self.studies[choice.choice(sorted(n for n, s in self.studies.items() if s.registered and s.rows))]
        target = next(self.places)

        def operate(fuse: Fuse) -> None:
            dc.migrate(self.open(study, fuse), FusedStore(self.store(target), fuse))

        if self.killed(effects, operate):
            try:
                dc.migrate(self.open(study), self.store(target))
            except (dc.InvalidInputError, dc.ConflictError):
                # It is recorded already; opening it at its new place completes the rest.
                source, study.place = self.store(study.place), target
                dc.migrate(self.open(study), self.store(target), source=source)
        study.place = target
        study.moves += 1

    @precondition(lambda self: any(s.registered for s in self.studies.values()))
    @rule(choice=st.randoms(use_true_random=False))
    def lose_the_mirror(self, choice: Any) -> None:
        name = choice.choice(sorted(n for n, s in self.studies.items() if s.registered))
        for info in list(self.mirror.list()):
            if name in info.key:
                self.mirror.delete(info.key)
        self.register().repair(name)

    @precondition(lambda self: any(s.registered for s in self.studies.values()))
    @rule(choice=st.randoms(use_true_random=False))
    def end(self, choice: Any) -> None:
        name = choice.choice(sorted(n for n, s in self.studies.items() if s.registered))
        self.open(self.studies[name]).decommission(confirm=name)
        del self.studies[name]
        self.gone.add(name)

    @invariant()
    def the_register_says_what_the_model_says(self) -> None:
        if not (self.folder / "gov.git").exists():
            return
        registered = {n: s for n, s in self.studies.items() if s.registered}
        register = self.register()
        assert {p.name: p.root for p in register.projects(details=False)} == {
            n: self.store(s.place).location.root for n, s in registered.items()
        }
        for name, study in registered.items():
            assert len(register.project(name).previous) == study.moves
            reader = dc.ProjectReader.find(name, governance=self.mirror)
            assert {t.name for t in reader.list()} == ({"dm"} if study.rows else set())
            if study.rows:
                assert len(reader.read_arrow("dm")) == study.rows
            assert self.open(study).status().level


TestPortfolioModel = PortfolioModel.TestCase
TestPortfolioModel.settings = settings(
    max_examples=300 if LONG else 4,
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
