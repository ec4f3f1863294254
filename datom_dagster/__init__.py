"""Tables of clinical studies as Dagster assets whose materializations are immutable versions.

import dagster as dg
from datom_dagster import DatomIOManager, DatomResource, LocalStorage, datom_asset, datom_definitions

study = DatomResource(
    project="STUDY_001",
    storage=LocalStorage(path=dg.EnvVar("STUDY_DATA")),
    remote=dg.EnvVar("STUDY_REPO"),
)

@datom_asset(owners=["data.management@example.org"])
def dm() -> pandas.DataFrame:
    ...

defs = datom_definitions(assets=[dm], resources={"io_manager": DatomIOManager(datom=study), "datom": study})
"""

from datom_dagster.assets.automation import datom_eager
from datom_dagster.assets.definitions import check_tables, datom_asset, datom_definitions
from datom_dagster.assets.jobs import datom_jobs
from datom_dagster.assets.table_assets import TableSpec, datom_assets
from datom_dagster.checks.asset_checks import datom_checks
from datom_dagster.components.component import DatomProjectComponent
from datom_dagster.events.event_metadata import datom_parents
from datom_dagster.io.io_manager import DatomIOManager
from datom_dagster.resources.extract_resource import ExtractDrop
from datom_dagster.resources.project_resource import DatomResource, DatomStorage, GovernanceResource, LocalStorage
from datom_dagster.resources.s3_storage import S3Storage
from datom_dagster.rules.table_rules import TableRules
from datom_dagster.sensors.external_writes import outside_write_sensor
from datom_dagster.sensors.extract_sensor import extract_sensor
from datom_dagster.sensors.new_projects import portfolio_sensor

__all__ = [
    "DatomIOManager",
    "DatomProjectComponent",
    "DatomResource",
    "DatomStorage",
    "ExtractDrop",
    "GovernanceResource",
    "LocalStorage",
    "S3Storage",
    "TableRules",
    "TableSpec",
    "check_tables",
    "datom_asset",
    "datom_assets",
    "datom_checks",
    "datom_definitions",
    "datom_eager",
    "datom_jobs",
    "datom_parents",
    "extract_sensor",
    "outside_write_sensor",
    "portfolio_sensor",
]
