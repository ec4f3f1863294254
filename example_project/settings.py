"""Where the example keeps its data: environment variables, with defaults that work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import datom_core as dc

PROJECT = "STUDY_001"
_DEMO = Path(__file__).resolve().parent.parent / ".demo"


@dataclass(frozen=True)
class Settings:
    """The example's configuration.

    Attributes:
        store: folder of the project's data (``DATOM_EXAMPLE_STORE``).
        remote: URL or path of its git repository (``DATOM_EXAMPLE_REMOTE``).
        dagster_home: Dagster's own folder (``DATOM_EXAMPLE_DAGSTER_HOME``); never the user's own instance.
    """

    store: str
    remote: str
    dagster_home: str

    @classmethod
    def from_environment(cls) -> Settings:
        return cls(
            store=os.environ.get("DATOM_EXAMPLE_STORE", str(_DEMO / "store")),
            remote=os.environ.get("DATOM_EXAMPLE_REMOTE", str(_DEMO / "study_001.git")),
            dagster_home=os.environ.get("DATOM_EXAMPLE_DAGSTER_HOME", str(_DEMO / "dagster")),
        )


def ensure_project(settings: Settings) -> dc.Project:
    """The example's project; it is created the first time."""
    store = dc.LocalStore(settings.store)
    try:
        return dc.Project.open(store, remote=settings.remote)
    except dc.NotFoundError:
        return dc.Project.init(PROJECT, store, remote=settings.remote)


def ensure_dagster_home(settings: Settings) -> None:
    """A folder for Dagster's runs and events, with telemetry and the welcome window switched off."""
    home = Path(settings.dagster_home)
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text("telemetry:\n  enabled: false\nnux:\n  enabled: false\n")
    os.environ["DAGSTER_HOME"] = str(home)
