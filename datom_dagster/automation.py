"""When assets over datom tables should run by themselves."""

from __future__ import annotations

import dagster as dg


def datom_eager() -> dg.AutomationCondition:  # type: ignore[type-arg]
    """As `AutomationCondition.eager`, but only when the *content* of a parent changed.

    Dagster's own condition runs downstream whenever a parent was materialized, also when that wrote
    nothing; this one compares data versions, which are content hashes here.
    """
    condition = dg.AutomationCondition.eager().replace("newly_updated", dg.AutomationCondition.data_version_changed())
    return condition.with_label("datom_eager")
