"""When assets over datom tables should run by themselves."""

from __future__ import annotations

import dagster as dg


def datom_eager() -> dg.AutomationCondition:  # type: ignore[type-arg]
    """Like `AutomationCondition.eager`, but only when the *content* of a parent changed.

    Dagster's own condition runs downstream whenever a parent was materialized, or is about to be, even if that
    writes nothing; this one waits, and compares data versions, which are content hashes here. A run that
    updated the parent and includes the asset itself counts as done.
    """
    changed = dg.AutomationCondition.data_version_changed() & ~dg.AutomationCondition.executed_with_root_target()
    any_changed = dg.AutomationCondition.any_deps_match(changed).with_label("any_deps_changed")
    return dg.AutomationCondition.eager().replace("any_deps_updated", any_changed).with_label("datom_eager")
