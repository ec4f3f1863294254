"""Short versions of what `make torture` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.long import long
from tests.resilience.torture.crashes import OPERATIONS, killed_at_any_moment, killed_at_each_effect
from tests.resilience.torture.faults import FAULTS, fault
from tests.resilience.torture.outcome import Outcome, table
from tests.resilience.torture.place import place
from tests.resilience.torture.readers import mixed
from tests.resilience.torture.writers import writers


def test_writers_that_stall(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        outcome = writers(at, 4, 8, stall=0.1).check()
    assert outcome.operations == 32


def test_writers_readers_and_r_at_once(tmp_path: Path) -> None:
    with place(tmp_path, http=True) as at:
        outcome = mixed(at, 3, 5, readers=2, r_writes=4).check()
    assert outcome.operations > 15


@pytest.mark.parametrize(("name", "step"), [("first write", 2), pytest.param("sync", 4, marks=long)])
def test_killed_at_any_effect(name: str, step: int, tmp_path: Path) -> None:
    assert killed_at_each_effect(name, tmp_path, step).check().faults >= 3


def test_killed_at_any_moment(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        assert killed_at_any_moment(at, kills=2).check().faults == 6


# What the machine and the network do; the others are tested one by one in `faults`.
SHORT = {"disk full", "remote away", "connection reset"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in SHORT else long) for n in FAULTS])
def test_faults(name: str, tmp_path: Path) -> None:
    fault(name, tmp_path / "here").check()


def test_no_operation_is_left_out() -> None:
    """What changes a project or a register, by its public name."""
    named = " ".join(OPERATIONS)
    for operation in (
        "init",
        "write",
        "cut",
        "sync",
        "upgrade",
        "mirror",
        "attach",
        "move",
        "decommission",
        "validate",
    ):
        assert operation in named


def test_what_is_lost_is_counted() -> None:
    lost = Outcome("x", operations=3, faults=1, lost=1, problems=["dm: gone"])
    assert not lost.ok
    with pytest.raises(AssertionError, match="dm: gone"):
        lost.check()
    assert not Outcome("x", faults=2, recovered=1).ok
    assert table([Outcome("x", operations=1000)]).splitlines()[1].split()[:2] == ["x", "1,000"]
