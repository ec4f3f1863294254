"""What Dagster loads: the study's assets, the job that records a cut, and its schedule."""

from __future__ import annotations

import dagster as dg

from datom_dagster import DatomIOManager, DatomResource, LocalStorage, datom_definitions
from example_project.assets import ae, dm, ex, lb, lb_abnormal
from example_project.settings import PROJECT, Settings

settings = Settings.from_environment()

study = DatomResource(project=PROJECT, storage=LocalStorage(path=settings.store), remote=settings.remote)

#: All tables of a month, one after the other, in one run.
record_cut = dg.define_asset_job(
    "record_cut",
    selection=[dm, ex, lb, ae, lb_abnormal],
    description="Extract every domain as of a month's end, derive what depends on them, and record the cut.",
    executor_def=dg.in_process_executor,
)

defs = datom_definitions(
    assets=[dm, ex, lb, ae, lb_abnormal],
    jobs=[record_cut],
    schedules=[dg.build_schedule_from_partitioned_job(record_cut, name="monthly_cut", hour_of_day=6)],
    resources={
        "datom": study,
        "io_manager": DatomIOManager(datom=study, message_template="Record {asset}{partition}"),
    },
)
