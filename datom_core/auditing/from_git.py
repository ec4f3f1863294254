"""The audit table from a project's repository: it decides what happened, and in which order."""

from __future__ import annotations

from collections.abc import Iterator

from datom_core.auditing.classify import Classifier, is_document
from datom_core.auditing.events import AuditEvent
from datom_core.git import Blobs, GitRepo, WalkedCommit, walked

Keys = set[tuple[object, ...]]


def audit_git(repo: GitRepo, tip: str) -> tuple[list[AuditEvent], Keys]:
    """Every event up to a commit, in git's order, parents first; and what storage may say as well.

    Raises:
        NotFoundError, AccessDeniedError, StorageError: the remote does not exist, denies access, or is failing.
    """

    def work(commits: Iterator[tuple[WalkedCommit, Blobs]]) -> tuple[list[AuditEvent], Keys]:
        classifier = Classifier()
        events = [event for commit, blobs in commits for event in classifier.events(commit, blobs)]
        return events, classifier.keys

    return walked(repo, tip, is_document, work)
