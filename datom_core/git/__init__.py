"""Git: a cache of a remote, commits built without a work tree, pushes that lose or win a race, logins.

Only this folder runs git. It knows files and commits, not what is written in them.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.git.authors import default_author
    from datom_core.git.branches import no_branch, remote_head
    from datom_core.git.bundles import history_bundle
    from datom_core.git.errors import LostRaceError
    from datom_core.git.file_history import Added
    from datom_core.git.github import GitHub, GitHubRepository, RepositoryInfo
    from datom_core.git.remote import Remote, check_remote, same_remote, unshown
    from datom_core.git.repo import GitRepo
    from datom_core.git.signatures import (
        CommitSignature,
        Node,
        commits_touching,
        file_contents,
        history_nodes,
        signed_commits,
    )
    from datom_core.git.signing import ReadyKey, SigningKey, as_signing, fingerprint
    from datom_core.git.walks import Blobs, FileChange, WalkedCommit, walked
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "authors": "default_author",
            "branches": "no_branch remote_head",
            "bundles": "history_bundle",
            "errors": "LostRaceError",
            "file_history": "Added",
            "github": "GitHub GitHubRepository RepositoryInfo",
            "remote": "Remote check_remote same_remote unshown",
            "repo": "GitRepo",
            "signatures": "CommitSignature Node commits_touching file_contents history_nodes signed_commits",
            "signing": "ReadyKey SigningKey as_signing fingerprint",
            "walks": "Blobs FileChange WalkedCommit walked",
        },
    )

__all__ = [
    "Added",
    "Blobs",
    "CommitSignature",
    "FileChange",
    "GitHub",
    "GitHubRepository",
    "GitRepo",
    "LostRaceError",
    "Node",
    "ReadyKey",
    "Remote",
    "RepositoryInfo",
    "SigningKey",
    "WalkedCommit",
    "as_signing",
    "check_remote",
    "commits_touching",
    "default_author",
    "file_contents",
    "fingerprint",
    "history_bundle",
    "history_nodes",
    "no_branch",
    "remote_head",
    "same_remote",
    "signed_commits",
    "unshown",
    "walked",
]
