"""The study's tables: four SDTM domains as they arrive, and one table derived from them."""

from datetime import timedelta

import dagster as dg
import pandas as pd

from datom_dagster import TableRules, datom_asset, datom_checks, datom_eager
from example_project.extract import domain, extract

#: One cut a month, named after it: the cut "2013-03" holds what was known at the end of March 2013.
#: The study ended in March 2015.
CUTS = dg.MonthlyPartitionsDefinition(start_date="2012-07", end_date="2015-04", fmt="%Y-%m")

#: What must hold for each domain. Its key is a natural one, of what the row is about: SDTM's sequence numbers are given
#: anew with each extract, and by them every row after one that comes late would seem to have changed. And no row of an
#: extract may be missing from the next one.
RULES = {
    "dm": TableRules(
        key=("USUBJID",),
        allowed={"SEX": ("F", "M", "U")},
        ranges={"AGE": (18, None)},
        max_row_drop=0,
        stable_schema=True,
    ),
    "ex": TableRules(
        key=("USUBJID", "EXTRT", "EXSTDTC"), ranges={"EXDOSE": (0, None)}, max_row_drop=0, stable_schema=True
    ),
    "lb": TableRules(
        key=("USUBJID", "LBTESTCD", "VISITNUM"), required=("LBTESTCD", "LBDTC"), max_row_drop=0, stable_schema=True
    ),
    # The study records an event anew whenever its severity or its outcome changes.
    "ae": TableRules(
        key=("USUBJID", "AETERM", "AESTDTC", "AEDTC", "AESPID", "AESEV", "AEOUT"),
        allowed={"AESER": ("N", "Y")},
        max_row_drop=0,
        stable_schema=True,
    ),
}


def sdtm_asset(name: str) -> dg.AssetsDefinition:
    """One SDTM domain, extracted afresh for each cut."""
    described = domain(name)

    @datom_asset(
        name=name,
        description=f"{described.label}: all records up to the end of the cut's month.",
        columns=described.columns,
        table_type="imported",
        group_name="sdtm",
        owners=["data.management@example.org"],
        kinds={"datom", "parquet"},
        tags={"study": "cdiscpilot01"},
        partitions_def=CUTS,
        code_version="1",
        rules=RULES[name],
    )
    def domain_asset(context: dg.AssetExecutionContext) -> pd.DataFrame:
        cutoff = (context.partition_time_window.end - timedelta(days=1)).date()
        frame = extract(name, cutoff)
        context.log.info(f"{name}: {len(frame)} records up to {cutoff}")
        return frame

    return domain_asset


dm, ex, lb, ae = (sdtm_asset(name) for name in ("dm", "ex", "lb", "ae"))

#: Nothing is derived from rows that cannot be told apart; other findings are shown, and stop nobody.
CHECKS = [datom_checks(asset, blocking={"key"}) for asset in (dm, ex, lb, ae)]


@datom_asset(
    description="Abnormal laboratory results per subject and test, with the treatment arm.",
    columns={
        "USUBJID": "Unique Subject Identifier",
        "ARM": "Description of Planned Arm",
        "LBTESTCD": "Lab Test or Examination Short Name",
        "LOW": "Results below the reference range",
        "HIGH": "Results above the reference range",
        "LAST": "Date/Time of the last abnormal result",
    },
    group_name="derived",
    owners=["team:biostatistics"],
    kinds={"datom", "parquet", "pandas"},
    tags={"study": "cdiscpilot01"},
    partitions_def=CUTS,
    automation_condition=datom_eager(),
    code_version="1",
    on_empty="skip",
    rules=TableRules(key=("USUBJID", "LBTESTCD")),
)
def lb_abnormal(lb: pd.DataFrame, dm: pd.DataFrame) -> pd.DataFrame:
    abnormal = lb[lb["LBNRIND"].isin(["LOW", "HIGH"])]
    counted = (
        abnormal.assign(LOW=abnormal["LBNRIND"] == "LOW", HIGH=abnormal["LBNRIND"] == "HIGH")
        .groupby(["USUBJID", "LBTESTCD"], as_index=False)
        .agg(LOW=("LOW", "sum"), HIGH=("HIGH", "sum"), LAST=("LBDTC", "max"))
    )
    merged = counted.merge(dm[["USUBJID", "ARM"]], on="USUBJID", how="left")
    return merged[["USUBJID", "ARM", "LBTESTCD", "LOW", "HIGH", "LAST"]]
