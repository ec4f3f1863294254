"""The IO manager: a frame to a version, and a version to a frame.

One output is one write. What is shown of it is made in `events`.
"""

from datom_dagster.io.frame_types import collected, is_empty, is_mapping
from datom_dagster.io.io_manager import DatomIOManager
from datom_dagster.io.partitions import Partition, Partitions, before_in, nameable, partition_keys
from datom_dagster.io.recorded import recorded_version
from datom_dagster.io.table_output import check_returned
from datom_dagster.io.version_choice import check_choices

__all__ = [
    "DatomIOManager",
    "Partition",
    "Partitions",
    "before_in",
    "check_choices",
    "check_returned",
    "collected",
    "is_empty",
    "is_mapping",
    "nameable",
    "partition_keys",
    "recorded_version",
]
