"""What Dagster loads: the study's assets, the job that records a cut, and its schedule."""

from __future__ import annotations

import dagster as dg

from datom_dagster import (
    DatomIOManager,
    DatomResource,
    GovernanceResource,
    LocalStorage,
    datom_change_report,
    datom_definitions,
    datom_jobs,
)
from example_project.assets import CHECKS, CUTS, ae, dm, ex, lb, lb_abnormal
from example_project.settings import PROJECT, Settings
from example_project.vendor import vendor

settings = Settings.from_environment()

governance = GovernanceResource(storage=LocalStorage(path=settings.governance_store), remote=settings.governance_remote)
study = DatomResource(project=PROJECT, storage=settings.storage(), governance=governance, remote=settings.remote)
TABLES = [dm, ex, lb, ae, lb_abnormal]

#: All tables of a month, one after the other, in one run.
record_cut = dg.define_asset_job(
    "record_cut",
    selection=TABLES,
    description="Extract every domain as of a month's end, derive what depends on them, and record the cut.",
    executor_def=dg.in_process_executor,
)


@dg.schedule(job=record_cut, cron_schedule="0 6 1 * *", description="On the first of each month: the latest cut.")
def monthly_cut(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for the latest month that is over. After the study's end that is always its last month, which makes
    no commit unless its data changed after all."""
    over = CUTS.get_partition_keys(current_time=context.scheduled_execution_time)
    if not over:
        return dg.SkipReason("The study's first month is not over yet.")
    return dg.RunRequest(partition_key=over[-1], tags={"datom/commit_message": f"Monthly extract, cut {over[-1]}"})


outside = vendor(settings, study)

#: What changed in each cut: the whole of it in a folder, the most important on the asset's page.
change_report = datom_change_report(
    TABLES,
    partitions=CUTS,
    reports=settings.reports,
    forms=["html", "xlsx"],
    group_name="reports",
    owners=["data.management@example.org"],
)

defs = datom_definitions(
    assets=[*TABLES, *outside.assets, change_report],
    asset_checks=[*CHECKS, *outside.checks],
    sensors=outside.sensors,
    jobs=[record_cut, *datom_jobs(TABLES)],
    schedules=[monthly_cut],
    resources={
        "datom": study,
        "governance": governance,
        "io_manager": DatomIOManager(datom=study, message_template="Record {asset} {partition}"),
    },
)
