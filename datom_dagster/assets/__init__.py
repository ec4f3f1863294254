"""Assets and jobs from declarations: tables as assets, definitions as a whole, the one-off jobs of governance.

What cannot work is refused here, when the code is loaded. What an asset returns is stored by `io`.
"""

from datom_dagster.assets.automation import datom_eager
from datom_dagster.assets.change_report import datom_change_report
from datom_dagster.assets.definitions import KINDS, check_tables, datom_asset, datom_definitions
from datom_dagster.assets.jobs import datom_jobs
from datom_dagster.assets.set_assets import SET_KINDS, datom_set
from datom_dagster.assets.set_members import SetMember
from datom_dagster.assets.table_assets import Extraction, columns_of, datom_assets
from datom_dagster.assets.table_spec import TableSpec

__all__ = [
    "KINDS",
    "SET_KINDS",
    "Extraction",
    "SetMember",
    "TableSpec",
    "check_tables",
    "columns_of",
    "datom_asset",
    "datom_assets",
    "datom_change_report",
    "datom_definitions",
    "datom_eager",
    "datom_jobs",
    "datom_set",
]
