"""What comes from outside this Dagster: a vendor's files, and a table that a colleague keeps in R."""

from dataclasses import dataclass
from typing import Any

import dagster as dg
import pandas as pd

from datom_dagster import (
    DatomResource,
    ExtractDrop,
    LocalStorage,
    TableRules,
    TableSpec,
    datom_asset,
    datom_assets,
    datom_checks,
    extract_sensor,
    outside_write_sensor,
)
from example_project.assets import CUTS
from example_project.extract import domain
from example_project.settings import Settings

DESCRIBED = domain("vs")
#: Tells rows apart, and is no rule: only what is measured in several positions has a time point.
NATURAL_KEY = ("USUBJID", "VSTESTCD", "VISITNUM", "VSTPTNUM")
RULES = TableRules(ranges={"VSSTRESN": (0, 300)})

#: Others keep this table; this Dagster reports what they write.
SITES = dg.AssetSpec(
    "sites",
    description="Sites and their investigators, kept by the clinical team in R.",
    group_name="outside",
    kinds={"datom", "r"},
    owners=["team:clinical"],
).with_io_manager_key("io_manager")


@datom_asset(
    description="The last vital signs of each subject.",
    group_name="derived",
    owners=["team:biostatistics"],
    kinds={"datom", "parquet", "pandas"},
    partitions_def=CUTS,
    code_version="1",
)
def vs_last(vs: pd.DataFrame) -> pd.DataFrame:
    measured = vs.dropna(subset=["VSSTRESN"]).sort_values(["USUBJID", "VSTESTCD", "VSDTC", "VSSEQ"])
    return measured.groupby(["USUBJID", "VSTESTCD"], as_index=False)[["VSSTRESN", "VSSTRESU", "VSDTC"]].last()


@dataclass(frozen=True)
class Outside:
    """What Dagster needs to know about what comes from outside."""

    assets: list[Any]
    checks: list[dg.AssetChecksDefinition]
    sensors: list[dg.SensorDefinition]


def vendor(settings: Settings, study: DatomResource) -> Outside:
    """The vendor's table with its checks and sensor, and the colleague's with the sensor that reports it."""
    # Each month's delivery arrives in a folder named after the month.
    drop = ExtractDrop(place=LocalStorage(path=settings.drops), by_cut=True)
    vs = datom_assets(
        project=study,
        tables=[
            TableSpec(
                "vs",
                columns=DESCRIBED.columns,
                description=f"{DESCRIBED.label}, from the vendor's files.",
                metadata={"datom/key": list(NATURAL_KEY)},
                rules=RULES,
            )
        ],
        extract=drop,
        partitions=CUTS,
        group_name="vendor",
        owners=["data.management@example.org"],
        tags={"study": "cdiscpilot01"},
    )
    return Outside(
        assets=[*vs, vs_last, SITES],
        checks=[datom_checks(vs[0], blocking=["ranges"])],
        sensors=[extract_sensor(vs, drop, downstream=True), outside_write_sensor([SITES])],
    )
