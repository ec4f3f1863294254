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

from typing import TYPE_CHECKING, Any

from datom_core import needing

with needing("datom_dagster", "dagster"):
    from datom_dagster.assets import (
        SetMember,
        TableSpec,
        check_tables,
        datom_asset,
        datom_assets,
        datom_change_report,
        datom_definitions,
        datom_eager,
        datom_jobs,
        datom_set,
    )
    from datom_dagster.checks import datom_checks, datom_set_checks
    from datom_dagster.components import DatomProjectComponent
    from datom_dagster.events import datom_parents
    from datom_dagster.io import DatomIOManager
    from datom_dagster.lineage import OpenLineageResource
    from datom_dagster.resources import (
        DatomResource,
        DatomStorage,
        ExtractDrop,
        GovernanceResource,
        LocalStorage,
    )
    from datom_dagster.rules import TableRules
    from datom_dagster.sensors import extract_sensor, outside_write_sensor, portfolio_sensor

if TYPE_CHECKING:
    from datom_dagster.resources import S3Storage

__all__ = [
    "DatomIOManager",
    "DatomProjectComponent",
    "DatomResource",
    "DatomStorage",
    "ExtractDrop",
    "GovernanceResource",
    "LocalStorage",
    "OpenLineageResource",
    "S3Storage",
    "SetMember",
    "TableRules",
    "TableSpec",
    "check_tables",
    "datom_asset",
    "datom_assets",
    "datom_change_report",
    "datom_checks",
    "datom_definitions",
    "datom_eager",
    "datom_jobs",
    "datom_parents",
    "datom_set",
    "datom_set_checks",
    "extract_sensor",
    "outside_write_sensor",
    "portfolio_sensor",
]


def __getattr__(name: str) -> Any:
    """`S3Storage`, when it is asked for, as in `datom_dagster.resources`."""
    if name != "S3Storage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from datom_dagster.resources import S3Storage

    return S3Storage
