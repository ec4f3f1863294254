"""Write versions: check the arguments, store payloads, commit, retry after a lost race, publish.

This package runs the effects, in order. `planning` decides what a commit holds.
"""

from datom_core.writing.approvals import (
    ApprovalEdit,
    Signatory,
    approved,
    check_reason,
    signer_allowed,
    signer_revoked,
    withdrawn,
)
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
from datom_core.writing.document_edits import DocumentEditor, SignedBy, cut_recorded, moved, upgraded
from datom_core.writing.holds import hold_payloads, versions_of_cut
from datom_core.writing.init_project import hosted, initialize_project
from datom_core.writing.machine import this_machine
from datom_core.writing.requests import Standing
from datom_core.writing.review_marks import marked_reviewed
from datom_core.writing.set_writes import SetRequest, SetWriter
from datom_core.writing.sync import Sync, SyncItem, SyncReport
from datom_core.writing.writer import Writer

__all__ = [
    "ApprovalEdit",
    "DocumentEditor",
    "Purpose",
    "SetRequest",
    "SetWriter",
    "Signatory",
    "SignedBy",
    "Standing",
    "Sync",
    "SyncItem",
    "SyncReport",
    "Writer",
    "approved",
    "author_or_default",
    "check_author",
    "check_message",
    "check_reason",
    "check_versions",
    "cut_recorded",
    "hold_payloads",
    "hosted",
    "initialize_project",
    "marked_reviewed",
    "moved",
    "signer_allowed",
    "signer_revoked",
    "table_job",
    "table_jobs",
    "this_machine",
    "upgraded",
    "utc_now",
    "versions_of_cut",
    "withdrawn",
]
