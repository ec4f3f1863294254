"""Git as the store of truth: read a remote's branch at a commit, publish on it in one commit.

Importing this package needs the git program; nothing above imports it until a remote is opened.
"""

from datom_core.git.authors import default_author
from datom_core.git.branches import no_branch
from datom_core.git.cache import configured
from datom_core.git.remote import Remote, check_remote, is_loopback, same_remote, unshown
from datom_core.git.repo import Added, GitRepo, LostRaceError, remote_head

__all__ = [
    "Added",
    "GitRepo",
    "LostRaceError",
    "Remote",
    "check_remote",
    "configured",
    "default_author",
    "is_loopback",
    "no_branch",
    "remote_head",
    "same_remote",
    "unshown",
]
