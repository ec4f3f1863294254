"""What every other folder may use: names of tables, cuts and keys, secrets, reports of events and progress, times.

It knows nothing of tables, git or storage. What only one folder needs stays in that folder.
"""

from datom_core.common import names
from datom_core.common.calls import fitting, level_outside
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
from datom_core.common.packages import needing
from datom_core.common.progress import OnProgress, Progress, watcher, watching
from datom_core.common.secret import MASK, Secret, kind_of, mask_logs, masked, veiled, without_frames, without_logins
from datom_core.common.suggestions import brief, did_you_mean
from datom_core.common.timestamps import Moment, beginning_of, moment_of
from datom_core.common.whole_files import not_written, whole_file

__all__ = [
    "MASK",
    "Moment",
    "OnProgress",
    "Progress",
    "ProjectEvent",
    "ProjectEvents",
    "Secret",
    "beginning_of",
    "brief",
    "check_cut_name",
    "check_key",
    "check_name",
    "check_new_name",
    "check_version",
    "did_you_mean",
    "fitting",
    "is_name",
    "is_sha",
    "is_text",
    "kind_of",
    "level_outside",
    "logged",
    "mask_logs",
    "masked",
    "moment_of",
    "names",
    "needing",
    "normalise_prefix",
    "not_written",
    "veiled",
    "watcher",
    "watching",
    "whole_file",
    "without_frames",
    "without_logins",
]
