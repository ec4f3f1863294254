"""Repositories on GitHub: create, find, archive and delete them by GitHub's API.

Only this folder calls the API; everything else about a repository is git's.
"""

from datom_core.git.github.hosting import GitHub, GitHubRepository, RepositoryInfo

__all__ = [
    "GitHub",
    "GitHubRepository",
    "RepositoryInfo",
]
