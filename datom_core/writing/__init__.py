"""Write versions: check the arguments, store payloads, commit, retry after a lost race, publish.

This package runs the effects, in order. `planning` decides what a commit holds.
"""

from datom_core.writing.arguments import (
    Purpose,
    author_or_default,
    check_author,
    check_message,
    check_versions,
    table_job,
    table_jobs,
    utc_now,
)
from datom_core.writing.document_edits import DocumentEditor, cut_recorded, moved, upgraded
from datom_core.writing.holds import hold_payloads, versions_of_cut
from datom_core.writing.init_project import hosted, initialize_project
from datom_core.writing.review_marks import marked_reviewed
from datom_core.writing.sync import Sync, SyncItem, SyncReport
from datom_core.writing.writer import Writer

__all__ = [
    "DocumentEditor",
    "Purpose",
    "Sync",
    "SyncItem",
    "SyncReport",
    "Writer",
    "author_or_default",
    "check_author",
    "check_message",
    "check_versions",
    "cut_recorded",
    "hold_payloads",
    "hosted",
    "initialize_project",
    "marked_reviewed",
    "moved",
    "table_job",
    "table_jobs",
    "upgraded",
    "utc_now",
    "versions_of_cut",
]
