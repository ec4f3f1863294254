"""What the IO manager adds to the core's write and read, not counting Dagster's own work."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import dagster as dg

import datom_dagster as dd
from benchmarks.data import small
from benchmarks.local import AUTHOR, Study
from benchmarks.measure import REPEATS, Table, alternating


def share(folder: Path, to: Table) -> None:
    """A hundred rows through `handle_output` and `load_input`, and through the core as the IO manager uses it."""
    logging.disable(logging.INFO)
    study, numbers = Study(folder), itertools.count()
    storage = dd.LocalStorage(path=str(folder / "store"))
    resource = dd.DatomResource(project="BENCH", storage=storage, remote=study.remote, author=AUTHOR)
    manager = dd.DatomIOManager(datom=resource)

    @dg.asset
    def ae() -> None: ...

    def output() -> dg.OutputContext:
        return dg.build_output_context(asset_key=ae.key, definition_metadata={}, run_id="bench")

    # Make these beforehand, because that takes Dagster longer than all the rest.
    outputs = iter([output() for _ in range(REPEATS + 1)])
    inputs = iter([dg.build_input_context(asset_key=ae.key, upstream_output=output()) for _ in range(REPEATS + 1)])
    project = resource.open_project()
    opened, core, stored, read, loaded = alternating(
        resource.open_project,
        lambda: project.write("ae", small(next(numbers))),
        lambda: manager.handle_output(next(outputs), small(next(numbers))),
        lambda: resource.open_reader().read("ae"),
        lambda: manager.load_input(next(inputs)),
    )
    logging.disable(logging.NOTSET)
    for name, whole, part, of in (
        ("handle_output", stored, opened + core, "the core's open and write"),
        ("load_input", loaded, read, "the core's open and read"),
    ):
        added = (whole.wall - part.wall) * 1e3
        to.add(f"{name}, 100 rows", whole, of, part, note=f"adds {added:.0f} ms of 20 that it may")
