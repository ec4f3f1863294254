"""A project against a plain dict: whatever is done to it in whatever order, both say the same."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import datom_core as dc
from datom_core.testing import Clock
from tests.governance.test_cut_points import fuse_git
from tests.long import LONG
from tests.resilience.faults.test_cut_points import Fuse, FusedStore, Killed

TABLES = st.sampled_from(["dm", "ex"])
SIZES = st.integers(1, 3)
CUSTOM = st.sampled_from([None, {"source": "EDC"}])
CUTS = st.sampled_from(["feb", "mar"])


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"s{i}" for i in range(n)]})


class ProjectModel(RuleBasedStateMachine):
    """``current``, ``seen`` and ``cuts`` are the whole truth about a project."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="datom-model-"))
        self.clock = Clock()
        self.store = dc.MemoryStore()
        self.current: dict[str, tuple[int, bool]] = {}
        self.versions: dict[str, dict[tuple[int, bool], str]] = {}
        self.timeline: dict[str, list[tuple[datetime, int]]] = {}
        self.cuts: dict[str, dict[str, int]] = {}

    @initialize(schema=st.sampled_from([1, 2]))
    def init(self, schema: int) -> None:
        self.project = dc.Project.init(
            "S", self.store, remote=self.folder / "r.git", schema=schema, clock=self.clock, cache_dir=self.folder / "c"
        )

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def expect(self, result: dc.WriteResult, table: str, n: int, tagged: bool, cut: str | None = None) -> None:
        key = (n, tagged)
        before = self.current.get(table)
        if cut is not None and self.cuts.get(cut, {}).get(table) == n:
            assert (result.action, result.version) == ("unchanged", self.versions[table][key])
            return
        if before == key:
            assert result.action in ("unchanged", "repaired")
        else:
            same_data = before is not None and before[0] == n
            assert result.action == ("metadata_only" if same_data else "created")
            self.timeline.setdefault(table, []).append((self.clock.now, n))
        known = self.versions.setdefault(table, {})
        assert known.setdefault(key, result.version) == result.version
        assert len(set(known.values())) == len(known)
        self.current[table] = key

    @rule(table=TABLES, n=SIZES, custom=CUSTOM)
    def write(self, table: str, n: int, custom: dict[str, str] | None) -> None:
        self.expect(self.project.write(table, frame(n), custom=custom), table, n, custom is not None)

    @rule(cut=CUTS, table=TABLES, n=SIZES)
    def write_under_a_cut(self, cut: str, table: str, n: int) -> None:
        self.expect(self.project.write(table, frame(n), cut=cut), table, n, False, cut)
        self.cuts.setdefault(cut, {})[table] = n

    @rule(cut=CUTS, sizes=st.tuples(SIZES, SIZES))
    def cut(self, cut: str, sizes: tuple[int, int]) -> None:
        result = self.project.cut(cut, {"dm": frame(sizes[0]), "ex": frame(sizes[1])})
        for table, n in zip(("dm", "ex"), sizes, strict=True):
            self.expect(result[table], table, n, False, cut)
            self.cuts.setdefault(cut, {})[table] = n

    @rule(table=TABLES, n=SIZES, cut=st.sampled_from([None, "feb"]), effects=st.integers(1, 9))
    def write_that_is_killed(self, table: str, n: int, cut: str | None, effects: int) -> None:
        """Readers see what was there, or what was to come; the same write again completes it."""
        fuse = Fuse(effects)
        fuse_git(fuse)
        try:
            broken = dc.Project.open(
                FusedStore(self.store, fuse),
                remote=self.folder / "r.git",
                clock=self.clock,
                cache_dir=self.folder / "c",
            )
            with contextlib.suppress(Killed):
                broken.write(table, frame(n), cut=cut)
        finally:
            fuse_git(Fuse())
        reader = dc.ProjectReader.open(self.store, "S")
        before = self.current.get(table)
        shown = [len(reader.read_arrow(t.name)) for t in reader.list(table) if t.name == table]
        assert shown in ([[n], []] if before is None else [[n], [before[0]]])
        held = self.cuts.get(cut or "", {}).get(table) == n
        result = self.project.write(table, frame(n), cut=cut)
        if cut is not None:
            self.cuts.setdefault(cut, {})[table] = n
        if held:
            return
        key = (n, False)
        if before != key:
            self.timeline.setdefault(table, []).append((self.clock.now, n))
        assert self.versions.setdefault(table, {}).setdefault(key, result.version) == result.version
        self.current[table] = key

    @rule()
    def reopen(self) -> None:
        self.project = dc.Project.open(
            self.store, remote=self.folder / "r.git", clock=self.clock, cache_dir=self.folder / "c"
        )

    @rule()
    def lose_the_cache(self) -> None:
        shutil.rmtree(self.folder / "c", ignore_errors=True)

    @precondition(lambda self: self.current)
    @rule(choice=st.randoms(use_true_random=False))
    def lose_a_document_and_mirror(self, choice: object) -> None:
        keys = [o.key for o in self.store.list() if not o.key.endswith(".parquet")]
        self.store.delete(choice.choice(keys))  # type: ignore[attr-defined]
        assert len(self.project.mirror().written) == 1

    @precondition(lambda self: self.current)
    @rule()
    def upgrade(self) -> None:
        self.project.upgrade()

    @invariant()
    def readers_see_what_the_model_says(self) -> None:
        if not hasattr(self, "project"):
            return
        reader = dc.ProjectReader.open(self.store, "S")
        assert {t.name for t in reader.list()} == set(self.current)
        for table, (n, _) in self.current.items():
            assert len(reader.read_arrow(table)) == n
            assert {v.version for v in reader.history(table)} == set(self.versions[table].values())
            assert reader.resolve(table).version == self.versions[table][self.current[table]]
            for moment, was in self.timeline[table][-4:]:
                assert len(reader.read_arrow(table, as_of=moment)) == was
        assert {name: {t: len(reader.read_arrow(t, cut=name)) for t in cut} for name, cut in reader.cuts().items()} == (
            self.cuts
        )

    @invariant()
    def storage_is_level_with_git(self) -> None:
        if hasattr(self, "project"):
            assert self.project.status().level


TestProjectModel = ProjectModel.TestCase
TestProjectModel.settings = settings(
    max_examples=1000 if LONG else 8,
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
