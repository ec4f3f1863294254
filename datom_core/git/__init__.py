"""Git: a cache of a remote, commits built without a work tree, pushes that lose or win a race, logins.

Only this folder runs git. It knows files and commits, not what is written in them.
"""

from typing import TYPE_CHECKING

from datom_core.lazy import lazy

if TYPE_CHECKING:
    from datom_core.git.authors import default_author
    from datom_core.git.branches import no_branch
    from datom_core.git.bundles import history_bundle
    from datom_core.git.errors import LostRaceError
    from datom_core.git.file_history import Added
    from datom_core.git.github import GitHub, GitHubRepository, RepositoryInfo
    from datom_core.git.remote import Remote, check_remote, same_remote, unshown
    from datom_core.git.repo import GitRepo, remote_head
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "authors": "default_author",
            "branches": "no_branch",
            "bundles": "history_bundle",
            "errors": "LostRaceError",
            "file_history": "Added",
            "github": "GitHub GitHubRepository RepositoryInfo",
            "remote": "Remote check_remote same_remote unshown",
            "repo": "GitRepo remote_head",
        },
    )

__all__ = [
    "Added",
    "GitHub",
    "GitHubRepository",
    "GitRepo",
    "LostRaceError",
    "Remote",
    "RepositoryInfo",
    "check_remote",
    "default_author",
    "history_bundle",
    "no_branch",
    "remote_head",
    "same_remote",
    "unshown",
]
