"""What Dagster loads of the ADaM product: a code location of its own, beside that of the study."""

from __future__ import annotations

import dagster as dg

from datom_dagster import DatomIOManager, DatomResource, GovernanceResource, LocalStorage, datom_definitions
from example_project.adam import CHECKS, SDTM, TABLES, adam
from example_project.settings import PRODUCT, PROJECT, Settings

settings = Settings.from_environment()

product = DatomResource(project=PRODUCT, storage=LocalStorage(path=settings.adam_store), remote=settings.adam_remote)
#: Statisticians read the study, and cannot write to it.
register = GovernanceResource(storage=LocalStorage(path=settings.governance_store))
sdtm = DatomResource(project=PROJECT, storage=settings.storage(), governance=register)

release_adam = dg.define_asset_job(
    "release_adam",
    selection=[*TABLES, adam],
    description="Derive the ADaM tables from a cut of the study, and release them as a set.",
    executor_def=dg.in_process_executor,
)

defs = datom_definitions(
    assets=[*SDTM, *TABLES, adam],
    asset_checks=CHECKS,
    jobs=[release_adam],
    resources={
        "datom": product,
        "sdtm": sdtm,
        "io_manager": DatomIOManager(datom=product, message_template="Derive {asset} from the cut {partition}"),
        "sdtm_io": DatomIOManager(datom=sdtm),
    },
)
