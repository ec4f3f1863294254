"""Write versions: check the arguments, store payloads, commit, retry after a lost race, publish.

It has the effects in their order. What a commit holds is decided in `planning`.
"""

from datom_core.writing.arguments import (
    author_or_default,
    check_author,
    check_message,
    check_trailers,
    check_versions,
    table_job,
    table_jobs,
    utc_now,
)
from datom_core.writing.document_edits import DocumentEditor, cut_recorded, moved, upgraded
from datom_core.writing.init_project import hosted, initialize_project
from datom_core.writing.sync import Sync, SyncItem, SyncReport
from datom_core.writing.writer import Intent, Writer

__all__ = [
    "DocumentEditor",
    "Intent",
    "Sync",
    "SyncItem",
    "SyncReport",
    "Writer",
    "author_or_default",
    "check_author",
    "check_message",
    "check_trailers",
    "check_versions",
    "cut_recorded",
    "hosted",
    "initialize_project",
    "moved",
    "table_job",
    "table_jobs",
    "upgraded",
    "utc_now",
]
