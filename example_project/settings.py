"""Where the example keeps its data: environment variables, with defaults that work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import datom_core as dc
from datom_dagster import DatomStorage, LocalStorage, S3Storage

PROJECT = "STUDY_001"
#: The product that is derived from it, and its one set.
PRODUCT, PRODUCT_SET = "STUDY_001_ADAM", "adam"
_DEMO = Path(__file__).resolve().parent.parent / ".demo"


@dataclass(frozen=True)
class Settings:
    """The example's configuration.

    Attributes:
        store: folder of the project's data, or ``s3://bucket/prefix`` (``DATOM_EXAMPLE_STORE``). A bucket's keys
            are taken from ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``.
        endpoint: URL of an S3 server other than AWS (``DATOM_EXAMPLE_S3_ENDPOINT``).
        remote: URL or path of its git repository (``DATOM_EXAMPLE_REMOTE``).
        governance_store, governance_remote: where the organization's register lies, and its git repository
            (``DATOM_EXAMPLE_GOVERNANCE_STORE``, ``DATOM_EXAMPLE_GOVERNANCE_REMOTE``). The example's jobs create it.
        adam_store, adam_remote: the same of the ADaM product (``DATOM_EXAMPLE_ADAM_STORE``,
            ``DATOM_EXAMPLE_ADAM_REMOTE``); by default beside the study's repository.
        drops: folder in which the vendor's files arrive (``DATOM_EXAMPLE_DROPS``).
        reports: folder of the reports of what changed (``DATOM_EXAMPLE_REPORTS``); by default beside the repository.
        dagster_home: Dagster's own folder (``DATOM_EXAMPLE_DAGSTER_HOME``); never the user's own instance.
    """

    store: str
    endpoint: str | None
    remote: str
    governance_store: str
    governance_remote: str
    adam_store: str
    adam_remote: str
    drops: str
    reports: str
    dagster_home: str

    @classmethod
    def from_environment(cls) -> Settings:
        remote = os.environ.get("DATOM_EXAMPLE_REMOTE", str(_DEMO / "study_001.git"))
        return cls(
            store=os.environ.get("DATOM_EXAMPLE_STORE", str(_DEMO / "store")),
            endpoint=os.environ.get("DATOM_EXAMPLE_S3_ENDPOINT"),
            remote=remote,
            governance_store=os.environ.get("DATOM_EXAMPLE_GOVERNANCE_STORE", str(_DEMO / "governance")),
            governance_remote=os.environ.get("DATOM_EXAMPLE_GOVERNANCE_REMOTE", str(_DEMO / "governance.git")),
            adam_store=os.environ.get("DATOM_EXAMPLE_ADAM_STORE", str(Path(remote).with_name("adam"))),
            adam_remote=os.environ.get("DATOM_EXAMPLE_ADAM_REMOTE", str(Path(remote).with_name("adam.git"))),
            drops=os.environ.get("DATOM_EXAMPLE_DROPS", str(_DEMO / "drops")),
            reports=os.environ.get("DATOM_EXAMPLE_REPORTS", str(Path(remote).with_name("reports"))),
            dagster_home=os.environ.get("DATOM_EXAMPLE_DAGSTER_HOME", str(_DEMO / "dagster")),
        )

    def storage(self) -> DatomStorage:
        """The place of the data, as a Dagster resource."""
        if not self.store.startswith("s3://"):
            return LocalStorage(path=self.store)
        place = urlsplit(self.store)
        return S3Storage(
            bucket=place.netloc,
            prefix=place.path.strip("/"),
            region=os.environ.get("AWS_REGION"),
            endpoint_url=self.endpoint,
            access_key_env="AWS_ACCESS_KEY_ID",
            secret_key_env="AWS_SECRET_ACCESS_KEY",  # noqa: S106 - the name of a variable
            session_token_env="AWS_SESSION_TOKEN",  # noqa: S106
        )


def ensure_project(settings: Settings) -> dc.Project:
    """The example's project, which is created the first time."""
    store = settings.storage().store()
    try:
        return dc.Project.open(store, remote=settings.remote)
    except dc.NotFoundError:
        return dc.Project.init(PROJECT, store, remote=settings.remote)


def ensure_product(settings: Settings) -> dc.Project:
    """The ADaM product, which is created the first time."""
    store = dc.LocalStore(settings.adam_store)
    try:
        return dc.Project.open(store, remote=settings.adam_remote)
    except dc.NotFoundError:
        return dc.Project.init(PRODUCT, store, remote=settings.adam_remote, product=PRODUCT_SET)


def save_settings(settings: Settings) -> Path | None:
    """Write where the project is into ``datom.toml`` beside its repository, for `datom`; unless that is no folder."""
    folder = Path(settings.remote).parent
    if not folder.is_dir():
        return None
    storage = (
        dc.StorageSettings(path=_beside(settings.store, folder))
        if not settings.store.startswith("s3://")
        else dc.StorageSettings.at(
            settings.store,
            region=os.environ.get("AWS_REGION", "us-east-1"),
            endpoint_url=settings.endpoint,
            access_key_env="AWS_ACCESS_KEY_ID",
            secret_key_env="AWS_SECRET_ACCESS_KEY",  # noqa: S106 - the name of a variable
            session_token_env="AWS_SESSION_TOKEN",  # noqa: S106
        )
    )
    found = dc.ProjectSettings(PROJECT, storage, remote=_beside(settings.remote, folder), folder=folder)
    return found.save(folder / "datom.toml", replacing=True).file


def _beside(path: str, folder: Path) -> str:
    """A path as a file in ``folder`` names it."""
    return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path


def ensure_drops(settings: Settings) -> Path:
    """The folder in which the vendor's files arrive."""
    folder = Path(settings.drops)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ensure_dagster_home(settings: Settings) -> None:
    """Create a folder for Dagster's runs and events, with telemetry and the welcome window switched off."""
    home = Path(settings.dagster_home)
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text("telemetry:\n  enabled: false\nnux:\n  enabled: false\n")
    os.environ["DAGSTER_HOME"] = str(home)
