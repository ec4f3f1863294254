"""A study on Kubernetes: its data in a bucket, its history on a git host, each step in a pod of its own."""

# Dagster reads annotations at run time: no `annotations` import.
import io
import os

import boto3
import dagster as dg
import pandas as pd
from dagster_k8s import k8s_job_executor

from datom_dagster import DatomIOManager, DatomResource, S3Storage, datom_assets, datom_definitions

study = DatomResource(
    project="STUDY_001",
    storage=S3Storage(
        bucket=dg.EnvVar("STUDY_BUCKET"),
        region=dg.EnvVar("STUDY_REGION"),
        # Names of variables, never the secrets themselves.
        access_key_env="STUDY_KEY",
        secret_key_env="STUDY_SECRET",
    ),
    remote=dg.EnvVar("STUDY_REPO"),
    token_env="STUDY_TOKEN",
    # A pod has nobody's git configuration.
    author="Data Management <data.management@example.org>",
)


def extract(table: str, cut: str | None) -> pd.DataFrame:
    """What was delivered of a table."""
    drops = boto3.client("s3", region_name=os.environ["STUDY_REGION"])
    held = drops.get_object(Bucket=os.environ["STUDY_DROPS"], Key=f"{table}.csv")
    return pd.read_csv(io.BytesIO(held["Body"].read()))


defs = datom_definitions(
    assets=datom_assets(project=study, tables=["dm", "ae", "lb", "vs"], extract=extract),
    jobs=[dg.define_asset_job("tables")],
    resources={"io_manager": DatomIOManager(datom=study), "datom": study},
    executor=k8s_job_executor,
)
