"""Where a project, its storage and its extracts lie, as Dagster's resources.

A resource opens; what is then read and written is done in `io` and `sensors`.
"""

from typing import TYPE_CHECKING, Any

from datom_dagster.resources.arguments import WRITTEN, Spelt
from datom_dagster.resources.checked_arguments import check_kind, check_options, listed
from datom_dagster.resources.extract_resource import ExtractDrop, table_of_file
from datom_dagster.resources.project_resource import (
    DatomResource,
    GovernanceResource,
    taking,
)
from datom_dagster.resources.remotes import remote_of
from datom_dagster.resources.storage_resource import DatomStorage, LocalStorage, optional, resolved

if TYPE_CHECKING:
    from datom_dagster.resources.s3_storage import S3Storage

__all__ = [
    "WRITTEN",
    "DatomResource",
    "DatomStorage",
    "ExtractDrop",
    "GovernanceResource",
    "LocalStorage",
    "S3Storage",
    "Spelt",
    "check_kind",
    "check_options",
    "listed",
    "optional",
    "remote_of",
    "resolved",
    "table_of_file",
    "taking",
]


def __getattr__(name: str) -> Any:
    """`S3Storage`, when it is asked for: to import dagster-aws costs every process of a run most of a second."""
    if name != "S3Storage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from datom_dagster.resources.s3_storage import S3Storage

    return S3Storage
