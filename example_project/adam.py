"""What statisticians derive from a cut of the study: two ADaM tables, and the set that releases them.

A project of its own, with its own people: a product, which takes its input from the study's project and holds no
extracts. The tables follow the ADaM implementation guide as far as a few columns go.
"""

import dagster as dg
import pandas as pd

from datom_dagster import SetMember, TableRules, datom_asset, datom_checks, datom_eager, datom_set, datom_set_checks
from example_project.assets import CUTS

OWNERS = ["team:biostatistics"]
#: The tests that tell of the liver, and what ADaM calls them.
LIVER = ("ALP", "ALT", "AST", "BILI")

#: The study's tables as this code location knows them: another one records them.
SDTM = [
    dg.AssetSpec(
        name, group_name="sdtm", partitions_def=CUTS, kinds={"datom", "parquet"}, owners=["data.management@example.org"]
    ).with_io_manager_key("sdtm_io")
    for name in ("dm", "ex", "lb")
]


@datom_asset(
    description="Subject-level analysis: who was randomized, to what, and for how long they were treated.",
    columns={
        "USUBJID": "Unique Subject Identifier",
        "SITEID": "Study Site Identifier",
        "AGE": "Age",
        "AGEGR1": "Pooled Age Group 1",
        "SEX": "Sex",
        "TRT01P": "Planned Treatment for Period 01",
        "TRT01A": "Actual Treatment for Period 01",
        "TRTSDT": "Date of First Exposure to Treatment",
        "TRTEDT": "Date of Last Exposure to Treatment",
        "SAFFL": "Safety Population Flag",
    },
    group_name="adam",
    owners=OWNERS,
    kinds={"datom", "parquet", "pandas"},
    partitions_def=CUTS,
    automation_condition=datom_eager(),
    code_version="1",
    rules=TableRules(key=("USUBJID",), allowed={"SAFFL": ("Y", "N")}),
)
def adsl(dm: pd.DataFrame, ex: pd.DataFrame) -> pd.DataFrame:
    randomized = dm[dm["ARMCD"] != "Scrnfail"]
    treated = ex.groupby("USUBJID", as_index=False).agg(TRTSDT=("EXSTDTC", "min"), TRTEDT=("EXENDTC", "max"))
    subjects = randomized.merge(treated, on="USUBJID", how="left")
    age = pd.cut(subjects["AGE"], [0, 64, 80, 200], labels=["<65", "65-80", ">80"]).astype(object)
    return pd.DataFrame(
        {
            **{column: subjects[column] for column in ("USUBJID", "SITEID", "AGE")},
            "AGEGR1": age,
            "SEX": subjects["SEX"],
            "TRT01P": subjects["ARM"],
            "TRT01A": subjects["ACTARM"],
            **{column: subjects[column] for column in ("TRTSDT", "TRTEDT")},
            "SAFFL": subjects["TRTSDT"].notna().map({True: "Y", False: "N"}),
        }
    )


@datom_asset(
    description="Liver tests of the safety population: each result against the last one before treatment.",
    columns={
        "USUBJID": "Unique Subject Identifier",
        "TRT01A": "Actual Treatment for Period 01",
        "PARAMCD": "Parameter Code",
        "PARAM": "Parameter",
        "AVISITN": "Analysis Visit (N)",
        "AVISIT": "Analysis Visit",
        "ADT": "Analysis Date",
        "AVAL": "Analysis Value",
        "ABLFL": "Baseline Record Flag",
        "BASE": "Baseline Value",
        "CHG": "Change from Baseline",
        "ANRIND": "Analysis Reference Range Indicator",
    },
    group_name="adam",
    owners=OWNERS,
    kinds={"datom", "parquet", "pandas"},
    partitions_def=CUTS,
    automation_condition=datom_eager(),
    code_version="1",
    rules=TableRules(key=("USUBJID", "PARAMCD", "AVISITN")),
)
def adlb(adsl: pd.DataFrame, lb: pd.DataFrame) -> pd.DataFrame:
    safe = adsl.loc[adsl["SAFFL"] == "Y", ["USUBJID", "TRT01A", "TRTSDT"]]
    results = lb[lb["LBTESTCD"].isin(LIVER)].dropna(subset=["LBSTRESN"]).merge(safe, on="USUBJID")
    results = results.assign(ADT=results["LBDTC"].str.slice(0, 10)).sort_values(["USUBJID", "LBTESTCD", "LBDTC"])
    by_parameter = ["USUBJID", "LBTESTCD"]
    before = results[results["ADT"] <= results["TRTSDT"]].groupby(by_parameter).tail(1)
    baseline = before.set_index(by_parameter)["LBSTRESN"].rename("BASE")
    results = results.join(baseline, on=by_parameter)
    return pd.DataFrame(
        {
            "USUBJID": results["USUBJID"],
            "TRT01A": results["TRT01A"],
            "PARAMCD": results["LBTESTCD"],
            "PARAM": results["LBTEST"] + " (" + results["LBSTRESU"] + ")",
            "AVISITN": results["VISITNUM"],
            "AVISIT": results["VISIT"],
            "ADT": results["ADT"],
            "AVAL": results["LBSTRESN"],
            "ABLFL": results.index.isin(before.index),
            "BASE": results["BASE"],
            "CHG": results["LBSTRESN"] - results["BASE"],
            "ANRIND": results["LBNRIND"],
        }
    ).assign(ABLFL=lambda table: table["ABLFL"].map({True: "Y", False: None}))


TABLES = [adsl, adlb]

#: What is released: both tables, with exactly those versions of the study's tables that they were derived from.
adam = datom_set(
    "adam",
    [
        *(SetMember(table, {"type": "output"}) for table in TABLES),
        *(SetMember(table, {"type": "input"}, resource="sdtm") for table in SDTM),
    ],
    description="What is released of a cut: the ADaM tables, with the SDTM versions that they were derived from.",
    partitions=CUTS,
    group_name="adam",
    owners=OWNERS,
    automation_condition=datom_eager(),
    code_version="1",
)

CHECKS = [*(datom_checks(table, blocking={"key"}) for table in TABLES), datom_set_checks(adam, others=["sdtm"])]
