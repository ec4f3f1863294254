"""Asset checks: is the current version sound, fresh, and as the rules say?

A check reads and never writes.
"""

from datom_dagster.checks.asset_checks import datom_checks
from datom_dagster.checks.set_checks import datom_set_checks

__all__ = [
    "datom_checks",
    "datom_set_checks",
]
