"""`make torture`: the long scenarios, one after the other, and a table of what came of them."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.resilience.torture.crashes import OPERATIONS, killed_at_any_moment, killed_at_each_effect
from tests.resilience.torture.faults import FAULTS, fault
from tests.resilience.torture.outcome import Outcome, table
from tests.resilience.torture.place import Place, place
from tests.resilience.torture.readers import mixed
from tests.resilience.torture.writers import writers


def scenarios() -> Iterator[tuple[str, Callable[[Path], Outcome]]]:
    """The scenarios by name, each to be given an empty folder."""
    for processes in (1, 2, 4, 8, 16):
        yield f"{processes} writers", _at({}, lambda p, n=processes: writers(p, n, 320 // n))  # type: ignore[misc]
    yield "16 writers, 200 writes each", _at({}, lambda p: writers(p, 16, 200))
    yield "16 writers on two machines", _at({}, lambda p: writers(p, 16, 20, machines=2))
    yield "16 writers over http", _at({"http": True}, lambda p: writers(p, 16, 40, stall=0.02))
    yield "16 writers to S3", _at({"s3": True}, lambda p: writers(p, 16, 15, stall=0.02))
    for place_of in ({}, {"http": True}, {"s3": True}):
        yield f"all at once, {place_of}", _at(place_of, lambda p: mixed(p, 4, 30, 4, 15))
    for name in OPERATIONS:
        yield f"SIGKILL: {name}", lambda folder, name=name: killed_at_each_effect(name, folder)  # type: ignore[misc]
    yield "SIGKILL at any moment", _at({}, lambda p: killed_at_any_moment(p, 40))
    yield "SIGKILL at any moment, S3", _at({"s3": True}, lambda p: killed_at_any_moment(p, 10))
    for name in FAULTS:
        yield name, lambda folder, name=name: fault(name, folder)  # type: ignore[misc]


def _at(how: dict[str, bool], scenario: Callable[[Place], Outcome]) -> Callable[[Path], Outcome]:
    def run(folder: Path) -> Outcome:
        with place(folder, **how) as at:
            return scenario(at)

    return run


def _attempted(name: str, scenario: Callable[[Path], Outcome], folder: Path) -> Outcome:
    """One that breaks off is a row of the table, and keeps no other from being run."""
    try:
        return scenario(folder)
    except Exception as error:
        return Outcome(name, wrong=1, problems=[f"broke off: {type(error).__name__}: {error}"])


def main() -> int:
    """Run those whose name holds the first argument; the exit status says whether all is well."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    outcomes = []
    for name, scenario in scenarios():
        if wanted not in name:
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="datom-torture-", ignore_cleanup_errors=True) as folder:
            os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
            (here := Path(folder, "here")).mkdir()
            outcomes.append(_attempted(name, scenario, here))
        state = "as it should be" if outcomes[-1].ok else "\n".join(outcomes[-1].problems[:20])
        print(f"{name}: {state} ({time.monotonic() - begun:.0f} s; {outcomes[-1].note})", flush=True)
    print("\n" + table(outcomes))
    return 0 if outcomes and all(o.ok for o in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
