"""Code locations that the tests of the web server load: one that keeps its secrets, and one that does not.

Everything is given by the names of environment variables, so that it can be loaded before they are set.
"""

import dagster as dg
import pandas as pd
from dagster_aws.s3 import S3Resource

from datom_dagster import (
    DatomIOManager,
    DatomResource,
    GovernanceResource,
    LocalStorage,
    S3Storage,
    TableRules,
    datom_asset,
    datom_checks,
    datom_definitions,
    datom_jobs,
    outside_write_sensor,
)

#: Planted in the environment under these names, or, in the location that leaks, written down.
SECRETS = {
    "STUDY_SECRET_KEY": "wJalrXUtnFEMI-K7MDENG-bPxRfiCYplanted1",
    "STUDY_TOKEN": "ghp_planted2planted2planted2planted2pl",
    "REGISTER_TOKEN": "ghp_planted3planted3planted3planted3pl",
    "STUDY_SESSION": "FwoGZXIvYXdzEplanted4",
    "OTHER_SECRET_KEY": "je7MtGbClwBF-2Zp9Utk-h3yCo8nvbplanted5",
}
#: Nobody listens there.
AWAY = "https://127.0.0.1:9/acme/away.git"


@datom_asset(rules=TableRules(key=("USUBJID",)))
def dm() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01-001", "01-002"], "AGE": [63, 71]})


@datom_asset
def adsl(dm: pd.DataFrame) -> pd.DataFrame:
    return dm.assign(SAFFL="Y")


# Asks for all of them, so that the run config of its job has them, too.
@datom_asset(io_manager_key="away_io", required_resource_keys={"aws", "bucket", "governance", "in_bucket", "of_aws"})
def away() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": ["01-001"]})


def _location(aws: S3Resource) -> dg.Definitions:
    bucket = S3Storage(
        bucket="study-001",
        region="eu-central-1",
        access_key_env="STUDY_KEY",
        secret_key_env="STUDY_SECRET_KEY",
        session_token_env="STUDY_SESSION",
    )
    local, remote = LocalStorage(path=dg.EnvVar("STUDY_DATA")), dg.EnvVar("STUDY_REPO")
    study = DatomResource(project="STUDY_001", storage=local, remote=remote)
    far = DatomResource(project="AWAY", storage=local, remote=AWAY, token_env="STUDY_TOKEN")
    return datom_definitions(
        assets=[dm, adsl, away],
        asset_checks=[datom_checks(dm)],
        jobs=datom_jobs([dm, adsl]),
        sensors=[outside_write_sensor([dm])],
        resources={
            "datom": study,
            "io_manager": DatomIOManager(datom=study),
            "away_io": DatomIOManager(datom=far),
            "governance": GovernanceResource(storage=bucket, remote=AWAY, token_env="REGISTER_TOKEN"),
            "in_bucket": DatomResource(project="STUDY_002", storage=bucket, remote=AWAY, token_env="STUDY_TOKEN"),
            # Dagster shows of a resource inside another one what it is called, when it stands by itself, too.
            "bucket": bucket,
            "aws": aws,
            "of_aws": DatomResource(project="STUDY_003", storage=S3Storage(bucket="study-003", s3=aws)),
        },
    )


keeps = _location(S3Resource(aws_access_key_id="AKIA", aws_secret_access_key=dg.EnvVar("OTHER_SECRET_KEY")))
leaks = _location(S3Resource(aws_access_key_id="AKIA", aws_secret_access_key=SECRETS["OTHER_SECRET_KEY"]))
