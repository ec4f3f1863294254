"""Bring storage level with git: load what a commit holds, see what storage lacks, write that, and nothing else.

The commit already exists, and its payloads are in storage: nothing here decides what is in it.
"""

from datom_core.publishing import git_recovery
from datom_core.publishing.lines import Divergence
from datom_core.publishing.loading import load_state
from datom_core.publishing.lost_in_git import Remains, check_remains, cuts_united, last_state, states
from datom_core.publishing.namespace_claim import NamespaceClaim, check_origin
from datom_core.publishing.projector import Known, Projector
from datom_core.publishing.retries import until_published, while_conflicting

__all__ = [
    "Divergence",
    "Known",
    "NamespaceClaim",
    "Projector",
    "Remains",
    "check_origin",
    "check_remains",
    "cuts_united",
    "git_recovery",
    "last_state",
    "load_state",
    "states",
    "until_published",
    "while_conflicting",
]
