"""A project to write to: the door that users open, and moving it to other storage.

This package only passes work on: the folder named after each verb does it.
"""

from datom_core.project.migration import migrate
from datom_core.project.migration_report import MigrationReport
from datom_core.project.project import Project, editor_of

__all__ = [
    "MigrationReport",
    "Project",
    "editor_of",
    "migrate",
]
