"""Which files a write, a read, a sync, a move and an asset pass through: each is done once, and calls are noted."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

import datom_core as dc
import datom_dagster

ROOT = Path(__file__).resolve().parent.parent
WHO = "Path <path@example.org>"


def passed() -> dict[str, set[str]]:
    """The files below `ROOT` whose functions were called, by what was done."""
    with tempfile.TemporaryDirectory(prefix="datom-paths-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        # What is imported on first use would seem to be passed.
        for package in (dc, datom_dagster):
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                door = importlib.import_module(module.name)
                for name in getattr(door, "__all__", ()):
                    getattr(door, name)
            for name in package.__all__:
                getattr(package, name)
        return _done(Path(folder))


def _done(place: Path) -> dict[str, set[str]]:
    data, moved, drop = place / "data", place / "moved", place / "drop"
    for folder in (data, moved, drop):
        folder.mkdir()
    project = dc.Project.init("STUDY", dc.LocalStore(data), remote=f"{place}/history.git", author=WHO)
    frame = pd.DataFrame({"USUBJID": ["01", "02"], "AGE": [63, 71]})
    project.write("dm", frame)
    later = frame.assign(AGE=[63, 72])
    later.to_csv(drop / "vs.csv", index=False)
    found: dict[str, set[str]] = {}
    with noted(found, "write"):
        project.write("dm", later)
    reader = dc.ProjectReader.open(project.store, "STUDY")
    with noted(found, "read"):
        reader.read("dm")
    with noted(found, "sync"):
        project.sync(drop)
    with noted(found, "move"):
        dc.migrate(project, dc.LocalStore(moved))
    definitions = _definitions(moved, project.remote, later)
    with noted(found, "asset"), dg.DagsterInstance.ephemeral() as instance:
        definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
    return found


def _definitions(data: Path, remote: str, frame: pd.DataFrame) -> dg.Definitions:
    """Two assets, of which one loads the other."""
    logging.disable(logging.CRITICAL)
    study = datom_dagster.DatomResource(
        project="STUDY", storage=datom_dagster.LocalStorage(path=str(data)), remote=remote, author=WHO
    )

    @datom_dagster.datom_asset
    def ae() -> pd.DataFrame:
        return frame

    @datom_dagster.datom_asset
    def adae(ae: pd.DataFrame) -> pd.DataFrame:
        return ae

    manager = datom_dagster.DatomIOManager(datom=study)
    return datom_dagster.datom_definitions(assets=[ae, adae], resources={"io_manager": manager, "datom": study})


@contextmanager
def noted(found: dict[str, set[str]], what: str) -> Iterator[None]:
    """Note the files of the calls that are made inside, in every thread."""
    files: set[str] = set()

    def note(frame: Any, event: str, _: object) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    ours = (f"{ROOT}/datom_core/", f"{ROOT}/datom_dagster/")
    found[what] = {name.removeprefix(f"{ROOT}/") for name in files if name.startswith(ours)}
