"""A study whose steps run in the workers of a Celery queue: tables from csv files, and one that is derived of them."""

# Dagster reads annotations at run time: no `annotations` import.
import os
from pathlib import Path

import dagster as dg
import pandas as pd
from dagster_celery import celery_executor

from datom_dagster import DatomIOManager, DatomResource, LocalStorage, datom_asset, datom_assets, datom_definitions

study = DatomResource(
    project="STUDY_001",
    # For all processes of one machine. On several machines: S3Storage.
    storage=LocalStorage(path=dg.EnvVar("STUDY_DATA")),
    remote=dg.EnvVar("STUDY_REPO"),
    # Machines that only work have nobody's git configuration.
    author="Data Management <data.management@example.org>",
)


def extract(table: str, cut: str | None) -> pd.DataFrame:
    """What was delivered of a table."""
    return pd.read_csv(Path(os.environ["STUDY_EXTRACTS"], f"{table}.csv"))


@datom_asset
def subjects(dm: pd.DataFrame, ae: pd.DataFrame) -> pd.DataFrame:
    """Subjects, and whether they had an adverse event."""
    return dm[["USUBJID"]].assign(ANYAE=dm["USUBJID"].isin(ae["USUBJID"]))


defs = datom_definitions(
    assets=[*datom_assets(project=study, tables=["dm", "ae", "lb", "vs"], extract=extract), subjects],
    jobs=[dg.define_asset_job("tables")],
    resources={"io_manager": DatomIOManager(datom=study), "datom": study},
    # Celery's own names, so that one and the same variable serves runs and workers.
    executor=celery_executor.configured(
        {"broker": {"env": "CELERY_BROKER_URL"}, "backend": {"env": "CELERY_RESULT_BACKEND"}}
    ),
)
