"""What every other folder may use: the names of tables, cuts and keys, what is told while work goes on, points in time.

It knows nothing of tables, git or storage. What only one folder needs is kept there, not here.
"""

from datom_core.common import names
from datom_core.common.calls import refuse_more
from datom_core.common.events import ProjectEvent, ProjectEvents, logged
from datom_core.common.names import (
    check_cut_name,
    check_key,
    check_name,
    check_new_name,
    check_version,
    is_name,
    is_sha,
    is_text,
    normalise_prefix,
)
from datom_core.common.progress import OnProgress, Progress, watcher, watching
from datom_core.common.suggestions import did_you_mean
from datom_core.common.timestamps import Moment, moment_of

__all__ = [
    "Moment",
    "OnProgress",
    "Progress",
    "ProjectEvent",
    "ProjectEvents",
    "check_cut_name",
    "check_key",
    "check_name",
    "check_new_name",
    "check_version",
    "did_you_mean",
    "is_name",
    "is_sha",
    "is_text",
    "logged",
    "moment_of",
    "names",
    "normalise_prefix",
    "refuse_more",
    "watcher",
    "watching",
]
